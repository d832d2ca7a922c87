/** Whatever a provider sends, reading it never throws, and what goes back is an input that providers accept. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Json, toJson } from "../../src/core/json.ts";
import type { Message } from "../../src/core/messages.ts";
import { requestedCalls } from "../../src/models/foreign.ts";
import { chatRequest } from "../../src/models/chat-request.ts";
import { modelFailure } from "../../src/models/failure.ts";
import { responsesAnswer } from "../../src/models/responses-answer.ts";
import { readItems } from "../../src/models/responses-items.ts";
import { responsesRequest } from "../../src/models/responses-request.ts";
import type { ResponsesProfile } from "../../src/models/responses.ts";
import { checkChatRequest, checkResponsesRequest } from "../../src/testing/model/index.ts";
import { REQUEST, tool, user } from "./lab.ts";

const features = fc.record(
  {
    parallelToolCalls: fc.boolean(),
    toolChoice: fc.boolean(),
    instructions: fc.constantFrom("field", "developer", "system"),
    encryptedReasoning: fc.boolean(),
  },
  { requiredKeys: [] },
);
const profile: fc.Arbitrary<ResponsesProfile> = fc.record({
  apiKey: fc.constant("k"),
  protocol: fc.constant("responses"),
  features,
  maxOutputTokens: fc.integer({ min: 16, max: 9_000 }),
});

/** Texts with every kind of character, halves of surrogate pairs included. */
const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", " ", "\ud83d", "a\udc00b", "Hello"));
const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), text);
const name = fc.oneof(fc.constantFrom("gmail_fetch_mails", "", "a.b", "x".repeat(70)), text);
const args = fc.oneof(fc.constantFrom("{}", "", '{"a":1}', '{"a', "[]", "null"), text, odd);
const callId = fc.oneof(fc.constantFrom("", "tool:0", "call_1", "t0c0", "x".repeat(99)), odd);
const id = fc.oneof(fc.constantFrom("", "fc_1", "msg_1", "rs_1", "ctc_1", "call_1", `fc_${"x".repeat(99)}`), odd);
const status = fc.oneof(fc.constantFrom("completed", "incomplete", "in_progress"), odd);
const part = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      { type: fc.constantFrom("output_text", "refusal", "text", "thinking"), text: odd, refusal: odd },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: odd },
);
const content = fc.oneof(text, fc.array(part, { maxLength: 3 }), odd);
const common = { id, status, phase: fc.constantFrom("commentary", "final_answer", null), extra: odd };
const item = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record(
      {
        ...common,
        type: fc.constantFrom("function_call", "custom_tool_call", "function_call", "shell_call", "web_search_call"),
        call_id: callId,
        name,
        arguments: args,
        input: args,
      },
      { requiredKeys: ["type"] },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.record(
      { ...common, type: fc.constant("message"), role: fc.constantFrom("assistant", "system", "user"), content },
      { requiredKeys: ["content", "role"] },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        ...common,
        type: fc.constant("reasoning"),
        summary: fc.oneof(fc.constant([]), odd),
        encrypted_content: fc.oneof(fc.constantFrom("zzz", "", null), odd),
        content: fc.oneof(fc.constant([]), odd),
      },
      { requiredKeys: ["type"] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        ...common,
        type: fc.oneof(fc.constantFrom("function_call_output", "shell_call_output", "dream"), odd),
        call_id: callId,
      },
      { requiredKeys: ["type"] },
    ),
  },
  { weight: 1, arbitrary: odd },
);
const output = fc.oneof({ weight: 9, arbitrary: fc.array(item, { maxLength: 6 }) }, { weight: 1, arbitrary: odd });

/** A turn as the journal holds it: all calls planned and answered, or none (an answer that finished or was sent back). */
const turn = fc.record({ output, text, planned: fc.boolean(), nudge: fc.option(text) });
type Turn = {
  readonly output: unknown;
  readonly text: string;
  readonly planned: boolean;
  readonly nudge: string | null;
};

function journalMessages(turns: readonly Turn[]): Message[] {
  return turns.flatMap(({ output: items, text: said, planned, nudge }, t): Message[] => {
    const verbatim = toJson(items);
    const callIds = planned ? requestedCalls(verbatim).map((_, c) => `t${t}c${c}`) : [];
    return [
      { role: "assistant", verbatim, text: said, callIds },
      ...callIds.map((one) => tool(one, said)),
      user(nudge ?? "Go on"),
    ];
  });
}

