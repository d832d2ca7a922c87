/** A run's events as lines: lost workers, repeated and refused calls, waits. The rest of the timeline is in round-trip.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { painter } from "../../src/cli/io.ts";
import { createTimeline } from "../../src/cli/timeline.ts";
import { count, dollars, duration, offset, oneLine } from "../../src/cli/units.ts";
import type { RunEvent } from "../../src/index.ts";

type Bare<E> = E extends RunEvent ? Omit<E, "run" | "at"> : never;

const usage = { input: 1200, output: 34, cachedInput: 1000, reasoning: 0 };
const queued: Bare<RunEvent> = { type: "run.queued", agent: "a", identifier: "u" };
const started = (worker = "w1"): Bare<RunEvent> => ({ type: "run.started", worker });
const asked = (turn: number, attempt = 1, final = false): Bare<RunEvent> => ({
  type: "turn.requested",
  turn,
  attempt,
  final,
});
const called = (call: string, attempt = 1): Bare<RunEvent> => ({ type: "tool.called", call, tool: "send", attempt });
const parked = (rest: Partial<Bare<Extract<RunEvent, { type: "run.parked" }>>>): Bare<RunEvent> => ({
  type: "run.parked",
  reason: "account",
  needs: [],
  ...rest,
});

function answered(turn: number, ...made: readonly boolean[]): Bare<RunEvent> {
  const calls = made.map((yes, i) => ({
    id: `t${turn}c${i}`,
    name: "send",
    made: yes,
    ...(yes && { effect: "unsafe" as const }),
  }));
  return { type: "turn.committed", turn, calls, usage, servedModel: "m-1", requestId: "", tookMs: 1500 };
}

function settled(call: string, outcome: Extract<RunEvent, { type: "tool.settled" }>["outcome"] = "ok"): Bare<RunEvent> {
  return { type: "tool.settled", call, tool: "send", outcome, tookMs: 12 };
}

/** One event a second. @returns the texts, without those that only set the scene */
function lines(...events: readonly Bare<RunEvent>[]): string[] {
  const timeline = createTimeline("u");
  const told = events.flatMap((event, i) => timeline.add({ ...event, run: "r", at: i * 1000 } as RunEvent));
  return [...told, ...timeline.underWay()].map(({ text }) => text);
}

test("a turn: tokens, cached ones, model, latency; which attempt it took, and whether it was the last allowed", () => {
  assert.deepEqual(lines(asked(0), answered(0, true, true)), [
    "turn 1: 2 tool calls · 1,200 tokens in (1,000 cached), 34 out · m-1 · 1.5 s",
  ]);
  assert.deepEqual(lines(asked(7, 3, true), answered(7)), [
    "turn 8: an answer · 1,200 tokens in (1,000 cached), 34 out · m-1 · 1.5 s · the last one · attempt 3",
  ]);
});

test("what a provider keeps, works on, or has lost", () => {
  const accepted: Bare<RunEvent> = { type: "turn.accepted", turn: 0, attempt: 1, answer: "resp_1" };
  const answer = answered(0) as Extract<Bare<RunEvent>, { type: "turn.committed" }>;
  assert.deepEqual(lines(asked(0), accepted, { ...asked(0), lost: "resp_1" } as Bare<RunEvent>, accepted).slice(0, 3), [
    "turn 1: the provider works on it in the background",
    "turn 1: the provider has no more what was waited for; it is asked anew",
    "turn 1: the provider works on it in the background",
  ]);
  assert.match(lines({ ...answer, history: "kept" })[0] ?? "", / · behind what the provider keeps$/);
  assert.match(
    lines({ ...answer, history: "rebuilt" })[0] ?? "",
    / · the provider had lost what came before, and got it/,
  );
});

test("calls that were not made are told under their turn", () => {
  const [turn, refused] = lines(asked(0), answered(0, true, false));
  assert.match(turn ?? "", /^turn 1: 1 tool call · /);
  assert.equal(refused, "  send: not made, the model was told why");
});

test("a refused call is made again, as attempt 2; each outcome has its word", () => {
  const told = lines(
    called("c"),
    settled("c", "not-executed"),
    called("c", 2),
    settled("c"),
    called("d"),
    settled("d", "error"),
  );
  assert.deepEqual(told, ["  send: not executed · 12 ms", "  send, attempt 2: ok · 12 ms", "  send: error · 12 ms"]);
});

test("a settled call: its effect, the size of its result, and a word for what went wrong; never what it said", () => {
  const result = { type: "tool.settled", call: "t0c0", tool: "send", outcome: "ok", size: 1234, tookMs: 12 } as const;
  const { size: _, ...refused } = { ...result, call: "t0c1", outcome: "not-executed", why: "rate-limit" } as const;
  const [, ...told] = lines(answered(0, true, true), called("t0c0"), result, called("t0c1"), refused);
  assert.deepEqual(told, [
    "  send: ok · unsafe · 1,234 characters · 12 ms",
    "  send: not executed (rate-limit) · unsafe · 12 ms",
  ]);
});

test("a lost worker: who took over, and the call whose outcome nobody wrote down", () => {
  assert.deepEqual(lines(queued, started(), called("c"), started("w2"), called("c", 2), settled("c")), [
    "queued",
    "taken by w1",
    "taken over by w2: the worker before was lost",
    "  send: no outcome was recorded",
    "  send, attempt 2: ok · 12 ms",
  ]);
});

