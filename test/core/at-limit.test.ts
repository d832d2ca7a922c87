/** What follows from each limit of a run, for each policy; what counts as used; how a raised limit lets it go on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry, PlannedCall } from "../../src/core/journal.ts";
import type { AtLimit, Limits, RunLimit } from "../../src/core/limits.ts";
import { NO_USAGE } from "../../src/core/messages.ts";
import { next } from "../../src/core/next.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import { transcript } from "../../src/core/project.ts";
import type { FrozenTool } from "../../src/core/run.ts";
import { activeMs, usedBy } from "../../src/core/spending.ts";
import { limitsOf } from "../../src/core/own-limits.ts";
import * as b from "./build.ts";

type Given = readonly (Entry & { readonly at?: number })[];
const usage = { input: 80, output: 20, cachedInput: 0, reasoning: 0 };

function ready(limits: Partial<Limits>, atLimit: AtLimit): Given {
  return [b.LEASED, { kind: "prepared", context: b.context(limits, { atLimit }), accounts: {} }];
}

/** Three turns, each with one read that was answered. */
function worked(
  limits: Partial<Limits>,
  atLimit: AtLimit,
  n: (turn: number) => number = (i) => i,
): [Given, Evidence[]] {
  const calls = [0, 1, 2].map((i) => b.call(`t${i}c0`, "read", { n: n(i) }));
  const turns = calls.flatMap((call, i) => [
    b.requested(i),
    b.turn(i, [call], { usage, costUsd: 0.25, text: i === 1 ? "So far" : "" }),
    b.claim(call),
  ]);
  return [[...ready(limits, atLimit), ...turns], calls.map((call) => b.evidence(call, 1, b.OK, 1))];
}

function after([entries, seen]: readonly [Given, readonly Evidence[]], now = 20_000): string {
  const step = next(b.run(entries, seen), { now, cancelled: false });
  if (step.do === "think") return `think${step.final ? ` last because ${step.because}` : ""}`;
  if (step.do === "wait-limit") return `wait ${step.limit} until ${step.until}: ${step.message}`;
  if (step.do === "end") return `${step.end.status} ${step.end.code ?? ""} ${JSON.stringify(step.end.output)}`;
  return step.do;
}

const met: readonly (readonly [string, Partial<Limits>, string, string])[] = [
  ["turns", { turns: 3 }, "turns", "turn-limit"],
  ["tokens", { tokens: 300 }, "tokens", "token-limit"],
  ["money", { costUsd: 0.75 }, "costUsd", "cost-limit"],
  ["time", { activeMs: 18_000 }, "activeMs", "time-limit"],
  ["results", { runResultChars: 33 }, "runResultChars", "result-limit"],
];

test("each limit: a last turn, a failure with what text there is, or a wait for the operator", () => {
  for (const [name, limits, limit, code] of met) {
    assert.equal(after(worked(limits, "answer")), `think last because ${limit}`, name);
    assert.equal(after(worked(limits, "fail")), `failed ${code} "So far"`, name);
    assert.match(after(worked(limits, "park")), new RegExp(`^wait ${limit} until 80000: The run's limit is met`), name);
  }
});

test("just below each limit it goes on", () => {
  const below = { turns: 5, tokens: 301, costUsd: 0.76, activeMs: 18_001, runResultChars: 34 };
  for (const policy of ["answer", "fail", "park"] as const) assert.equal(after(worked(below, policy)), "think", policy);
});

test("the last turn is reserved only where it is used", () => {
  assert.equal(after(worked({ turns: 4 }, "answer")), "think last because turns");
  assert.equal(after(worked({ turns: 4 }, "fail")), "think");
});

test("tool calls: after the last one the model may answer; one more that it asks for meets the limit", () => {
  assert.equal(after(worked({ toolCalls: 3 }, "answer")), "think last because toolCalls");
  assert.equal(after(worked({ toolCalls: 3 }, "fail")), "think");
  const [entries, seen] = worked({ toolCalls: 3 }, "fail");
  assert.equal(after([[...entries, b.turn(3, [b.rejected("t3c0")])], seen]), 'failed tool-call-limit "So far"');
});

