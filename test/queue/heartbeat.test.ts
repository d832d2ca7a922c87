/** The ticker on BullMQ: passes happen, also when BullMQ has lost its scheduler, or counts by a wrong clock. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Queue } from "bullmq";
import type { LogFields } from "../../src/ports/log.ts";
import { createHeartbeat, tickPrefix } from "../../src/queue/heartbeat.ts";
import { watchSkew } from "../../src/queue/skew.ts";
import { quiet, testStore } from "../support/store.ts";
import { type ScheduleLab, scheduleLab } from "../support/schedules.ts";

const DAILY = { cron: "0 8 * * *", overlap: "allow-all" } as const;
const day = (n: number): number => Date.parse("2027-01-01T08:00:00Z") + (n - 1) * 86_400_000;
const EVERY_MS = 40;

async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`waited 20 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

interface Beating {
  readonly lab: ScheduleLab;
  readonly queue: Queue;
  readonly warned: string[];
}

async function beating(t: TestContext): Promise<Beating> {
  const lab = await scheduleLab(t);
  const warned: string[] = [];
  const log = { ...quiet, warn: (event: string) => void warned.push(event) };
  const { redis } = lab.store;
  const heartbeat = createHeartbeat(lab.store, redis, lab.ticker, { everyMs: EVERY_MS, log });
  const queue = new Queue("ticks", {
    connection: redis,
    prefix: tickPrefix(lab.store.prefix),
    skipWaitingForReady: true,
  });
  t.after(async () => {
    await heartbeat.close();
    await queue.close();
  });
  heartbeat.start();
  return { lab, queue, warned };
}

const fired = (lab: ScheduleLab, n: number): Promise<void> =>
  until(`run ${n}`, async () => (await lab.store.redis.zcard(`${lab.store.prefix}runs:all`)) === n);

test("a job scheduler of BullMQ makes the passes; without schedules there is none, and none is left", async (t) => {
  const { lab, queue } = await beating(t);
  await lab.upsert("d", DAILY);
  await until("the scheduler", async () => (await queue.getJobSchedulersCount()) === 1);
  await lab.time.set(day(1));
  await fired(lab, 1);
  await lab.schedules.delete(["d"]);
  await until("no scheduler", async () => (await queue.getJobSchedulersCount()) === 0);
});

/** What happens to BullMQ's side of it: `ticks` is the beginning of its keys. */
const LOSSES: Readonly<Record<string, (beat: Beating, ticks: string) => Promise<unknown>>> = {
  "everything of BullMQ's is gone": ({ queue }) => queue.obliterate({ force: true }),
  "the scheduler was removed": ({ queue }) => queue.removeJobScheduler("tick"),
  "its job is lost, and BullMQ makes the next one only when it starts": ({ lab }, ticks) =>
    lab.store.redis.del(`${ticks}delayed`, `${ticks}wait`, `${ticks}active`),
  "a worker whose clock is an hour ahead has made the next job": async ({ lab: { store } }, ticks) => {
    await store.redis.del(`${ticks}wait`, `${ticks}active`);
    const next = await store.redis.zscore(`${ticks}repeat`, "tick");
    const late = Number(next) + 3_600_000;
    await store.redis.zadd(`${ticks}repeat`, String(late), "tick");
    await store.redis.del(`${ticks}delayed`);
    await store.redis.zadd(`${ticks}delayed`, String(late * 4096), `repeat:tick:${late}`);
  },
};

for (const [what, lose] of Object.entries(LOSSES))
  test(`lost: ${what}. The net fires what is due, and makes the ticker anew`, async (t) => {
    const beat = await beating(t);
    const { lab, queue } = beat;
    await lab.upsert("d", DAILY);
    await lab.time.set(day(1));
    await fired(lab, 1);
    await lose(beat, `${tickPrefix(lab.store.prefix)}:ticks:`);
    for (const n of [2, 3, 4]) {
      await lab.time.set(day(n));
      await fired(lab, n);
    }
    // All of it works again without the net: passes are as frequent as they should be.
    await until("the scheduler", async () => (await queue.getJobSchedulersCount()) === 1);
  });

test("a clock that is wrong is told at the start, again and again; one that is right is not", async (t) => {
  const { store } = testStore(t);
  const told: LogFields[] = [];
  const log = {
    ...quiet,
    error: (event: string, fields: LogFields) => void (event === "clock.skewed" && told.push(fields)),
  };
  const right = watchSkew(store, { now: () => Date.now(), monotonic: () => performance.now() }, log);
  await right.look();
  assert.deepEqual(told, []);
  assert.ok(Math.abs(right.skewMs ?? Infinity) < 2_000, `${right.skewMs} ms`);
  const wrong = watchSkew(store, { now: () => Date.now() - 3_600_000, monotonic: () => performance.now() }, log, 20);
  t.after(() => wrong.close());
  wrong.start();
  await until("three alarms", async () => told.length >= 3);
  assert.ok(Math.abs(Number(told[0]?.["ms"]) + 3_600_000) < 2_000, `${String(told[0]?.["ms"])} ms`);
});
