/** What is Anthropic's own: thoughts with their signatures, one message for all results, paused turns, stop reasons, the optional package. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrandError } from "../../src/core/errors.ts";
import type { Json } from "../../src/core/json.ts";
import type { Message } from "../../src/core/messages.ts";
import { needAnthropicSdk } from "../../src/models/anthropic.ts";
import { messagesRequest } from "../../src/models/messages-request.ts";
import { checkMessagesRequest, raw, type Reply, say } from "../../src/testing/model/index.ts";
import { lab, REQUEST, tool, user } from "./lab.ts";

const THOUGHT = { type: "thinking", thinking: "hm", signature: "proof", odd: 1 };
const USE = {
  type: "tool_use",
  id: "toolu_1",
  name: "gmail_fetch_mails",
  input: { query: "x" },
  caller: { type: "direct" },
};

function sent(messages: readonly Message[]): unknown[] {
  const body = messagesRequest(
    { ...REQUEST, messages },
    { apiKey: "k", protocol: "messages", features: { promptCache: false } },
  );
  assert.deepEqual(checkMessagesRequest(JSON.parse(JSON.stringify(body))), []);
  return body["messages"] as unknown[];
}

function said(content: Json, callIds: readonly string[], text = ""): Message {
  return { role: "assistant", verbatim: { type: "message", role: "assistant", content }, text, callIds };
}

test("thoughts and calls go back as they came, under our ids; all results and what is said with them are one message", () => {
  const turn = said([THOUGHT, { type: "text", text: "Let me see." }, USE, { ...USE, id: "toolu_1" }], ["t0c0", "t0c1"]);
  assert.deepEqual(sent([user("Go"), turn, tool("t0c1", "two"), tool("t0c0", "one"), user("And?")]), [
    { role: "user", content: [{ type: "text", text: "Go" }] },
    {
      role: "assistant",
      content: [THOUGHT, { type: "text", text: "Let me see." }, { ...USE, id: "t0c0" }, { ...USE, id: "t0c1" }],
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "t0c0", content: "one" },
        { type: "tool_result", tool_use_id: "t0c1", content: "two" },
        { type: "text", text: "And?" },
      ],
    },
  ]);
});

const turns: readonly (readonly [string, Json, readonly Json[]])[] = [
  [
    "a thought that nobody signed",
    [
      { ...THOUGHT, signature: "" },
      { type: "text", text: "Hi" },
    ],
    [{ type: "text", text: "Hi" }],
  ],
  ["thoughts alone", [THOUGHT], [{ type: "text", text: "(no text)" }]],
  ["a call without its result", [{ type: "text", text: "Hi" }, THOUGHT, USE], [{ type: "text", text: "Hi" }]],
  [
    "empty texts",
    [
      { type: "text", text: " " },
      { type: "text", text: "Hi" },
    ],
    [{ type: "text", text: "Hi" }],
  ],
  [
    "what the provider did by itself",
    [
      { type: "server_tool_use", id: "s1", name: "web" },
      { type: "web_search_tool_result", tool_use_id: "s1" },
      { type: "text", text: "Hi" },
    ],
    [
      { type: "server_tool_use", id: "s1", name: "web" },
      { type: "web_search_tool_result", tool_use_id: "s1" },
      { type: "text", text: "Hi" },
    ],
  ],
  [
    "what it did not finish",
    [
      { type: "server_tool_use", id: "s1" },
      { type: "text", text: "Hi" },
    ],
    [{ type: "text", text: "Hi" }],
  ],
];

test("what would be refused is left out", () => {
  for (const [name, content, expected] of turns)
    assert.deepEqual(
      (sent([user("Go"), said(content, []), user("And?")])[1] as { content: Json }).content,
      expected,
      name,
    );
});

test("a paused turn goes on with its own words, is one answer, and is paid for once", async (t) => {
  const part = (text: string, stop: string): Reply =>
    raw({
      body: JSON.stringify({
        type: "message",
        role: "assistant",
        model: "m",
        content: [
          { type: "server_tool_use", id: `s-${text}`, name: "web", input: {} },
          { type: "web_search_tool_result", tool_use_id: `s-${text}`, content: [] },
          { type: "text", text },
        ],
        stop_reason: stop,
        usage: { input_tokens: 10, cache_creation_input_tokens: 5, cache_read_input_tokens: 3, output_tokens: 2 },
      }),
    });
  const { server, answer } = await lab(
    t,
    (_request, { index }) => part(["a", "b", "c"][index] ?? "", index < 2 ? "pause_turn" : "end_turn"),
    {
      protocol: "messages",
    },
  );
  const got = await answer();
  assert.deepEqual(
    [got.text, got.finish, got.usage],
    ["abc", "stop", { input: 54, output: 6, cachedInput: 9, reasoning: 0, cacheWritten: 15 }],
  );
  assert.deepEqual(
    server.requests.flatMap(({ problems }) => problems),
    [],
  );
  assert.equal(server.requests.length, 3);
  assert.equal(
    JSON.stringify(server.requests[2]?.body["messages"]).split("server_tool_use").length,
    3,
    "both parts went back",
  );
});

const stops: readonly (readonly [Record<string, unknown>, string, string])[] = [
  [{ stop_reason: "stop_sequence" }, "stop", "Hi"],
  [{ stop_reason: "max_tokens" }, "length", "Hi"],
  [
    { stop_reason: "refusal", content: [], stop_details: { type: "refusal", explanation: "Not this." } },
    "refused",
    "Not this.",
  ],
  [{ stop_reason: null }, "other", "Hi"],
];

test("each stop reason", async (t) => {
  const { server, answer, failure } = await lab(t, [], { protocol: "messages" });
  const body = (more: Record<string, unknown>): Reply =>
    raw({ body: JSON.stringify({ type: "message", content: [{ type: "text", text: "Hi" }], ...more }) });
  for (const [more, finish, text] of stops) {
    server.script([body(more)]);
    const got = await answer();
    assert.deepEqual([got.finish, got.text], [finish, text], JSON.stringify(more));
  }
  server.script([body({ stop_reason: "model_context_window_exceeded" })]);
  assert.equal((await failure()).class, "context");
  server.script([
    raw({
      status: 400,
      body: '{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}}',
    }),
  ]);
  assert.equal((await failure()).class, "billing");
});

test("the key goes out as a bearer token, or as x-api-key", async (t) => {
  for (const apiKeyHeader of [false, true]) {
    const { server, answer } = await lab(t, [say("Hi")], { protocol: "messages", features: { apiKeyHeader } });
    await answer();
    const { "x-api-key": key, authorization } = server.requests[0]?.headers ?? {};
    assert.deepEqual([key, authorization], apiKeyHeader ? ["***", undefined] : [undefined, "Bearer ***"]);
  }
});

test("without the package, a worker does not start, and says what to install", () => {
  assert.throws(
    () =>
      needAnthropicSdk(() => {
        throw new Error("Cannot find module");
      }),
    (error: unknown) =>
      error instanceof ErrandError &&
      error.code === "option-invalid" &&
      error.message.includes("npm install @anthropic-ai/sdk"),
  );
  needAnthropicSdk();
});
