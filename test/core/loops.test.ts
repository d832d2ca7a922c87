/** What is a loop and what is none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { PlannedCall } from "../../src/core/journal.ts";
import { type PastTurn, repetition, sameErrors } from "../../src/core/loops.ts";
import * as b from "./build.ts";

const NOBODY: ReadonlySet<string> = new Set();

/** `a b` is a turn with two calls of the reading tool, with these arguments; `!a` one of the polling tool. */
function turn(text: string): PlannedCall[] {
  return text
    .split(" ")
    .filter(Boolean)
    .map((args, i) => ({ ...b.call(`t0c${i}`, args.startsWith("!") ? "unsafe" : "read"), argsHash: args }));
}

const rows: readonly (readonly [string, readonly string[], string])[] = [
  ["nothing", [], "none"],
  ["twice", ["a", "a"], "none"],
  ["three times", ["a", "a", "a"], "nudge"],
  ["four times", ["a", "a", "a", "a"], "nudge"],
  ["five times", ["a", "a", "a", "a", "a"], "finish"],
  ["something else in between", ["a", "a", "b", "a", "a"], "none"],
  ["it has ended", ["a", "a", "a", "b"], "none"],
  ["in another order", ["a b", "b a", "a b"], "nudge"],
  ["once more in one of them", ["a b", "a b b", "a b"], "none"],
  ["a cycle of two, three times", ["a", "b", "a", "b", "a", "b"], "nudge"],
  ["not yet", ["a", "b", "a", "b", "a"], "none"],
  ["a cycle of two, four times", ["a", "b", "a", "b", "a", "b", "a", "b"], "finish"],
  ["a cycle of three, three times", ["a", "b", "c", "a", "b", "c", "a", "b", "c"], "nudge"],
  ["a cycle of four, three times", "abcdabcdabcd".split(""), "nudge"],
  ["a cycle of five is none", "abcdeabcdeabcde".split(""), "none"],
  ["turns without calls", ["", "", "", "", ""], "none"],
  ["polling", ["!a", "!a", "!a", "!a", "!a", "!a"], "none"],
  ["the same beside polling", ["a !a", "a !b", "a"], "nudge"],
  ["polling in between", ["a", "!a", "a", "!a", "a"], "none"],
];

test("turns that repeat", () => {
  for (const [name, turns, expected] of rows)
    assert.equal(repetition(turns.map(turn), new Set(["tool_unsafe"])).is, expected, name);
});

test("turns that never repeat are no loop, whatever they ask for", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 40 }), (all) => {
      const plans = all.map((argsHash, i) => [{ ...b.call(`t${i}c0`), argsHash }]);
      assert.equal(repetition(plans, NOBODY).is, "none");
    }),
  );
});

test("whatever came before, a turn five times in a row is a loop that ends", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", "b", "a b", "")), fc.constantFrom("a", "b", "a b"), (before, again) => {
      const turns = [...before, ...Array.from({ length: 5 }, () => again)];
      assert.equal(repetition(turns.map(turn), NOBODY).is, "finish");
    }),
  );
});

function past(...results: PastTurn["results"]): PastTurn[] {
  return results.map((result) => ({ plan: [], results: [result] }));
}

test("the same error again and again, of one tool, in a row", () => {
  const bad = (tool: string, error = "NotFound"): PastTurn["results"][number] => ({ tool, error });
  const errors = (...given: PastTurn["results"]): string => sameErrors(past(...given), new Set(["poll"])).is;
  assert.equal(errors(bad("a"), bad("a")), "none");
  assert.equal(errors(bad("a"), bad("a"), bad("a")), "nudge");
  assert.equal(errors(bad("a"), bad("b"), bad("a"), bad("b"), bad("a")), "nudge", "others in between");
  assert.equal(errors(bad("a"), { tool: "a" }, bad("a"), bad("a")), "none", "it worked in between");
  assert.equal(errors(bad("a"), bad("a", "Other"), bad("a")), "none");
  assert.equal(errors(...Array.from({ length: 5 }, () => bad("a"))), "finish");
  assert.equal(errors(...Array.from({ length: 9 }, () => bad("poll"))), "none");
});