test("what has no outcome when the next turn is asked for is unknown; an outcome after that is late", () => {
  assert.deepEqual(lines(called("c"), asked(1), answered(1), settled("c")), [
    "  send: outcome unknown",
    "turn 2: an answer · 1,200 tokens in (1,000 cached), 34 out · m-1 · 1.5 s",
    "  send: ok · 12 ms · late",
  ]);
  assert.deepEqual(lines(called("c"), asked(1)), ["  send: outcome unknown", "turn 2: asked, no answer yet"]);
});

test("an outcome of the same millisecond may come after the request that shows it", () => {
  assert.deepEqual(lines(called("c"), asked(1), settled("c")), ["  send: ok · 12 ms", "turn 2: asked, no answer yet"]);
});

test("what is under way is told at the end", () => {
  assert.deepEqual(lines(called("c")), ["  send: sent, no outcome yet"]);
});

test("a run that was handed back is taken over, not lost", () => {
  assert.deepEqual(lines(started(), { type: "run.yielded" }, started("w2")), [
    "taken by w1",
    "handed back by its worker",
    "taken over by w2",
  ]);
});

test("accounts are seen ACTIVE, and again", () => {
  const prepared = (...tools: string[]): Bare<RunEvent> => ({ type: "run.prepared", tools });
  assert.deepEqual(lines(prepared("a", "b"), prepared()), ["prepared, with a, b", "accounts ACTIVE again"]);
  assert.deepEqual(lines(prepared()), ["prepared, without tools"]);
});

/** Each reason, and what is said of it 5 s before its moment. */
const PARKS: readonly [Parameters<typeof parked>[0], string][] = [
  [
    {
      needs: [
        { connection: "gmail", reason: "expired" },
        { connection: "slack", reason: "missing-scope" },
      ],
    },
    "parked, waits for u: gmail (expired), slack (missing-scope)",
  ],
  [{ reason: "retry", until: 5000, message: "503" }, "parked for 5.0 s before another attempt: 503"],
  [{ reason: "probe", until: 5000 }, "parked for 5.0 s: an ACTIVE account still refuses"],
  [{ reason: "settling", until: 5000 }, "parked for 5.0 s: a call of a lost worker may still be under way"],
  [{ reason: "outage", message: "Scalekit is down" }, "parked, an outage: Scalekit is down"],
  [{ reason: "budget", until: 5000, message: "no money" }, "parked for 5.0 s, waits for the operator: no money"],
];

for (const [park, text] of PARKS) {
  test(`parked: ${text}`, () => {
    assert.deepEqual(lines(parked(park), started()), [text, "taken by w1 after 1.0 s"]);
  });
}

test("the end: completed, truncated, or why not", () => {
  assert.deepEqual(lines({ type: "run.completed", truncated: false }), ["completed"]);
  assert.deepEqual(lines({ type: "run.completed", truncated: true }), ["completed, truncated"]);
  assert.deepEqual(lines({ type: "run.failed", code: "output-invalid", message: "no\nnumber" }), [
    "failed (output-invalid: no number)",
  ]);
  assert.deepEqual(lines({ type: "run.cancelled" }), ["cancelled"]);
});

test("no control character of a provider or model reaches the terminal", () => {
  const told = lines(parked({ reason: "outage", message: "\u001b[2J\u009b31mgone\r\nbut\u202e not" }));
  assert.deepEqual(told, ["parked, an outage: [2J 31mgone but not"]);
  assert.equal(oneLine("a\u0000\tb"), "a b");
});

test("colours at a terminal that has them, and nowhere else", () => {
  const write = (): void => undefined;
  const terminal = { write, isTTY: true, hasColors: () => true };
  assert.equal(painter(terminal)("red", "a"), "\u001b[31ma\u001b[39m");
  for (const plain of [{ write }, { ...terminal, isTTY: false }, { ...terminal, hasColors: () => false }])
    assert.equal(painter(plain)("red", "a"), "a");
});

test("durations and offsets", () => {
  const table: readonly [number, string, string][] = [
    [0, "0 ms", "0:00.000"],
    [999, "999 ms", "0:00.999"],
    [1999, "1.9 s", "0:01.999"],
    [59_999, "59.9 s", "0:59.999"],
    [60_000, "1 m 00 s", "1:00.000"],
    [3_599_999, "59 m 59 s", "59:59.999"],
    [3_600_000, "1 h 00 m", "1:00:00.000"],
    [86_399_999, "23 h 59 m", "23:59:59.999"],
    [3 * 86_400_000 + 4 * 3_600_000 + 5, "3 d 04 h", "3 d 04:00:00.005"],
    [-5, "0 ms", "0:00.000"],
  ];
  for (const [ms, asDuration, asOffset] of table) assert.deepEqual([duration(ms), offset(ms)], [asDuration, asOffset]);
  assert.deepEqual([count(1, "turn"), count(12_345, "turn")], ["1 turn", "12,345 turns"]);
  assert.deepEqual([dollars(0.00213), dollars(1.239)], ["$0.00213", "$1.24"]);
});
