/** Every reply a script can give, as OpenAI's own SDK sees it over the wire. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { APIConnectionError, APIError, RateLimitError } from "openai";
import type { ChatCompletion } from "openai/resources/chat/completions";
import * as script from "../../../src/testing/model/index.ts";
import { lab } from "./client.ts";

type Seen = ChatCompletion | Error;
type Row = readonly [what: string, reply: script.Reply, check: (seen: Seen) => void];

function whole(seen: Seen): ChatCompletion {
  if (seen instanceof Error) assert.fail(`expected an answer, got ${seen.message}`);
  return seen;
}

function message(seen: Seen): ChatCompletion.Choice["message"] {
  return choice(seen).message;
}

function choice(seen: Seen): ChatCompletion.Choice {
  const first = whole(seen).choices[0];
  assert.ok(first !== undefined);
  return first;
}

/** Name and arguments of each call. */
function called(seen: Seen): unknown[] {
  return (message(seen).tool_calls ?? []).map((one) =>
    one.type === "function" ? [one.function.name, one.function.arguments] : [one.custom.name, one.custom.input],
  );
}

function ids(seen: Seen): unknown[] {
  return (message(seen).tool_calls ?? []).map((one) => one.id);
}

/** A field that the SDK's types do not know. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce((inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key], value);
}

/** What the SDK gave that is no completion: an error's message, or a body that was not JSON. */
function text(seen: unknown): string {
  return seen instanceof Error ? seen.message : typeof seen === "string" ? seen : JSON.stringify(seen);
}

function failed(seen: Seen): APIError {
  assert.ok(seen instanceof APIError, "expected an APIError");
  return seen as APIError;
}

