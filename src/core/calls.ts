/** Where one planned call of the last turn stands: the table of effects and outcomes (DESIGN §4, "A call"). */
import { resolve } from "./effects.ts";
import type { CallClaimed, Decision, PlannedCall, RunState } from "./journal.ts";
import type { Evidence, Refusal } from "./outcome.ts";

export type Runnable = Extract<PlannedCall, { verdict: "run" }>;

export type CallStanding =
  /** Never made; the plan says what the model is told. */
  | { readonly is: "rejected" }
  /** Settled by this evidence. */
  | { readonly is: "settled"; readonly evidence: Evidence }
  /** Nobody can know, and it will not be repeated. */
  | { readonly is: "unknown" }
  /** May be claimed and sent now. */
  | { readonly is: "open"; readonly attempt: number }
  /** A lost worker may still be sending it. */
  | { readonly is: "settling"; readonly until: number }
  /** The attempt was certainly not executed; it may be made again after a wait. */
  | {
      readonly is: "retry";
      readonly failed: number;
      readonly why: Refusal;
      readonly message: string;
      readonly retryAfterMs: number;
    }
  /** The account refused; it must be looked at before the call is made again. */
  | { readonly is: "blocked"; readonly why: "account" | "scope"; readonly evidence: Evidence };

export function standing(state: RunState, call: PlannedCall, attempts: number, now: number): CallStanding {
  if (call.verdict === "reject") return { is: "rejected" };
  const claims = state.claims[call.id] ?? [];
  const definite = claims
    .map((claim) => state.evidence[claim.intent])
    .find((e) => e?.outcome.kind === "ok" || e?.outcome.kind === "error");
  if (definite !== undefined) return { is: "settled", evidence: definite };
  const at = attempted(state, call, claims.at(-1), attempts, now);
  return at.is === "open" && isStray(state, call) ? { is: "unknown" } : at;
}

function attempted(
  state: RunState,
  call: Runnable,
  last: Decision<CallClaimed> | undefined,
  attempts: number,
  now: number,
): CallStanding {
  if (last === undefined) return { is: "open", attempt: 1 };
  const evidence = state.evidence[last.intent];
  const usedUp = last.attempt - waitsOf(state, call) >= attempts;
  return evidence === undefined
    ? withoutEvidence(call, last, usedUp, now)
    : withEvidence(state, call, last, evidence, usedUp);
}

/**
 * Evidence without its intent: the store lost the claim of an attempt in a crash, but the call was sent. Equal tool and arguments
 * are taken for this call, so an effect that must not be repeated becomes unknown.
 */
function isStray(state: RunState, call: Runnable): boolean {
  if (call.effect === "read" || call.effect === "idempotent") return false;
  const claimed = new Set(Object.values(state.claims).flatMap((claims) => claims.map((c) => c.intent)));
  return Object.values(state.evidence).some(
    (e) => !claimed.has(e.nonce) && e.tool === call.name && e.argsHash === call.argsHash,
  );
}

function withoutEvidence(call: Runnable, last: Decision<CallClaimed>, usedUp: boolean, now: number): CallStanding {
  const resolution = resolve(call.effect, last.at + last.windowMs, now);
  switch (resolution.do) {
    case "again":
      // A call whose workers die each time is not sent for ever: the crash limit ends the run, this one ends the call.
      return usedUp ? { is: "unknown" } : { is: "open", attempt: last.attempt + 1 };
    case "wait":
      return { is: "settling", until: resolution.until };
    case "never":
      return { is: "unknown" };
  }
}

function withEvidence(
  state: RunState,
  call: Runnable,
  last: Decision<CallClaimed>,
  evidence: Evidence,
  usedUp: boolean,
): CallStanding {
  const { outcome } = evidence;
  switch (outcome.kind) {
    case "ok":
    case "error":
      return { is: "settled", evidence };
    case "unknown": {
      const repeatable = call.effect === "read" || call.effect === "idempotent" || call.effect === "keyed";
      if (!repeatable || usedUp) return { is: "unknown" };
      if (waited(state, call.id, evidence)) return { is: "open", attempt: last.attempt + 1 };
      return { is: "retry", failed: last.attempt, why: "unavailable", message: outcome.message, retryAfterMs: 0 };
    }
    case "not-executed":
      if (outcome.why === "account" || outcome.why === "scope")
        return lookedSince(state, evidence)
          ? { is: "open", attempt: last.attempt + 1 }
          : { is: "blocked", why: outcome.why, evidence };
      if (waited(state, call.id, evidence)) return { is: "open", attempt: last.attempt + 1 };
      if (usedUp && outcome.why !== "credentials") return { is: "settled", evidence };
      return {
        is: "retry",
        failed: last.attempt,
        why: outcome.why,
        message: outcome.message,
        retryAfterMs: outcome.retryAfterMs ?? 0,
      };
  }
}

/**
 * Attempts that were no failures of the call: the account or our own credentials were refused, and it waited for the user or the
 * operator.
 */
function waitsOf(state: RunState, call: Runnable): number {
  return (state.claims[call.id] ?? []).filter(({ intent }) => {
    const outcome = state.evidence[intent]?.outcome;
    return outcome?.kind === "not-executed" && ["account", "scope", "credentials"].includes(outcome.why);
  }).length;
}

/**
 * The run parked after this failed attempt and is here again: for it, or for another call that failed beside it, at least as long
 * as this one's provider asked for. So calls that meet a limit together wait for it once, not one after the other.
 */
function waited(state: RunState, call: string, { at, outcome }: Evidence): boolean {
  const refused = outcome.kind === "not-executed" ? outcome : undefined;
  const until = at + (refused?.retryAfterMs ?? 0);
  const reason = refused?.why === "credentials" ? "outage" : "retry";
  return state.parks.some(
    (park) => park.at >= at && (park.about === call || (park.reason === reason && (park.until ?? park.at) >= until)),
  );
}

/** All accounts were seen ACTIVE after this refusal. */
function lookedSince(state: RunState, evidence: Evidence): boolean {
  return state.prepared !== undefined && state.prepared.at > evidence.at;
}
