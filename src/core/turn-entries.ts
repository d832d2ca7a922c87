/** What a journal says of a run's turns: asked for, worked on in the background, failed, committed. */
import type { Json } from "./json.ts";
import type { RunLimit } from "./limits.ts";
import type { Finish, KeptThere, ModelName, Trouble, Usage } from "./messages.ts";
import type { PlannedCall } from "./plan.ts";
import type { FailureCode } from "./run.ts";

/**
 * For each call of the last turn: the intent whose evidence is shown, or `rejected` (never made), `unknown` (nobody knows), `happened`
 * (a look or a person said so; its result is lost), `repeat` (never made, because the outcome of the equal call `of` is unknown), or
 * `limited` (not made, because the run had met this limit; of a tool that makes calls of its own, `made` of them were).
 */
export type Shown =
  | { readonly call: string; readonly evidence: string }
  | { readonly call: string; readonly as: "unknown" | "rejected" | "happened" }
  | { readonly call: string; readonly as: "repeat"; readonly of: string }
  | { readonly call: string; readonly as: "limited"; readonly limit: RunLimit; readonly made?: number };

/** What model calls use. Money in US dollars; none where the price is not known. */
export interface Amount {
  readonly tokens: number;
  readonly costUsd?: number;
}

export interface TurnRequested {
  readonly kind: "turn-requested";
  readonly turn: number;
  readonly attempt: number;
  readonly final: boolean;
  /** Of a last turn: the limit that makes it so. */
  readonly because?: RunLimit;
  /** The most that this call may use, kept aside until it is known what it did. */
  readonly reserve?: Amount;
  readonly shown: readonly Shown[];
  /** Who is asked. Older journals do not say it: then it is the context's model. */
  readonly asked?: ModelName;
  /** The provider's id of the answer that was waited for before, and that it does not know any more: this asks anew, once. */
  readonly lost?: string;
}

/**
 * The provider works on the answer in the background, under this id. Written before it is asked for it, so that it is fetched by whoever
 * has the run, and not bought twice.
 */
export interface TurnAccepted {
  readonly kind: "turn-accepted";
  readonly turn: number;
  readonly attempt: number;
  readonly asked: ModelName;
  readonly answer: string;
  /** As of a `turn-committed`. */
  readonly history?: "kept" | "rebuilt";
}

/** A model did not answer, and another one is asked at once. What is waited for is a `parked`. */
export interface TurnFailed {
  readonly kind: "turn-failed";
  readonly turn: number;
  readonly asked: ModelName;
  readonly why: Trouble;
  readonly message: string;
  readonly retryAfterMs?: number;
  /** As of a `parked`. */
  readonly spent?: Amount;
}

/** What is known of a model call that was paid for. */
export interface Bought {
  readonly usage: Usage;
  readonly costUsd?: number;
  readonly servedModel: string;
  readonly requestId: string;
  readonly tookMs: number;
}

export interface TurnCommitted extends Bought {
  readonly kind: "turn-committed";
  readonly turn: number;
  /** Who was asked. Older journals do not say it: then it is the context's model. */
  readonly asked?: ModelName;
  readonly verbatim: Json;
  readonly text: string;
  readonly finish: Finish;
  readonly plan: readonly PlannedCall[];
  /** `act`: make the calls. `again`: ask again with `nudge`. `finish`: this is the answer. `fail`: it ends the run. */
  readonly leadsTo: "act" | "again" | "finish" | "fail";
  readonly nudge?: string;
  readonly failure?: { readonly code: FailureCode; readonly message: string };
  /** The validated output, of an answer that finishes. */
  readonly output?: Json;
  readonly truncated?: boolean;
  /** Where the provider keeps it, and whether it was asked for behind such a turn (Responses' `previous_response_id`). */
  readonly kept?: KeptThere;
  readonly history?: "kept" | "rebuilt";
}