const ROWS: readonly Row[] = [
  [
    "say",
    script.say("Good morning"),
    (seen) => {
      assert.equal(message(seen).content, "Good morning");
      assert.equal(choice(seen).finish_reason, "stop");
      assert.equal(whole(seen).model, "m-1");
      assert.equal(whole(seen).object, "chat.completion");
      assert.equal(whole(seen).usage?.completion_tokens, 3, "12 characters are 3 tokens");
      assert.match(String(at(seen, "_request_id")), /^req_[0-9a-f]{32}$/);
      assert.equal("tool_calls" in message(seen), false);
    },
  ],
  [
    "call",
    script.call("gmail_fetch_mails", { max_results: 5 }),
    (seen) => {
      assert.deepEqual(called(seen), [["gmail_fetch_mails", '{"max_results":5}']]);
      assert.equal(choice(seen).finish_reason, "tool_calls");
      assert.equal(message(seen).content, null);
      assert.match(String(ids(seen)[0]), /^call_[0-9a-f]{24}$/);
    },
  ],
  [
    "calls with text beside them",
    script.calls([script.call("a"), script.call("b", { n: 1 })], { text: "Looking" }),
    (seen) => {
      assert.deepEqual(called(seen), [
        ["a", "{}"],
        ["b", '{"n":1}'],
      ]);
      assert.equal(new Set(ids(seen)).size, 2);
      assert.equal(message(seen).content, "Looking");
    },
  ],
  ["json", script.json({ unread: 3 }), (seen) => assert.equal(message(seen).content, '{"unread":3}')],
  [
    "duplicate and empty ids",
    script.calls([
      script.call("a", {}, { id: "tool:0" }),
      script.call("b", {}, { id: "tool:0" }),
      script.call("c", {}, { id: "" }),
    ]),
    (seen) => assert.deepEqual(ids(seen), ["tool:0", "tool:0", ""]),
  ],
  ["no id at all", script.call("a", {}, { id: null }), (seen) => assert.deepEqual(ids(seen), [undefined])],
  [
    "a custom call",
    script.call("shell", "ls -l", { type: "custom" }),
    (seen) => assert.deepEqual(called(seen), [["shell", "ls -l"]]),
  ],
  [
    "a call of an unknown type",
    script.call("a", {}, { type: "quantum" }),
    (seen) => assert.equal(message(seen).tool_calls?.[0]?.type as string, "quantum"),
  ],
  [
    "further fields of calls and messages",
    script.calls([script.call("a", {}, { extra: { extra_content: { google: { thought_signature: "s" } } } })], {
      extra: { reasoning_details: [{ type: "reasoning.text" }] },
    }),
    (seen) => {
      assert.deepEqual(at(message(seen), "reasoning_details"), [{ type: "reasoning.text" }]);
      assert.deepEqual(at(message(seen), "tool_calls", 0, "extra_content"), { google: { thought_signature: "s" } });
    },
  ],
  ["brokenArguments", script.brokenArguments("a", '{"max'), (seen) => assert.deepEqual(called(seen), [["a", '{"max']])],
  ["empty arguments", script.call("a", ""), (seen) => assert.deepEqual(called(seen), [["a", ""]])],
  [
    "manyCalls",
    script.manyCalls(1000, "a"),
    (seen) => {
      assert.equal(called(seen).length, 1000);
      assert.equal(new Set(ids(seen)).size, 1000);
      assert.deepEqual(called(seen)[999], ["a", '{"index":999}']);
    },
  ],
  ["empty", script.empty(), (seen) => assert.equal(message(seen).content, "")],
  ["empty as null", script.empty(null), (seen) => assert.equal(message(seen).content, null)],
  [
    "refusal",
    script.refusal("I can't help with that"),
    (seen) => {
      assert.equal(message(seen).refusal, "I can't help with that");
      assert.equal(message(seen).content, null);
    },
  ],
  [
    "finish length",
    script.finish("length", script.say("Half a")),
    (seen) => assert.equal(choice(seen).finish_reason, "length"),
  ],
  ["finish weird", script.finish("weird"), (seen) => assert.equal(choice(seen).finish_reason as string, "weird")],
  [
    "finish stop with calls",
    script.finish("stop", script.call("a")),
    (seen) => assert.deepEqual([choice(seen).finish_reason, called(seen).length], ["stop", 1]),
  ],
  ["no usage", script.withUsage(null, script.say("x")), (seen) => assert.equal("usage" in whole(seen), false)],
  [
    "usage of our own",
    script.withUsage({ input: 100, output: -5, cached: 80, reasoning: 7, cost: 0.25 }, script.say("x")),
    (seen) => {
      const usage = whole(seen).usage;
      assert.deepEqual([usage?.prompt_tokens, usage?.completion_tokens, usage?.total_tokens], [100, -5, 95]);
      assert.equal(usage?.prompt_tokens_details?.cached_tokens, 80);
      assert.equal(usage?.completion_tokens_details?.reasoning_tokens, 7);
      assert.equal(at(usage, "cost"), 0.25);
    },
  ],
  ["another model answers", script.say("x", { model: "m-2" }), (seen) => assert.equal(whole(seen).model, "m-2")],
  [
    "httpError 429",
    script.httpError(429, { retryAfter: 120, code: "rate_limit_exceeded" }),
    (seen) => {
      assert.ok(seen instanceof RateLimitError);
      assert.deepEqual(
        [seen.headers.get("retry-after"), seen.code, seen.type],
        ["120", "rate_limit_exceeded", "rate_limit_error"],
      );
    },
  ],
  [
    "httpError with anything",
    script.httpError(529, { message: "Overloaded", retryAfter: "soon", headers: { "x-should-retry": "false" } }),
    (seen) => {
      assert.deepEqual([failed(seen).status, failed(seen).headers?.get("retry-after")], [529, "soon"]);
      assert.match(failed(seen).message, /Overloaded/);
    },
  ],
  [
    "errorBody",
    script.errorBody({ message: "Upstream is down", code: 503 }),
    (seen) => {
      assert.equal(whole(seen).choices as unknown, undefined);
      assert.equal(at(whole(seen), "error", "message"), "Upstream is down");
      assert.equal(at(whole(seen), "error", "code"), 503);
    },
  ],
  ["noChoices", script.noChoices(), (seen) => assert.deepEqual(whole(seen).choices, [])],
  ["html", script.html(), (seen) => assert.match(text(seen), /^<!doctype html>/)],
  ["html as an error", script.html(502), (seen) => assert.equal(failed(seen).status, 502)],
  [
    "raw bytes",
    script.raw({ body: Uint8Array.of(0x7b, 0xff, 0xfe), headers: { "x-odd": "1" } }),
    (seen) => assert.ok(seen instanceof SyntaxError),
  ],
  ["an empty body", script.raw({ status: 500 }), (seen) => assert.equal(failed(seen).status, 500)],
  ["disconnect", script.disconnect(), (seen) => assert.match(text(seen), /terminated|Connection error/)],
  ["slow", script.slow(1, script.say("Grüße 😀"), 40), (seen) => assert.equal(message(seen).content, "Grüße 😀")],
  ["late", script.late(1, script.say("Here")), (seen) => assert.equal(message(seen).content, "Here")],
  [
    "a very long answer",
    script.say("x".repeat(800_000)),
    (seen) => assert.equal(message(seen).content?.length, 800_000),
  ],
];

