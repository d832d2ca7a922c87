/** The step that follows from each state of a run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlannedCall } from "../../src/core/journal.ts";
import { attemptsOf, CRASHES_BEFORE_CONTEXT, next } from "../../src/core/next.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import { brief, type Given, NOW, step } from "./brief.ts";
import * as b from "./build.ts";

const r0 = b.call("t0c0");
const r1 = b.call("t0c1");
const w0 = b.call("t0c0", "unsafe");
const w1 = b.call("t0c1", "unsafe");
const w2 = b.call("t0c2", "unsafe", { n: 2 });
const acting = (...plan: readonly PlannedCall[]): Given => [...b.READY, b.turn(0, plan)];

const rows: readonly (readonly [string, Given, readonly Evidence[], string])[] = [
  ["just created", [], [], "prepare"],
  ["leased", [b.LEASED], [], "prepare"],
  ["prepared", b.READY, [], "think t0 attempt 1 shown -"],
  ["parked for an account before the first look succeeded", [b.LEASED, b.parked("account"), b.LEASED], [], "prepare"],
  ["parked for an account, taken again", [...b.READY, b.parked("account"), b.LEASED], [], "prepare"],
  ["parked for a probe, taken again", [...b.READY, b.parked("probe", "t0c0"), b.LEASED], [], "prepare"],
  ["parked and looked again", [...b.READY, b.parked("account"), b.LEASED, b.AGAIN], [], "think t0 attempt 1 shown -"],
  [
    "parked and looked again in the same ms",
    [...b.READY, b.at(9_000, b.parked("account")), b.at(9_000, b.AGAIN)],
    [],
    "think t0 attempt 1 shown -",
  ],
  [
    "parked and looked again after the store's clock went back",
    [...b.READY, b.at(9_000, b.parked("account")), b.at(8_000, b.AGAIN)],
    [],
    "think t0 attempt 1 shown -",
  ],
  [
    "looked, then parked in the same ms",
    [...b.READY, b.at(9_000, b.AGAIN), b.at(9_000, b.parked("account"))],
    [],
    "prepare",
  ],
  [
    "parked for a retry of the model: no need to look",
    [...b.READY, b.parked("retry", "t0"), b.LEASED],
    [],
    "think t0 attempt 2 shown -",
  ],
  [
    "parked for a retry of a call: its account is looked at first",
    [...acting(r0), b.claim(r0), b.parked("retry", "t0c0"), b.LEASED],
    [b.evidence(r0, 1, b.UNKNOWN, 5_000)],
    "prepare",
  ],
  ["parked for an outage", [...b.READY, b.parked("outage", "t0"), b.LEASED], [], "think t0 attempt 2 shown -"],
  ["yielded", [...b.READY, b.YIELDED, b.LEASED], [], "think t0 attempt 1 shown -"],
  ["asked, no answer", [...b.READY, b.requested(0), b.LEASED], [], "think t0 attempt 1 shown -"],
  ["settling does not count as an attempt", [...b.READY, b.parked("settling", "t0")], [], "think t0 attempt 1 shown -"],
  [
    "answer sent back",
    [...b.READY, b.turn(0, [], { leadsTo: "again", nudge: "Again" })],
    [],
    "think t1 attempt 1 shown -",
  ],

  ["reads run side by side", acting(r0, r1), [], "call t0c0#1 t0c1#1"],
  ["a write runs alone", acting(w0, w1), [], "call t0c0#1"],
  ["reads before a write run first", acting(r0, w1), [], "call t0c0#1"],
  ["a read behind an open write waits for it", acting(w0, r1), [], "call t0c0#1"],
  [
    "the second write follows the first",
    [...acting(w0, w2), b.claim(w0)],
    [b.evidence(w0, 1, b.OK, 6_000)],
    "call t0c2#1",
  ],
  [
    "a write behind a failed read waits",
    [...acting(r0, w1), b.claim(r0)],
    [b.evidence(r0, 1, b.refused("rate-limit"), 6_000)],
    "retry t0c0 rate-limit",
  ],
  [
    "a read behind a write that is being settled waits",
    [...acting(w0, r1), b.at(NOW, b.claim(w0))],
    [],
    `settle t0c0 until ${NOW + 10_000}`,
  ],
  [
    "a read behind a write that waits to be retried waits",
    [...acting(w0, r1), b.claim(w0)],
    [b.evidence(w0, 1, b.refused("rate-limit"), 6_000)],
    "retry t0c0 rate-limit",
  ],
  [
    "a read behind a write that its account refused waits",
    [...acting(w0, r1), b.claim(w0)],
    [b.evidence(w0, 1, b.refused("account"), 6_000)],
    "prepare",
  ],
  [
    "reads before a write that waits are made first",
    [...acting(r0, w1), b.claim(w1)],
    [b.evidence(w1, 1, b.refused("account"), 6_000)],
    "call t0c0#1",
  ],
  [
    "reads beside a read that waits are made first",
    [...acting(r0, r1), b.claim(r0)],
    [b.evidence(r0, 1, b.refused("rate-limit"), 6_000)],
    "call t0c1#1",
  ],
  [
    "then the wait",
    [...acting(r0, r1), b.claim(r0), b.claim(r1)],
    [b.evidence(r0, 1, b.refused("rate-limit"), 6_000), b.evidence(r1, 1, b.OK, 6_000)],
    "retry t0c0 rate-limit",
  ],
  [
    "reads that met a limit together wait for it once",
    [...acting(r0, r1), b.claim(r0), b.claim(r1), b.parked("retry", "t0c0"), b.LEASED, b.AGAIN],
    [b.evidence(r0, 1, b.refused("rate-limit"), 6_000), b.evidence(r1, 1, b.refused("rate-limit"), 6_000)],
    "call t0c0#2 t0c1#2",
  ],
  ["that nobody knows is written down", [...acting(w0, w2), b.claim(w0)], [], "record t0c0#1"],
  ["and then it blocks nobody", [...acting(w0, w2), b.claim(w0), b.unknown(w0)], [], "call t0c2#1"],
  ["a rejected call blocks nobody", acting(b.rejected("t0c0"), w1), [], "call t0c1#1"],
  [
    "an account that refused is looked at",
    [...acting(r0), b.claim(r0)],
    [b.evidence(r0, 1, b.refused("account"), 6_000)],
    "prepare",
  ],
  [
    "looked at, the call is made again",
    [...acting(r0), b.claim(r0), b.AGAIN],
    [b.evidence(r0, 1, b.refused("account"), 5_500)],
    "call t0c0#2",
  ],
  [
    "parked between call and look",
    [...acting(r0), b.claim(r0), b.parked("account"), b.LEASED],
    [b.evidence(r0, 1, b.refused("account"), 5_500)],
    "prepare",
  ],
  [
    "all settled: shown as they are",
    [...acting(b.rejected("t0c0"), r1, w2), b.claim(r1), b.claim(w2), b.unknown(w2)],
    [b.evidence(r1, 1, b.ERROR, 6_000)],
    "think t1 attempt 1 shown t0c0 rejected, t0c1#1, t0c2 unknown",
  ],

  ["an answer", [...b.READY, b.turn(0, [], { leadsTo: "finish", text: "Done" })], [], "end completed -"],
  [
    "a failure",
    [...b.READY, b.turn(0, [], { leadsTo: "fail", failure: { code: "refused", message: "no" } })],
    [],
    "end failed refused",
  ],
];

test("each state has its step", () => {
  for (const [name, entries, evidence, expected] of rows) assert.equal(brief(entries, evidence), expected, name);
});

test("a cancel wins over everything but an end", () => {
  for (const [name, entries, evidence] of rows) assert.equal(brief(entries, evidence, true), "end cancelled -", name);
  const ended = b.run([...b.READY, { kind: "ended", status: "completed" }]);
  for (const cancelled of [true, false])
    assert.throws(() => next(ended, { now: NOW, cancelled }), /run r1 has ended; it has no next step/);
});

test("the last turn is reserved for an answer: by turns, and by tool calls", () => {
  const two = { ...b.prepared({ turns: 2 }) };
  assert.equal(brief([b.LEASED, two]), "think t0 attempt 1 shown -");
  assert.equal(brief([b.LEASED, two, b.turn(0, [b.rejected("t0c0")])]), "think t1 attempt 1 final shown t0c0 rejected");
  assert.equal(brief([b.LEASED, b.prepared({ turns: 1 })]), "think t0 attempt 1 final shown -");
  const calls = [
    b.LEASED,
    b.prepared({ toolCalls: 2 }),
    b.turn(0, [r0, r1, b.rejected("t0c2")]),
    b.claim(r0),
    b.claim(r1),
  ];
  const done = [b.evidence(r0, 1, b.OK, 6_000), b.evidence(r1, 1, b.OK, 6_000)];
  assert.match(brief(calls, done), /^think t1 attempt 1 final/);
  assert.match(brief([b.LEASED, b.prepared({ toolCalls: 3 }), ...calls.slice(2)], done), /^think t1 attempt 1 shown/);
});

test("at most `parallel` reads at once, in index order", () => {
  const plan = Array.from({ length: 5 }, (_, i) => b.call(`t0c${i}`, "read", { n: i }));
  assert.equal(brief([b.LEASED, b.prepared({ parallel: 2 }), b.turn(0, plan)]), "call t0c0#1 t0c1#1");
  const write = b.call("t0c9", "unsafe");
  assert.equal(brief([b.LEASED, b.prepared({ parallel: 2 }), b.turn(0, [...plan, write])]), "call t0c0#1 t0c1#1");
});

test("workers that die at one step end the run; progress starts the count anew", () => {
  const limit = [b.LEASED, b.prepared({ crashes: 2 })];
  assert.match(brief([...limit, b.LEASED]), /^think/);
  assert.equal(brief([...limit, b.LEASED, b.LEASED]), "end failed crashed");
  assert.match(brief([...limit, b.LEASED, b.turn(0, [r0]), b.LEASED]), /^call/);
  assert.match(brief([...limit, b.LEASED, b.parked("retry", "t0"), b.LEASED, b.LEASED]), /^think/);
  assert.match(brief([...limit, b.LEASED, b.YIELDED, b.LEASED, b.LEASED]), /^think/);
  const before = Array.from({ length: CRASHES_BEFORE_CONTEXT }, () => b.LEASED);
  assert.equal(brief(before), "prepare");
  assert.equal(brief([...before, b.LEASED]), "end failed crashed");
  const end = step([...limit, b.LEASED, b.LEASED]);
  assert.match(end.do === "end" ? (end.end.message ?? "") : end.do, /^2 workers in a row died at the same step/);
});

test("what an end says", () => {
  const ended = (more: object): unknown => {
    const made = step([...b.READY, b.turn(0, [], { leadsTo: "finish", text: "Done", ...more })]);
    return made.do === "end" ? made.end : made;
  };
  assert.deepEqual(ended({}), { kind: "ended", status: "completed", output: "Done" });
  assert.deepEqual(ended({ output: { a: 1 } }), { kind: "ended", status: "completed", output: { a: 1 } });
  assert.deepEqual(ended({ output: null }), { kind: "ended", status: "completed", output: null });
  assert.deepEqual(ended({ output: 0, truncated: true }), {
    kind: "ended",
    status: "completed",
    output: 0,
    truncated: true,
  });
  const failure = { code: "refused", message: "no" };
  assert.deepEqual(ended({ leadsTo: "fail", failure }), {
    kind: "ended",
    status: "failed",
    ...failure,
    output: "Done",
  });
  assert.deepEqual(ended({ leadsTo: "fail", failure, text: "" }), { kind: "ended", status: "failed", ...failure });
});

test("attempts of a step are its parks, but for the settling of a lost worker", () => {
  const state = b.run([
    ...b.READY,
    b.parked("retry", "t0"),
    b.parked("retry", "t1"),
    b.parked("settling", "t0"),
    b.parked("outage", "t0"),
  ]);
  assert.deepEqual([attemptsOf(state, "t0"), attemptsOf(state, "t1"), attemptsOf(state, "t2")], [2, 1, 0]);
});
