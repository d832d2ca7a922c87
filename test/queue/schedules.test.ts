/** Schedules on a real Redis whose time the test sets: what becomes of each nominal time, by every policy. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HistoryLine } from "../../src/queue/schedule-store.ts";
import { scheduleLab } from "../support/schedules.ts";

const DAILY = { cron: "0 8 * * *" } as const;
const WINDOW = { input: (tick: { since: number; until: number }) => ({ since: tick.since, until: tick.until }) };
const day = (n: number): string => `2027-01-${String(n).padStart(2, "0")}T08:00:00Z`;
const at = (n: number): number => Date.parse(day(n));

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
