/** What each step of a run must find room for in a day's counts, as a table. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { countsFor, type DayCounts, type DayStep } from "../../src/core/day-counts.ts";

const MOST: DayCounts = { turns: 10, toolCalls: 20, activeMs: 80_000, resultChars: 1_000 };
const MINUTE = 60_000;

/** Step, whether an answer is kept room for, ms of a model call at most → the counts that bound it. */
const rows: readonly (readonly [DayStep, boolean, number, Partial<DayCounts>])[] = [
  // A turn, and an eighth of the time, are kept for the last answer; no more time than a model call takes.
  ["turn", true, MINUTE, { turns: 9, toolCalls: 20, activeMs: 70_000, resultChars: 1_000 }],
  ["turn", true, 2_000, { turns: 9, toolCalls: 20, activeMs: 78_000, resultChars: 1_000 }],
  ["calls", true, MINUTE, { toolCalls: 20, activeMs: 70_000, resultChars: 1_000 }],
  // It makes no calls, so calls and their results do not keep it from being asked for.
  ["last turn", true, MINUTE, { turns: 10, activeMs: 80_000 }],
  ["summary", true, MINUTE, { turns: 10, activeMs: 80_000 }],
  // The model may still answer after its last call: those are counted when they are made.
  ["turn", false, MINUTE, { turns: 10, activeMs: 80_000, resultChars: 1_000 }],
  ["calls", false, MINUTE, { toolCalls: 20, activeMs: 80_000, resultChars: 1_000 }],
];

for (const [step, answers, modelTimeoutMs, expected] of rows)
  test(`${step}, ${answers ? "an answer is kept room for" : "none is"}, model calls of ${modelTimeoutMs} ms`, () => {
    assert.deepEqual(countsFor(step, MOST, { answers, modelTimeoutMs }), expected);
  });

test("what is not limited stays so", () => {
  for (const step of ["turn", "last turn", "calls"] as const)
    assert.deepEqual(countsFor(step, {}, { answers: true, modelTimeoutMs: MINUTE }), {});
});
