/** The manual clock: it stands still until a test moves it, and never goes back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { manualClock } from "../../src/testing/clock.ts";

test("it starts at a fixed moment and stands still", () => {
  const clock = manualClock();
  assert.deepEqual([clock.now(), clock.monotonic()], [Date.UTC(2026, 0, 1), 0]);
  assert.deepEqual([clock.now(), clock.monotonic()], [Date.UTC(2026, 0, 1), 0]);
});

test("advance moves both times by the same", () => {
  const clock = manualClock(1_000);
  clock.advance(250);
  clock.advance(0);
  clock.advance(0.5);
  assert.deepEqual([clock.now(), clock.monotonic()], [1_250.5, 250.5]);
});

test("two clocks know nothing of each other", () => {
  const [one, two] = [manualClock(0), manualClock(0)];
  one.advance(5);
  assert.deepEqual([one.now(), two.now()], [5, 0]);
});

test("it never goes back", () => {
  const clock = manualClock(0);
  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => clock.advance(ms), { name: "RangeError", message: /0 or more milliseconds/ });
  assert.equal(clock.now(), 0);
});
