/** Events in their order, also when all of them are of one millisecond: nothing stands before what it follows from. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inOrder } from "../../src/core/result-events.ts";
import type { RunEvent } from "../../src/core/run-events.ts";

const RUN = { run: "r" };
const called = (call: string, at = 5): RunEvent => ({ ...RUN, at, type: "tool.called", call, tool: "x", attempt: 1 });
const settled = (call: string, at = 5): RunEvent => {
  return { ...RUN, at, type: "tool.settled", call, tool: "x", outcome: "ok", tookMs: 0 };
};
const requested = (turn: number, at = 5): RunEvent => ({
  ...RUN,
  at,
  type: "turn.requested",
  turn,
  attempt: 1,
  final: false,
});
const started = (at = 5): RunEvent => ({ ...RUN, at, type: "run.started", worker: "w" });
const parked = (at = 5): RunEvent => ({ ...RUN, at, type: "run.parked", reason: "approval", needs: [] });
const unknown = (call: string, at = 5): RunEvent => ({ ...RUN, at, type: "tool.unknown", call, tool: "x" });
const answered = (call: string, at = 5): RunEvent => ({ ...RUN, at, type: "tool.answered", call, says: "happened" });
const asked = (call: string, at = 5): RunEvent => {
  return { ...RUN, at, type: "approval.asked", call, tool: "x", id: "r/a", policy: "always", until: 9 };
};
const decided = (call: string, at = 5): RunEvent => {
  return { ...RUN, at, type: "approval.decided", call, tool: "x", decision: "approved", edited: false };
};

const CASES: readonly [name: string, decisions: readonly RunEvent[], results: readonly RunEvent[], expected: string][] =
  [
    [
      "a call, its result, the request that shows it",
      [called("t0c0"), requested(1)],
      [settled("t0c0")],
      "called t0c0, settled t0c0, requested",
    ],
    ["taken, called, done", [started(), called("t0c0")], [settled("t0c0")], "started, called t0c0, settled t0c0"],
    [
      "calls of one turn, whatever the store's order",
      [called("t0c2"), called("t0c10")],
      [settled("t0c10"), settled("t0c2")],
      "called t0c2, settled t0c2, called t0c10, settled t0c10",
    ],
    [
      "results of one time, whatever the store's order",
      [],
      [settled("t0c10"), settled("t0c9")],
      "settled t0c9, settled t0c10",
    ],
    [
      "asked, parked, decided, taken",
      [asked("t0c0"), parked(), started()],
      [decided("t0c0")],
      "asked t0c0, parked, decided t0c0, started",
    ],
    [
      "unknown, parked, answered, taken",
      [unknown("t0c0"), parked(), started()],
      [answered("t0c0")],
      "unknown t0c0, parked, answered t0c0, started",
    ],
    [
      "a result, and then a park",
      [called("t0c0", 4), parked()],
      [settled("t0c0")],
      "called t0c0, settled t0c0, parked",
    ],
    [
      "other times tell",
      [called("t0c0", 1), requested(1, 3), called("t1c0", 4)],
      [settled("t1c0", 6), settled("t0c0", 2)],
      "called t0c0, settled t0c0, requested, called t1c0, settled t1c0",
    ],
    [
      "late evidence of an earlier attempt",
      [requested(1, 3), parked(5)],
      [settled("t0c0", 4)],
      "requested, settled t0c0, parked",
    ],
  ];

for (const [name, decisions, results, expected] of CASES)
  test(name, () => {
    const told = inOrder(decisions, results).map((event) => {
      return [event.type.split(".")[1], ...("call" in event ? [event.call] : [])].join(" ");
    });
    assert.equal(told.join(", "), expected);
  });
