/** Money of a day: what is planned to be kept aside of what is left fits into it, also after rounding. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { afford } from "../../src/core/afford.ts";
import { amountAt, moneyOf, nanoOf } from "../../src/loop/purse.ts";

/** US dollars for a token. */
const RATE = { input: 1e-6, output: 4e-6 };
const MOST_OUTPUT = 16_384;

test("a call that takes all that a day has left is not refused by a rounding error, and leaves next to nothing", () => {
  for (let input = 1; input <= 1_000; input++)
    for (let output = 256; output < 320; output++) {
      // What such a call costs exactly, in billionths.
      const nano = 1_000 * input + 4_000 * output;
      const purse = { left: moneyOf(nano), perInput: RATE.input, perOutput: RATE.output };
      const made = afford([purse], { input, output: MOST_OUTPUT, growth: 0 }, true);
      if (made.is === "nothing") continue;
      const kept = nanoOf(amountAt(RATE, input, made.output));
      assert.ok(kept <= nano, `${nano} billionths are left, and ${kept} would be kept aside`);
      assert.ok(kept >= nano - 4_001, `${nano} billionths are left, and only ${kept} would be used`);
    }
});
