import type { ModelReply, ModelRequest } from "../core/messages.ts";

/**
 * A language model behind one wire protocol.
 * Contract: one request to the provider, no retries of its own. Never throws: every failure is a `ModelFailure`, an aborted signal
 * included (class `retry`). May be called side by side.
 */
export interface Model {
  respond(request: ModelRequest, options: ModelCallOptions): Promise<ModelReply>;
}

export interface ModelCallOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Told what the model writes while it writes it, in pieces. The answer is the same with and without. Must not throw. */
  readonly onText?: (text: string) => void;
}
