/** What becomes of each answer of a model. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answerJson, judge, type Judgement, type Judging } from "../../src/core/judge.ts";
import type { Json } from "../../src/core/json.ts";
import type { Limits } from "../../src/core/limits.ts";
import { type ModelAnswer, NO_USAGE, type RequestedCall } from "../../src/core/messages.ts";
import type { RunContext } from "../../src/core/run.ts";
import type { Validated } from "../../src/core/schema.ts";
import * as b from "./build.ts";

function answer(parts: Partial<ModelAnswer>): ModelAnswer {
  return {
    kind: "answer",
    verbatim: {},
    text: "",
    calls: [],
    finish: "stop",
    usage: NO_USAGE,
    servedModel: "m-1",
    requestId: "",
    tookMs: 1,
    ...parts,
  };
}

function asks(name: string, args: string = "{}"): RequestedCall {
  return { providerId: "tool:0", name, arguments: args };
}

type Given = Omit<Partial<Judging>, "context"> & {
  readonly limits?: Partial<Limits>;
  readonly tools?: RunContext["tools"];
};

function judged(parts: Partial<ModelAnswer>, { limits, tools = b.TOOLS, ...more }: Given = {}): Judgement {
  return judge(answer(parts), {
    turn: 3,
    final: false,
    context: b.context(limits, { tools }),
    callsMade: 0,
    repairs: 0,
    check: () => [],
    hash: (text) => `#${text}`,
    withKey: (_tool, args) => args,
    ...more,
  });
}

/** What the model is told of its call number `index`; empty for a call that runs. */
function told(judgement: Judgement, index: number = 0): string {
  assert.equal(judgement.leadsTo, "act");
  const call = judgement.plan[index];
  assert.ok(call, `no call ${index}`);
  if (call.verdict === "run") return "";
  const { success, error } = call.answer as { success: Json; error: { type: string; message: string } };
  assert.equal(success, false);
  return `${error.type}: ${error.message}`;
}

const schemaOk: Validated<Json> = { ok: true, value: { a: 1 } };
const schemaBad: Validated<Json> = { ok: false, issues: ["a: expected number", "b: missing"] };
const discard = { leadsTo: "discard", code: "empty-answer", message: "The model gave neither text nor tool calls." };
const cut = {
  leadsTo: "discard",
  code: "output-truncated",
  message: "The answer was cut in the middle of its tool calls.",
};
const failed = (code: string, message: string): object => ({ plan: [], leadsTo: "fail", failure: { code, message } });
const unfit = failed(
  "output-invalid",
  "The answer does not fit the agent's output schema: a: expected number; b: missing",
);
const nudge =
  "Your answer does not fit the required output: a: expected number; b: missing. Answer again with only the corrected JSON.";

const cutNudge = "Your answer was cut off, because it was too long. Answer again with only the JSON, and much shorter.";
const cutOff = failed(
  "output-truncated",
  "The answer was cut before its end, and so does not fit the output schema: a: expected number; b: missing",
);

const rows: readonly (readonly [string, Partial<ModelAnswer>, Given, object])[] = [
  ["a text", { text: "Done" }, {}, { plan: [], leadsTo: "finish" }],
  ["a text, cut", { text: "Do", finish: "length" }, {}, { plan: [], leadsTo: "finish", truncated: true }],
  ["a text on the last turn", { text: "Done" }, { final: true }, { plan: [], leadsTo: "finish", truncated: true }],
  ["a text with an unknown finish", { text: "Done", finish: "other" }, {}, { plan: [], leadsTo: "finish" }],
  ["a text that fits", { text: "{}" }, { output: schemaOk }, { plan: [], leadsTo: "finish", output: { a: 1 } }],
  [
    "nothing fits a null",
    { text: "null" },
    { output: { ok: true, value: null } },
    { plan: [], leadsTo: "finish", output: null },
  ],
  ["a text that does not fit", { text: "{}" }, { output: schemaBad }, { plan: [], leadsTo: "again", nudge }],
  ["not for the last time", { text: "{}" }, { output: schemaBad, repairs: 1 }, { plan: [], leadsTo: "again", nudge }],
  ["for the last time", { text: "{}" }, { output: schemaBad, repairs: 2 }, unfit],
  ["no repairs", { text: "{}" }, { output: schemaBad, limits: { repairs: 0 } }, unfit],
  [
    "does not fit on the last turn",
    { text: "{}" },
    { output: schemaBad, final: true },
    { plan: [], leadsTo: "again", nudge },
  ],
  ["for the last time on the last turn", { text: "{}" }, { output: schemaBad, final: true, repairs: 2 }, unfit],
  [
    "cut before its end",
    { text: "{", finish: "length" },
    { output: schemaBad },
    { plan: [], leadsTo: "again", nudge: cutNudge },
  ],
  ["cut for the last time", { text: "{", finish: "length" }, { output: schemaBad, repairs: 2 }, cutOff],
  ["refused", { finish: "refused", text: "No." }, {}, failed("refused", "The model refused to answer.")],
  [
    "refused beside calls",
    { finish: "refused", calls: [asks("tool_read")] },
    {},
    failed("refused", "The model refused to answer."),
  ],
  [
    "refused on the last turn",
    { finish: "refused" },
    { final: true },
    failed("refused", "The model refused to answer."),
  ],
  ["nothing", {}, {}, discard],
  ["blanks", { text: " \n\t" }, {}, discard],
  ["nothing, cut", { finish: "length" }, {}, discard],
  ["nothing on the last turn", {}, { final: true }, discard],
  [
    "calls alone on the last turn",
    { calls: [asks("tool_read")] },
    { final: true },
    failed("turn-limit", "The model asked for more tools on its last turn and gave no answer."),
  ],
  [
    "calls and a text on the last turn",
    { text: "Done", calls: [asks("tool_read")] },
    { final: true },
    { plan: [], leadsTo: "finish", truncated: true },
  ],
  ["cut calls: broken JSON", { finish: "length", calls: [asks("tool_read"), asks("tool_read", '{"n')] }, {}, cut],
  ["cut calls: no arguments", { finish: "length", calls: [asks("tool_read", "")] }, {}, cut],
  ["cut calls: an unknown tool", { finish: "length", calls: [asks("tool_rea")] }, {}, cut],
  [
    "cut calls: arguments that do not fit",
    { finish: "length", calls: [asks("tool_read")] },
    { check: () => ["n: missing"] },
    cut,
  ],
];

