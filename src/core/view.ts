/** A run as people and programs look at it: a summary, and its history as events. Both are folds of the journal. */
import type { Effect } from "./effects.ts";
import type { Covered, Decision, Parked, PlannedCall } from "./journal.ts";
import type { RunState } from "./state.ts";
import type { Json } from "./json.ts";
import { addUsage, NO_USAGE, type Usage } from "./messages.ts";
import type { Answer, Evidence, Outcome } from "./outcome.ts";
import type { FailureCode, Need, ParkReason, RunStatus } from "./run.ts";

/** One wait: parked at `from`, taken by a worker again at `to`; still waiting without `to`. Redis ms. */
export interface Wait {
  readonly reason: ParkReason;
  readonly connections: readonly string[];
  readonly from: number;
  readonly to?: number;
}

export interface RunView {
  readonly id: string;
  readonly status: RunStatus;
  readonly agent: string;
  readonly identifier: string;
  readonly tenant?: string;
  /** Redis ms. */
  readonly createdAt: number;
  readonly endedAt?: number;
  /** The time that it is about, with that of the runs that gave way to it. ms since 1970. */
  readonly covers?: Covered;
  /** Of a run that gave way to a newer one while both waited for an account. */
  readonly supersededBy?: string;
  /** Of a parked run: why, for whom, until when. */
  readonly parked?: {
    readonly reason: ParkReason;
    readonly needs: readonly Need[];
    readonly until?: number;
    readonly message?: string;
  };
  readonly turns: number;
  /** Tool calls that were claimed, each once. */
  readonly toolCalls: number;
  readonly usage: Usage;
  readonly costUsd?: number;
  readonly waits: readonly Wait[];
  /** Of a completed run: its result. Of a failed one: what text there was. */
  readonly output?: Json;
  readonly truncated?: boolean;
  readonly failure?: { readonly code?: FailureCode; readonly message: string };
}

/** What stands in a run's header beside its journal. */
export interface RunHeader {
  readonly status: RunStatus;
  /** Of a parked run. The journal names it too, but for `newer-version`. */
  readonly reason?: ParkReason;
  /** Of a run that waits for accounts: connections that it still needs, of all that it parked for. */
  readonly needs?: readonly string[];
  readonly supersededBy?: string;
}

export function viewRun(
  state: RunState,
  { status, reason, needs, supersededBy }: RunHeader,
  decisions: readonly Decision[],
): RunView {
  const { created, ended } = state;
  const last = state.parks.at(-1);
  const park = last?.reason === reason || reason === undefined ? last && stillNeeded(last, needs) : { reason };
  const costs = state.turns.flatMap((turn) => (turn.costUsd === undefined ? [] : [turn.costUsd]));
  return {
    id: state.id,
    status,
    agent: created.agent,
    identifier: created.identifier,
    ...(created.tenant !== undefined && { tenant: created.tenant }),
    createdAt: created.at,
    ...(ended !== undefined && { endedAt: ended.at }),
    ...(state.covers !== undefined && { covers: state.covers }),
    ...(supersededBy !== undefined && { supersededBy }),
    ...(status === "parked" && park !== undefined && { parked: parkedView(park) }),
    turns: state.turns.length,
    toolCalls: Object.keys(state.claims).length,
    usage: state.turns.reduce((sum, turn) => addUsage(sum, turn.usage), NO_USAGE),
    ...(costs.length > 0 && { costUsd: costs.reduce((a, b) => a + b, 0) }),
    waits: waitsOf(decisions),
    ...(ended?.output !== undefined && { output: ended.output }),
    ...(ended?.truncated === true && { truncated: true }),
    ...(ended !== undefined && ended.status !== "completed" && { failure: failureView(ended) }),
  };
}

function stillNeeded(park: Decision<Parked>, connections: readonly string[] | undefined): Decision<Parked> {
  if (park.needs === undefined || connections === undefined) return park;
  return { ...park, needs: park.needs.filter(({ connection }) => connections.includes(connection)) };
}

function parkedView(park: Pick<Parked, "reason" | "needs" | "until" | "message">): NonNullable<RunView["parked"]> {
  const { reason, needs = [], until, message } = park;
  return { reason, needs, ...(until !== undefined && { until }), ...(message !== undefined && { message }) };
}

function failureView({ code, message, status }: Decision & { kind: "ended" }): NonNullable<RunView["failure"]> {
  return { ...(code !== undefined && { code }), message: message ?? `The run was ${status}.` };
}

export function waitsOf(decisions: readonly Decision[]): Wait[] {
  const waits: Wait[] = [];
  for (const [i, park] of decisions.entries()) {
    if (park.kind !== "parked") continue;
    const to = decisions.slice(i + 1).find((d) => d.kind === "leased")?.at;
    waits.push({
      reason: park.reason,
      connections: (park.needs ?? []).map((n) => n.connection),
      from: park.at,
      ...(to !== undefined && { to }),
    });
  }
  return waits;
}

interface EventBase {
  readonly run: string;
  /** Redis ms. */
  readonly at: number;
}

