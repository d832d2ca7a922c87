import type { ModelReply, ModelRequest } from "../core/messages.ts";

/**
 * A language model behind one wire protocol.
 * Contract: one request to the provider, no retries of its own. Never throws: every failure is a `ModelFailure`, an aborted signal
 * included (class `retry`). May be called side by side.
 */
export interface Model {
  respond(
    request: ModelRequest,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<ModelReply>;
}
