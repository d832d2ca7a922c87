/** A run's state: the fold of its journal. What the model sees is a projection of it (project.ts); what happens next is `next` of it. */
import type {
  ApprovalAsked,
  CallClaimed,
  Compacted,
  Covered,
  Created,
  Decision,
  Ended,
  Leased,
  LookPlanned,
  Looked,
  Parked,
  PlannedCall,
  Prepared,
  Shown,
  SubPlanned,
  TurnCommitted,
  TurnFailed,
  TurnRequested,
  Unknown,
} from "./journal.ts";
import type { Evidence } from "./outcome.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import type { RunContext } from "./run.ts";
import { type Activity, act, NO_ACTIVITY, NO_SPENDING, spend, type Spending } from "./spending.ts";

export interface Turn extends Decision<TurnCommitted> {
  /** Set by the request that follows. */
  readonly shown?: readonly Shown[];
  /** It was asked for as the last one. */
  readonly final: boolean;
}

export interface RunState {
  readonly id: string;
  readonly created: Decision<Created>;
  /** The time that the run is about, with that of the runs that gave way to it. */
  readonly covers?: Covered;
  /** Of the last `leased`; 0 before the first. */
  readonly epoch: number;
  readonly context?: RunContext;
  /** The last time that all accounts were seen ACTIVE. */
  readonly prepared?: Decision<Prepared>;
  /** They were, and the run has not parked for an account or a failed call since: by the order of decisions, as clocks may go back. */
  readonly accountsSeen: boolean;
  readonly turns: readonly Turn[];
  readonly requested?: Decision<TurnRequested>;
  /** Models that did not answer, since the last turn or wait. */
  readonly failures: readonly Decision<TurnFailed>[];
  /** The run has waited since the last turn. */
  readonly rested: boolean;
  readonly compactions: readonly Decision<Compacted>[];
  readonly claims: Readonly<Record<string, readonly Decision<CallClaimed>[]>>;
  /** By the intent that they are about. */
  readonly unknowns: Readonly<Record<string, Decision<Unknown>>>;
  readonly looks: Readonly<Record<string, Decision<LookPlanned>>>;
  readonly looked: Readonly<Record<string, Decision<Looked>>>;
  /** By the call whose tool makes them, in the order in which they were planned. */
  readonly subs: Readonly<Record<string, readonly Decision<SubPlanned>[]>>;
  /** By the call that they are about, the last one of each. */
  readonly approvals: Readonly<Record<string, Decision<ApprovalAsked>>>;
  readonly parks: readonly Decision<Parked>[];
  /** `leased` entries since the last progress (turn committed, evidence, park, yield): all but the last one are workers that died. */
  readonly leases: readonly Decision<Leased>[];
  readonly evidence: Readonly<Record<string, Evidence>>;
  readonly spending: Spending;
  readonly activity: Activity;
  /** What operators gave the run beyond its own limits. */
  readonly raised: Partial<Limits>;
  /** Redis ms of the last time; 0 before. */
  readonly raisedAt: number;
  readonly ended?: Decision<Ended>;
}

/** The run's limits; nothing before the first preparation. Journals of older Errands lack some of them. */
export function limitsOf({ context, raised }: RunState): Limits | undefined {
  return context && { ...DEFAULT_LIMITS, ...context.limits, ...raised };
}

/** @throws Error on a journal that does not start with `created`: it is truncated, and nothing may be built on it */
export function foldRun(id: string, decisions: readonly Decision[], evidence: readonly Evidence[]): RunState {
  const [created, ...rest] = decisions;
  if (created?.kind !== "created")
    throw new Error(`run ${id}: its journal does not start with "created" but with "${created?.kind ?? "nothing"}"`);
  const start: RunState = {
    id,
    created,
    ...(created.covers !== undefined && { covers: created.covers }),
    epoch: 0,
    accountsSeen: false,
    turns: [],
    failures: [],
    rested: false,
    compactions: [],
    claims: {},
    unknowns: {},
    looks: {},
    looked: {},
    subs: {},
    approvals: {},
    parks: [],
    leases: [],
    evidence: {},
    spending: NO_SPENDING,
    activity: act(NO_ACTIVITY, created),
    raised: {},
    raisedAt: 0,
  };
  // Gathered, not added one by one: each would copy all before it, and a fold would take time by the square of its calls.
  const claims: Record<string, Decision<CallClaimed>[]> = {};
  const state = rest.reduce((state, decision) => {
    if (decision.kind !== "call-claimed") return apply(state, decision);
    (claims[decision.call] ??= []).push(decision);
    return accounted(state, decision);
  }, start);
  const known: Record<string, Evidence> = {};
  let { leases } = state;
  for (const one of evidence) {
    if (known[one.nonce] !== undefined) continue;
    known[one.nonce] = one;
    leases = leasesSince(leases, one);
  }
  return { ...state, claims, evidence: known, leases };
}

