/** How one attempt to make a tool call ended, and what the model is told of it. */
import type { Json } from "./json.ts";

/**
 * Why a call was certainly not executed. Such a call may be made again, whatever its effect. `store`: too few replicas had its intent,
 * so it was not sent. `version`: the worker does not have the tool, or the version of it, that the run started with.
 * `approval`: somebody at the other side must approve it first; `ref` says what to ask for.
 * `suspended`: a tool of the app's own stopped where a call of its own has to wait; it is run again when that is over.
 */
export type Refusal =
  | "account"
  | "scope"
  | "rate-limit"
  | "unavailable"
  | "credentials"
  | "store"
  | "version"
  | "approval"
  | "suspended";

/** The operator's matter: it is waited for as long as it takes, and counts as no attempt. */
export function isOperators(why: string): boolean {
  return why === "credentials" || why === "store" || why === "version" || why === "approval";
}

/** Why a run waits before it makes a refused call again. Somebody must deploy what the run started with, or approve the call; the rest of the operator's matters end by themselves. */
export function reasonOf(why: string): "review" | "outage" | "rate-limit" | "retry" {
  if (why === "version" || why === "approval") return "review";
  if (why === "rate-limit") return "rate-limit";
  return isOperators(why) ? "outage" : "retry";
}

/**
 * Where the JSON text of a large result is: in pieces of its own, without its end if `cut`. Not `kept`: nowhere any more. It stands
 * beside the data, so that no tool can answer something that looks like it.
 */
export type BlobNote =
  | { readonly kept: true; readonly characters: number; readonly pieces: number; readonly cut?: true }
  | { readonly kept: false; readonly characters: number };

export type Outcome =
  /** Executed; `data` is what the tool answered, or of a large result, which has a `blob`, a note with its head and tail. */
  | { readonly kind: "ok"; readonly data: Json; readonly blob?: BlobNote; readonly executionId?: string }
  /** Executed or refused by the provider for its arguments: a definite answer, told to the model. */
  | {
      readonly kind: "error";
      readonly type: string;
      readonly message: string;
      readonly retryable: boolean;
      /** What the provider proposes instead. */
      readonly recovery?: readonly RecoveryAction[];
      readonly executionId?: string;
    }
  /**
   * Certainly not executed. Evidence of that attempt only. `retryAfterMs`: the provider's own wish, if it told one. `ref`: given to
   * the next attempt as `ToolSend.resume`, so that it asks for what this one began.
   */
  | {
      readonly kind: "not-executed";
      readonly why: Refusal;
      readonly message: string;
      readonly retryAfterMs?: number;
      readonly ref?: string;
      /** Of a rate limit: Scalekit's own, of all its environment. Otherwise a provider's. */
      readonly by?: "scalekit";
    }
  /** It may have been executed. */
  | { readonly kind: "unknown"; readonly message: string; readonly executionId?: string };

/** What a person found out about an attempt whose outcome nobody knew. `stop` ends the run. */
export interface Answer {
  readonly kind: "answered";
  readonly says: "happened" | "not-executed" | "stop";
  /** Who said so, in the app's words. */
  readonly by?: string;
}

/** A person's word on a call before it was made. `argsHash`: of the arguments that may be sent, which are `args` if he wrote others. */
export interface Approval {
  readonly kind: "approved" | "denied";
  readonly argsHash: string;
  readonly args?: Json;
  /** Who said so, in the app's words. */
  readonly by?: string;
  /** Nobody said so: its time was over. */
  readonly lapsed?: true;
  /** For the model. */
  readonly message?: string;
}

/** What an attempt has left, and not what a person said of it. */
export function isOutcome(outcome: Outcome | Answer | Approval): outcome is Outcome {
  return !["answered", "approved", "denied"].includes(outcome.kind);
}

/** The nonce of the evidence that answers an attempt: an answer never overwrites what the attempt itself has left. */
export function answerNonce(intent: string): string {
  return `answer:${intent}`;
}

/** What is written of an attempt: first write wins, from any epoch. `nonce` is the intent's, `answerNonce` of it, or `approvalNonce`. */
export interface Evidence {
  readonly nonce: string;
  readonly call: string;
  readonly tool: string;
  readonly argsHash: string;
  readonly outcome: Outcome | Answer | Approval;
  readonly tookMs: number;
  /** Redis ms, set by the script. */
  readonly at: number;
}

export interface RecoveryAction {
  readonly action: string;
  readonly description: string;
  /** A tool that does it, and what to give it. */
  readonly tool?: string;
  readonly inputs?: Json;
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

/** A call whose outcome nobody knows, as the model and people are told of it. */
export interface UnknownCall {
  readonly tool: string;
  readonly call: string;
  /** `run/call`: where an operator finds it. */
  readonly ref: string;
  /** Redis ms of the intent; nothing when Redis lost it. */
  readonly startedAt?: number;
  /** Reading tools of the same connection. */
  readonly verifyWith: readonly string[];
}

export interface UnknownEnvelope extends ErrorEnvelope {
  readonly outcome: {
    readonly status: "unknown";
    readonly started_at?: string;
    readonly repeat_allowed: false;
    readonly verify_with: readonly string[];
    readonly operator_ref: string;
  };
}

/** What the model is told of a call whose outcome nobody knows (facts/reliability.md §1.5). */
export function unknownEnvelope({ tool, call, ref, startedAt, verifyWith }: UnknownCall): UnknownEnvelope {
  const envelope = errorEnvelope(
    "OutcomeUnknown",
    `${tool} (call ${call}) was started, but its result was never recorded: it may or may not have taken effect. It was not repeated, ` +
      "and an equal call will be refused. Check with a reading tool, or say so in your answer.",
  );
  return {
    ...envelope,
    outcome: {
      status: "unknown",
      ...(startedAt !== undefined && { started_at: new Date(startedAt).toISOString() }),
      repeat_allowed: false,
      verify_with: verifyWith,
      operator_ref: ref,
    },
  };
}

/** What the model is told of a call that is not made, because the outcome of the equal call `of` is unknown. */
export function repeatEnvelope(tool: string, of: string): ErrorEnvelope {
  return errorEnvelope(
    "DuplicateOfUnknown",
    `${tool} was not called: call ${of} had the same arguments, and nobody knows whether it took effect. ` +
      "Do not repeat it; check with a reading tool, or say so in your answer.",
  );
}

/** What the model is told of a call that is not made, because the run has met a limit. @param made calls that the tool itself has made */
export function limitEnvelope(tool: string, limit: string, made = 0): ErrorEnvelope {
  const what =
    made === 0
      ? `${tool} was not called`
      : `${tool} was stopped half-way, after ${made} of the calls that it makes were made`;
  return errorEnvelope(
    "LimitReached",
    `${what}: the run's limit is met (${limit}), and no more calls are made. Answer with what you have, and say what was not done.`,
  );
}

/** What the model is told of a call that was executed, and whose result was lost. */
export function happenedEnvelope(tool: string): Json {
  return {
    success: true,
    result: null,
    note: `${tool} was executed. Its result was lost and cannot be shown; do not call it again for the same purpose.`,
  };
}
