/** Ticks are bound by what their user and tenant may have enqueued: what is over it is skipped, told, and covered by the next run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { scheduleLab, START } from "../support/schedules.ts";

const HOUR = 3_600_000;
const HOURLY = { cron: "0 * * * *" } as const;
const WINDOW = { input: (tick: { since: number; until: number }) => ({ since: tick.since, until: tick.until }) };
const at = (hour: number): number => START + hour * HOUR;

test("so many runs a day: later ticks are skipped by budget, and the next day's first run covers their time", async (t) => {
  const lab = await scheduleLab(t, undefined, { identifier: { runs: 2 } });
  await lab.upsert("h", { cron: "0 */4 * * *", ...WINDOW });
  const inputs: unknown[] = [];
  for (let hour = 4; hour <= 28; hour += 4) {
    await lab.at(at(hour));
    for (const run of (await lab.schedules.get("h")).runs) {
      inputs.push((await lab.runs.created(run)).input);
      await lab.runs.end(run);
    }
  }
  // Hour 24 is the next day's first.
  const windows = [
    [0, 4],
    [4, 8],
    [8, 24],
    [24, 28],
  ] as const;
  assert.deepEqual(
    inputs,
    windows.map(([since, until]) => ({ since: at(since), until: at(until) })),
  );
  const history = (await lab.history("h")).toSorted((a, b) => a.nominal - b.nominal);
  const told = history.map(
    (line) => `${(line.nominal - START) / HOUR} ${line.outcome === "skipped" ? line.policy : line.outcome}`,
  );
  assert.deepEqual(told, [
    "4 enqueued",
    "8 enqueued",
    "12 budget",
    "16 budget",
    "20 budget",
    "24 enqueued",
    "28 enqueued",
  ]);
});

test("several at once: as many as there is room for are made, in order; of a tenant all schedules count, and what is enqueued by hand", async (t) => {
  const lab = await scheduleLab(t, undefined, { tenant: { runs: 4 } });
  const all = {
    ...HOURLY,
    ...WINDOW,
    overlap: "allow-all",
    catchUp: { policy: "all", within: 24 * HOUR },
    coalesce: false,
  } as const;
  await lab.upsert("one", { ...all, tenant: "acme" });
  await lab.schedules.trigger("one", undefined);
  await lab.time.set(at(5));
  await lab.ticker.pass();
  const lines = (await lab.history("one")).map((line) =>
    line.outcome === "skipped" ? `${line.count ?? 1} ${line.policy}` : line.outcome,
  );
  assert.deepEqual(lines.toSorted(), ["2 budget", "enqueued", "enqueued", "enqueued", "triggered"]);
  await assert.rejects(lab.schedules.trigger("one", undefined), {
    code: "budget-exceeded",
    message:
      /^schedule one: tenant acme has enqueued \d+ runs today, and budgets\.tenant\.runs allows \d+\. Enqueue it again from /,
  });
  await lab.upsert("two", { ...all, tenant: "acme" });
  await lab.at(at(6));
  assert.deepEqual(
    (await lab.history("two")).map((line) => line.outcome === "skipped" && line.policy),
    ["budget"],
  );
});

test("so many parked runs: a tick adds none, and is told", async (t) => {
  const lab = await scheduleLab(t, undefined, { identifier: { parked: 1 } });
  await lab.upsert("h", { ...HOURLY, ...WINDOW, overlap: "allow-all", coalesce: false });
  await lab.at(at(1));
  const [first = ""] = (await lab.schedules.get("h")).runs;
  await lab.runs.park(first);
  await lab.at(at(2));
  const [, second] = (await lab.history("h")).toSorted((a, b) => a.nominal - b.nominal);
  assert.equal(second?.outcome === "skipped" && second.policy, "budget");
  assert.deepEqual((await lab.schedules.get("h")).runs, [first]);
});
