/**
 * A run's only truth: decisions (a list, fenced) and evidence (a hash, first write wins). Here is what an entry says; the fold of
 * entries to a run's state is in state.ts.
 *
 * J1 A decision is written only by the run's owner: its epoch is that of the last `leased` before it.
 * J2 A model answer is committed before any of its calls is claimed; a call is claimed before it is sent.
 * J3 Which evidence a prompt shows is itself a decision (`turn-requested`), so late evidence changes no prompt.
 */
import type { ApprovalPolicy } from "./needs-approval.ts";
import type { RunnableCall } from "./plan.ts";
import type { Amount, Bought, TurnAccepted, TurnCommitted, TurnFailed, TurnRequested } from "./turn-entries.ts";
import type { Json } from "./json.ts";
import type { Limits, RunLimit } from "./limits.ts";
import type { ModelName } from "./messages.ts";
import type { FailureCode, FinalStatus, Need, ParkReason, RunContext } from "./run.ts";

export type { PlannedCall, RunnableCall } from "./plan.ts";
export type { Amount, Bought, Shown, TurnAccepted, TurnCommitted, TurnFailed, TurnRequested } from "./turn-entries.ts";

/** Raised when an entry changes so that an older Errand would misread it. A run that a newer one has written waits for such a worker. */
export const JOURNAL_VERSION = 3;

export interface Created {
  readonly kind: "created";
  readonly agent: string;
  readonly identifier: string;
  readonly input: Json;
  readonly tenant?: string;
  /** The time that the run is about, ms since 1970, as the caller says. */
  readonly covers?: Covered;
  readonly tick?: RunTick;
}

/** The schedule that made the run, and for which of its times; none when somebody triggered it. */
export interface RunTick {
  readonly schedule: string;
  /** ms since 1970. */
  readonly nominal?: number;
}

export interface Covered {
  readonly from: number;
  readonly to?: number;
}

/** Written with `created`: the runs that give way to this one, and from when it covers what they covered. */
export interface Covers {
  readonly kind: "covers";
  readonly from?: number;
  readonly supersedes: readonly string[];
}

/** A worker took the run. */
export interface Leased {
  readonly kind: "leased";
  readonly worker: string;
}

/** All accounts were ACTIVE. The first one carries the frozen context, later ones only say that accounts were read again. */
export interface Prepared {
  readonly kind: "prepared";
  readonly context?: RunContext;
  /** Connection → Scalekit's account id. */
  readonly accounts: Readonly<Record<string, string>>;
}

/** A model is asked for the summary of all turns before `before`. What it may use at most is kept aside, as of a turn. */
export interface SummaryRequested {
  readonly kind: "summary-requested";
  /** The turn that is about to be asked for. */
  readonly turn: number;
  readonly before: number;
  readonly asked: ModelName;
  readonly reserve?: Amount;
}

/**
 * From here on prompts show less of what came before. Written before the first request that shows it, and never taken back: a run that
 * goes on elsewhere makes the same prompt. What several of them say adds up.
 */
export interface Compacted {
  readonly kind: "compacted";
  readonly turn: number;
  /** `full`: counted beforehand. `refused`: the provider said that it was too long. */
  readonly because: "full" | "refused";
  /** The model that it was too long for. */
  readonly asked: ModelName;
  /** Results of turns before this one are shown as a note. */
  readonly hide?: number;
  /** Results of turns before `turn` are shown in at most so many characters. */
  readonly shorten?: number;
  /** The text stands for all turns before `before`. */
  readonly summary?: { readonly before: number; readonly text: string };
  /** Tokens of the request, as they were estimated before and after. */
  readonly from: number;
  readonly to: number;
  /** Who wrote the summary. */
  readonly by?: ModelName & Bought;
  /** What a summary has used that was asked for and is of no use. */
  readonly spent?: Amount;
}

/** The intent: from here on the call may have been sent, until `at + windowMs`. */
export interface CallClaimed {
  readonly kind: "call-claimed";
  readonly call: string;
  readonly attempt: number;
  /** Nonce of this intent; its evidence carries it. */
  readonly intent: string;
  readonly tool: string;
  readonly argsHash: string;
  readonly windowMs: number;
}

