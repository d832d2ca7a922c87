/**
 * One pass over the schedules that are due: what becomes of each tick is decided by core/schedule/decide.ts, and done in one step. Time is
 * Redis's, and what is due is what our own keys say: a pass that comes early, late, twice or in two processes does nothing wrong.
 */
import type { Agents } from "../core/agents.ts";
import { ErrandError } from "../core/errors.ts";
import { type Decision, decide, type Make } from "../core/schedule/decide.ts";
import { inputOf, tickOf } from "../core/schedule/input.ts";
import { type DueTick, tickAfter } from "../core/schedule/state.ts";
import type { CronTimes } from "../core/schedule/timing.ts";
import type { Chance } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { type EnqueueBounds, withBounds } from "./enqueue-bounds.ts";
import { createArguments } from "./producer.ts";
import {
  type KeptSchedule,
  readSchedules,
  takeSchedules,
  type ToMake,
  writeSchedule,
  type Written,
} from "./schedule-store.ts";
import type { Store } from "./store.ts";
import type { Tickets } from "./tickets.ts";

export interface Ticker {
  /** Fires all that is due. @returns how many schedules that were */
  pass(): Promise<number>;
  /** The pass under way stops after what it has taken. */
  stop(): void;
}

export interface TickerPorts {
  readonly store: Store;
  readonly tickets: Tickets;
  readonly agents: Agents;
  readonly cronTimes: CronTimes;
  /** What a user and a tenant may have enqueued on the day of `now` (Redis ms). None: as much as they like. */
  readonly bounds?: EnqueueBounds | undefined;
  readonly chance: Chance;
  readonly log: Log;
}

const TAKEN_AT_ONCE = 200;
/** What a process took and did not finish is due again after this. */
const TAKEN_MS = 30_000;
/** Times that end in one step: so many of missed ones, which are one line; and so many that may each have a run. */
const MOST_TIMES = 10_000;
const MOST_RUNS = 50;
/** Buffered ticks are woken by the end of a run; this is for a wake that was lost. */
const BUFFER_LOOK_MS = 60_000;
const AGAIN_MS = 15_000;
const AGAIN_MOST_MS = 15 * 60_000;
const PATIENT_TRIES = 8;
const TRIES = 5;

export function createTicker(ports: TickerPorts): Ticker {
  let stopped = false;
  const pass = async (): Promise<number> => {
    for (let fired = 0; ;) {
      const { now, schedules } = await takeSchedules(ports.store, TAKEN_AT_ONCE, TAKEN_MS);
      const again = await Promise.all(schedules.map(async (one) => one !== undefined && fire(ports, one, now)));
      fired += schedules.length;
      if (stopped || !(schedules.length === TAKEN_AT_ONCE || again.includes(true))) return fired;
    }
  };
  return { pass, stop: () => void (stopped = true) };
}

/** What fails here, fails for this schedule alone; it is due again soon. @returns whether more of its times are due */
async function fire(ports: TickerPorts, taken: KeptSchedule, takenAt: number): Promise<boolean> {
  let [schedule, now]: [KeptSchedule | undefined, number] = [taken, takenAt];
  let room = Infinity;
  try {
    for (let tries = 0; schedule !== undefined && tries < TRIES; tries++) {
      const { written, more } = await fireOnce(ports, schedule, now, room);
      if (written.answer === "full") {
        ports.log.warn("schedule.budget", { schedule: schedule.id, whose: written.whose });
        room = written.room;
        continue;
      }
      if (written.answer === "refused") await putOff(ports, schedule, now, written.why);
      if (written.answer !== "changed") return more && written.answer === "ok";
      const read = await readSchedules(ports.store, [schedule.id]);
      [schedule, now] = [read.schedules[0], read.now];
    }
  } catch (error) {
    if (schedule === undefined || !(error instanceof ErrandError)) failed(ports.log, taken.id, error);
    else
      await putOff(ports, schedule, now, `${error.code}: ${error.message}`).catch((again: unknown) =>
        failed(ports.log, taken.id, again),
      );
  }
  return false;
}