export function apply(state: RunState, decision: Decision): RunState {
  return applied(accounted(state, decision), decision);
}

function accounted(state: RunState, decision: Decision): RunState {
  const { spending, activity } = state;
  return { ...state, spending: spend(spending, decision), activity: act(activity, decision) };
}

function applied(state: RunState, decision: Decision): RunState {
  switch (decision.kind) {
    case "created":
      throw new Error(`run ${state.id}: created twice`);
    case "covers":
      return decision.from === undefined ? state : { ...state, covers: { ...state.covers, from: decision.from } };
    case "leased":
      return { ...state, epoch: decision.epoch, leases: [...state.leases, decision] };
    case "prepared":
      return {
        ...state,
        prepared: decision,
        accountsSeen: true,
        ...(decision.context && state.context === undefined && { context: decision.context }),
      };
    case "turn-requested":
      return {
        ...state,
        requested: decision,
        turns: state.turns.map((t, i) => (i === decision.turn - 1 ? { ...t, shown: decision.shown } : t)),
      };
    case "turn-failed":
      return { ...state, failures: [...state.failures, decision] };
    case "compacted":
      return {
        ...state,
        compactions: [...state.compactions, decision],
        // A summary was paid for; the rest is only a note of what is shown.
        ...(decision.by !== undefined && { leases: state.leases.slice(-1) }),
      };
    case "turn-committed":
      return {
        ...state,
        turns: [...state.turns, { ...decision, final: state.requested?.final === true }],
        failures: [],
        rested: false,
        leases: state.leases.slice(-1),
      };
    case "call-claimed":
      return {
        ...state,
        claims: { ...state.claims, [decision.call]: [...(state.claims[decision.call] ?? []), decision] },
      };
    case "unknown":
      return { ...state, unknowns: { ...state.unknowns, [decision.intent]: decision } };
    case "look-planned":
      return { ...state, looks: { ...state.looks, [decision.intent]: decision } };
    case "looked":
      return { ...state, looked: { ...state.looked, [decision.intent]: decision } };
    case "approval-asked":
      return { ...state, approvals: { ...state.approvals, [decision.call]: decision } };
    case "sub-planned":
      return {
        ...state,
        subs: { ...state.subs, [decision.parent]: [...(state.subs[decision.parent] ?? []), decision] },
      };
    case "parked":
      return {
        ...state,
        parks: [...state.parks, decision],
        failures: [],
        rested: true,
        leases: [],
        accountsSeen: state.accountsSeen && !isToLookAgain(decision),
      };
    case "limits-raised":
      return { ...state, raised: { ...state.raised, ...decision.limits }, raisedAt: decision.at, leases: [] };
    case "yielded":
      return { ...state, leases: [] };
    case "ended":
      return { ...state, ended: decision };
  }
}

/** A call that failed, too: where an account was lost, calls may hang, or fail as if their provider were away (facts/peers.md §10). */
function isToLookAgain({ reason, about = "" }: Parked): boolean {
  return reason === "account" || reason === "probe" || (reason === "retry" && /^t\d+c/.test(about));
}

/** First write wins, as in the store. */
export function applyEvidence(state: RunState, evidence: Evidence): RunState {
  if (state.evidence[evidence.nonce] !== undefined) return state;
  return {
    ...state,
    leases: leasesSince(state.leases, evidence),
    evidence: { ...state.evidence, [evidence.nonce]: evidence },
  };
}

/** A result is progress of the worker that had the run when it came. */
function leasesSince(leases: readonly Decision<Leased>[], { at }: Evidence): readonly Decision<Leased>[] {
  return leases.slice(
    Math.max(
      leases.findLastIndex((lease) => lease.at <= at),
      0,
    ),
  );
}

/** A call of any turn, or one that a tool makes by itself. */
export function plannedCall(state: RunState, id: string): PlannedCall | undefined {
  const subs = Object.values(state.subs).flatMap((calls) => calls.map(({ call }) => call));
  return [...state.turns.flatMap((turn) => turn.plan), ...subs].find((call) => call.id === id);
}

/** Workers that died since the last progress: a claim after a claim without any. */
export function crashes(state: RunState): number {
  return Math.max(0, state.leases.length - 1);
}
