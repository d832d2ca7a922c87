/** A run's state: the fold of its journal. What the model sees is a projection of it (project.ts); what happens next is `next` of it. */
import type {
  ApprovalAsked,
  BudgetMet,
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
  Prepared,
  Shown,
  SubPlanned,
  TurnAccepted,
  TurnCommitted,
  TurnFailed,
  TurnRequested,
  Unknown,
} from "./journal.ts";
import type { Evidence } from "./outcome.ts";
import type { Limits } from "./limits.ts";
import { leasesSince } from "./leases.ts";
import { added, byKey } from "./records.ts";
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
  readonly covers: Covered | undefined;
  /** Of the last `leased`; 0 before the first. */
  readonly epoch: number;
  readonly context: RunContext | undefined;
  /** The last time that all accounts were seen ACTIVE. */
  readonly prepared: Decision<Prepared> | undefined;
  /** They were, and the run has not parked for an account or a failed call since: by the order of decisions, as clocks may go back. */
  readonly accountsSeen: boolean;
  readonly turns: readonly Turn[];
  readonly requested: Decision<TurnRequested> | undefined;
  /** The answer that a provider works on in the background. */
  readonly accepted: Decision<TurnAccepted> | undefined;
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
  /** The last one, since the run has waited for a budget. */
  readonly budgetMet: Decision<BudgetMet> | undefined;
  /** `leased` entries since the last progress (turn committed, evidence, park, yield): all but the last one are workers that died. */
  readonly leases: readonly Decision<Leased>[];
  readonly evidence: Readonly<Record<string, Evidence>>;
  readonly spending: Spending;
  readonly activity: Activity;
  /** What operators gave the run beyond its own limits. */
  readonly raised: Partial<Limits>;
  /** Redis ms of the last time; 0 before. */
  readonly raisedAt: number;
  readonly ended: Decision<Ended> | undefined;
}

/** @throws Error on a journal that does not start with `created`: it is truncated, and nothing may be built on it */
export function foldRun(id: string, decisions: readonly Decision[], evidence: readonly Evidence[]): RunState {
  const [created, ...rest] = decisions;
  if (created?.kind !== "created")
    throw new Error(`run ${id}: its journal does not start with "created" but with "${created?.kind ?? "nothing"}"`);
  const state: Draft = {
    id,
    created,
    covers: created.covers,
    epoch: 0,
    context: undefined,
    prepared: undefined,
    accountsSeen: false,
    turns: [],
    requested: undefined,
    accepted: undefined,
    failures: [],
    rested: false,
    compactions: [],
    claims: byKey(),
    unknowns: byKey(),
    looks: byKey(),
    looked: byKey(),
    subs: byKey(),
    approvals: byKey(),
    parks: [],
    budgetMet: undefined,
    leases: [],
    evidence: byKey(),
    spending: NO_SPENDING,
    activity: act(NO_ACTIVITY, created),
    raised: {},
    raisedAt: 0,
    ended: undefined,
  };
  // Gathered, not added one by one: each would copy all before it, and a fold would take time by the square of its calls.
  const claims: Record<string, Decision<CallClaimed>[]> = byKey();
  for (const decision of rest) {
    if (decision.kind === "call-claimed") {
      (claims[decision.call] ??= []).push(decision);
      account(state, decision);
    } else write(state, decision);
  }
  const known: Record<string, Evidence> = byKey();
  for (const one of evidence) {
    if (known[one.nonce] !== undefined) continue;
    known[one.nonce] = one;
    state.leases = leasesSince(state.leases, one);
  }
  state.claims = claims;
  state.evidence = known;
  return state;
}

/** Made anew once for each decision, or for a whole journal; what it holds is replaced, never changed. */
type Draft = { -readonly [K in keyof RunState]: RunState[K] };

export function apply(state: RunState, decision: Decision): RunState {
  const draft = copyOf(state);
  write(draft, decision);
  return draft;
}