async function fireOnce(
  ports: TickerPorts,
  schedule: KeptSchedule,
  now: number,
  room: number,
): Promise<{ readonly written: Written; readonly more: boolean }> {
  const { store, tickets, chance, cronTimes } = ports;
  const { id, definition, state } = schedule;
  const { ticks, more } = dueTicks(schedule, cronTimes, now);
  const decision = decide(definition, state, ticks, more, now, room);
  const makes: ToMake[] = [];
  for (const make of decision.makes) makes.push({ ...make, args: await argumentsOf(ports, schedule, make, now) });
  const written = await writeSchedule(store, tickets, {
    id,
    before: schedule,
    nonce: chance.nonce(),
    state: decision.state,
    due: more ? now : nextDue(id, schedule, decision.state, cronTimes, now),
    makes,
    cancels: decision.cancels,
    outcomes: decision.outcomes,
  });
  return { written, more };
}

/** Those that are due by now, in order, as many as one step takes. */
function dueTicks(
  { id, definition: { timing, catchUp, overlap }, state }: KeptSchedule,
  cronTimes: CronTimes,
  now: number,
): { readonly ticks: readonly DueTick[]; readonly more: boolean } {
  const most = catchUp.policy === "all" && overlap !== "cancel-other" ? MOST_RUNS : MOST_TIMES;
  const ticks: DueTick[] = [];
  for (let after = state.cursor; ;) {
    const tick = tickAfter(id, timing, state, cronTimes, after);
    if (tick === undefined || tick.due > now) return { ticks, more: false };
    if (ticks.length === most) return { ticks, more: true };
    ticks.push(tick);
    after = tick.nominal;
  }
}

/** When a schedule has to be looked at next. */
export function nextDue(
  id: string,
  { definition }: Pick<KeptSchedule, "definition">,
  state: Decision["state"],
  cronTimes: CronTimes,
  now: number,
): number | undefined {
  const next = tickAfter(id, definition.timing, state, cronTimes, state.cursor)?.due;
  if (state.buffer.length === 0 || state.paused) return next;
  return Math.min(next ?? Infinity, now + BUFFER_LOOK_MS);
}

/** @throws ErrandError `agent-unknown`, `input-invalid`, … */
async function argumentsOf(
  { agents, chance, bounds }: TickerPorts,
  { id, definition }: KeptSchedule,
  { nominal, since }: Make,
  now: number,
): Promise<readonly (string | number)[]> {
  const { identifier, input, tenant, priority } = definition;
  const made = await createArguments(
    agents.need(definition.agent),
    {
      identifier,
      input: inputOf(input, tickOf(id, identifier, nominal, since)),
      idempotencyKey: `schedule ${id} ${nominal}`,
      covers: { from: since, to: nominal },
      ...(tenant !== undefined && { tenant }),
      ...(priority !== undefined && { priority }),
    },
    chance.nonce(),
    { schedule: id, nominal },
  );
  return withBounds(made, bounds, { identifier, tenant }, now);
}

/** The tick is not lost: it is due again, until it is too old to be made up. */
async function putOff(
  { store, tickets, chance, log }: TickerPorts,
  schedule: KeptSchedule,
  now: number,
  error: string,
): Promise<void> {
  log.error("schedule.no-run", {
    schedule: schedule.id,
    agent: schedule.definition.agent,
    error: error.split(" ", 1)[0] ?? "",
  });
  const { runs: _, ...state } = schedule.state;
  // Another process may know the agent. A minute or two later nobody does, and 100,000 schedules of an agent that is gone must not be
  // looked at four times a minute each.
  const patience = error.startsWith("agent-unknown") ? PATIENT_TRIES : 0;
  const doubled = Math.min(Math.max(0, schedule.fails - patience), 10);
  const due = now + Math.min(AGAIN_MS * 2 ** doubled, AGAIN_MOST_MS);
  await writeSchedule(store, tickets, { id: schedule.id, before: schedule, nonce: chance.nonce(), state, due, error });
}

function failed(log: Log, schedule: string, error: unknown): void {
  log.warn("schedule.failed", {
    schedule,
    error: error instanceof Error ? `${error.name}: ${error.message.slice(0, 200)}` : "unknown",
  });
}
