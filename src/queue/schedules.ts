/** What an app does with schedules, from any process: define, list, pause, trigger, delete. Only a ticker fires them (ticker.ts). */
import { checkOptionNames, type OptionNames } from "../core/option-names.ts";
import type { Agent } from "../core/agent.ts";
import { ErrandError } from "../core/errors.ts";
import { checkDefinition, checkScheduleId, type ScheduleOptions } from "../core/schedule/definition.ts";
import { inputOf, tickOf } from "../core/schedule/input.ts";
import { type CronTimes, timeAfter, type Timing } from "../core/schedule/timing.ts";
import { overBound, withBounds } from "./enqueue-bounds.ts";
import { createArguments } from "./producer.ts";
import { type ManyOptions, retried, type UpsertedMany, upsertMany, type UpsertManyOptions } from "./schedule-many.ts";
import { define, knownOf, put, type SchedulesPorts, type Upserted } from "./schedule-put.ts";
import {
  type HistoryLine,
  type KeptSchedule,
  deleteSchedules,
  readHistory,
  readSchedules,
  unknownSchedule,
  writeSchedule,
} from "./schedule-store.ts";
import { type ScheduleView, viewOf } from "./schedule-view.ts";
import type { Store } from "./store.ts";
import { nextDue } from "./ticker.ts";

export interface ScheduleFilter {
  readonly identifier?: string;
  readonly agent?: string;
}

export interface ScheduleListFilter extends ScheduleFilter {
  /** 1 to 1000, default 50. */
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: string;
}

const LIST_FILTER: OptionNames<ScheduleListFilter> = { identifier: true, agent: true, limit: true, cursor: true };

export interface SchedulePage {
  /** By id. */
  readonly schedules: readonly ScheduleView[];
  /** There may be more. */
  readonly cursor?: string;
}

export interface ScheduleDetail extends ScheduleView {
  /** What became of its last times, newest first. */
  readonly history: readonly HistoryLine[];
}

export interface Schedules {
  upsert(
    agent: Agent,
    id: string,
    options: ScheduleOptions,
  ): Promise<{ readonly result: Upserted; readonly schedule: ScheduleView }>;
  upsertMany(
    agent: Agent,
    all: Iterable<ManyOptions> | AsyncIterable<ManyOptions>,
    options?: UpsertManyOptions,
  ): Promise<UpsertedMany>;
  get(id: string): Promise<ScheduleDetail>;
  list(filter: ScheduleListFilter): Promise<SchedulePage>;
  setPaused(id: string, paused: boolean): Promise<ScheduleView>;
  /** @returns the run's id */
  trigger(id: string, idempotencyKey: string | undefined): Promise<string>;
  /** @returns the runs of each that have not ended; nothing for one that was not there */
  delete(ids: readonly string[]): Promise<(readonly string[] | undefined)[]>;
  next(of: string | ScheduleTimes, count: number, after: number | undefined): Promise<number[]>;
}

/** Of a Date. */
const MOST_MOMENT = 8.64e15;

/** What says when. */
export type ScheduleTimes = Pick<ScheduleOptions, "cron" | "every" | "timezone" | "startAt" | "endAt">;

export function createSchedules(ports: SchedulesPorts): Schedules {
  const { store, agents, cronTimes } = ports;
  const known = knownOf(store);
  const view = (schedule: KeptSchedule): ScheduleView => viewOf(schedule, cronTimes);
  const need = async (id: string): Promise<{ schedule: KeptSchedule; now: number }> => {
    const { now, schedules } = await readSchedules(store, [checkScheduleId(id)]);
    const [schedule] = schedules;
    if (schedule === undefined) throw unknownSchedule(id);
    return { schedule, now };
  };

  const upsert: Schedules["upsert"] = async (agent, id, options) => {
    const wanted = await define(agents, known, agent, id, options);
    const result = await retried(id, async () => {
      const { now, schedules } = await readSchedules(store, [id]);
      return put(ports, wanted, schedules[0], now);
    });
    return { result, schedule: view((await need(id)).schedule) };
  };

  return {
    upsert,
    upsertMany: (agent, all, options) => upsertMany(ports, known, agent, all, options),
    get: async (id) => {
      const { schedule } = await need(id);
      return { ...view(schedule), history: await readHistory(store, id) };
    },
    list: (filter) => list(store, filter, view),
    setPaused: async (id, paused) => {
      checkScheduleId(id);
      await retried(id, async () => {
        const { schedule, now } = await need(id);
        if (schedule.state.paused === paused) return "unchanged";
        return put(ports, { id, definition: schedule.definition, paused }, schedule, now);
      });
      return view((await need(id)).schedule);
    },
    trigger: async (id, key) => trigger(ports, need, checkScheduleId(id), key),
    delete: (ids) => deleteSchedules(store, ids.map(checkScheduleId)),
    next: async (of, count, after) => {
      const { timing } =
        typeof of === "string"
          ? (await need(of)).schedule.definition
          : checkDefinition("next", "", { ...of, identifier: "nobody" }, known);
      if (after !== undefined && !(Number.isSafeInteger(after) && Math.abs(after) <= MOST_MOMENT))
        throw new ErrandError(
          "option-invalid",
          `schedules: next: after: expected whole milliseconds since 1970, such as Date.now(), got ${typeof after === "number" ? after : typeof after}.`,
        );
      const from = after ?? (await readSchedules(store, [])).now;
      return nextTimes(timing, cronTimes, count, from);
    },
  };
}

