/** Schedules on a real Redis whose time the test sets: what becomes of each nominal time, by every policy. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HistoryLine } from "../../src/queue/schedule-store.ts";
import { digest, scheduleLab } from "../support/schedules.ts";

const DAILY = { cron: "0 8 * * *" } as const;
const WINDOW = { input: (tick: { since: number; until: number }) => ({ since: tick.since, until: tick.until }) };
const day = (n: number): string => `2027-01-${String(n).padStart(2, "0")}T08:00:00Z`;
const at = (n: number): number => Date.parse(day(1)) + (n - 1) * 86_400_000;

/** `1 enqueued · 2-4 paused · 5 → 6`, oldest first, runs left out. */
function told(history: readonly HistoryLine[]): string {
  const name = (ms: number): string => new Date(ms).toISOString().slice(8, 10).replace(/^0/, "");
  const lines = history
    .toSorted((a, b) => a.nominal - b.nominal)
    .map((line) => {
      const when = line.first === undefined ? name(line.nominal) : `${name(line.first)}-${name(line.nominal)}`;
      if (line.outcome === "coalesced") return `${when} → ${name(line.into)}`;
      return `${when} ${line.outcome === "skipped" ? line.policy : line.outcome}`;
    });
  return lines.join(" · ");
}

test("each day a run, for the time since the last one", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", { ...DAILY, ...WINDOW });
  for (const n of [1, 2, 3]) {
    await lab.at(day(n));
    await lab.ticker.pass();
    const { runs } = await lab.schedules.get("d");
    assert.equal(runs.length, 1, `day ${n}`);
    const { input, covers } = await lab.runs.created(runs[0] ?? "");
    assert.deepEqual(input, { since: at(n) - 86_400_000, until: at(n) });
    assert.deepEqual(covers, { from: at(n) - 86_400_000, to: at(n) });
    await lab.runs.end(runs[0] ?? "");
  }
  assert.equal(told(await lab.history("d")), "1 enqueued · 2 enqueued · 3 enqueued");
});

const POLICIES = [
  ["skip", "1 enqueued · 2 skip · 3 skip · 4 skip · 5 enqueued"],
  ["buffer-one", "1 enqueued · 2 enqueued · 3 buffer-one · 4 buffer-one · 5 enqueued"],
] as const;

for (const [overlap, expected] of POLICIES)
  test(`overlap ${overlap}: the first run takes until day 4`, async (t) => {
    const lab = await scheduleLab(t);
    await lab.upsert("d", { ...DAILY, ...WINDOW, overlap });
    await lab.at(day(1));
    for (const n of [2, 3, 4]) await lab.at(day(n));
    for (let ended = 0; ended < 2; ended++) {
      for (const run of (await lab.schedules.get("d")).runs) await lab.runs.end(run);
      await lab.ticker.pass();
    }
    await lab.at(day(5));
    assert.equal(told(await lab.history("d")), expected);
  });

test("overlap buffer-all: each tick has its run, one after the other", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", { ...DAILY, ...WINDOW, overlap: "buffer-all" });
  for (const n of [1, 2, 3]) await lab.at(day(n));
  const windows: unknown[] = [];
  for (let ended = 0; ended < 3; ended++) {
    const { runs } = await lab.schedules.get("d");
    assert.equal(runs.length, 1);
    windows.push((await lab.runs.created(runs[0] ?? "")).input.since);
    await lab.runs.end(runs[0] ?? "");
    await lab.ticker.pass();
  }
  assert.deepEqual(windows, [at(0), at(1), at(2)]);
  assert.deepEqual((await lab.schedules.get("d")).buffered, []);
  assert.equal(told(await lab.history("d")), "1 enqueued · 2 enqueued · 3 enqueued");
});

