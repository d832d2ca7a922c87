/** Where one planned call of the last turn stands: the table of effects and outcomes (DESIGN §4, "A call"). */
import { type Attempt, type Doubtful, inDoubt, isUnanswered, saidOf } from "./doubts.ts";
import { type Repeatability, resolve } from "./effects.ts";
import type { CallClaimed, Decision, PlannedCall, RunnableCall } from "./journal.ts";
import type { RunState } from "./state.ts";
import { type ApprovalStanding, approvalStanding, approvedCall } from "./approval.ts";
import { type Evidence, isOperators, isOutcome, type Outcome, reasonOf, type Refusal } from "./outcome.ts";

/** May be made, or is being made, or waits to be made. */
export type CallStanding =
  /** Never made; the plan says what the model is told. */
  | { readonly is: "rejected" }
  /** Never made: nobody knows the outcome of the equal call `of`. */
  | { readonly is: "repeat"; readonly of: string }
  /** Settled by this evidence. */
  | { readonly is: "settled"; readonly evidence: Evidence }
  /** May be claimed and sent now. */
  | { readonly is: "open"; readonly attempt: number }
  /** A lost worker may still be sending it, or it is too early to look. */
  | { readonly is: "settling"; readonly until: number }
  /** The attempt was certainly not executed, or may be repeated; it may be made again after a wait. */
  | {
      readonly is: "retry";
      readonly failed: number;
      readonly why: Refusal;
      readonly message: string;
      readonly retryAfterMs: number;
    }
  /** The account refused; it must be looked at before the call is made again. */
  | { readonly is: "blocked"; readonly why: "account" | "scope"; readonly evidence: Evidence }
  | Doubtful
  | Exclude<ApprovalStanding, { is: "approved" }>;

export function standing(state: RunState, call: PlannedCall, attempts: number, now: number): CallStanding {
  if (call.verdict === "reject") return { is: "rejected" };
  const tool = state.context?.tools.find(({ name }) => name === call.name);
  return standingOf(state, approvedCall(state, call), Math.min(attempts, tool?.attempts ?? attempts), now);
}

function standingOf(state: RunState, call: RunnableCall, attempts: number, now: number): CallStanding {
  const claims = state.claims[call.id] ?? [];
  const definite = claims
    .map((claim) => state.evidence[claim.intent])
    .find((e) => e?.outcome.kind === "ok" || e?.outcome.kind === "error");
  if (definite !== undefined) return { is: "settled", evidence: definite };
  const word = claims.map(({ intent }) => saidOf(state, intent)).findLast((it) => it === "happened" || it === "stop");
  if (word !== undefined) return { is: word === "happened" ? "happened" : "stopped" };
  const at = attempted(state, call, claims, attempts, now);
  if (at.is === "open") {
    const stray = strayOf(state, call);
    if (stray !== undefined) return inDoubt(state, call, { intent: stray.nonce, attempt: at.attempt, mayLook: true });
    const of = at.attempt === 1 ? unansweredEqual(state, call) : undefined;
    if (of !== undefined) return { is: "repeat", of };
    const approval = approvalStanding(state, call, now);
    return approval.is === "approved" ? at : approval;
  }
  return at.is === "doubt" ? inDoubt(state, call, at) : at;
}

type Attempted = Exclude<CallStanding, Doubtful | ApprovalStanding> | (Attempt & { readonly is: "doubt" });

