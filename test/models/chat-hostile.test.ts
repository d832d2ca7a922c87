/** Whatever a provider sends, reading it never throws, and what goes back is a transcript that providers accept. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Json, toJson } from "../../src/core/json.ts";
import type { Message } from "../../src/core/messages.ts";
import { chatAnswer } from "../../src/models/chat-answer.ts";
import { readCalls } from "../../src/models/chat-calls.ts";
import { chatRequest } from "../../src/models/chat-request.ts";
import { modelFailure } from "../../src/models/failure.ts";
import { checkChatRequest } from "../../src/testing/model/index.ts";
import { REQUEST, tool, user } from "./lab.ts";

const features = fc.record(
  {
    parallelToolCalls: fc.boolean(),
    toolChoice: fc.boolean(),
    developerRole: fc.boolean(),
    maxTokensField: fc.constantFrom("max_completion_tokens", "max_tokens"),
  },
  { requiredKeys: [] },
);
const profile = fc.record({ apiKey: fc.constant("k"), features, maxOutputTokens: fc.integer({ min: 1, max: 9_000 }) });

/** Texts with every kind of character, halves of surrogate pairs included. */
const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", " ", "\ud83d", "a\udc00b", "Hello"));
const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), text);
const name = fc.oneof(fc.constantFrom("gmail_fetch_mails", "", "a.b", "x".repeat(70)), text);
const args = fc.oneof(fc.constantFrom("{}", "", '{"a":1}', '{"a', "[]", "null"), text, odd);
const id = fc.oneof(fc.constantFrom("", "tool:0", "call_1", "x".repeat(99)), odd);
const inner = fc.oneof(fc.record({ name, arguments: args, input: args }, { requiredKeys: [] }), odd);
const call = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      { id, type: fc.constantFrom("function", "custom", "web"), function: inner, custom: inner },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: odd },
);
const part = fc.oneof(
  fc.record(
    { type: fc.constantFrom("text", "refusal", "thinking", "output_text"), text: odd, refusal: odd },
    { requiredKeys: [] },
  ),
  odd,
);
const message = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record(
      {
        role: fc.constantFrom("assistant", "model"),
        content: fc.oneof(text, fc.constant(null), fc.array(part, { maxLength: 3 }), odd),
        refusal: fc.oneof(fc.constant(null), text),
        tool_calls: fc.oneof({ weight: 4, arbitrary: fc.array(call, { maxLength: 5 }) }, { weight: 1, arbitrary: odd }),
        function_call: fc.oneof(fc.constant(null), inner),
        reasoning_details: fc.oneof(
          fc.array(fc.record({ id, data: text }, { requiredKeys: [] }), { maxLength: 3 }),
          odd,
        ),
        reasoning_content: odd,
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: odd },
);

/** A turn as the journal holds it: all calls planned and answered, or none (an answer that finished or was sent back). */
const turn = fc.record({ verbatim: message, text, planned: fc.boolean(), nudge: fc.option(text) });

function journalMessages(
  turns: readonly { verbatim: unknown; text: string; planned: boolean; nudge: string | null }[],
): Message[] {
  return turns.flatMap(({ verbatim, text: said, planned, nudge }, t): Message[] => {
    const callIds = planned ? readCalls(verbatim).map((_, c) => `t${t}c${c}`) : [];
    return [
      { role: "assistant", verbatim: toJson(verbatim), text: said, callIds },
      ...callIds.map((callId) => tool(callId, said)),
      ...(nudge === null ? [] : [user(nudge)]),
    ];
  });
}

test("journals of hostile messages become requests that the validator accepts, each call answered once", () => {
  fc.assert(
    fc.property(
      fc.array(turn, { maxLength: 5 }),
      profile,
      fc.constantFrom("auto", "none"),
      (turns, given, toolChoice) => {
        const messages = [user("Go"), ...journalMessages(turns)];
        const body = chatRequest({ ...REQUEST, messages, toolChoice }, given);
        const sent: unknown = JSON.parse(JSON.stringify(body));
        assert.deepEqual(checkChatRequest(sent), [], JSON.stringify(sent));
        const answers = body.messages.flatMap((m) => (m.role === "tool" ? [m.tool_call_id] : []));
        assert.deepEqual(
          answers,
          messages.flatMap((m) => (m.role === "tool" ? [m.callId] : [])),
        );
        assert.equal(body.messages.filter((m) => m.role === "assistant").length, turns.length);
        assert.deepEqual(chatRequest({ ...REQUEST, messages, toolChoice }, given), body, "pure");
      },
    ),
    { numRuns: 400 },
  );
});

test("message lists that no journal would give are made valid as well", () => {
  const callId = fc.constantFrom("a", "b", "c");
  const any: fc.Arbitrary<Message> = fc.oneof(
    text.map(user),
    callId.map((one) => tool(one)),
    fc.record({
      role: fc.constant("assistant"),
      verbatim: message.map(toJson),
      text,
      callIds: fc.array(callId, { maxLength: 3 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(any, { maxLength: 12 }), (messages) => {
      const sent = JSON.parse(JSON.stringify(chatRequest({ ...REQUEST, messages }, { apiKey: "k" }))) as unknown;
      // Our ids are unique in a journal; here they are not, and that alone may be told.
      const problems = checkChatRequest(sent).filter(
        (problem) => !problem.includes("Duplicate value for 'tool_call_id'"),
      );
      assert.deepEqual(problems, [], JSON.stringify(sent));
    }),
    { numRuns: 400 },
  );
});

test("any body is read without a throw, and an answer's calls and text fit the port", () => {
  const choice = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record(
        {
          message,
          finish_reason: fc.oneof(fc.constantFrom("stop", "length", "error"), odd),
          error: fc.oneof(fc.constant(null), odd),
        },
        { requiredKeys: ["message"] },
      ),
    },
    { weight: 1, arbitrary: odd },
  );
  const error = fc.oneof(fc.record({ code: odd, type: odd, message: odd, metadata: odd }, { requiredKeys: [] }), odd);
  const body = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record(
        { choices: fc.array(choice, { maxLength: 2 }), usage: odd, model: odd, id: odd },
        { requiredKeys: ["choices"] },
      ),
    },
    { weight: 2, arbitrary: fc.record({ error }) },
    { weight: 1, arbitrary: odd },
  );
  let answers = 0;
  fc.assert(
    fc.property(body, fc.constantFrom(200, 400, 429, 500), (given, status) => {
      const reply = chatAnswer(given, { model: "m-1", tookMs: 1 });
      if (reply.kind === "fault") {
        const failure = modelFailure({ ...reply, status }, { now: 0, secrets: ["key"], said: () => "" });
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
      assert.equal(readCalls(reply.verbatim).length, reply.calls.length, "the journal's copy holds the same calls");
      assert.deepEqual(
        readCalls(reply.verbatim).map((c) => c.requested),
        reply.calls,
      );
    }),
    { numRuns: 600 },
  );
  assert.ok(answers > 100, `only ${answers} answers: the generator has gone blind`);
});

test("the generator makes what it is meant to make", () => {
  const made = fc.sample(message, 500) as Json[];
  const calls = made.map((one) => readCalls(one).length);
  assert.ok(calls.filter((count) => count > 1).length > 50, calls.join(" "));
});
