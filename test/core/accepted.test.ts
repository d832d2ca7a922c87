/** An answer that a provider works on in the background: until it is settled, every worker that has the run fetches it, and does nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry, TurnAccepted } from "../../src/core/journal.ts";
import { eventOf } from "../../src/core/run-events.ts";
import { crashes } from "../../src/core/state.ts";
import { brief, type Given, step } from "./brief.ts";
import * as b from "./build.ts";

const MODEL = { profile: "openai", model: "m-1" };

function accepted(turn = 0, answer = "resp_1"): TurnAccepted {
  return { kind: "turn-accepted", turn, attempt: 1, asked: MODEL, answer };
}

const ASKED: Given = [...b.READY, { ...b.requested(0), reserve: { tokens: 100 } }, accepted()];
const failed: Entry = { kind: "turn-failed", turn: 0, asked: MODEL, why: "retry", message: "x" };
const tooLong: Entry = { kind: "compacted", turn: 0, because: "refused", asked: MODEL, hide: 0, from: 2, to: 1 };

/** What is fetched next: its id; or the step. */
function fetches(entries: Given, cancelled = false): string {
  const made = step(entries, [], cancelled);
  return made.do === "think" && made.accepted !== undefined
    ? `fetch ${made.accepted.answer} for t${made.turn}`
    : brief(entries, [], cancelled);
}

const rows: readonly (readonly [string, Given, string])[] = [
  ["named", ASKED, "fetch resp_1 for t0"],
  ["its worker died", [...ASKED, b.LEASED], "fetch resp_1 for t0"],
  ["its worker stopped", [...ASKED, b.YIELDED, b.LEASED], "fetch resp_1 for t0"],
  ["given more", [...ASKED, { kind: "limits-raised", limits: { turns: 20 } }], "fetch resp_1 for t0"],
  ["asked anew", [...ASKED, { ...b.requested(0), lost: "resp_1" }], "think t0 attempt 1 shown -"],
  ["asked anew, and named", [...ASKED, b.requested(0), accepted(0, "resp_2")], "fetch resp_2 for t0"],
  ["answered", [...ASKED, b.turn(0, [], { leadsTo: "again" })], "think t1 attempt 1 shown -"],
  [
    "answered, and the next",
    [...ASKED, b.turn(0, [], { leadsTo: "again" }), b.requested(1), accepted(1, "resp_2")],
    "fetch resp_2 for t1",
  ],
  ["failed, and waited", [...ASKED, b.parked("retry", "t0"), b.LEASED], "think t0 attempt 2 shown -"],
  ["failed, and there is another model", [...ASKED, failed], "think t0 attempt 2 shown -"],
  ["too long", [...ASKED, tooLong], "think t0 attempt 1 shown -"],
];

test("what follows from it", () => {
  for (const [name, entries, expected] of rows) assert.equal(fetches(entries), expected, name);
});

test("a cancel wins", () => assert.equal(fetches(ASKED, true), "end cancelled -"));

test("it is fetched with what it was asked with, whatever a late result or a limit would say now", () => {
  const call = b.call("t0c0", "unsafe");
  const shown = [{ call: "t0c0", as: "unknown" }] as const;
  const before = [...b.READY, b.turn(0, [call]), b.claim(call), b.unknown(call)];
  const final = { final: true, because: "costUsd" } as const;
  const given: Given = [...before, { ...b.requested(1, shown), ...final }, accepted(1)];
  const made = step(given, [b.evidence(call, 1, b.OK, 9_000)]);
  assert.deepEqual(made, {
    do: "think",
    turn: 1,
    attempt: 1,
    ...final,
    shown,
    accepted: { ...accepted(1), at: 8_000, epoch: 1 },
  });
});

test("what was kept aside for it stays so, until its answer says what it used", () => {
  const usage = { input: 20, output: 5, cachedInput: 0, reasoning: 0 };
  for (const more of [[b.LEASED], [b.YIELDED, b.LEASED]] as const) {
    const waiting = b.run([...ASKED, ...more]);
    assert.deepEqual(waiting.spending, { spent: { tokens: 0 }, reserved: { tokens: 100 } });
    const answered = b.run([...ASKED, ...more, b.turn(0, [], { usage })]);
    assert.deepEqual(answered.spending, { spent: { tokens: 25 } });
  }
  const again = b.run([...ASKED, { ...b.requested(0), reserve: { tokens: 100 } }]);
  assert.deepEqual(
    again.spending,
    { spent: { tokens: 100 }, reserved: { tokens: 100 } },
    "one that is gone may have been billed",
  );
});

test("a name is progress: it is not a poisoned step that its workers die at", () => {
  assert.equal(crashes(b.run([...b.READY, b.LEASED, b.LEASED, b.requested(0)])), 2);
  assert.equal(crashes(b.run([...b.READY, b.LEASED, b.LEASED, b.requested(0), accepted()])), 0);
  assert.equal(crashes(b.run([...ASKED, b.LEASED, b.LEASED])), 2, "but only once");
});

test("it is told as an event", () => {
  const base = { at: 1, epoch: 1 };
  assert.deepEqual(eventOf("r", { ...accepted(), ...base }), {
    run: "r",
    at: 1,
    type: "turn.accepted",
    turn: 0,
    attempt: 1,
    answer: "resp_1",
  });
  assert.deepEqual(eventOf("r", { ...b.requested(0), lost: "resp_1", ...base }), {
    run: "r",
    at: 1,
    type: "turn.requested",
    turn: 0,
    attempt: 1,
    final: false,
    lost: "resp_1",
  });
});