function attempted(
  state: RunState,
  call: RunnableCall,
  claims: readonly Decision<CallClaimed>[],
  attempts: number,
  now: number,
): Attempted {
  const last = claims.at(-1);
  if (last === undefined) return { is: "open", attempt: 1 };
  const usedUp = last.attempt - waitsOf(state, call) >= attempts;
  const doubt = { is: "doubt", intent: last.intent, attempt: last.attempt + 1, mayLook: !usedUp } as const;
  const evidence = state.evidence[last.intent];
  if (evidence !== undefined && evidence.outcome.kind !== "unknown")
    return despiteEarlier(state, call, claims, withEvidence(state, call, last, evidence, usedUp), now);

  // What its own worker could not tell is never sent again. But where a connection broke, the provider may still be at work.
  const finished = last.at + last.windowMs;
  const deadline = evidence?.at ?? finished;
  const first = unsettled(state, claims)[0] ?? last;
  const doubtful = { first: first.at, deadline, finished, now, windowMs: last.windowMs };
  const resolution = resolve(repeatability(state, call), doubtful);
  switch (resolution.do) {
    case "wait":
      return { is: "settling", until: resolution.until };
    case "look":
    case "never":
      return doubt;
    case "again": {
      // A call whose workers die each time is not sent for ever: the crash limit ends the run, this one ends the call.
      if (usedUp) return { ...doubt, mayLook: false };
      if (evidence === undefined || waited(state, call.id, evidence)) return { is: "open", attempt: last.attempt + 1 };
      const { message } = evidence.outcome as Extract<Outcome, { kind: "unknown" }>;
      return { is: "retry", failed: last.attempt, why: "unavailable", message, retryAfterMs: 0 };
    }
  }
}

/**
 * The last attempt was refused, but one before it was sent again only because its effect allows that, and may have been executed:
 * then the call may not be said to be not executed, and a key must still be known to its provider.
 */
function despiteEarlier(
  state: RunState,
  call: RunnableCall,
  claims: readonly Decision<CallClaimed>[],
  at: Attempted,
  now: number,
): Attempted {
  const earlier = unsettled(state, claims);
  const [first] = earlier;
  const [last, latest] = [claims.at(-1), earlier.at(-1)];
  if (first === undefined || last === undefined || latest === undefined || call.effect === "read") return at;
  const doubt = { is: "doubt", intent: latest.intent, attempt: last.attempt + 1 } as const;
  if (at.is === "settled") return { ...doubt, mayLook: false };
  if (at.is !== "open" || call.effect !== "keyed") return at;
  const doubtful = { first: first.at, deadline: now, finished: now, now, windowMs: last.windowMs };
  return resolve(repeatability(state, call), doubtful).do === "again" ? at : { ...doubt, mayLook: true };
}

/** Attempts that may have been executed, since the last one of which it was said that the call was not. */
function unsettled(state: RunState, claims: readonly Decision<CallClaimed>[]): readonly Decision<CallClaimed>[] {
  const denied = claims.findLastIndex(({ intent }) => saidOf(state, intent) === "not-executed");
  return claims
    .slice(denied + 1)
    .filter(({ intent }) => (state.evidence[intent]?.outcome.kind ?? "unknown") === "unknown");
}

/** The last attempt that may have been executed, of a call that may be made again all the same. */
export function mayHaveHappened(state: RunState, call: RunnableCall): string | undefined {
  return call.effect === "read" ? undefined : unsettled(state, state.claims[call.id] ?? []).at(-1)?.intent;
}

function repeatability(state: RunState, { name, effect }: RunnableCall): Repeatability {
  const { onUnknown, keyWindowMs, settleMs, composite } = state.context?.tools.find((tool) => tool.name === name) ?? {};
  return {
    effect,
    ...(composite !== undefined && { composite }),
    ...(onUnknown !== undefined && { onUnknown }),
    ...(keyWindowMs !== undefined && { keyWindowMs }),
    ...(settleMs !== undefined && { settleMs }),
  };
}

/**
 * Evidence without its intent: the store lost the claim of an attempt in a crash, but the call was sent. Equal tool and arguments
 * are taken for this call, so an effect that must not be repeated becomes doubtful. A key is the call's own: only its own attempts
 * are dropped by the provider.
 */