/** Field by field: as `{ ...state }`, copies of copies, it takes 1,400 ns instead of 55 on Node 20 (docs/reliability.md, "Speed"). */
function copyOf(state: RunState): Draft {
  return {
    id: state.id,
    created: state.created,
    covers: state.covers,
    epoch: state.epoch,
    context: state.context,
    prepared: state.prepared,
    accountsSeen: state.accountsSeen,
    turns: state.turns,
    requested: state.requested,
    accepted: state.accepted,
    failures: state.failures,
    rested: state.rested,
    compactions: state.compactions,
    claims: state.claims,
    unknowns: state.unknowns,
    looks: state.looks,
    looked: state.looked,
    subs: state.subs,
    approvals: state.approvals,
    parks: state.parks,
    leases: state.leases,
    evidence: state.evidence,
    spending: state.spending,
    activity: state.activity,
    raised: state.raised,
    raisedAt: state.raisedAt,
    ended: state.ended,
    budgetMet: state.budgetMet,
  };
}

function account(state: Draft, decision: Decision): void {
  state.spending = spend(state.spending, decision);
  state.activity = act(state.activity, decision);
}

function write(state: Draft, decision: Decision): void {
  account(state, decision);
  switch (decision.kind) {
    case "created":
      throw new Error(`run ${state.id}: created twice`);
    case "covers":
      if (decision.from !== undefined) state.covers = { ...state.covers, from: decision.from };
      return;
    case "leased":
      state.epoch = decision.epoch;
      state.leases = [...state.leases, decision];
      return;
    case "prepared":
      state.prepared = decision;
      state.accountsSeen = true;
      state.context ??= decision.context;
      return;
    case "turn-requested":
      state.requested = decision;
      state.accepted = undefined;
      state.turns = state.turns.map((t, i) =>
        i === decision.turn - 1 ? Object.assign({}, t, { shown: decision.shown }) : t,
      );
      return;
    // What it keeps aside is spending's.
    case "summary-requested":
      return;
    // It was paid for.
    case "turn-accepted":
      state.accepted = decision;
      state.leases = state.leases.slice(-1);
      return;
    case "turn-failed":
      state.accepted = undefined;
      state.failures = [...state.failures, decision];
      return;
    case "compacted":
      state.accepted = undefined;
      state.compactions = [...state.compactions, decision];
      // A summary was paid for; the rest is only a note of what is shown.
      if (decision.by !== undefined) state.leases = state.leases.slice(-1);
      return;
    case "turn-committed":
      state.accepted = undefined;
      state.turns = [...state.turns, { final: state.requested?.final === true, ...decision }];
      state.failures = [];
      state.rested = false;
      state.leases = state.leases.slice(-1);
      return;
    case "call-claimed":
      state.claims = added(state.claims, decision.call, [...(state.claims[decision.call] ?? []), decision]);
      return;
    case "unknown":
      state.unknowns = added(state.unknowns, decision.intent, decision);
      return;
    case "look-planned":
      state.looks = added(state.looks, decision.intent, decision);
      return;
    case "looked":
      state.looked = added(state.looked, decision.intent, decision);
      return;
    case "approval-asked":
      state.approvals = added(state.approvals, decision.call, decision);
      return;
    case "sub-planned": {
      const { parent } = decision;
      state.subs = added(state.subs, parent, [...(state.subs[parent] ?? []), decision]);
      return;
    }
    case "parked":
      state.accepted = undefined;
      state.parks = [...state.parks, decision];
      if (decision.reason === "budget") state.budgetMet = undefined;
      state.failures = [];
      state.rested = true;
      state.leases = [];
      state.accountsSeen = state.accountsSeen && !isToLookAgain(decision);
      return;
    case "budget-met":
      state.budgetMet = decision;
      return;
    case "limits-raised":
      state.raised = { ...state.raised, ...decision.limits };
      state.raisedAt = decision.at;
      state.leases = [];
      return;
    case "yielded":
      state.leases = [];
      return;
    case "ended":
      state.accepted = undefined;
      state.ended = decision;
      return;
  }
}

/** A call that failed, too: where an account was lost, calls may hang, or fail as if their provider were away (facts/peers.md §10). */
function isToLookAgain({ reason, about = "" }: Parked): boolean {
  return reason === "account" || reason === "probe" || (reason === "retry" && /^t\d+c/.test(about));
}

/** First write wins, as in the store. */
export function applyEvidence(state: RunState, evidence: Evidence): RunState {
  if (state.evidence[evidence.nonce] !== undefined) return state;
  const draft = copyOf(state);
  draft.leases = leasesSince(state.leases, evidence);
  draft.evidence = added(state.evidence, evidence.nonce, evidence);
  return draft;
}

/** Workers that died since the last progress: a claim after a claim without any. */
export function crashes(state: RunState): number {
  return Math.max(0, state.leases.length - 1);
}