/** A call as a turn asked for it. */
export interface EventCall {
  readonly id: string;
  readonly name: string;
  readonly made: boolean;
  /** Of a call that was made. */
  readonly effect?: Effect;
}

/** What happened to a run, in the order in which it was written down. Carries no tool results, no mail and no links. */
export type RunEvent = EventBase &
  (
    | { readonly type: "run.queued"; readonly agent: string; readonly identifier: string }
    | { readonly type: "run.started"; readonly worker: string }
    | { readonly type: "run.prepared"; readonly tools: readonly string[] }
    | { readonly type: "turn.requested"; readonly turn: number; readonly attempt: number; readonly final: boolean }
    | {
        readonly type: "turn.committed";
        readonly turn: number;
        readonly calls: readonly EventCall[];
        readonly usage: Usage;
        readonly costUsd?: number;
        readonly servedModel: string;
        readonly tookMs: number;
      }
    | { readonly type: "tool.called"; readonly call: string; readonly tool: string; readonly attempt: number }
    | {
        readonly type: "tool.settled";
        readonly call: string;
        readonly tool: string;
        readonly outcome: Outcome["kind"];
        /** A word for the outcome: the type of an error, why it was not executed. */
        readonly why?: string;
        /** Of a result, in characters of JSON. */
        readonly size?: number;
        readonly tookMs: number;
      }
    | {
        readonly type: "run.parked";
        readonly reason: ParkReason;
        readonly needs: readonly Need[];
        readonly until?: number;
        readonly message?: string;
      }
    /** Nobody can know whether the call was executed. It stands on the list of unknown outcomes from now on. */
    | { readonly type: "tool.unknown"; readonly call: string; readonly tool: string }
    /** What a person says of a call whose outcome nobody knew. */
    | { readonly type: "tool.answered"; readonly call: string; readonly says: Answer["says"]; readonly by?: string }
    /** What a look says of a call that has no result. */
    | {
        readonly type: "tool.verified";
        readonly call: string;
        readonly says: "happened" | "not-executed" | "unsure";
        readonly message?: string;
      }
    | { readonly type: "run.yielded" }
    | { readonly type: "run.completed"; readonly truncated: boolean }
    | {
        readonly type: "run.failed" | "run.cancelled" | "run.expired";
        readonly code?: FailureCode;
        readonly message?: string;
      }
  );

/** Nothing for a decision that says no more than the event that follows it. */
export function eventOf(run: string, d: Decision): RunEvent | undefined {
  const base = { run, at: d.at };
  switch (d.kind) {
    case "created":
      return { ...base, type: "run.queued", agent: d.agent, identifier: d.identifier };
    case "covers":
      return undefined;
    case "leased":
      return { ...base, type: "run.started", worker: d.worker };
    case "prepared":
      return { ...base, type: "run.prepared", tools: (d.context?.tools ?? []).map((t) => t.name) };
    case "turn-requested":
      return { ...base, type: "turn.requested", turn: d.turn, attempt: d.attempt, final: d.final };
    case "turn-committed": {
      const calls = d.plan.map(eventCall);
      return {
        ...base,
        type: "turn.committed",
        turn: d.turn,
        calls,
        usage: d.usage,
        ...(d.costUsd !== undefined && { costUsd: d.costUsd }),
        servedModel: d.servedModel,
        tookMs: d.tookMs,
      };
    }
    case "call-claimed":
      return { ...base, type: "tool.called", call: d.call, tool: d.tool, attempt: d.attempt };
    case "unknown":
      return { ...base, type: "tool.unknown", call: d.call, tool: d.tool };
    case "look-planned":
      return undefined;
    case "looked": {
      const message = d.message === undefined ? {} : { message: d.message };
      return { ...base, type: "tool.verified", call: d.call, says: d.says, ...message };
    }
    case "parked":
      return { ...base, type: "run.parked", ...parkedView(d) };
    case "yielded":
      return { ...base, type: "run.yielded" };
    case "ended":
      if (d.status === "completed") return { ...base, type: "run.completed", truncated: d.truncated ?? false };
      return {
        ...base,
        type: `run.${d.status}`,
        ...(d.code !== undefined && { code: d.code }),
        ...(d.message !== undefined && { message: d.message }),
      };
  }
}

export function settledEvent(run: string, { at, call, tool, outcome, tookMs }: Evidence): RunEvent {
  if (outcome.kind === "answered") {
    const by = outcome.by === undefined ? {} : { by: outcome.by };
    return { run, at, type: "tool.answered", call, says: outcome.says, ...by };
  }
  return { run, at, type: "tool.settled", call, tool, outcome: outcome.kind, ...outcomeView(outcome), tookMs };
}

function eventCall(call: PlannedCall): EventCall {
  const { id, name } = call;
  return call.verdict === "run" ? { id, name, made: true, effect: call.effect } : { id, name, made: false };
}

function outcomeView(outcome: Outcome): { readonly why?: string; readonly size?: number } {
  switch (outcome.kind) {
    case "ok":
      return { size: outcome.blob?.characters ?? JSON.stringify(outcome.data).length };
    case "error":
      return { why: outcome.type };
    case "not-executed":
      return { why: outcome.why };
    case "unknown":
      return {};
  }
}