test("each answer leads to something", () => {
  for (const [name, parts, given, expected] of rows) assert.deepEqual(judged(parts, given), expected, name);
});

test("a call that runs: our id, canonical arguments, the tool's effect and connection; the provider's id for the log", () => {
  assert.deepEqual(judged({ calls: [asks("tool_unsafe", '{"n":1, "a":[2]}')], text: "Let me see" }), {
    leadsTo: "act",
    plan: [
      {
        id: "t3c0",
        name: "tool_unsafe",
        providerId: "tool:0",
        verdict: "run",
        args: { n: 1, a: [2] },
        argsHash: '#{"a":[2],"n":1}',
        effect: "unsafe",
        connection: "gmail",
      },
    ],
  });
});

test("equal ids of the provider, whole calls at a cut, no arguments: all run", () => {
  const judgement = judged({ calls: [asks("tool_read"), asks("tool_read", "  "), asks("tool_read")] });
  assert.ok(judgement.leadsTo === "act", judgement.leadsTo);
  assert.deepEqual(
    judgement.plan.map((call) => [call.id, call.verdict, call.verdict === "run" && call.args]),
    [
      ["t3c0", "run", {}],
      ["t3c1", "run", {}],
      ["t3c2", "run", {}],
    ],
  );
  assert.equal(judged({ finish: "length", calls: [asks("tool_read")] }).leadsTo, "act");
});

