/** Schedules used wrongly, twice, or with answers that are lost: nothing is doubled, one mistake stops nobody else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { registerAgents } from "../../src/core/agents.ts";
import type { ScheduleOptions } from "../../src/core/schedule/definition.ts";
import { createSchedules } from "../../src/queue/schedules.ts";
import { SCHEDULE_WRITE } from "../../src/queue/scripts/schedule-write.ts";
import { createTicker } from "../../src/queue/ticker.ts";
import { cronTimes, digest, noTickets, scheduleLab, START } from "../support/schedules.ts";
import { chance, quiet } from "../support/store.ts";

const DAILY = { cron: "0 8 * * *" } as const;
const WINDOW = { input: (tick: { until: number }) => ({ until: tick.until }) };
const MORNING = Date.parse("2027-01-01T08:00:00Z");

test("triggered twice with one key: one run, one line, also when the budget is used up by then", async (t) => {
  const lab = await scheduleLab(t, quiet, { identifier: { runs: 1 } });
  await lab.upsert("d", { ...DAILY, ...WINDOW });
  const first = await lab.schedules.trigger("d", "k");
  await lab.time.set(START + 5_000);
  assert.equal(await lab.schedules.trigger("d", "k"), first, "with another window, as time has passed");
  const { runs, history } = await lab.schedules.get("d");
  assert.deepEqual([runs, history.length], [[first], 1]);
  await lab.runs.end(first);
  assert.equal(await lab.schedules.trigger("d", "k"), first, "also when it has ended");
  assert.equal((await lab.schedules.get("d")).history.length, 1);
  await assert.rejects(lab.schedules.trigger("d", "other"), { code: "budget-exceeded" });
});

test("triggered, and the answer was lost: the step is sent again, and makes no second run", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", { ...DAILY, ...WINDOW });
  let lost = 0;
  const run: typeof lab.store.run = async (script, ...args) => {
    const reply = await lab.store.run(script, ...args);
    // As ioredis sends again what has no reply.
    return script === SCHEDULE_WRITE && lost++ === 0 ? lab.store.run(script, ...args) : reply;
  };
  const agents = registerAgents([digest], undefined);
  const schedules = createSchedules({ store: { ...lab.store, run }, tickets: noTickets, agents, cronTimes, chance });
  const made = await schedules.trigger("d", undefined);
  assert.equal(lost > 0, true);
  assert.deepEqual((await lab.schedules.get("d")).runs, [made]);
  assert.equal(await lab.store.redis.zcard(`${lab.store.prefix}runs:all`), 1);
});

for (const key of ["", "x".repeat(201), {} as string])
  test(`a trigger's key is a text: ${JSON.stringify(key).slice(0, 10)}`, async (t) => {
    const lab = await scheduleLab(t);
    await lab.upsert("d", DAILY);
    await assert.rejects(lab.schedules.trigger("d", key), { code: "option-invalid", message: /1 to 200 characters/ });
  });

test("an agent that nobody knows: looked for each 15 s while a deployment may be under way, then ever more seldom", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", { ...DAILY, catchUp: "all" });
  const agents = registerAgents([], undefined);
  const ports = { store: lab.store, tickets: noTickets, agents, cronTimes, chance, log: quiet };
  const ticker = createTicker(ports);
  const dueAt = async (): Promise<number> =>
    Number(await lab.store.redis.zscore(`${lab.store.prefix}schedules:due`, "d"));
  const waits: number[] = [];
  for (let now = MORNING, i = 0; i < 16; i++) {
    await lab.time.set(now);
    await ticker.pass();
    waits.push((await dueAt()) - now);
    now = await dueAt();
  }
  assert.deepEqual(waits.slice(0, 10), [...Array.from({ length: 9 }, () => 15_000), 30_000]);
  assert.equal(waits.at(-1), 900_000, "at most a quarter of an hour");
  assert.match((await lab.schedules.get("d")).error ?? "", /^agent-unknown/);
  await lab.ticker.pass();
  await lab.at(await dueAt());
  const [line] = await lab.history("d");
  assert.equal(line?.outcome, "enqueued", "a worker that knows the agent makes it up");
});

test("upsertMany: an input that fails and an entry that is none stop no other", async (t) => {
  const { schedules } = await scheduleLab(t);
  const one = (id: string, more: Partial<ScheduleOptions> = {}): ScheduleOptions & { id: string } => ({
    id,
    identifier: "ada",
    ...DAILY,
    ...more,
  });
  const fails = (): never => {
    throw new TypeError("profile is undefined");
  };
  const all = [one("a", { input: fails }), one("b"), null as never, one("c")];
  const told = await schedules.upsertMany(digest, all);
  assert.equal(told.created, 2);
  assert.deepEqual(
    told.refused.map(({ at, code }) => [at, code]).toSorted(([a], [b]) => Number(a) - Number(b)),
    [0, 2].map((at) => [at, "schedule-invalid"]),
  );
  assert.match(told.refused.find(({ at }) => at === 0)?.message ?? "", /the function failed: profile is undefined/);
  await assert.rejects(schedules.upsertMany(digest, 17 as never), { code: "option-invalid", message: /got number/ });
});

test("the next times after a moment that is none", async (t) => {
  const { schedules } = await scheduleLab(t);
  for (const after of [NaN, 1e300, "2027" as never, new Date() as never])
    await assert.rejects(schedules.next({ every: 60_000 }, 5, after), { code: "option-invalid", message: /after:/ });
});
