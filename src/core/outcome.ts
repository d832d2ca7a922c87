/** How one attempt to make a tool call ended, and what the model is told of it. */
import type { Json } from "./json.ts";

/** Why a call was certainly not executed. Such a call may be made again, whatever its effect. */
export type Refusal = "account" | "scope" | "rate-limit" | "unavailable" | "credentials";

export type Outcome =
  /** Executed; `data` is what the tool answered. */
  | { readonly kind: "ok"; readonly data: Json; readonly executionId?: string }
  /** Executed or refused by the provider for its arguments: a definite answer, told to the model. */
  | {
      readonly kind: "error";
      readonly type: string;
      readonly message: string;
      readonly retryable: boolean;
      readonly executionId?: string;
    }
  /** Certainly not executed. Evidence of that attempt only. `retryAfterMs`: the provider's own wish, if it told one. */
  | { readonly kind: "not-executed"; readonly why: Refusal; readonly message: string; readonly retryAfterMs?: number }
  /** It may have been executed. */
  | { readonly kind: "unknown"; readonly message: string };

/** What is written of an attempt: first write wins, from any epoch. `nonce` is the intent's. */
export interface Evidence {
  readonly nonce: string;
  readonly call: string;
  readonly tool: string;
  readonly argsHash: string;
  readonly outcome: Outcome;
  readonly tookMs: number;
  /** Redis ms, set by the script. */
  readonly at: number;
}

export interface RecoveryAction {
  readonly action: string;
  readonly description: string;
}

/** The one error envelope that a model sees (facts/seeds.md C.1 form 1). */
export interface ErrorEnvelope {
  readonly success: false;
  readonly error: {
    readonly type: string;
    readonly message: string;
    readonly retryable: boolean;
    readonly recovery: readonly RecoveryAction[];
  };
}

export function errorEnvelope(
  type: string,
  message: string,
  options: { retryable?: boolean; recovery?: readonly RecoveryAction[] } = {},
): ErrorEnvelope {
  return {
    success: false,
    error: { type, message, retryable: options.retryable ?? false, recovery: options.recovery ?? [] },
  };
}

/** What the model is told of a call whose outcome nobody knows (facts/reliability.md §1.5). */
export function unknownEnvelope(tool: string, call: string): ErrorEnvelope {
  return errorEnvelope(
    "OutcomeUnknown",
    `${tool} (call ${call}) was started, but its result was never recorded: it may or may not have taken effect. It was not repeated. ` +
      "Do not call it again with the same arguments; check with a reading tool, or say so in your answer.",
  );
}
