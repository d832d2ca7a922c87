/** What the Responses adapter makes of odd answers of this protocol's own; those of all protocols are in answers.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/core/json.ts";
import type { ModelAnswer, RequestedCall } from "../../src/core/messages.ts";
import { answer, call, calls, finish, manyCalls, raw, type Reply, say } from "../../src/testing/model/index.ts";
import { lab } from "./lab.ts";

const CALL = { type: "function_call", id: "fc_1", call_id: "x", name: "a", arguments: '{"b":1}', status: "completed" };

const answers: readonly (readonly [string, Reply, Partial<ModelAnswer>])[] = [
  ["no status at all", body({ status: undefined, output: [text("Hi")] }), { text: "Hi", finish: "stop" }],
  ["a status nobody knows", body({ status: "resting", output: [text("Hi")] }), { text: "Hi", finish: "other" }],
  ["cut off", incomplete("max_output_tokens", [text("Hel")]), { text: "Hel", finish: "length" }],
  ["cut off in the middle of a call", incomplete("max_output_tokens", [CALL]), { finish: "length" }],
  ["cut off among its thoughts, with nothing to show", incomplete("max_output_tokens", []), { text: "", calls: [] }],
  ["filtered", incomplete("content_filter", [text("Hel")]), { text: "Hel", finish: "refused" }],
  ["incomplete for another reason", incomplete("max_messages", [CALL]), { finish: "length" }],
  ["incomplete for no reason", body({ status: "incomplete", output: [CALL] }), { finish: "length" }],
  [
    "a call that is incomplete in an answer that is not",
    body({ output: [{ ...CALL, status: "incomplete" }] }),
    { finish: "length", calls: [requested("a", '{"b":1}', "x")] },
  ],
  [
    "several texts",
    body({ output: [text("One."), { type: "reasoning", summary: [] }, text("Two.")] }),
    { text: "One.\nTwo." },
  ],
  [
    "commentary beside the answer",
    body({ output: [text("Let me see.", { phase: "commentary" }), text("Done.", { phase: "final_answer" })] }),
    { text: "Done." },
  ],
  ["commentary alone", body({ output: [text("Let me see.", { phase: "commentary" }), CALL] }), { text: "Let me see." }],
  ["a message without a type", body({ output: [{ role: "assistant", content: "Hi" }] }), { text: "Hi" }],
  ["thoughts alone", body({ output: [{ type: "reasoning", id: "rs_1", summary: [] }] }), { text: "", calls: [] }],
  ["half a surrogate pair", raw({ body: '{"output":[{"type":"message","content":"a\\ud83d"}]}' }), { text: "a\ufffd" }],
  [
    "arguments as an object",
    body({ output: [{ ...CALL, arguments: { b: 1 } }] }),
    { calls: [requested("a", '{"b":1}', "x")] },
  ],
  [
    "calls without a name or arguments",
    body({ output: [{ type: "function_call" }] }),
    { calls: [requested("", "", "")] },
  ],
  [
    "a call that wants an answer of another form",
    body({ output: [{ type: "local_shell_call", call_id: "s", action: { command: ["ls"] } }] }),
    { calls: [requested("local_shell:", '{"command":["ls"]}', "s")] },
  ],
  [
    "what the provider did by itself is no call",
    body({
      output: [
        { type: "web_search_call", id: "ws_1", status: "completed" },
        { type: "shell_call", call_id: "s1" },
        { type: "shell_call_output", call_id: "s1", output: [] },
        { ...CALL, call_id: "s2" },
        { type: "function_call_output", call_id: "s2", output: "done" },
        text("Found."),
      ],
    }),
    { text: "Found.", calls: [] },
  ],
  ["entries that are no items", body({ output: [null, 7, "x", [], {}, text("Hi")] }), { text: "Hi", calls: [] }],
  [
    "usage of wrong types",
    body({
      output: [text("x")],
      usage: { input_tokens: "7", output_tokens: 1e300, input_tokens_details: 3, cost: "free" },
    }),
    { usage: { input: 0, output: 1e12, cachedInput: 0, reasoning: 0 } },
  ],
  ["JSON by another name", body({ output: [text("Hi")] }, { "content-type": "text/plain" }), { text: "Hi" }],
  ["an empty error beside an answer", body({ error: {}, output: [text("Hi")] }), { text: "Hi" }],
  [
    "the body's id, where no header has one",
    body({ output: [text("Hi")] }, { "x-request-id": "" }),
    { requestId: "resp_1" },
  ],
  [
    "bytes that are no UTF-8",
    raw({
      body: Buffer.concat([
        Buffer.from('{"output":[{"type":"message","content":"a'),
        Buffer.of(0xff),
        Buffer.from('"}]}'),
      ]),
    }),
    { text: "a\ufffd" },
  ],
];

test("answers", async (t) => {
  const { server, answer: ask } = await lab(t, [], { protocol: "responses" });
  for (const [name, reply, expected] of answers)
    await t.test(name, async () => {
      server.script([reply]);
      const got = await ask();
      for (const [key, value] of Object.entries(expected))
        assert.deepEqual(got[key as keyof ModelAnswer], value, `${key} of ${JSON.stringify(got)}`);
    });
});

const faults: readonly (readonly [string, Reply, string, RegExp])[] = [
  ["no output", body({ output: undefined }), "retry", /^HTTP 200: the answer holds no output$/],
  ["an output that is none", body({ output: [null] }), "retry", /no output/],
  ["an output of a wrong type", body({ output: "Hi" }), "retry", /no output/],
  ["a body of chat completions", raw({ body: '{"choices":[{"message":{"content":"Hi"}}]}' }), "retry", /no output/],
  ["failed, and no word why", finish("failed", say("")), "retry", /failed to answer and does not say why$/],
  ["cancelled", finish("cancelled", say("Hel")), "retry", /^HTTP 200: the answer was cancelled at the provider$/],
  ["still in progress", finish("in_progress", call("a")), "retry", /not finished \(in_progress\)$/],
  ["queued", finish("queued", say("")), "retry", /not finished \(queued\)$/],
  ["failed: server error", failed("server_error", "Try again"), "retry", /^HTTP 200 \(server_error\): Try again$/],
  ["failed: rate limit", failed("rate_limit_exceeded", "Slow down"), "rate-limit", /rate_limit_exceeded/],
  ["failed: invalid prompt", failed("invalid_prompt", "No"), "invalid", /invalid_prompt/],
  ["failed: policy", failed("misalignment_policy_violation", "No"), "invalid", /misalignment_policy_violation/],
  ["failed: too long", failed("context_length_exceeded", "No"), "context", /context_length_exceeded/],
  ["failed: quota", failed("insufficient_quota", "No"), "billing", /insufficient_quota/],
  ["broken JSON", raw({ body: '{"output":[{"type":"message","content":"sec' }), "retry", /not valid JSON$/],
];

test("answers that are none", async (t) => {
  const { server, failure } = await lab(t, [], { protocol: "responses" });
  for (const [name, reply, expected, message] of faults)
    await t.test(name, async () => {
      server.script([reply]);
      const got = await failure();
      assert.equal(got.class, expected, JSON.stringify(got));
      assert.match(got.message, message);
    });
});

test("a model that takes no encrypted reasoning: the operator is told what to set", async (t) => {
  const refused = raw({
    status: 400,
    body: '{"error":{"message":"Encrypted content is not supported with this model.","type":"invalid_request_error"}}',
  });
  const { failure } = await lab(t, [refused], { protocol: "responses" });
  const { class: kind, message } = await failure();
  assert.equal(kind, "invalid");
  assert.match(
    message,
    /not supported with this model\. Set features\.encryptedReasoning to false in the model's profile\.$/,
  );
});

test("the provider's items go back as they came, calls under our ids with their answers", async (t) => {
  const thought = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "zzz", odd: { a: 1 } };
  const search = { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "x" } };
  const asking = calls(
    [
      call("gmail_fetch_mails", { query: "x" }, { id: "dup", extra: { signature: "sig", created_by: "me" } }),
      call("sql", "select 1", { type: "custom", id: "dup" }),
    ],
    { text: "Let me see.", items: [thought, search], extra: { phase: "commentary", odd: 7 } },
  );
  const { server, answer: ask } = await lab(t, [asking, say("Done.")], { protocol: "responses" });
  const first = await ask();
  assert.deepEqual(
    first.calls.map((one) => one.providerId),
    ["dup", "dup"],
  );
  await ask({
    messages: [
      { role: "user", text: "What is new?" },
      { role: "assistant", verbatim: first.verbatim, text: first.text, callIds: ["t0c0", "t0c1"] },
      { role: "tool", callId: "t0c0", name: "gmail_fetch_mails", text: '{"messages":[]}' },
      { role: "tool", callId: "t0c1", name: "custom:sql", text: "no" },
    ],
  });
  const { input: sent } = server.requests[1]?.body ?? {};
  const input = (sent as Record<string, unknown>[]).slice(1);
  const ids = input.map((item) => item["id"]);
  assert.match(String(ids[2]), /^msg_/);
  assert.match(String(ids[3]), /^fc_/);
  assert.match(String(ids[4]), /^ctc_/);
  assert.deepEqual(
    input.map(({ id: _id, ...item }) => item),
    [
      without(thought, "id"),
      without(search, "id"),
      {
        type: "message",
        status: "completed",
        role: "assistant",
        content: [{ type: "output_text", text: "Let me see.", annotations: [], logprobs: [] }],
        phase: "commentary",
        odd: 7,
      },
      {
        type: "function_call",
        status: "completed",
        call_id: "t0c0",
        name: "gmail_fetch_mails",
        arguments: '{"query":"x"}',
        signature: "sig",
      },
      { type: "custom_tool_call", status: "completed", call_id: "t0c1", name: "sql", input: "select 1" },
      { type: "function_call_output", call_id: "t0c0", output: '{"messages":[]}' },
      { type: "custom_tool_call_output", call_id: "t0c1", output: "no" },
    ],
  );
  assert.deepEqual(ids.slice(0, 2), ["rs_1", "ws_1"]);
});

test("1,000 calls: all are read, and all go back with their answers", async (t) => {
  const script = [manyCalls(1_000, "gmail_fetch_mails"), say("Enough.")];
  const { server, answer: ask } = await lab(t, script, { protocol: "responses" });
  const { calls: asked, verbatim } = await ask();
  const callIds = asked.map((_, i) => `t0c${i}`);
  const results = callIds.map((callId) => ({ role: "tool", callId, name: "gmail_fetch_mails", text: "{}" }) as const);
  const end = await ask({
    messages: [{ role: "user", text: "Go" }, { role: "assistant", verbatim, text: "", callIds }, ...results],
  });
  assert.equal(end.text, "Enough.");
  assert.equal(server.requests[1]?.messages.filter((m) => m.role === "tool").length, 1_000);
});

test("an answer is a turn of the transcript, however many items it has", async (t) => {
  const two = answer({ text: "b", items: [text("a"), { type: "reasoning", summary: [], encrypted_content: "z" }] });
  const { server, answer: ask } = await lab(t, [two, say("Done.")], { protocol: "responses" });
  const { verbatim, text: said } = await ask();
  const messages = [
    { role: "user", text: "Go" },
    { role: "assistant", verbatim, text: said, callIds: [] },
    { role: "user", text: "And?" },
  ] as const;
  assert.equal((await ask({ messages })).text, "Done.");
  assert.deepEqual(server.requests[1]?.messages, [
    { role: "system", text: "You help." },
    { role: "user", text: "Go" },
    { role: "assistant", text: "ab", calls: [] },
    { role: "user", text: "And?" },
  ]);
});

function requested(name: string, args: string, providerId: string): RequestedCall {
  return { providerId, name, arguments: args };
}

function text(words: string, more: JsonObject = {}): JsonObject {
  return { type: "message", role: "assistant", content: [{ type: "output_text", text: words }], ...more };
}

function body(fields: Record<string, unknown>, headers: Record<string, string> = {}): Reply {
  return raw({
    body: JSON.stringify({ id: "resp_1", object: "response", status: "completed", error: null, ...fields }),
    headers,
  });
}

function incomplete(reason: string, output: readonly unknown[]): Reply {
  return body({ status: "incomplete", incomplete_details: { reason }, output });
}

function failed(code: string, message: string): Reply {
  return body({ status: "failed", error: { code, message }, output: [] });
}

function without(item: Record<string, unknown>, field: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).filter(([key]) => key !== field));
}
