/** Calls that go round in circles are not made; a tool that keeps failing is, with a word to the model. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PastTurn } from "../../src/core/loops.ts";
import { judge } from "../../src/core/judge.ts";
import { NO_USAGE } from "../../src/core/messages.ts";
import * as b from "./build.ts";

function judged(args: string, past: readonly PastTurn[], tools = b.TOOLS): { told: string; nudge: string | undefined } {
  const judgement = judge(
    {
      kind: "answer",
      verbatim: {},
      text: "",
      calls: [{ providerId: "p", name: "tool_read", arguments: args }],
      finish: "stop",
      usage: NO_USAGE,
      servedModel: "m",
      requestId: "",
      tookMs: 1,
    },
    {
      turn: 3,
      final: false,
      context: b.context({}, { tools }),
      callsMade: 0,
      repairs: 0,
      past,
      check: () => [],
      hash: (text) => `#${text}`,
      withKey: (_tool, given) => given,
    },
  );
  if (judgement.leadsTo !== "act") return assert.fail(judgement.leadsTo);
  const [call] = judgement.plan;
  return { told: call?.verdict === "reject" ? JSON.stringify(call.answer) : "made", nudge: judgement.nudge };
}

test("a loop: calls that repeat the turns before are not made and told why; polling ones are", () => {
  const past = [0, 1].map(() => ({ plan: [{ ...b.call("t0c0"), argsHash: "#{}" }], results: [] }));
  assert.match(
    judged("{}", past).told,
    /RepeatedCalls.*You asked for the same tool calls 3 times in a row\. This one was/,
  );
  assert.equal(judged('{"n":1}', past).told, "made");
  const tools = b.TOOLS.map((tool) => (tool.name === "tool_read" ? { ...tool, polling: true } : tool));
  assert.equal(judged("{}", past, tools).told, "made");
});

test("broken arguments that come again and again are a loop as well", () => {
  const past = [0, 1].map(() => ({
    plan: [{ ...b.rejected("t0c0"), name: "tool_read", argsHash: '#{"n' }],
    results: [],
  }));
  assert.match(judged('{"n', past).told, /RepeatedCalls/);
});

test("a tool that fails again and again is still called, and the model is told", () => {
  const past = [0, 1, 2].map(() => ({ plan: [], results: [{ tool: "tool_read", error: "NotFound: x" }] }));
  const { told, nudge } = judged("{}", past);
  assert.equal(told, "made");
  assert.match(nudge ?? "", /^tool_read failed 3 times in a row with the same error\. Try something else/);
});
