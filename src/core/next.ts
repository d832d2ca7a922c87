/**
 * What a run does next: pure over the folded state. The loop does the step and commits what happened.
 *
 * N1 An ended run has no next step.  N2 A cancel wins over everything but an end.
 * N3 Nothing is sent before the accounts were seen ACTIVE since the last park for an account, or for a call that failed.
 * N4 A turn is asked for only when every call of the one before is settled, unknown or rejected.
 * N5 An answer that a provider works on in the background is fetched before anything else is begun.
 */
import { atLimit, type Bounded, bounded, limitOfCalls } from "./at-limit.ts";
import { approvedCall } from "./approval.ts";
import { completed, fatal, partial, poisoned } from "./endings.ts";
import { begins, limited } from "./limited.ts";
import { type CallStanding, pendingSubs, standing } from "./calls.ts";
import type {
  Decision,
  Ended,
  Parked,
  PlannedCall,
  RunnableCall,
  Shown,
  TurnAccepted,
  TurnRequested,
} from "./journal.ts";
import type { RunLimit } from "./limits.ts";
import { limitsOf } from "./own-limits.ts";
import { crashes, type RunState, type Turn } from "./state.ts";
import type { Evidence } from "./outcome.ts";
import type { ParkReason } from "./run.ts";

export interface CallStep {
  readonly call: RunnableCall;
  readonly attempt: number;
}

export type Step =
  /** Look at the accounts; the first time also freeze the context. */
  | { readonly do: "prepare" }
  /** Ask the model. `final`: the last turn, reserved for an answer; `because` of which limit. */
  | {
      readonly do: "think";
      readonly turn: number;
      readonly attempt: number;
      readonly final: boolean;
      readonly because?: RunLimit;
      readonly shown: readonly Shown[];
      /** It was asked for already: the provider works on the answer, which is fetched. */
      readonly accepted?: Decision<TurnAccepted>;
      /** What was fetched before is gone: it is asked for anew. */
      readonly lost?: string;
    }
  /** Wait at a limit of the run until an operator raises it. `until`: Redis ms. */
  | {
      readonly do: "wait-limit";
      readonly turn: number;
      readonly limit: RunLimit;
      readonly until: number;
      readonly message: string;
    }
  /** Claim and send these calls side by side. */
  | { readonly do: "call"; readonly calls: readonly CallStep[] }
  /** Wait for a lost worker's call to be settled. */
  | { readonly do: "settle"; readonly call: string; readonly until: number }
  /** Wait before a failed attempt is made again. */
  | { readonly do: "retry"; readonly call: string; readonly standing: Extract<CallStanding, { is: "retry" }> }
  /** Plan how to look whether this attempt was executed. */
  | { readonly do: "plan-look"; readonly call: RunnableCall; readonly intent: string; readonly attempt: number }
  /** The look was made, or cannot be: say what it tells. */
  | { readonly do: "conclude"; readonly call: RunnableCall; readonly intent: string; readonly evidence?: Evidence }
  /** Write down that nobody can know whether this attempt was executed. */
  | { readonly do: "record"; readonly call: RunnableCall; readonly intent: string }
  /** Wait for a person to say whether it was. `since`: Redis ms. */
  | { readonly do: "ask"; readonly call: string; readonly intent: string; readonly since: number }
  /** Ask people whether these calls may be made. */
  | { readonly do: "ask-approval"; readonly calls: readonly RunnableCall[] }
  /** Wait for the word on this one. `until`: Redis ms. */
  | { readonly do: "await-approval"; readonly call: RunnableCall; readonly id: string; readonly until: number }
  | { readonly do: "end"; readonly end: Ended };

export interface Situation {
  /** Redis ms. */
  readonly now: number;
  readonly cancelled: boolean;
}

export function next(state: RunState, { now, cancelled }: Situation): Step {
  if (state.ended !== undefined) throw new Error(`run ${state.id} has ended; it has no next step`);
  if (cancelled) return { do: "end", end: { kind: "ended", status: "cancelled" } };
  const limits = limitsOf(state);
  if (crashes(state) >= (limits?.crashes ?? CRASHES_BEFORE_CONTEXT))
    return { do: "end", end: poisoned(crashes(state)) };
  if (limits === undefined || !state.accountsSeen) return { do: "prepare" };
  if (state.accepted !== undefined && state.requested !== undefined) return fetch(state.accepted, state.requested);
  const turn = state.turns.at(-1);
  switch (turn?.leadsTo) {
    case undefined:
      return think(state, [], now);
    case "act":
      return act(state, turn, limits.attempts, limits.parallel, now);
    case "again":
      return think(state, [], now);
    case "finish":
      return { do: "end", end: completed(turn) };
    case "fail":
      return { do: "end", end: { kind: "ended", status: "failed", ...turn.failure, ...partial(turn) } };
  }
}

/** Before the first preparation there is no context yet, so nothing else limits a run that kills its workers there. */
export const CRASHES_BEFORE_CONTEXT = 10;

/** Whatever has come since: it was asked for with what was known then, and it is paid for. */
function fetch(accepted: Decision<TurnAccepted>, { final, because, shown }: TurnRequested): Step {
  const { turn, attempt } = accepted;
  return { do: "think", turn, attempt, final, ...(because !== undefined && { because }), shown, accepted };
}

function think(state: RunState, shown: readonly Shown[], now: number): Step {
  const turn = state.turns.length;
  const bound = bounded(state, now);
  const halt = halted(state, bound);
  if (halt !== undefined) return halt;
  return {
    do: "think",
    turn,
    attempt: attemptsOf(state, `t${turn}`) + state.failures.length + 1,
    final: bound.is === "last",
    ...(bound.is === "last" && { because: bound.because }),
    shown,
  };
}