for (const [what, reply, check] of ROWS) {
  test(`${what} arrives as scripted`, async (t) => {
    const { ask } = await lab(t, [reply]);
    check(await ask().catch((error: unknown) => error as Error));
  });
}

test("hang: nothing comes until the client gives up", async (t) => {
  const { client, model } = await lab(t, [script.hang()]);
  const gaveUp = new AbortController();
  const asked = client.chat.completions.create(
    { model: "m-1", messages: [{ role: "user", content: "Hello" }] },
    { signal: gaveUp.signal },
  );
  await model.waitFor((request) => request.outcome === "open");
  gaveUp.abort();
  await assert.rejects(asked, /aborted/);
  assert.equal((await model.waitFor((request) => request.outcome !== "open")).outcome, "aborted");
});

test("hang with a reply: half of the body comes, and then nothing", async (t) => {
  const { model } = await lab(t, [script.hang(script.say("A long enough answer"))]);
  const response = await fetch(`${model.url}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${model.apiKey}` },
    body: JSON.stringify({ model: "m-1", messages: [{ role: "user", content: "Hello" }] }),
  });
  const reader = response.body?.getReader();
  const first: { readonly value?: Uint8Array } | undefined = await reader?.read();
  assert.equal(response.status, 200);
  assert.ok(Number(first?.value?.length) < Number(response.headers.get("content-length")));
  await reader?.cancel();
  await model.waitFor((request) => request.outcome === "aborted");
});

test("a connection that breaks before the first byte is a connection error", async (t) => {
  const { ask, model } = await lab(t, [script.hang()]);
  const asked = ask();
  await model.waitFor(() => true);
  await model.close();
  await assert.rejects(asked, APIConnectionError);
});

test("stream: the same answer in pieces, with usage when asked for", async (t) => {
  const reply = script.calls([script.call("a", { text: "ä".repeat(60) }), script.call("b")], {
    text: "Let me look 👀 at that for a while.",
  });
  const { client, ask } = await lab(t, [reply]);
  const stream = client.chat.completions.stream({
    model: "m-1",
    messages: [{ role: "user", content: "Hello" }],
    stream_options: { include_usage: true },
  });
  const streamed = await stream.finalChatCompletion();
  const direct = await ask();
  assert.equal(streamed.choices[0]?.message.content, direct.choices[0]?.message.content);
  assert.deepEqual(
    streamed.choices[0]?.message.tool_calls?.map((one) => at(one, "function", "arguments")),
    [`{"text":"${"ä".repeat(60)}"}`, "{}"],
  );
  assert.equal(streamed.choices[0]?.finish_reason, "tool_calls");
  assert.equal(streamed.usage?.completion_tokens, direct.usage?.completion_tokens);
});

test("stream: a connection that breaks in the middle is an error, not a short answer", async (t) => {
  const { client } = await lab(t, [script.disconnect(script.say("word ".repeat(100)))]);
  const read = async (): Promise<string> => {
    let text = "";
    const messages = [{ role: "user" as const, content: "Hello" }];
    for await (const chunk of await client.chat.completions.create({ model: "m-1", messages, stream: true }))
      text += chunk.choices[0]?.delta.content ?? "";
    return text;
  };
  await assert.rejects(read(), /terminated|Connection error/);
});