test("overlap cancel-other: the run before is told to end, and the latest tick starts when it has", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", { ...DAILY, ...WINDOW, overlap: "cancel-other" });
  for (const n of [1, 2, 3]) await lab.at(day(n));
  const [first = ""] = (await lab.schedules.get("d")).runs;
  assert.equal(await lab.store.redis.hget(`${lab.store.prefix}run:${first}`, "cancel"), "1");
  assert.equal(told(await lab.history("d")), "1 enqueued · 2 → 3");
  await lab.runs.end(first);
  await lab.ticker.pass();
  const [second = ""] = (await lab.schedules.get("d")).runs;
  assert.deepEqual((await lab.runs.created(second)).input, { since: at(1), until: at(3) });
  assert.equal(told(await lab.history("d")), "1 enqueued · 2 → 3 · 3 enqueued");
});

test("overlap allow-all: a run for each, whatever the others do", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", { ...DAILY, overlap: "allow-all" });
  for (const n of [1, 2, 3]) await lab.at(day(n));
  assert.equal((await lab.schedules.get("d")).runs.length, 3);
});

test("nine parked days become one run that covers them; each of them ends as coalesced into the next", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", { ...DAILY, ...WINDOW });
  for (let n = 1; n <= 9; n++) {
    await lab.at(day(n));
    const { runs } = await lab.schedules.get("d");
    assert.equal(runs.length, 1, `day ${n}`);
    await lab.runs.park(runs[0] ?? "");
  }
  const [last = ""] = (await lab.schedules.get("d")).runs;
  assert.deepEqual((await lab.runs.created(last)).input, { since: at(0), until: at(9) });
  const days = Array.from({ length: 8 }, (_, i) => `${i + 1} → ${i + 2}`);
  assert.equal(told(await lab.history("d")), [...days, "9 enqueued"].join(" · "));
  const first = await lab.schedules.list({ identifier: "ada" });
  assert.equal(first.schedules[0]?.nextAt, at(10));
});

test("coalesce: false: a run that waits for an account is an earlier run like any other", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", { ...DAILY, ...WINDOW, coalesce: false });
  await lab.at(day(1));
  const [first = ""] = (await lab.schedules.get("d")).runs;
  await lab.runs.park(first);
  await lab.at(day(2));
  await lab.runs.end(first);
  await lab.at(day(3));
  const [second = ""] = (await lab.schedules.get("d")).runs;
  assert.deepEqual((await lab.runs.created(second)).input, { since: at(2), until: at(3) });
  assert.equal(told(await lab.history("d")), "1 enqueued · 2 skip · 3 enqueued");
});

const DOWN = [
  ["none", "1 enqueued · 2-5 catch-up"],
  ["latest", "1 enqueued · 2-3 catch-up · 4 → 5 · 5 enqueued"],
  ["all", "1 enqueued · 2-3 catch-up · 4 enqueued · 5 enqueued"],
] as const;

for (const [policy, expected] of DOWN)
  test(`catch-up ${policy}: nothing ticks from day 1 to day 5, and two days are made up`, async (t) => {
    const lab = await scheduleLab(t);
    await lab.upsert("d", { ...DAILY, ...WINDOW, overlap: "allow-all", catchUp: { policy, within: 2 * 86_400_000 } });
    await lab.at(day(1));
    await lab.at("2027-01-05T20:00:00Z");
    assert.equal(told(await lab.history("d")), expected);
    const { runs } = await lab.schedules.get("d");
    const since = policy === "none" ? at(0) : policy === "latest" ? at(3) : at(4);
    assert.equal((await lab.runs.created(runs.at(-1) ?? "")).input.since, since);
  });

test("a year of missed minutes is one line for each step, and takes no time to speak of", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", { every: 60_000, catchUp: "latest" });
  await lab.at("2027-01-21T00:00:30Z");
  const history = await lab.history("d");
  const counted = history.reduce((sum, line) => sum + (line.count ?? 1), 0);
  assert.equal(counted, 20 * 24 * 60, "every minute is accounted for");
  assert.equal(history.filter((line) => line.outcome === "enqueued").length, 1);
});

