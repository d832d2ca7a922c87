import type { ModelAnswer, ModelName, ModelReply, ModelRequest } from "../core/messages.ts";

/**
 * A language model behind one wire protocol.
 * Contract: one question to the provider, no retries of its own. Never throws: every failure is a `ModelFailure`, an aborted signal
 * included (class `retry`). May be called side by side.
 */
export interface Model {
  respond(request: ModelRequest, options: ModelCallOptions): Promise<ModelReply>;
  /** Nobody waits for this answer in the background any more. Best effort: takes a few seconds at most, and never rejects. */
  readonly cancel?: (asked: ModelName, answer: string) => Promise<void>;
}

export interface ModelCallOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Told what the model writes while it writes it, in pieces. The answer is the same with and without. Must not throw. */
  readonly onText?: (text: string) => void;
  /** The provider may answer in the background, if the model's profile says so. Without it the request waits for its answer. */
  readonly background?: Background;
}

export interface Background {
  /** What `accept` was told by a worker before: this answer is fetched, and nothing is asked for. */
  readonly accepted?: Accepted;
  /** The provider works on the answer. Nothing is fetched before this has resolved, with false: nobody may fetch it. Must not reject. */
  readonly accept: (accepted: Accepted) => Promise<boolean>;
  /** Asked while it waits; true: it waits no more, and the failure is `left`. */
  readonly leaves: () => boolean;
}

/** `answer`: the provider's id of it. */
export interface Accepted extends Pick<ModelAnswer, "history"> {
  readonly answer: string;
}
