/** A run as people and programs look at it: a summary, as a fold of the journal. Its history as events is in run-events.ts. */
import type { Bought, Covered, Decision, Parked } from "./journal.ts";
import type { Limits } from "./limits.ts";
import { activeMs, usedBy } from "./spending.ts";
import { limitsOf } from "./own-limits.ts";
import type { RunState } from "./state.ts";
import type { Json } from "./json.ts";
import { addUsage, type Finish, type ModelName, NO_USAGE, type Usage } from "./messages.ts";
import type { FailureCode, ParkReason, RunStatus } from "./run.ts";
import { parkedView, type ParkedView } from "./run-events.ts";

/** One wait: parked at `from`, taken by a worker again at `to`; still waiting without `to`. Redis ms. */
export interface Wait {
  readonly reason: ParkReason;
  readonly connections: readonly string[];
  readonly from: number;
  readonly to?: number;
}

/** One answer of a model, as it was paid for: of a turn, or the summary before it. */
export interface ModelCall extends ModelName, Bought {
  readonly for: "turn" | "summary";
  readonly turn: number;
  readonly finish?: Finish;
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
  readonly parked?: ParkedView;
  /** The limits of its agent when it began, with what operators raised; nothing before it was prepared. */
  readonly limits?: Limits;
  /** Tokens and money that count against them: with calls whose answer was lost, and what is kept aside for one under way. */
  readonly spent: { readonly tokens: number; readonly costUsd?: number };
  /** ms that workers have spent on it, up to the last thing that was written. */
  readonly activeMs: number;
  readonly turns: number;
  /** Tool calls that were claimed, each once. */
  readonly toolCalls: number;
  readonly usage: Usage;
  readonly costUsd?: number;
  /** Every answer that was bought, in order. */
  readonly modelCalls: readonly ModelCall[];
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
  const limits = limitsOf(state);
  const last = state.parks.at(-1);
  const park = last?.reason === reason || reason === undefined ? last && stillNeeded(last, needs) : { reason };
  const modelCalls = decisions.flatMap((d) => modelCallOf(state, d) ?? []);
  const costs = modelCalls.flatMap(({ costUsd }) => (costUsd === undefined ? [] : [costUsd]));
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
    ...(limits !== undefined && { limits }),
    spent: usedBy(state.spending),
    activeMs: activeMs(state.activity, state.activity.last),
    turns: state.turns.length,
    toolCalls: Object.keys(state.claims).length,
    usage: modelCalls.reduce((sum, call) => addUsage(sum, call.usage), NO_USAGE),
    ...(costs.length > 0 && { costUsd: costs.reduce((a, b) => a + b, 0) }),
    modelCalls,
    waits: waitsOf(decisions),
    ...(ended?.output !== undefined && { output: ended.output }),
    ...(ended?.truncated === true && { truncated: true }),
    ...(ended !== undefined && ended.status !== "completed" && { failure: failureView(ended) }),
  };
}

function modelCallOf({ context }: RunState, d: Decision): ModelCall | undefined {
  if (d.kind === "compacted" && d.by !== undefined) return { for: "summary", turn: d.turn, ...d.by };
  if (d.kind !== "turn-committed") return undefined;
  const { turn, finish, usage, costUsd, servedModel, requestId, tookMs } = d;
  const { profile, model } = d.asked ?? context ?? { profile: "", model: "" };
  const cost = costUsd === undefined ? {} : { costUsd };
  return { for: "turn", turn, profile, model, finish, usage, ...cost, servedModel, requestId, tookMs };
}

function stillNeeded(park: Decision<Parked>, connections: readonly string[] | undefined): Decision<Parked> {
  if (park.needs === undefined || connections === undefined) return park;
  return { ...park, needs: park.needs.filter(({ connection }) => connections.includes(connection)) };
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
