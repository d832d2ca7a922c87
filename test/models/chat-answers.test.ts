/** What the chat adapter makes of odd answers of this protocol's own; those of all protocols are in answers.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelAnswer, RequestedCall } from "../../src/core/messages.ts";
import { call, manyCalls, raw, type Reply, say } from "../../src/testing/model/index.ts";
import { lab } from "./lab.ts";

const answers: readonly (readonly [string, Reply, Partial<ModelAnswer>])[] = [
  ["half a surrogate pair", raw({ body: body('"content":"a\\ud83d"') }), { text: "a\ufffd" }],
  [
    "arguments as an object",
    raw({ body: body('"tool_calls":[{"id":"x","function":{"name":"a","arguments":{"b":1}}}]') }),
    { calls: [requested("a", '{"b":1}', "x")] },
  ],
  [
    "a call of a type nobody knows",
    raw({ body: body('"tool_calls":[{"id":"x","type":"web","web":{"name":"find"}}, null, "a"]') }),
    { calls: [requested("web:find", "", "x")] },
  ],
  [
    "the call of the first protocol",
    raw({ body: body('"function_call":{"name":"a","arguments":"{}"},"tool_calls":[]') }),
    { calls: [requested("a", "{}", "")] },
  ],
  [
    "usage of wrong types",
    raw({ body: body('"content":"x"', '"usage":{"prompt_tokens":"7","completion_tokens":1e300,"cost":"free"}') }),
    { usage: { input: 0, output: 1e12, cachedInput: 0, reasoning: 0 } },
  ],
  [
    "JSON by another name",
    raw({ body: body('"content":"Hi"'), headers: { "content-type": "text/plain" } }),
    { text: "Hi" },
  ],
  ["an empty error beside an answer", raw({ body: body('"content":"Hi"', '"error":null') }), { text: "Hi" }],
  [
    "the body's id, where no header has one",
    raw({ body: body('"content":"Hi"', '"id":"gen-7"'), headers: { "x-request-id": "" } }),
    { requestId: "gen-7" },
  ],
  [
    "bytes that are no UTF-8",
    raw({
      body: Buffer.concat([Buffer.from('{"choices":[{"message":{"content":"a'), Buffer.of(0xff), Buffer.from('"}}]}')]),
    }),
    { text: "a\ufffd" },
  ],
];

test("answers", async (t) => {
  const { server, answer: ask } = await lab(t, []);
  for (const [name, reply, expected] of answers)
    await t.test(name, async () => {
      server.script([reply]);
      const got = await ask();
      for (const [key, value] of Object.entries(expected))
        assert.deepEqual(got[key as keyof ModelAnswer], value, `${key} of ${JSON.stringify(got)}`);
      assert.equal("costUsd" in got, "costUsd" in expected);
    });
});

const faults: readonly (readonly [string, Reply, string, RegExp])[] = [
  ["choices that are none", raw({ body: '{"choices":[null]}' }), "retry", /no choice/],
  ["a choice without a message", raw({ body: '{"choices":[{"index":0}]}' }), "retry", /no message/],
  [
    "broken JSON",
    raw({ body: '{"choices":[{"message":{"content":"secret stuff' }),
    "retry",
    /^HTTP 200: the answer is not valid JSON$/,
  ],
  [
    "a broken off upstream",
    raw({ body: '{"choices":[{"finish_reason":"error","message":{"content":"half"}}]}' }),
    "retry",
    /broke off/,
  ],
  [
    "an error in the choice",
    raw({ body: '{"choices":[{"error":{"code":429,"message":"slow down"},"message":{"content":""}}]}' }),
    "rate-limit",
    /^HTTP 200 \(429\): slow down$/,
  ],
];

test("answers that are none", async (t) => {
  const { server, failure } = await lab(t, []);
  for (const [name, reply, expected, message] of faults)
    await t.test(name, async () => {
      server.script([reply]);
      const got = await failure();
      assert.equal(got.class, expected, JSON.stringify(got));
      assert.match(got.message, message);
    });
});

test("the verbatim message keeps what we do not know, and comes back with our ids", async (t) => {
  const extra = {
    reasoning_details: [
      { type: "reasoning.encrypted", id: "call_p", data: "zzz" },
      { type: "reasoning.text", text: "hm" },
    ],
  };
  const signed = { extra_content: { google: { thought_signature: "sig" } } };
  const asking = call("gmail_fetch_mails", { query: "x" }, { id: "call_p", extra: signed });
  const { server, answer: ask } = await lab(t, [{ ...asking, extra }, say("Done.")]);
  const first = await ask();
  await ask({
    messages: [
      { role: "user", text: "What is new?" },
      { role: "assistant", verbatim: first.verbatim, text: first.text, callIds: ["t0c0"] },
      { role: "tool", callId: "t0c0", name: "gmail_fetch_mails", text: '{"messages":[]}' },
    ],
  });
  const body = server.requests[1]?.body as { messages: unknown[] };
  assert.deepEqual(body.messages[2], {
    role: "assistant",
    content: null,
    refusal: null,
    annotations: [],
    reasoning_details: [
      { type: "reasoning.encrypted", id: "t0c0", data: "zzz" },
      { type: "reasoning.text", text: "hm" },
    ],
    tool_calls: [
      { ...signed, id: "t0c0", type: "function", function: { name: "gmail_fetch_mails", arguments: '{"query":"x"}' } },
    ],
  });
  assert.deepEqual(body.messages[3], { role: "tool", tool_call_id: "t0c0", content: '{"messages":[]}' });
});

test("1,000 calls: all are read, and 128 go back with their answers, as OpenAI takes no more", async (t) => {
  const { server, answer: ask } = await lab(t, [manyCalls(1_000, "gmail_fetch_mails"), say("Enough.")]);
  const { calls: asked, verbatim } = await ask();
  assert.equal(asked.length, 1_000);
  const callIds = asked.map((_, i) => `t0c${i}`);
  const results = callIds.map((callId) => ({ role: "tool", callId, name: "gmail_fetch_mails", text: "{}" }) as const);
  const end = await ask({
    messages: [{ role: "user", text: "Go" }, { role: "assistant", verbatim, text: "", callIds }, ...results],
  });
  assert.equal(end.text, "Enough.");
  assert.equal(server.requests[1]?.messages.filter((m) => m.role === "tool").length, 128);
});

function requested(name: string, args: string, providerId: string): RequestedCall {
  return { providerId, name, arguments: args };
}

function body(message: string, more = '"model":"m-1"'): string {
  return `{"choices":[{"index":0,"message":{"role":"assistant",${message}},"finish_reason":"stop"}],${more}}`;
}
