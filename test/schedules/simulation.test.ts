/** A short one of `npm run simulate:schedules`. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { manualTime } from "../support/manual-time.ts";
import { START } from "../support/schedules.ts";
import { testStore } from "../support/store.ts";
import { simulate } from "./simulation.ts";

for (const seed of [1, 2])
  test(`seed ${seed}: 12 schedules for 60 days, with kills, downtime and parks: each nominal time once`, async (t) => {
    const time = await manualTime(testStore(t, { keepMs: 7 * 86_400_000 }).store, START);
    const told = await simulate(time, { seed, schedules: 12, days: 60 });
    assert.ok(told.times > 300 && told.runs > 100, JSON.stringify(told));
  });
