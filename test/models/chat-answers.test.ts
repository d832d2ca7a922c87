/** What the adapter makes of each odd answer of facts/seeds.md D.4 and C.2, over the wire. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelAnswer, RequestedCall } from "../../src/core/messages.ts";
import {
  answer,
  call,
  calls,
  empty,
  errorBody,
  finish,
  html,
  manyCalls,
  noChoices,
  raw,
  refusal,
  type Reply,
  say,
  withUsage,
} from "../../src/testing/model/index.ts";
import { lab } from "./lab.ts";

const answers: readonly (readonly [string, Reply, Partial<ModelAnswer>])[] = [
  ["a text", say("Hello."), { text: "Hello.", finish: "stop", calls: [], servedModel: "m-1", tookMs: 7 }],
  ["cut off", finish("length", say("Hel")), { text: "Hel", finish: "length" }],
  ["cut off, in Mistral's word", finish("model_length", say("Hel")), { finish: "length" }],
  ["filtered", finish("content_filter", say("Hel")), { text: "Hel", finish: "refused" }],
  ["filtered in capitals", finish("CONTENT_FILTER", say("Hel")), { finish: "refused" }],
  ["an unknown finish", finish("eos", say("Hello.")), { text: "Hello.", finish: "other" }],
  ["a refusal", refusal("I will not."), { text: "I will not.", finish: "refused" }],
  [
    "a refusal as a part",
    answer({ extra: { content: [{ type: "refusal", refusal: "No." }] } }),
    { text: "No.", finish: "refused" },
  ],
  ["empty", empty(""), { text: "", calls: [] }],
  ["null", empty(null), { text: "", calls: [] }],
  [
    "content in parts",
    answer({
      extra: {
        content: [
          { type: "thinking", thinking: [] },
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
    }),
    { text: "ab" },
  ],
  ["content of a wrong type", answer({ extra: { content: 7 } }), { text: "" }],
  ["half a surrogate pair", raw({ body: body('"content":"a\\ud83d"') }), { text: "a\ufffd" }],
  ["another model than asked for", say("Hi", { model: "big/other" }), { servedModel: "big/other" }],
  [
    "calls, finish stop",
    finish("stop", call("a", { b: 1 }, { id: "x" })),
    { finish: "stop", calls: [requested("a", '{"b":1}', "x")] },
  ],
  [
    "calls, cut off",
    finish("length", call("a", '{"b', { id: "x" })),
    { finish: "length", calls: [requested("a", '{"b', "x")] },
  ],
  ["no arguments", call("a", "", { id: "x" }), { calls: [requested("a", "", "x")] }],
  [
    "arguments as an object",
    raw({ body: body('"tool_calls":[{"id":"x","function":{"name":"a","arguments":{"b":1}}}]') }),
    { calls: [requested("a", '{"b":1}', "x")] },
  ],
  [
    "the same id twice, and none",
    calls([
      call("a", {}, { id: "tool:0" }),
      call("b", {}, { id: "tool:0" }),
      call("c", {}, { id: "" }),
      call("d", {}, { id: null }),
    ]),
    {
      calls: [
        requested("a", "{}", "tool:0"),
        requested("b", "{}", "tool:0"),
        requested("c", "{}", ""),
        requested("d", "{}", ""),
      ],
    },
  ],
  [
    "a custom call with the name of a tool is none of our tools",
    call("gmail_fetch_mails", "free text", { type: "custom", id: "x" }),
    { calls: [requested("custom:gmail_fetch_mails", "free text", "x")] },
  ],
  [
    "a call of a type nobody knows",
    raw({ body: body('"tool_calls":[{"id":"x","type":"web","web":{"name":"find"}}, null, "a"]') }),
    { calls: [requested("web:find", "", "x")] },
  ],
  [
    "a name and an id of a megabyte",
    call("x".repeat(1_000_000), {}, { id: "y".repeat(1_000_000) }),
    { calls: [requested("x".repeat(200), "{}", "y".repeat(200))] },
  ],
  [
    "the call of the first protocol",
    raw({ body: body('"function_call":{"name":"a","arguments":"{}"},"tool_calls":[]') }),
    { calls: [requested("a", "{}", "")] },
  ],
  ["no usage", withUsage(null, say("Hi")), { usage: { input: 0, output: 0, cachedInput: 0, reasoning: 0 } }],
  [
    "negative usage",
    withUsage({ input: -5, output: -1, cached: -3, reasoning: -2 }, say("Hi")),
    { usage: { input: 0, output: 0, cachedInput: 0, reasoning: 0 } },
  ],
  [
    "usage with cost",
    withUsage({ input: 10, output: 4, cached: 6, reasoning: 3, cost: 0.0021 }, say("Hi")),
    { usage: { input: 10, output: 4, cachedInput: 6, reasoning: 3 }, costUsd: 0.0021 },
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
  ["no choices", noChoices(), "retry", /^HTTP 200: the answer holds no choice$/],
  ["choices that are none", raw({ body: '{"choices":[null]}' }), "retry", /no choice/],
  ["a choice without a message", raw({ body: '{"choices":[{"index":0}]}' }), "retry", /no message/],
  ["a web page", html(), "retry", /^HTTP 200: the answer is not a JSON object$/],
  ["a list", raw({ body: "[]" }), "retry", /not a JSON object/],
  ["nothing", raw({ body: "" }), "retry", /not a JSON object/],
  ["null", raw({ body: "null" }), "retry", /not a JSON object/],
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
  ["error body, number", errorBody({ code: 502 }), "retry", /^HTTP 200 \(server_error, 502\): Upstream error$/],
  ["error body, 429", errorBody({ code: 429 }), "rate-limit", /429/],
  ["error body, text of digits", errorBody({ code: "429", type: "throttling_error" }), "rate-limit", /429/],
  ["error body, 401", errorBody({ code: 401 }), "credentials", /401/],
  ["error body, 402", errorBody({ code: 402 }), "billing", /402/],
  ["error body, 403", errorBody({ code: 403 }), "credentials", /403/],
  ["error body, 404", errorBody({ code: 404 }), "invalid", /404/],
  ["error body, 408", errorBody({ code: 408 }), "retry", /408/],
  ["error body, 413", errorBody({ code: 413 }), "context", /413/],
  ["error body, 400", errorBody({ code: 400 }), "invalid", /400/],
  ["error body, words only", errorBody({ code: null, type: "rate_limit_error" }), "rate-limit", /rate_limit_error/],
  ["error body, quota", errorBody({ code: "insufficient_quota" }), "billing", /insufficient_quota/],
  ["error body, context", errorBody({ code: "context_length_exceeded" }), "context", /context_length_exceeded/],
  ["error body, no code", errorBody({ code: null, type: "odd" }), "retry", /odd/],
  ["error as a text", raw({ body: '{"error":"overloaded"}' }), "retry", /^HTTP 200: overloaded$/],
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

test("a 200k-token answer arrives whole", async (t) => {
  const text = "word ".repeat(200_000);
  const { answer: ask } = await lab(t, [say(text)]);
  assert.equal((await ask()).text, text);
});

test("the request id is the header's", async (t) => {
  const { answer: ask } = await lab(t, [say("Hi", { headers: { "x-request-id": "req_1" } })]);
  assert.equal((await ask()).requestId, "req_1");
});

function requested(name: string, args: string, providerId: string): RequestedCall {
  return { providerId, name, arguments: args };
}

function body(message: string, more = '"model":"m-1"'): string {
  return `{"choices":[{"index":0,"message":{"role":"assistant",${message}},"finish_reason":"stop"}],${more}}`;
}
