/** Schedules on a real Redis whose time the test sets: what an app does with them, one who ticks, and runs that end and park as told. */
import type { TestContext } from "node:test";
import { z } from "zod";
import { type Agent, agent } from "../../src/core/agent.ts";
import { registerAgents } from "../../src/core/agents.ts";
import type { ScheduleOptions } from "../../src/core/schedule/definition.ts";
import type { CronTimes } from "../../src/core/schedule/timing.ts";
import type { Budgets } from "../../src/core/days.ts";
import type { Journal } from "../../src/ports/journal.ts";
import type { Log } from "../../src/ports/log.ts";
import { enqueueBounds } from "../../src/queue/budgets.ts";
import type { EnqueueBounds } from "../../src/queue/enqueue-bounds.ts";
import { createCronTimes } from "../../src/queue/cron.ts";
import { redisJournal } from "../../src/queue/journal.ts";
import type { HistoryLine } from "../../src/queue/schedule-store.ts";
import { createSchedules, type Schedules } from "../../src/queue/schedules.ts";
import type { Store } from "../../src/queue/store.ts";
import { createTicker, type Ticker } from "../../src/queue/ticker.ts";
import type { Tickets } from "../../src/queue/tickets.ts";
import { type ManualTime, manualTime } from "./manual-time.ts";
import { chance, quiet, testStore } from "./store.ts";

export const digest: Agent = agent({
  name: "digest",
  model: "openai/test",
  instructions: "Answer.",
  connections: ["gmail"],
  input: z.object({ since: z.number().optional(), until: z.number().optional() }),
});

export interface ScheduleLab {
  readonly time: ManualTime;
  readonly store: Store;
  readonly schedules: Schedules;
  readonly ticker: Ticker;
  readonly runs: ManualRuns;
  /** Moves the time on and fires what is due. */
  at(moment: string | number): Promise<void>;
  upsert(id: string, options: Omit<ScheduleOptions, "identifier">): Promise<void>;
  history(id: string): Promise<readonly HistoryLine[]>;
}

export interface ManualRuns {
  end(run: string): Promise<void>;
  /** Waits for an account, before its first turn. */
  park(run: string): Promise<void>;
  created(run: string): Promise<{
    readonly input: { readonly since?: number; readonly until?: number };
    readonly covers: { readonly from: number; readonly to: number };
    readonly tick: { readonly schedule: string; readonly nominal?: number };
  }>;
}

export const cronTimes: CronTimes = createCronTimes();
export const START: number = Date.parse("2027-01-01T00:00:00Z");
/** Tickets for BullMQ are nobody's business here. */
export const noTickets: Tickets = { add: async () => undefined, close: async () => undefined };

export async function scheduleLab(t: TestContext, log: Log = quiet, budgets: Budgets = {}): Promise<ScheduleLab> {
  const time = await manualTime(testStore(t, { keepMs: 7 * 86_400_000, countParked: true }).store, START);
  const { store } = time;
  const bounds: EnqueueBounds = (whose, now) => enqueueBounds(budgets, whose, now);
  const agents = registerAgents([digest], undefined);
  const ports = { store, tickets: noTickets, agents, cronTimes, bounds, chance, log };
  const schedules = createSchedules(ports);
  const ticker = createTicker(ports);
  return {
    time,
    store,
    schedules,
    ticker,
    runs: manualRuns(store, redisJournal(store, noTickets)),
    at: async (moment) => {
      await time.set(typeof moment === "number" ? moment : Date.parse(moment));
      await ticker.pass();
    },
    upsert: async (id, options) => void (await schedules.upsert(digest, id, { identifier: "ada", ...options })),
    history: async (id) => (await schedules.get(id)).history,
  };
}

export function manualRuns(store: Store, journal: Journal): ManualRuns {
  const claim = async (run: string): Promise<{ epoch: number; length: number }> => {
    const claimed = await journal.claim(run, { nonce: chance.nonce(), worker: "test" });
    if (claimed.answer !== "claimed") throw new Error(`expected to claim ${run}, it is ${claimed.answer}`);
    return { epoch: claimed.epoch, length: claimed.decisions.length };
  };
  return {
    end: async (run) => {
      const { epoch, length } = await claim(run);
      const entries = [{ kind: "ended", status: "completed" }] as const;
      await journal.commit({
        run,
        epoch,
        length,
        nonce: chance.nonce(),
        entries,
        move: { to: "end", status: "completed" },
      });
    },
    park: async (run) => {
      const { epoch, length } = await claim(run);
      const gate = `account/${(await store.redis.hget(`${store.prefix}run:${run}`, "identifier")) ?? ""}/gmail`;
      const needs = [{ connection: "gmail", reason: "not-connected" }] as const;
      const version = Number((await store.redis.hget(`${store.prefix}gate:${gate}`, "version")) ?? 0);
      const reply = await journal.commit({
        run,
        epoch,
        length,
        nonce: chance.nonce(),
        entries: [{ kind: "parked", reason: "account", needs }],
        move: { to: "accounts", needs: [{ gate, version, reason: "not-connected" }], until: Number.MAX_SAFE_INTEGER },
      });
      if (reply.answer !== "ok") throw new Error(`expected to park ${run}, the commit was ${reply.answer}`);
    },
    created: async (run) => {
      const [first = ""] = await store.redis.lrange(`${store.prefix}run:${run}:j`, 0, 0);
      return JSON.parse(first.slice(first.indexOf("\n"))) as Awaited<ReturnType<ManualRuns["created"]>>;
    },
  };
}
