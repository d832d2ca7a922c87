/** Puts a schedule into its place: the checks that need its agent and the calendar, and one change of what was read. */
import type { EnqueueBounds } from "./enqueue-bounds.ts";
import type { Agent } from "../core/agent.ts";
import type { Agents } from "../core/agents.ts";
import { ErrandError } from "../core/errors.ts";
import { canonical } from "../core/json.ts";
import {
  checkDefinition,
  checkScheduleId,
  type Definition,
  type Known,
  type ScheduleOptions,
} from "../core/schedule/definition.ts";
import { inputOf, tickOf } from "../core/schedule/input.ts";
import { changed, firstState, type ScheduleState } from "../core/schedule/state.ts";
import { type CronTimes, timeAfter, timeBefore } from "../core/schedule/timing.ts";
import { validate } from "../core/schema.ts";
import type { Chance } from "../ports/clock.ts";
import { parseCron } from "./cron.ts";
import { type KeptSchedule, writeSchedule } from "./schedule-store.ts";
import type { Store } from "./store.ts";
import { nextDue } from "./ticker.ts";
import type { Tickets } from "./tickets.ts";

export interface SchedulesPorts {
  readonly store: Store;
  readonly tickets: Tickets;
  readonly agents: Agents;
  readonly cronTimes: CronTimes;
  /** What a user and a tenant may have enqueued. None: as much as they like. */
  readonly bounds?: EnqueueBounds | undefined;
  readonly chance: Chance;
}

/** `unchanged`: it was there as it is wanted; nothing was written. */
export type Upserted = "created" | "updated" | "unchanged";

export function knownOf(store: Store): Known {
  return { parseCron, isZone, zones: () => Intl.supportedValuesOf("timeZone"), keepMs: store.options.keepMs };
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export interface Wanted {
  readonly id: string;
  readonly definition: Definition;
  /** None: as it is. */
  readonly paused: boolean | undefined;
}

/** @throws ErrandError `schedule-invalid`, `identifier-invalid`, `agent-unknown` */
export async function define(
  agents: Agents,
  known: Known,
  given: Agent,
  id: string,
  options: ScheduleOptions,
): Promise<Wanted> {
  const agent = agents.need(given);
  const definition = checkDefinition(checkScheduleId(id), agent.name, options, known);
  return { id, definition, paused: options.paused };
}

/** Whether the input of its next run would fit, and whether there is one. @throws ErrandError `schedule-invalid`, `input-invalid` */
async function checkWithAgent(
  agents: Agents,
  { id, definition }: Wanted,
  cronTimes: CronTimes,
  now: number,
): Promise<void> {
  const { timing, identifier } = definition;
  const first = timeAfter(timing, cronTimes, now);
  if (first === undefined) {
    const { startAt, endAt } = timing;
    const between =
      endAt === undefined
        ? "ever"
        : `between ${new Date(Math.max(now, startAt ?? 0)).toISOString()} and endAt (${new Date(endAt).toISOString()})`;
    throw new ErrandError(
      "schedule-invalid",
      `schedule ${id}: expected a time that comes, such as cron "0 8 * * *", got ${timing.cron ?? `every ${timing.every} ms`}: there is no such time ${between}.`,
    );
  }
  const tick = tickOf(id, identifier, first, timeBefore(timing, cronTimes, first));
  const agent = agents.need(definition.agent);
  const result = await validate(agent.input, inputOf(definition.input, tick));
  if (!result.ok)
    throw new ErrandError(
      "input-invalid",
      `schedule ${id}: the input of its runs does not fit the schema of agent ${agent.name}: ${result.issues.join("; ")}. A value of the tick is given as in (tick) => ({ since: tick.since }), or { "$tick": "since" }.`,
      { details: { issues: result.issues } },
    );
}

/** @param dryRun says what it would be, and writes nothing. @returns nothing when somebody else was faster */
export async function put(
  ports: SchedulesPorts,
  wanted: Wanted,
  before: KeptSchedule | undefined,
  now: number,
  dryRun = false,
): Promise<Upserted | undefined> {
  const { store, tickets, chance, cronTimes, agents } = ports;
  const { id, definition } = wanted;
  const paused = wanted.paused ?? before?.state.paused ?? false;
  if (before !== undefined && before.definition.identifier !== definition.identifier)
    throw new ErrandError(
      "schedule-conflict",
      `schedule ${id} is of identifier ${JSON.stringify(before.definition.identifier)}, got ${JSON.stringify(definition.identifier)}. A schedule's identifier is fixed: delete it first, or use another id.`,
    );
  const same = before !== undefined && canonical(before.definition) === canonical(definition);
  if (same && paused === before.state.paused) return "unchanged";
  if (!same) await checkWithAgent(agents, wanted, cronTimes, now);
  const result = before === undefined ? "created" : "updated";
  if (dryRun) return result;
  const state: ScheduleState =
    before === undefined
      ? firstState(definition.timing, cronTimes, now, paused)
      : changed(id, before.definition.timing, definition.timing, before.state, paused, now, cronTimes);
  const written = await writeSchedule(store, tickets, {
    id,
    before,
    nonce: chance.nonce(),
    definition,
    state,
    due: nextDue(id, { definition }, state, cronTimes, now),
  });
  return written.answer === "ok" ? result : undefined;
}