test("a limit that an operator raises lets the run go on; nobody does: it expires, counted from the first wait", () => {
  const [entries, seen] = worked({ tokens: 300 }, "park");
  const wait: Entry = { kind: "parked", reason: "budget", about: "t3", limit: "tokens" };
  const waiting = [...entries, b.at(30_000, wait), b.at(40_000, b.LEASED), b.at(50_000, wait), b.at(60_000, b.LEASED)];
  assert.match(after([waiting, seen], 60_000), /^wait tokens until 90000/);
  assert.equal(after([waiting, seen], 90_000), "expired  undefined");
  const raised = [...waiting, b.at(70_000, { kind: "limits-raised", limits: { tokens: 400 } } as const)];
  assert.equal(after([raised, seen], 90_000), "think");
  assert.equal(limitsOf(b.run(raised, seen))?.tokens, 400);
});

const reserve = { tokens: 1_000, costUsd: 1 };
const asked = (more: object = {}): Entry => ({ ...b.requested(0), reserve, ...more });
const MODEL = { profile: "cheap", model: "small" };
const BY = { ...MODEL, usage, costUsd: 0.5, servedModel: "small", requestId: "r", tookMs: 1 };
const summing = (): Entry => ({ kind: "summary-requested", turn: 0, before: 0, asked: MODEL, reserve });
const summed = (more: object): Entry => ({
  kind: "compacted",
  turn: 0,
  because: "full",
  asked: MODEL,
  from: 9,
  to: 5,
  ...more,
});
const spendings: readonly (readonly [string, Given, number, number | undefined])[] = [
  ["nothing yet", [], 0, undefined],
  ["asked", [asked()], 1_000, 1],
  ["answered", [asked(), b.turn(0, [], { usage, costUsd: 0.1 })], 100, 0.1],
  ["answered without usage", [asked(), b.turn(0, [])], 1_000, 1],
  [
    "answered by a model without a price",
    [asked({ reserve: { tokens: 9 } }), b.turn(0, [], { usage })],
    100,
    undefined,
  ],
  ["lost and asked again", [asked(), b.LEASED, asked()], 2_000, 2],
  ["lost, asked again and answered", [asked(), b.LEASED, asked(), b.turn(0, [], { usage })], 1_100, 1],
  ["failed, nobody knows what it used", [asked(), b.parked("retry", "t0")], 1_000, 1],
  ["refused before it was made", [asked(), { ...b.parked("retry", "t0"), spent: { tokens: 0 } }], 0, undefined],
  ["ended meanwhile", [asked(), { kind: "ended", status: "cancelled" }], 1_000, 1],
  ["a summary asked for", [summing()], 1_000, 1],
  ["a summary, then its turn", [summing(), summed({ by: BY }), asked()], 1_100, 1.5],
  ["a summary without usage", [summing(), summed({ by: { ...BY, usage: NO_USAGE, costUsd: 0.5 } })], 1_000, 0.5],
  ["a summary of no use", [summing(), summed({ spent: { tokens: 30 } })], 30, undefined],
  ["a summary lost, then done without", [summing(), b.LEASED, summed({})], 1_000, 1],
  ["a summary lost, and asked for again", [summing(), b.LEASED, summing()], 2_000, 2],
  ["a turn lost, then a summary", [asked(), b.LEASED, summing(), summed({ by: BY })], 1_100, 1.5],
  ["a turn lost, then less is shown", [asked(), b.LEASED, summed({})], 1_000, 1],
  ["a turn refused as too long, then a summary", [asked(), summed({ because: "refused" }), summing()], 1_000, 1],
  [
    "a summary refused by its model",
    [summing(), { ...b.parked("rate-limit", "t0"), spent: { tokens: 0 } }],
    0,
    undefined,
  ],
  ["a summary of an older Errand, after a lost turn", [asked(), b.LEASED, summed({ by: BY })], 1_100, 1.5],
  ["of an older Errand", [b.requested(0), b.LEASED, b.requested(0), b.turn(0, [], { usage })], 100, undefined],
];