function strayOf(state: RunState, call: RunnableCall): Evidence | undefined {
  if (call.effect === "read" || call.effect === "idempotent") return undefined;
  const claimed = new Set(Object.values(state.claims).flatMap((claims) => claims.map((c) => c.intent)));
  return Object.values(state.evidence).find(
    (e) =>
      isOutcome(e.outcome) &&
      !claimed.has(e.nonce) &&
      e.tool === call.name &&
      e.argsHash === call.argsHash &&
      !(call.effect === "keyed" && e.call === call.id),
  );
}

/** Another call of this run with the same tool and arguments whose outcome nobody knows. */
function unansweredEqual(state: RunState, { id, name, argsHash, effect }: RunnableCall): string | undefined {
  if (effect === "read" || effect === "idempotent") return undefined;
  return Object.values(state.unknowns).find(
    (unknown) =>
      unknown.call !== id && unknown.tool === name && unknown.argsHash === argsHash && isUnanswered(state, unknown),
  )?.call;
}

function withEvidence(
  state: RunState,
  call: RunnableCall,
  last: Decision<CallClaimed>,
  evidence: Evidence,
  usedUp: boolean,
): Attempted {
  const { outcome } = evidence;
  if (outcome.kind !== "not-executed") return { is: "settled", evidence };
  if (outcome.why === "suspended") return { is: "open", attempt: last.attempt + 1 };
  if (outcome.why === "account" || outcome.why === "scope")
    return lookedSince(state, evidence)
      ? { is: "open", attempt: last.attempt + 1 }
      : { is: "blocked", why: outcome.why, evidence };
  if (waited(state, call.id, evidence)) return { is: "open", attempt: last.attempt + 1 };
  if (usedUp && !isOperators(outcome.why)) return { is: "settled", evidence };
  const { why, message, retryAfterMs = 0 } = outcome;
  return { is: "retry", failed: last.attempt, why, message, retryAfterMs };
}

/**
 * Calls that a tool made by itself and for whose sake it is to be run again, those of theirs included: of a call that is not settled,
 * whose tool can be run again.
 */
export function pendingSubs(state: RunState, call: PlannedCall, now: number): readonly RunnableCall[] {
  const subs = state.subs[call.id] ?? [];
  if (call.verdict !== "run" || subs.length === 0 || !isComposite(state, call)) return [];
  if (standing(state, call, Infinity, now).is !== "open") return [];
  return subs.flatMap((sub) => [sub.call, ...pendingSubs(state, sub.call, now)]);
}

export function isComposite(state: RunState, { name }: RunnableCall): boolean {
  return state.context?.tools.find((tool) => tool.name === name)?.composite === true;
}

/** Attempts that were no failures of the call: it waited for the user or the operator. */
function waitsOf(state: RunState, call: RunnableCall): number {
  return (state.claims[call.id] ?? []).filter(({ intent }) => {
    const outcome = state.evidence[intent]?.outcome;
    if (outcome?.kind !== "not-executed") return false;
    return ["account", "scope", "suspended"].includes(outcome.why) || isOperators(outcome.why);
  }).length;
}

/**
 * The run parked after this failed attempt and is here again: for it, or for another call that failed beside it, at least as long
 * as this one's provider asked for. So calls that meet a limit together wait for it once, not one after the other.
 */
function waited(state: RunState, call: string, { at, outcome }: Evidence): boolean {
  const refused = outcome.kind === "not-executed" ? outcome : undefined;
  const until = at + (refused?.retryAfterMs ?? 0);
  const reason = refused === undefined ? "retry" : reasonOf(refused.why);
  // Older journals have no other word for a provider's limit.
  const words = reason === "rate-limit" ? [reason, "retry"] : [reason];
  return state.parks.some(
    (park) =>
      park.at >= at && (park.about === call || (words.includes(park.reason) && (park.until ?? park.at) >= until)),
  );
}

/** All accounts were seen ACTIVE after this refusal. */
function lookedSince(state: RunState, evidence: Evidence): boolean {
  return state.prepared !== undefined && state.prepared.at > evidence.at;
}
