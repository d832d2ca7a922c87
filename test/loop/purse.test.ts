/** Money of a day: what is planned to be kept aside of what is left fits into it, also after rounding. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { afford } from "../../src/core/afford.ts";
import { createAllowance } from "../../src/allowance.ts";
import { NO_USAGE } from "../../src/core/messages.ts";
import { amountAt, moneyOf, nanoOf, rateOf } from "../../src/loop/purse.ts";

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
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

test("what is kept aside pays for the call at its dearest: all of it written to the cache, and long requests at their own prices", async () => {
  const profile = { protocol: "messages", apiKey: "k" } as const;
  const allowance = createAllowance({ models: { claude: profile }, budgets: {}, onAlarm: undefined, log: SILENT });
  const asked = { profile: "claude", model: "claude-sonnet-4-5" };
  for (const input of [1_000, 150_000, 250_000]) {
    const [output, cacheWritten] = [1_000, input];
    const { costUsd = 0 } = amountAt(await rateOf({ asked, ports: { allowance } }, input, output), input, output);
    const billed = (await allowance.price(asked, { ...NO_USAGE, input, output, cacheWritten })) ?? Infinity;
    assert.ok(costUsd >= billed - 1e-9, `${input}: ${costUsd} is kept aside, and ${billed} is billed`);
  }
});