test("spent and kept aside: never less than what may have been billed", () => {
  for (const [name, entries, tokens, costUsd] of spendings) {
    const used = usedBy(b.run([...b.READY, ...entries]).spending);
    assert.deepEqual(used, { tokens, ...(costUsd !== undefined && { costUsd }) }, name);
  }
});

test("time: only that of workers, of a dead one until its last word; waits count for nothing", () => {
  const at = b.at;
  const entries = [
    at(10_000, b.LEASED),
    at(12_000, b.prepared()),
    at(90_000, b.LEASED),
    at(95_000, b.parked("account")),
    at(500_000, b.LEASED),
  ];
  assert.equal(activeMs(b.run(entries).activity, 501_000), 2_000 + 5_000 + 1_000);
  assert.equal(activeMs(b.run(entries.slice(0, 4)).activity, 900_000), 7_000);
});

test("a run that an older Errand has prepared has the limits of today where it has none of its own", () => {
  const { activeMs: _, runResultChars: __, ...older } = b.context().limits;
  const prepared = { kind: "prepared", context: { ...b.context(), limits: older as Limits }, accounts: {} } as const;
  assert.equal(limitsOf(b.run([b.LEASED, prepared]))?.activeMs, 3_600_000);
  assert.equal(after([[b.LEASED, prepared], []]), "think");
});

const same = (turns: number, plan: (i: number) => PlannedCall[]): Given => [
  ...ready({ turns: 50 }, "answer"),
  ...Array.from({ length: turns }, (_, i) => b.turn(i, plan(i))),
];

test("a loop: the same five times, and the next turn is the last one", () => {
  const plan = (i: number): PlannedCall[] => [{ ...b.rejected(`t${i}c0`), argsHash: "a" }];
  assert.equal(after([same(4, plan), []]), "think");
  assert.equal(after([same(5, plan), []]), "think last because loop");
});

/** A turn that asks for these calls, when 18 s are used up at 20 s; what was seen of them. */
function asking(
  atLimit: AtLimit,
  plan: readonly PlannedCall[],
  more: Given = [],
  seen: readonly Evidence[] = [],
): string {
  const entries = [
    ...ready({ activeMs: 18_000 }, atLimit),
    b.requested(0),
    b.turn(0, plan, { text: "So far" }),
    ...more,
  ];
  const step = next(b.run(entries, seen), { now: 20_000, cancelled: false });
  if (step.do === "think") return `think${step.final ? " last" : ""} ${JSON.stringify(step.shown)}`;
  if (step.do === "wait-limit") return `wait ${step.limit}`;
  if (step.do === "end") return `${step.end.status} ${step.end.code ?? ""}`;
  return step.do === "record" ? `record ${step.intent}` : step.do;
}

const limited = (id: string, more: object = {}): object => ({ call: id, as: "limited", limit: "activeMs", ...more });