test("paused times pass as skipped, and their time is not covered; ticks before the pause still fire", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", { ...DAILY, ...WINDOW, jitter: 3_600_000, overlap: "allow-all" });
  const { dueAt = 0, nextAt } = await lab.schedules.get("d");
  assert.equal(nextAt, at(1));
  await lab.time.set(at(1) + 1);
  await lab.schedules.setPaused("d", true);
  await lab.at(dueAt);
  await lab.at(day(4));
  assert.equal(told(await lab.history("d")), "1 enqueued", "nothing is done while it is paused");
  await lab.schedules.setPaused("d", false);
  await lab.ticker.pass();
  await lab.at(at(5) + 3_600_000);
  assert.equal(told(await lab.history("d")), "1 enqueued · 2-4 paused · 5 enqueued");
  const { runs } = await lab.schedules.get("d");
  assert.deepEqual((await lab.runs.created(runs.at(-1) ?? "")).input, { since: at(4), until: at(5) });
});

test("another cron is in force from now on: what was due before fires once, what comes follows the new one", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", { ...DAILY, ...WINDOW, overlap: "allow-all" });
  await lab.at(day(1));
  // Nothing ticks; day 2 was missed when the cron is changed at noon.
  await lab.time.set(Date.parse("2027-01-02T12:00:00Z"));
  await lab.upsert("d", { cron: "0 8,20 * * *", ...WINDOW, overlap: "allow-all", catchUp: "all" });
  await lab.ticker.pass();
  await lab.at("2027-01-02T20:00:00Z");
  await lab.upsert("d", { cron: "0 20 * * *", ...WINDOW, overlap: "allow-all" });
  await lab.at("2027-01-02T20:30:00Z");
  await lab.at(day(3));
  const times = (await lab.history("d")).map((line) => [new Date(line.nominal).toISOString(), line.outcome]).reverse();
  assert.deepEqual(times, [
    ["2027-01-01T08:00:00.000Z", "enqueued"],
    ["2027-01-02T08:00:00.000Z", "enqueued"],
    ["2027-01-02T20:00:00.000Z", "enqueued"],
  ]);
  assert.equal((await lab.schedules.get("d")).nextAt, Date.parse("2027-01-03T20:00:00Z"));
});

test("the same definition again changes nothing, not even what is due", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", DAILY);
  const before = await lab.store.redis.hgetall(`${lab.store.prefix}schedule:d`);
  await lab.time.set(at(3));
  await lab.upsert("d", DAILY);
  assert.deepEqual(await lab.store.redis.hgetall(`${lab.store.prefix}schedule:d`), before);
});

test("two tickers at once, and one that fires what another has fired: one run for each time", async (t) => {
  const lab = await scheduleLab(t);
  for (let i = 0; i < 50; i++) await lab.upsert(`d${i}`, { ...DAILY, overlap: "allow-all" });
  await lab.time.set(at(1));
  await Promise.all([lab.ticker.pass(), lab.ticker.pass(), lab.ticker.pass()]);
  const created = async (): Promise<number> => lab.store.redis.zcard(`${lab.store.prefix}runs:all`);
  assert.equal(await created(), 50);
  // As if the last change had been lost together with its memory: the run's own key is left.
  await lab.store.redis.hset(`${lab.store.prefix}schedule:d0`, "cursor", at(0));
  await lab.store.redis.zadd(`${lab.store.prefix}schedules:due`, at(1), "d0");
  await lab.ticker.pass();
  assert.equal(await created(), 50);
});

test("a run now: besides the schedule's times, which it does not move; the same key gives the same run", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", { ...DAILY, ...WINDOW, paused: true });
  await lab.time.set(at(0) + 3_600_000 * 20);
  const run = await lab.schedules.trigger("d", "k");
  assert.equal(await lab.schedules.trigger("d", "k"), run);
  const { input } = await lab.runs.created(run);
  assert.deepEqual(input, { since: at(0), until: at(0) + 3_600_000 * 20 });
  assert.equal((await lab.history("d"))[0]?.outcome, "triggered");
});

