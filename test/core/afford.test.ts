/** Reservations: what is left pays for a turn and a last one behind it, for a last one, or for nothing; never more than is left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { afford, affordSummary, type Needs, type Purse } from "../../src/core/afford.ts";

const tokens = (left: number): Purse => ({ left, perInput: 1, perOutput: 1 });
const needs: Needs = { input: 1_000, output: 4_000, growth: 2_000 };

test("with much left the answer may be long; with less it gets shorter, then it is the last, then there is none", () => {
  assert.deepEqual(afford([], needs, false), { is: "turn", output: 4_000 });
  assert.deepEqual(afford([tokens(100_000)], needs, false), { is: "turn", output: 4_000 });
  assert.deepEqual(afford([tokens(8_000)], needs, false), { is: "turn", output: 1_000 });
  assert.deepEqual(afford([tokens(2_000)], needs, false), { is: "last", output: 1_000 });
  assert.deepEqual(afford([tokens(1_255)], needs, false), { is: "nothing" });
  assert.deepEqual(afford([tokens(100_000)], needs, true), { is: "last", output: 4_000 });
  assert.deepEqual(afford([tokens(100_000), { left: 0.001, perInput: 1e-6, perOutput: 1e-5 }], needs, false), {
    is: "nothing",
  });
});

test("what is reserved is never more than any purse has left", () => {
  const purse = fc.record({
    left: fc.double({ min: -10, max: 1e6, noNaN: true }),
    perInput: fc.constantFrom(0, 1e-6, 0.5, 1),
    perOutput: fc.constantFrom(0, 1e-5, 1, 2),
  });
  const need = fc.record({
    input: fc.nat(100_000),
    output: fc.integer({ min: 1, max: 50_000 }),
    growth: fc.nat(50_000),
  });
  fc.assert(
    fc.property(fc.array(purse, { maxLength: 3 }), need, fc.boolean(), (purses, asked, final) => {
      const made = afford(purses, asked, final);
      if (made.is === "nothing") return;
      assert.ok(made.output >= 1 && made.output <= asked.output, String(made.output));
      assert.ok(!final || made.is === "last", made.is);
      for (const { left, perInput, perOutput } of purses)
        assert.ok(asked.input * perInput + made.output * perOutput <= left + 1e-9, `${left}`);
    }),
  );
});

test("a summary is paid for only if an answer still is behind it, and gets shorter as the purse does", () => {
  const summary = { input: 1_000, output: 8_000 };
  const purse = (left: number, behind: number) => ({ ...tokens(left), behind });
  const table = [
    [[], 8_000],
    [[purse(20_000, 5_000)], 8_000],
    [[purse(20_000, 12_000)], 7_000],
    [[purse(10_000, 8_000)], 1_000],
    [[purse(10_000, 8_001)], undefined],
    [[purse(20_000, 0), { left: 1_000, perInput: 0.25, perOutput: 0.25, behind: 250 }], 2_000],
    [[{ left: 1, perInput: 0, perOutput: 0, behind: 0 }], 8_000],
    [[{ left: 1, perInput: 0, perOutput: 0, behind: 2 }], undefined],
  ] as const;
  for (const [purses, most] of table) assert.equal(affordSummary(purses, summary), most, JSON.stringify(purses));
  assert.equal(affordSummary([purse(1_100, 0)], { input: 1_000, output: 100 }), 100, "of a model with short answers");
});