test("calls at a limit are not begun: the model is told, the run fails, or it waits; what is in doubt is looked after first", () => {
  const [read, write] = [b.call("t0c0"), b.call("t0c1", "unsafe")];
  const done = b.evidence(read, 1, b.OK, 5_000);
  const keyed = b.call("t0c0", "idempotent");
  const lost = [b.claim(keyed, 1, 100)];
  const table: readonly (readonly [string, string, string])[] = [
    ["answer", asking("answer", [read, write]), `think last ${JSON.stringify([limited("t0c0"), limited("t0c1")])}`],
    ["fail", asking("fail", [read, write]), "failed time-limit"],
    ["park", asking("park", [read, write]), "wait activeMs"],
    [
      "the first was made",
      asking("answer", [read, write], [b.claim(read)], [done]),
      `think last ${JSON.stringify([{ call: "t0c0", evidence: "t0c0#1" }, limited("t0c1")])}`,
    ],
    [
      "refused, to be made again",
      asking("answer", [write], [b.claim(write)], [b.evidence(write, 1, b.refused("rate-limit"), 5_000)]),
      `think last ${JSON.stringify([limited("t0c1")])}`,
    ],
    ["one that a lost worker may still send", asking("fail", [write], [b.at(19_000, b.claim(write))]), "settle"],
    ["one that may have been executed", asking("answer", [keyed], lost), "record t0c0#1"],
    [
      "and is written down",
      asking("answer", [keyed], [...lost, b.unknown(keyed)]),
      `think last ${JSON.stringify([{ call: "t0c0", as: "unknown" }])}`,
    ],
    [
      "a read that was lost",
      asking("answer", [read], [b.claim(read, 1, 100)]),
      `think last ${JSON.stringify([limited("t0c0")])}`,
    ],
    [
      "an account that it would wait for",
      asking("answer", [read], [b.claim(read)], [b.evidence(read, 1, b.refused("account"), 5_000)]),
      `think last ${JSON.stringify([limited("t0c0")])}`,
    ],
    [
      "nothing left to call",
      asking("answer", [b.rejected("t0c0")]),
      `think last ${JSON.stringify([{ call: "t0c0", as: "rejected" }])}`,
    ],
  ];
  for (const [name, is, expected] of table) assert.equal(is, expected, name);
});

test("a tool that was stopped half-way at a limit: the model is told how many of its calls were made", () => {
  const tool = { ...b.TOOLS[0], name: "tool_unsafe", effect: "unsafe", composite: true } as FrozenTool;
  const context = b.context({ activeMs: 18_000 }, { tools: [tool] });
  const parent = b.call("t0c0", "unsafe");
  const sub = b.call("t0c0n0", "idempotent");
  const entries: Given = [
    b.LEASED,
    { kind: "prepared", context, accounts: {} },
    b.requested(0),
    b.turn(0, [parent]),
    b.claim(parent),
    { kind: "sub-planned", parent: "t0c0", call: sub },
    b.claim(sub),
  ];
  const seen = [b.evidence(sub, 1, b.OK, 9_000), b.evidence(parent, 1, b.refused("suspended"), 9_100)];
  const step = next(b.run(entries, seen), { now: 20_000, cancelled: false });
  assert.ok(step.do === "think", step.do);
  assert.deepEqual(step.shown, [limited("t0c0", { made: 1 })]);
  const state = b.run([...entries, { ...b.requested(1, step.shown), final: true }], seen);
  assert.match(
    JSON.stringify(transcript(state).at(-1)),
    /stopped half-way, after 1 of the calls.*say what was not done/,
  );
});

test("a day without room for more calls is a limit until it ends, or until the run has waited for a budget", () => {
  const met = (limit: RunLimit): Entry => ({ kind: "budget-met", limit, until: 50_000, message: "The day is used up" });
  const [read] = [b.call("t0c0")];
  const of = (atLimit: AtLimit, now: number, ...more: Given): string => {
    const entries = [...ready({}, atLimit), b.requested(0), b.turn(0, [read], { text: "So far" }), met("toolCalls")];
    const step = next(b.run([...entries, ...more]), { now, cancelled: false });
    if (step.do === "think") return `think${step.final ? " last" : ""} because ${step.because ?? ""}`;
    return step.do === "end"
      ? `${step.end.code ?? ""}: ${step.end.message ?? ""} ${JSON.stringify(step.end.output)}`
      : step.do;
  };
  assert.equal(of("answer", 20_000), "think last because toolCalls");
  assert.equal(of("fail", 20_000), 'tool-call-limit: The day is used up. "So far"');
  assert.equal(of("answer", 50_000), "call", "the next day");
  assert.equal(of("answer", 20_000, { kind: "parked", reason: "budget", about: "t1" }, b.LEASED), "call");
});