test("journals of hostile items become requests that the validator accepts, each call answered once, in both protocols", () => {
  let calls = 0;
  fc.assert(
    fc.property(
      fc.array(turn, { maxLength: 5 }),
      profile,
      fc.constantFrom("auto", "none"),
      (turns, given, toolChoice) => {
        const messages = [user("Go"), ...journalMessages(turns)];
        const request = { ...REQUEST, messages, toolChoice };
        const body = responsesRequest(request, given);
        const sent = JSON.parse(JSON.stringify(body)) as { input: Record<string, unknown>[] };
        assert.deepEqual(checkResponsesRequest(sent), [], JSON.stringify(sent));
        const answers = sent.input.filter(
          ({ type }) => type === "function_call_output" || type === "custom_tool_call_output",
        );
        const expected = messages.flatMap((m) => (m.role === "tool" ? [m.callId] : []));
        calls += expected.length;
        assert.deepEqual(
          answers.map((one) => one["call_id"]),
          expected,
        );
        assert.deepEqual(responsesRequest(request, given), body, "pure");
        const chat: unknown = JSON.parse(JSON.stringify(chatRequest(request, { apiKey: "k" })));
        assert.deepEqual(checkChatRequest(chat), [], "as chat completions");
      },
    ),
    { numRuns: 500 },
  );
  assert.ok(calls > 300, `only ${calls} calls: the generator has gone blind`);
});

test("message lists that no journal would give are made valid as well", () => {
  const ours = fc.constantFrom("a", "b", "c");
  const any: fc.Arbitrary<Message> = fc.oneof(
    text.map(user),
    ours.map((one) => tool(one)),
    fc.record({
      role: fc.constant("assistant"),
      verbatim: output.map(toJson),
      text,
      callIds: fc.array(ours, { maxLength: 3 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(any, { maxLength: 12 }), (messages) => {
      const body = responsesRequest(
        { ...REQUEST, messages: [user("Go"), ...messages] },
        { apiKey: "k", protocol: "responses" },
      );
      // Our ids are unique in a journal; here they are not, and that alone may be told.
      const problems = checkResponsesRequest(JSON.parse(JSON.stringify(body))).filter(
        (problem) => !problem.includes("Duplicate function call id"),
      );
      assert.deepEqual(problems, [], JSON.stringify(body));
    }),
    { numRuns: 400 },
  );
});

test("any body is read without a throw, and an answer's calls and text fit the port", () => {
  const error = fc.oneof(fc.record({ code: odd, type: odd, message: odd, metadata: odd }, { requiredKeys: [] }), odd);
  const body = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record(
        {
          output,
          status: fc.oneof(fc.constantFrom("completed", "incomplete", "failed"), odd),
          incomplete_details: fc.oneof(fc.record({ reason: odd }), odd),
          usage: odd,
          model: odd,
          id: odd,
          error: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: odd }),
        },
        { requiredKeys: ["output"] },
      ),
    },
    { weight: 2, arbitrary: fc.record({ error }) },
    { weight: 1, arbitrary: odd },
  );
  let answers = 0;
  fc.assert(
    fc.property(body, fc.constantFrom(200, 400, 429, 500), (given, http) => {
      const reply = responsesAnswer(given, { model: "m-1", tookMs: 1 });
      if (reply.kind === "fault") {
        const failure = modelFailure({ ...reply, status: http }, { now: 0, secrets: ["key"], said: () => "" });
        const { message: told } = failure;
        assert.ok(told.length > 0 && told.length < 500 && told.isWellFormed(), told);
        return;
      }
      answers++;
      assert.deepEqual(toJson(reply) as unknown, JSON.parse(JSON.stringify(reply)), "is JSON, and well formed");
      const counts = Object.values(reply.usage);
      assert.ok(
        counts.every((count) => Number.isInteger(count) && count >= 0),
        counts.join(" "),
      );
      for (const one of reply.calls) for (const value of Object.values(one)) assert.equal(typeof value, "string");
      const replayed = readItems(reply.verbatim).flatMap((one) => (one.is === "call" ? [one.requested] : []));
      assert.deepEqual(replayed, reply.calls, "the journal's copy holds the same calls");
    }),
    { numRuns: 800 },
  );
  assert.ok(answers > 200, `only ${answers} answers: the generator has gone blind`);
});

test("the generator makes what it is meant to make", () => {
  const made = (fc.sample(output, 500) as Json[]).flatMap((one) => readItems(one).map(({ is }) => is));
  for (const is of ["call", "message", "reasoning", "other"] as const)
    assert.ok(made.filter((one) => one === is).length > 50, `${is}: ${made.length} items`);
});
