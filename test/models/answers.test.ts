/** What each adapter makes of each odd answer of facts/seeds.md D.4 and C.2, over the wire. The same replies on all protocols. */
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
  noChoices,
  raw,
  refusal,
  type Reply,
  say,
  withUsage,
} from "../../src/testing/model/index.ts";
import { lab, PROTOCOLS } from "./lab.ts";

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
    "a name and an id of a megabyte",
    call("x".repeat(1_000_000), {}, { id: "y".repeat(1_000_000) }),
    { calls: [requested("x".repeat(200), "{}", "y".repeat(200))] },
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
];

for (const protocol of PROTOCOLS)
  test(`answers (${protocol})`, async (t) => {
    const { server, answer: ask } = await lab(t, [], { protocol });
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
  ["no answer at all", noChoices(), "retry", /^HTTP 200: the answer holds no (choice|output|content)$/],
  ["a web page", html(), "retry", /^HTTP 200: the answer is not a JSON object$/],
  ["a list", raw({ body: "[]" }), "retry", /not a JSON object/],
  ["nothing", raw({ body: "" }), "retry", /^HTTP 200: the answer is not (a JSON object|valid JSON)$/],
  ["null", raw({ body: "null" }), "retry", /not a JSON object/],
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

for (const protocol of PROTOCOLS)
  test(`answers that are none (${protocol})`, async (t) => {
    const { server, failure } = await lab(t, [], { protocol });
    for (const [name, reply, expected, message] of faults)
      await t.test(name, async () => {
        server.script([reply]);
        const got = await failure();
        assert.equal(got.class, expected, JSON.stringify(got));
        assert.match(got.message, message);
      });
  });

for (const protocol of PROTOCOLS)
  test(`a 200k-token answer arrives whole (${protocol})`, async (t) => {
    const text = "word ".repeat(200_000);
    const { answer: ask } = await lab(t, [say(text)], { protocol });
    assert.equal((await ask()).text, text);
  });

const ID_HEADER = { chat: "x-request-id", responses: "x-request-id", messages: "request-id" };

for (const protocol of PROTOCOLS)
  test(`the request id is the header's (${protocol})`, async (t) => {
    const { answer: ask } = await lab(t, [say("Hi", { headers: { [ID_HEADER[protocol]]: "req_1" } })], { protocol });
    assert.equal((await ask()).requestId, "req_1");
  });

function requested(name: string, args: string, providerId: string): RequestedCall {
  return { providerId, name, arguments: args };
}