const refusals: readonly (readonly [string, RequestedCall, RegExp])[] = [
  ["near names", asks("tool_reed"), /^UnknownTool: There is no tool "tool_reed"\. Did you mean: tool_read, /],
  ["no near name", asks("zzz"), /^UnknownTool: There is no tool "zzz"\. The tools are: tool_read, tool_idempotent, /],
  ["no name", asks(""), /^UnknownTool: There is no tool ""\. The tools are: /],
  ["an inherited name", asks("constructor"), /^UnknownTool: There is no tool "constructor"\. The tools are/],
  ["a name with quotes", asks('a"b'), /^UnknownTool: There is no tool "a\\"b"\./],
  [
    "a custom call",
    asks("custom:tool_read", "free text"),
    /^UnknownTool: There is no tool "custom:tool_read"\. Did you mean: tool_read/,
  ],
  [
    "broken JSON",
    asks("tool_read", '{"n'),
    /^InvalidArguments: tool_read: the arguments are not valid JSON \(.+\)\. Send one JSON object\.$/,
  ],
  ["a list", asks("tool_read", "[1]"), /^InvalidArguments: tool_read: the arguments are a list, not an object\. Send/],
  ["a number", asks("tool_read", "1"), /the arguments are a number, not an object\./],
  ["null", asks("tool_read", "null"), /the arguments are null, not an object\./],
  ["two objects", asks("tool_read", "{}{}"), /not valid JSON/],
  [
    "endless nesting",
    asks("tool_read", `{"n":${"[".repeat(9_999)}${"]".repeat(9_999)}}`),
    /^InvalidArguments: tool_read: the arguments are nested too deeply\./,
  ],
];

test("calls that are not made, and what the model is told", () => {
  for (const [name, call, expected] of refusals) assert.match(told(judged({ calls: [call] })), expected, name);
  assert.equal(
    told(judged({ calls: [asks("a")] }, { tools: [] })),
    'UnknownTool: There is no tool "a". There are none.',
  );
});

test("arguments that do not fit the schema: ten problems at most, each with its path", () => {
  const check = (): string[] => Array.from({ length: 12 }, (_, i) => `n.${i}: expected number`);
  const message = told(judged({ calls: [asks("tool_read")] }, { check }));
  assert.match(message, /^InvalidArguments: tool_read: n\.0: expected number; .*; n\.9: expected number$/);
});

test("a refused call does not stop the others", () => {
  const judgement = judged({ calls: [asks("nope"), asks("tool_read")] });
  assert.match(told(judgement, 0), /^UnknownTool/);
  assert.equal(told(judgement, 1), "");
});

test("1,000 calls: those that fit run, the rest is told to ask again", () => {
  const calls = Array.from({ length: 1_000 }, () => asks("tool_read"));
  const judgement = judged({ calls });
  assert.ok(judgement.leadsTo === "act", judgement.leadsTo);
  assert.equal(judgement.plan.length, 1_000);
  assert.equal(new Set(judgement.plan.map((call) => call.id)).size, 1_000);
  assert.deepEqual(
    judgement.plan.flatMap((call, i) => (call.verdict === "run" ? [i] : [])),
    Array.from({ length: 16 }, (_, i) => i),
  );
  assert.equal(
    told(judgement, 16),
    "TooManyCalls: Only 16 tool calls can be made now; this one was not made. Ask again for what you still need.",
  );
});

test("room is what the turn and the run have left; refused calls take none; a cut answer whose calls are whole is no broken one", () => {
  const ran = (given: Given, ...calls: RequestedCall[]): number => {
    const judgement = judged({ calls, finish: given.turn === 9 ? "length" : "stop" }, given);
    return judgement.leadsTo === "act" ? judgement.plan.filter((call) => call.verdict === "run").length : -1;
  };
  const three = [asks("tool_read"), asks("tool_read"), asks("tool_read")];
  assert.equal(ran({ limits: { callsPerTurn: 2 } }, ...three), 2);
  assert.equal(ran({ limits: { toolCalls: 10 }, callsMade: 9 }, ...three), 1);
  assert.equal(ran({ limits: { toolCalls: 10 }, callsMade: 12 }, ...three), 0);
  assert.equal(ran({ limits: { callsPerTurn: 2 } }, asks("nope"), ...three), 2);
  assert.equal(ran({ limits: { callsPerTurn: 2 }, turn: 9 }, ...three), 2);
});

test("40 calls when the run has 3 left: the first three are made, and the model is told that no more will be", () => {
  const calls = Array.from({ length: 40 }, () => asks("tool_read"));
  const judgement = judged({ calls }, { limits: { toolCalls: 40 }, callsMade: 37 });
  assert.ok(judgement.leadsTo === "act", judgement.leadsTo);
  const run = judgement.plan.flatMap((call, i) => (call.verdict === "run" ? [i] : []));
  assert.deepEqual(run, [0, 1, 2]);
  const text =
    "TooManyCalls: Only 3 tool calls can be made now; this one was not made. The run may make no more. Answer with what you have, and say what was not done.";
  for (const i of [3, 39]) assert.equal(told(judgement, i), text);
});

test("a name of a megabyte costs no time", () => {
  const tools = Array.from({ length: 22 }, (_, i) =>
    b.TOOLS.map((t) => ({ ...t, name: `gmail_${t.name}_${i}` })),
  ).flat();
  const before = process.cpuUsage();
  const message = told(judged({ calls: [asks(`gmail_${"x".repeat(1_000_000)}`)] }, { tools }));
  assert.ok(message.length < 1_000, message);
  assert.ok(process.cpuUsage(before).user < 1_000_000, "a second of CPU");
});

test("the JSON of an answer: as it stands, or inside one fence", () => {
  const value = (text: string): unknown => {
    const parsed = answerJson(text);
    return parsed.ok ? parsed.value : parsed.problem.replace(/\(.*/, "");
  };
  assert.deepEqual(value(' {"a":1}\n'), { a: 1 });
  assert.deepEqual(value('```json\n{"a":1}\n```'), { a: 1 });
  assert.deepEqual(value('\n```\n{"a":"```"}\n```\n'), { a: "```" });
  assert.equal(value("null"), null);
  assert.equal(value('Here it is: {"a":1}'), "not valid JSON ");
  assert.equal(value("```json\n```"), "not valid JSON ");
  assert.equal(value(""), "not valid JSON ");
});
