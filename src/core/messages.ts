/** What is said between the loop and a model, in no provider's words. Adapters in src/models translate. */
import type { Json } from "./json.ts";
import type { Media } from "./media.ts";
import type { JsonSchema } from "./schema.ts";

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema whose root is an object. */
  readonly parameters: JsonSchema;
}

/** A call as the model wrote it. `providerId` is kept for the log and never trusted: providers repeat and omit ids. */
export interface RequestedCall {
  readonly providerId: string;
  readonly name: string;
  /** JSON text, possibly broken. */
  readonly arguments: string;
}

export type Message =
  | { readonly role: "user"; readonly text: string }
  /**
   * `verbatim`: the provider's own message with all its unknown fields. `callIds`: our ids, by the index of its calls. `foreign`: another
   * model said it; its text and its calls are told, and nothing else of it is echoed, as thoughts and signatures are its own.
   * `kept`: where its provider keeps it.
   */
  | {
      readonly role: "assistant";
      readonly verbatim: Json;
      readonly text: string;
      readonly callIds: readonly string[];
      readonly foreign?: true;
      readonly kept?: KeptThere;
    }
  /** `media`: what the text only has notes of, for protocols that take it. */
  | {
      readonly role: "tool";
      readonly callId: string;
      readonly name: string;
      readonly text: string;
      readonly media?: readonly Media[];
    };

/** A turn as its provider keeps it, for a request that begins behind it instead of holding all. */
export interface KeptThere {
  /** The provider's id of it. */
  readonly id: string;
  /** A digest of all that it was an answer to: it may stand for exactly that. */
  readonly after: string;
}

/** A model as it is asked for: a profile, and the name that its provider knows. */
export interface ModelName {
  readonly profile: string;
  readonly model: string;
}

export interface ModelRequest extends ModelName {
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  /** `none`: the tools stay in the request (prompt caches stay warm), but the model must answer. */
  readonly toolChoice: "auto" | "none";
  /** The answer is to be JSON of this schema. It also stands in `system`, for models that cannot be bound to it. */
  readonly output?: OutputFormat;
  /** Tokens of this answer, if it is to have less than the profile allows. */
  readonly maxOutputTokens?: number;
}

export interface OutputFormat {
  /** 1 to 64 letters, digits, `_` and `-`. */
  readonly name: string;
  readonly schema: JsonSchema;
}

/** Tokens. `input` holds the cached ones as well, `output` the reasoning ones. */
export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly cachedInput: number;
  readonly reasoning: number;
  /** Of the input: what was written to the provider's cache, where it says so. Anthropic bills it dearer. */
  readonly cacheWritten?: number;
}

export const NO_USAGE: Usage = { input: 0, output: 0, cachedInput: 0, reasoning: 0 };

/** Left out where there is none, as in older journals. */
export function writtenOf(cacheWritten: number): Pick<Usage, "cacheWritten"> {
  return cacheWritten > 0 ? { cacheWritten } : {};
}

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cachedInput: a.cachedInput + b.cachedInput,
    reasoning: a.reasoning + b.reasoning,
    ...writtenOf((a.cacheWritten ?? 0) + (b.cacheWritten ?? 0)),
  };
}

/** Why the model stopped. Whether it calls tools is decided by the calls, never by this word. */
export type Finish = "stop" | "length" | "refused" | "other";

export interface ModelAnswer {
  readonly kind: "answer";
  readonly verbatim: Json;
  readonly text: string;
  readonly calls: readonly RequestedCall[];
  readonly finish: Finish;
  readonly usage: Usage;
  /** US dollars, when the gateway reports them. */
  readonly costUsd?: number;
  /** Who answered: gateways fall back to other models. */
  readonly servedModel: string;
  readonly requestId: string;
  readonly tookMs: number;
  readonly kept?: KeptThere;
  /** Of a request that began behind what the provider keeps: that it did, or that the provider had it no more and got all of it again. */
  readonly history?: "kept" | "rebuilt";
}

/**
 * - `retry`: 408, 409, 5xx, connection, an answer that is none. `rate-limit`: 429.
 * - `billing`: 402, quota used up. `credentials`: 401, 403. Both are the operator's matter.
 * - `context`: too long for the model. `invalid`: any other refusal of the request itself.
 */
export type FailureClass = "retry" | "rate-limit" | "billing" | "credentials" | "context" | "invalid";

/** Why a model gave no answer that a run can use. `unusable`: an answer that is none. `refused`: it does not want to. */
export type Trouble = FailureClass | "unusable" | "refused";

export interface ModelFailure {
  readonly kind: "failure";
  readonly class: FailureClass;
  /** Safe to store: our own words and the provider's error code, never the prompt. */
  readonly message: string;
  readonly status?: number;
  readonly retryAfterMs?: number;
  /**
   * Of an answer in the background. `left`: it is worked on, and whoever has the run later fetches it. `gone`: the provider does not know it.
   * `running`: it may still be worked on, and nobody wants it any more.
   */
  readonly background?: "left" | "gone" | "running";
}

export type ModelReply = ModelAnswer | ModelFailure;