test("a run that cannot be created loses no tick: it is due again, and fires when it can", async (t) => {
  const lab = await scheduleLab(t);
  await lab.upsert("d", { ...DAILY, tenant: "acme" });
  const { redis, prefix } = lab.store;
  await redis.hset(`${prefix}tenants`, "ada", "other");
  await lab.at(day(1));
  const kept = await lab.schedules.get("d");
  assert.match(kept.error ?? "", /^tenant other/);
  assert.equal(kept.nextAt, at(1));
  await redis.hset(`${prefix}tenants`, "ada", "acme");
  await lab.at(at(1) + 60_000);
  const { error, runs } = await lab.schedules.get("d");
  assert.deepEqual([error, runs.length], [undefined, 1]);
});

test("deleted: nothing is left but the runs", async (t) => {
  const lab = await scheduleLab(t);
  for (const id of ["a", "b"]) await lab.upsert(id, DAILY);
  await lab.at(day(1));
  const deleted = await lab.schedules.delete(["a", "b", "never"]);
  assert.deepEqual(
    deleted.map((runs) => runs?.length),
    [1, 1, undefined],
  );
  const keys = await lab.store.redis.keys(`${lab.store.prefix}schedule*`);
  assert.deepEqual(keys, [`${lab.store.prefix}schedules:beat`]);
  assert.equal((await lab.schedules.list({})).schedules.length, 0);
});

test("lists by identifier, by agent and of all, in pages", async (t) => {
  const lab = await scheduleLab(t);
  const all = Array.from({ length: 7 }, (_, i) => ({ id: `d${i}`, identifier: i < 3 ? "ada" : "bob", ...DAILY }));
  const done = await lab.schedules.upsertMany(digest, [
    ...all,
    { id: "a:b", identifier: "ada", ...DAILY },
    all[0] ?? { id: "", identifier: "" },
  ]);
  assert.deepEqual(
    [done.created, done.unchanged, done.refused.map((one) => [one.id, one.code])],
    [7, 1, [["a:b", "schedule-invalid"]]],
  );
  const ids = async (filter: object): Promise<string> =>
    (await lab.schedules.list(filter)).schedules.map((one) => one.id).join(" ");
  assert.equal(await ids({ identifier: "ada" }), "d0 d1 d2");
  assert.equal(await ids({ agent: "digest", identifier: "bob" }), "d3 d4 d5 d6");
  assert.equal(await ids({ agent: "other" }), "");
  const first = await lab.schedules.list({ limit: 5 });
  assert.equal(await ids({ limit: 5, cursor: first.cursor }), "d5 d6");
});

test("keepHistory: so many lines are kept, the newest ones; fewer of them from the moment of the change", async (t) => {
  const lab = await scheduleLab(t);
  const lines = async (): Promise<number[]> =>
    (await lab.history("d")).map(({ nominal }) => (nominal - at(0)) / 86_400_000);
  await lab.upsert("d", { ...DAILY, overlap: "allow-all", coalesce: false, keepHistory: 3 });
  for (let n = 1; n <= 5; n++) await lab.at(day(n));
  assert.deepEqual(await lines(), [5, 4, 3]);
  await lab.upsert("d", { ...DAILY, overlap: "allow-all", coalesce: false, keepHistory: 1_000 });
  for (let n = 6; n <= 30; n++) await lab.at(day(n));
  assert.deepEqual((await lines()).length, 28);
  await lab.upsert("d", { ...DAILY, overlap: "allow-all", coalesce: false });
  assert.equal((await lab.schedules.get("d")).keepHistory, 20);
  assert.deepEqual((await lines()).length, 20);
  for (const keepHistory of [0, 1_001, 1.5, "20"])
    await assert.rejects(lab.upsert("d", { ...DAILY, keepHistory: keepHistory as number }), {
      code: "schedule-invalid",
      message: /keepHistory: expected 1 to 1000 lines, such as 20/,
    });
});