export function nextTimes(timing: Timing, cronTimes: CronTimes, count: number, after: number): number[] {
  const times: number[] = [];
  for (
    let at = timeAfter(timing, cronTimes, after);
    at !== undefined && times.length < count;
    at = timeAfter(timing, cronTimes, at)
  )
    times.push(at);
  return times;
}

async function list(
  store: Store,
  filter: ScheduleListFilter,
  view: (schedule: KeptSchedule) => ScheduleView,
): Promise<SchedulePage> {
  checkOptionNames("schedules", filter, LIST_FILTER);
  const { identifier, agent, limit = 50, cursor } = filter;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new ErrandError(
      "option-invalid",
      `schedules: limit: expected a whole number from 1 to 1000, got ${String(limit)}.`,
    );
  // The more selective index; the other condition is checked on each schedule.
  const index = identifier !== undefined ? `:identifier:${identifier}` : agent !== undefined ? `:agent:${agent}` : "";
  const found: ScheduleView[] = [];
  for (let after = cursor === undefined ? "-" : `(${cursor}`; ;) {
    const ids = await store.redis.zrange(`${store.prefix}schedules${index}`, after, "+", "BYLEX", "LIMIT", 0, limit);
    const read = await readSchedules(store, ids);
    for (const [i, schedule] of read.schedules.entries()) {
      after = `(${ids[i] ?? ""}`;
      if (schedule === undefined || (agent !== undefined && schedule.definition.agent !== agent)) continue;
      found.push(view(schedule));
      if (found.length === limit) return { schedules: found, cursor: after.slice(1) };
    }
    if (ids.length < limit) return { schedules: found };
  }
}

/** A run besides the schedule's times, of the time since its last run. It moves none of them, and counts as an earlier run. */
async function trigger(
  { store, tickets, agents, chance, cronTimes, bounds }: SchedulesPorts,
  need: (id: string) => Promise<{ schedule: KeptSchedule; now: number }>,
  id: string,
  key: string | undefined,
): Promise<string> {
  if (key !== undefined && (typeof key !== "string" || key === "" || key.length > 200))
    throw new ErrandError(
      "option-invalid",
      `schedule ${id}: trigger: idempotencyKey: expected a text of 1 to 200 characters, got ${typeof key === "string" ? `${key.length}` : typeof key}.`,
    );
  // One for all tries: an answer that was lost must not make a second run.
  const own = key ?? chance.nonce();
  return retried(id, async () => {
    const { schedule, now } = await need(id);
    const { definition, state } = schedule;
    const { identifier, tenant, priority } = definition;
    const since = Math.min(state.since, now);
    const nonce = chance.nonce();
    const args = await createArguments(
      agents.need(definition.agent),
      {
        identifier,
        input: inputOf(definition.input, tickOf(id, identifier, now, since)),
        idempotencyKey: `schedule ${id} triggered ${own}`,
        covers: { from: since, to: now },
        ...(tenant !== undefined && { tenant }),
        ...(priority !== undefined && { priority }),
      },
      nonce,
      { schedule: id },
    );
    const { runs: _, ...rest } = state;
    const due = nextDue(id, schedule, state, cronTimes, now);
    const bounded = withBounds(args, bounds, { identifier, tenant }, now);
    const makes = [{ nominal: now, since, supersedes: [], args: bounded, triggered: true }] as const;
    const written = await writeSchedule(store, tickets, { id, before: schedule, nonce, state: rest, due, makes });
    if (written.answer === "full")
      throw overBound(`schedule ${id}`, written, bounds?.({ identifier, tenant }, now) ?? []);
    if (written.answer === "refused")
      throw new ErrandError("tenant-conflict", `schedule ${id}: no run could be created: ${written.why}.`);
    return written.answer === "ok" ? written.runs[0] : undefined;
  });
}
