/** How often an account is looked at that runs wait for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { roundsApart } from "../../src/core/sweep.ts";

const HOUR = 3_600_000;

const table: readonly (readonly [waitedMs: number, apart: number])[] = [
  [-1, 1],
  [0, 1],
  [HOUR - 1, 1],
  [HOUR, 2],
  [2 * HOUR - 1, 2],
  [2 * HOUR, 3],
  [9 * HOUR - 1, 9],
  [9 * HOUR, 10],
  [10 * HOUR, 10],
  [365 * 24 * HOUR, 10],
];

for (const [waited, apart] of table)
  test(`after ${waited} ms: every ${apart}. round`, () => assert.equal(roundsApart(waited), apart));

test("property: whoever has waited longer is never looked at more often, and never less than every tenth round", () => {
  const wait = fc.integer({ min: 0, max: 100 * HOUR });
  fc.assert(
    fc.property(wait, wait, (a, b) => {
      const [less, more] = [roundsApart(Math.min(a, b)), roundsApart(Math.max(a, b))];
      assert.ok(1 <= less && less <= more && more <= 10, `${less} ${more}`);
    }),
  );
});