/** Nobody can know whether this attempt was executed. From here on it is on the list of unknown outcomes. */
export interface Unknown {
  readonly kind: "unknown";
  readonly call: string;
  /** The attempt's nonce; of stray evidence, that of the lost intent. */
  readonly intent: string;
  readonly tool: string;
  readonly argsHash: string;
}

/** How to find out whether an attempt was executed: `look` is a reading call, made like any other. */
export interface LookPlanned {
  readonly kind: "look-planned";
  readonly call: string;
  readonly intent: string;
  readonly look: RunnableCall;
}

/** What the look says of the attempt. `unsure`: it could not be made, or does not tell. */
export interface Looked {
  readonly kind: "looked";
  readonly call: string;
  readonly intent: string;
  readonly says: "happened" | "not-executed" | "unsure";
  readonly message?: string;
}

/**
 * A call that a tool of the app's own makes while it runs (`ctx.tools.execute`), planned like one of a turn's. Its id is its parent's,
 * `n`, and its number. When the tool runs again, an equal call is this one, and what it has left is its answer.
 */
export interface SubPlanned {
  readonly kind: "sub-planned";
  readonly parent: string;
  readonly call: RunnableCall;
  /** What the tool calls it, where it does: then a call of this name is this one, whatever its arguments are by now. */
  readonly name?: string;
}

/** A person is asked whether the call may be made; denied at `until`, Redis ms. Bound to these arguments. */
export interface ApprovalAsked {
  readonly kind: "approval-asked";
  readonly call: string;
  readonly id: string;
  readonly tool: string;
  readonly argsHash: string;
  readonly policy: ApprovalPolicy;
  readonly until: number;
}

export interface Parked {
  readonly kind: "parked";
  readonly reason: ParkReason;
  /** Whom the run waits for, for reason `account`; for `outage`, whose accounts were lost together with many others. */
  readonly needs?: readonly Need[];
  /** Redis ms, for a wait until a moment. */
  readonly until?: number;
  /** The step that failed: a call's id or `t3` for a turn. */
  readonly about?: string;
  readonly message?: string;
  /** What the model call that failed has used; without it, what was kept aside for it. */
  readonly spent?: Amount;
  /** The limit of the run that it waits at, for reason `budget`. */
  readonly limit?: RunLimit;
}

/** A budget of the day has no room for the run's next calls: until it ends nothing more is begun, and the policy at a limit says what follows. */
export interface BudgetMet {
  readonly kind: "budget-met";
  /** The limit of a run that counts the same. */
  readonly limit: RunLimit;
  /** Redis ms when the day ends. */
  readonly until: number;
  /** Whose day, and which count. */
  readonly message: string;
}

/** An operator has given the run more. */
export interface LimitsRaised {
  readonly kind: "limits-raised";
  readonly limits: Partial<Limits>;
  /** Who, in the app's words. */
  readonly by?: string;
}

/** Handed back by a worker that shuts down. */
export interface Yielded {
  readonly kind: "yielded";
}

export interface Ended {
  readonly kind: "ended";
  readonly status: FinalStatus;
  readonly output?: Json;
  readonly truncated?: boolean;
  readonly code?: FailureCode;
  readonly message?: string;
  readonly spent?: Amount;
}

export type Entry =
  | Created
  | Covers
  | Leased
  | Prepared
  | TurnRequested
  | TurnAccepted
  | SummaryRequested
  | TurnFailed
  | TurnCommitted
  | Compacted
  | CallClaimed
  | Unknown
  | LookPlanned
  | Looked
  | SubPlanned
  | ApprovalAsked
  | Parked
  | BudgetMet
  | LimitsRaised
  | Yielded
  | Ended;

/** An entry as it stands in the journal, stamped by the script that wrote it. `at`: Redis ms. */
export type Decision<E extends Entry = Entry> = E & { readonly at: number; readonly epoch: number };