/** What ends the work at a limit, or lets it wait there. */
function halted({ turns }: RunState, bound: Bounded): Step | undefined {
  if (bound.is === "end") return { do: "end", end: bound.end };
  if (bound.is !== "wait") return undefined;
  const { limit, until, message } = bound;
  return { do: "wait-limit", turn: turns.length, limit, until, message };
}

/** Failed attempts of one step so far: each was a park, for `reason` if one is given. */
export function attemptsOf(state: RunState, about: string, reason?: ParkReason): number {
  const counts = (park: Parked): boolean =>
    reason === undefined ? !["settling", "rate-limit", "paused"].includes(park.reason) : park.reason === reason;
  return state.parks.filter((park) => park.about === about && counts(park)).length;
}

/**
 * Calls are looked at in index order. Reads run side by side; any other call waits until those before it are settled, and runs
 * alone, so nothing behind it is made before it is settled. At a limit nothing more is begun; what is in doubt is still looked after.
 */
function act(state: RunState, turn: Turn, attempts: number, parallel: number, now: number): Step {
  const reads: CallStep[] = [];
  const shown: Shown[] = [];
  /** What is done when no read can be made. */
  let otherwise: Step | undefined;
  const met = limitOfCalls(state, now);
  let isKept = false;
  for (const planned of turn.plan) {
    const call = approvedCall(state, planned);
    const at = standing(state, call, attempts, now);
    const done = shownAs(call.id, at);
    if (done !== undefined) {
      shown.push(done);
      continue;
    }
    if (call.verdict !== "run") continue;
    const isRead = call.effect === "read";
    const below = waitsBelow(state, call, attempts, now);
    if (met !== undefined && below === undefined && begins(at)) {
      isKept = true;
      const kept = limited(state, call, met);
      if ("intent" in kept) otherwise ??= { do: "record", call, ...kept };
      else shown.push(kept);
      continue;
    }
    if (below !== undefined) otherwise ??= below;
    else if (at.is === "open" && isRead) reads.push({ call, attempt: at.attempt });
    else otherwise ??= pending(state, call, at, attempts, now);
    if (!isRead) break;
  }
  if (reads.length > 0) return { do: "call", calls: reads.slice(0, parallel) };
  // Whoever approves sees all that the turn asks for at once.
  if (otherwise?.do === "ask-approval")
    return { do: "ask-approval", calls: [...new Set([...otherwise.calls, ...unasked(state, turn, attempts, now)])] };
  const halt = met !== undefined && isKept ? halted(state, atLimit(state, met, now)) : undefined;
  return otherwise ?? halt ?? think(state, shown, now);
}

function unasked(state: RunState, { plan }: Turn, attempts: number, now: number): RunnableCall[] {
  return plan.flatMap((call) =>
    call.verdict === "run" && standing(state, call, attempts, now).is === "unasked" ? [call] : [],
  );
}

/** A tool that makes calls of its own is not run again while one of them has to wait, to be looked after, or to be asked about. */
export function waitsBelow(state: RunState, call: PlannedCall, attempts: number, now: number): Step | undefined {
  for (const sub of pendingSubs(state, call, now)) {
    const at = standing(state, sub, attempts, now);
    const step =
      at.is === "open" || shownAs(sub.id, at) !== undefined ? undefined : pending(state, sub, at, attempts, now);
    if (step !== undefined) return step;
  }
  return undefined;
}

/** What the model is shown of a call for which nothing more is done; nothing for one that is not there yet. */
function shownAs(call: string, at: CallStanding): Shown | undefined {
  switch (at.is) {
    case "rejected":
    case "unknown":
    case "happened":
      return { call, as: at.is };
    case "repeat":
      return { call, as: "repeat", of: at.of };
    case "settled":
    case "denied":
      return { call, evidence: at.evidence.nonce };
    default:
      return undefined;
  }
}

function pending(
  state: RunState,
  call: RunnableCall,
  at: CallStanding,
  attempts: number,
  now: number,
): Step | undefined {
  switch (at.is) {
    case "open":
      return { do: "call", calls: [{ call, attempt: at.attempt }] };
    case "blocked":
      return { do: "prepare" };
    case "settling":
      return { do: "settle", call: call.id, until: at.until };
    case "retry":
      return { do: "retry", call: call.id, standing: at };
    case "unlooked":
      return { do: "plan-look", call, intent: at.intent, attempt: at.attempt };
    case "looking":
      return look(state, call, at, attempts, now);
    case "unrecorded":
      return { do: "record", call, intent: at.intent };
    case "asking":
      return { do: "ask", call: call.id, intent: at.intent, since: at.since };
    case "unasked":
      return { do: "ask-approval", calls: [call] };
    case "approving":
      return { do: "await-approval", call, id: at.id, until: at.until };
    case "fatal":
      return { do: "end", end: fatal(call, state.id) };
    case "stopped":
      return {
        do: "end",
        end: { kind: "ended", status: "cancelled", message: `Stopped by a person at call ${call.id}.` },
      };
    default:
      return undefined;
  }
}

/** A look is a reading call like any other. Whatever settles it, or keeps it from being made, leads to a conclusion. */
function look(
  state: RunState,
  call: RunnableCall,
  { intent, look: reading }: Extract<CallStanding, { is: "looking" }>,
  attempts: number,
  now: number,
): Step | undefined {
  const at = standing(state, reading, attempts, now);
  if (at.is === "settled") return { do: "conclude", call, intent, evidence: at.evidence };
  return shownAs(reading.id, at) === undefined
    ? pending(state, reading, at, attempts, now)
    : { do: "conclude", call, intent };
}
