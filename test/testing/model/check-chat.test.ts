/** The strict validator: each rule broken once, and transcripts that no rule is broken by. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkChatRequest } from "../../../src/testing/model/index.ts";

const USER = { role: "user", content: "Hello" };

function callOf(id: unknown, name: unknown = "a", args: unknown = "{}"): object {
  return { id, type: "function", function: { name, arguments: args } };
}

function acting(...calls: unknown[]): object {
  return { role: "assistant", content: null, tool_calls: calls };
}

function result(id: unknown, content: unknown = "done"): object {
  return { role: "tool", tool_call_id: id, content };
}

function tool(name: unknown, more: object = {}): object {
  return { type: "function", function: { name, parameters: { type: "object", properties: {} }, ...more } };
}

function messages(...list: unknown[]): object {
  return { model: "m", messages: list };
}

function withTools(tools: unknown, more: object = {}): object {
  return { ...messages(USER), tools, ...more };
}

const SCHEMA = { type: "object", properties: { n: { type: "number" } }, required: ["n"], additionalProperties: false };

const GOOD: readonly (readonly [what: string, body: unknown])[] = [
  ["one question", messages(USER)],
  [
    "a system prompt and parts",
    messages({ role: "system", content: "Be kind" }, { role: "user", content: [{ type: "text", text: "Hi" }] }),
  ],
  [
    "calls answered in another order",
    messages(USER, acting(callOf("c1"), callOf("c2")), result("c2"), result("c1"), {
      role: "assistant",
      content: "Done",
    }),
  ],
  ["two turns of calls", messages(USER, acting(callOf("c1")), result("c1"), acting(callOf("c2")), result("c2"))],
  ["an empty result", messages(USER, acting(callOf("c1")), result("c1", ""))],
  ["broken JSON as arguments: a model wrote it", messages(USER, acting(callOf("c1", "a", '{"max')), result("c1"))],
  [
    "a custom call",
    messages(USER, acting({ id: "c1", type: "custom", custom: { name: "sh", input: "ls" } }), result("c1")),
  ],
  ["a refusal without content", messages(USER, { role: "assistant", refusal: "No" }, USER)],
  [
    "unknown fields of gateways",
    { ...messages(USER, { role: "assistant", content: "x", reasoning_details: [] }), provider: { only: ["x"] } },
  ],
  ["128 tools", withTools(Array.from({ length: 128 }, (_, i) => tool(`t${i}`)))],
  ["tool_choice none with tools", withTools([tool("a")], { tool_choice: "none", parallel_tool_calls: false })],
  ["tool_choice by name", withTools([tool("a")], { tool_choice: { type: "function", function: { name: "a" } } })],
  ["a strict tool", withTools([tool("a", { strict: true, parameters: SCHEMA })])],
  [
    "a strict output schema",
    {
      ...messages(USER),
      response_format: { type: "json_schema", json_schema: { name: "out", strict: true, schema: SCHEMA } },
    },
  ],
  [
    "json_object with the word",
    { ...messages({ role: "user", content: "Answer in JSON" }), response_format: { type: "json_object" } },
  ],
  [
    "stream with usage",
    { ...messages(USER), stream: true, stream_options: { include_usage: true }, max_completion_tokens: 1 },
  ],
  ["an id of 40 characters", messages(USER, acting(callOf("c".repeat(40))), result("c".repeat(40)))],
];

const BAD: readonly (readonly [what: string, body: unknown, ...problems: RegExp[]])[] = [
  ["no object", "text", /^body: expected a JSON object, but got string/],
  ["no model", { messages: [USER] }, /^model: /],
  ["no messages", { model: "m" }, /^messages: missing/],
  ["messages that are no list", { model: "m", messages: {} }, /^messages: expected an array/],
  ["empty messages", messages(), /^messages: empty array/],
  ["a message that is null", messages(null), /^messages\[0\]: expected an object, but got null/],
  ["an unknown role", messages({ role: "robot", content: "x" }), /^messages\[0\]\.role: .*"robot"/],
  ["a role of Object.prototype", messages({ role: "constructor", content: "x" }), /^messages\[0\]\.role: /],
  ["no content", messages({ role: "user" }), /^messages\[0\]\.content: expected a string or an array/],
  ["an empty prompt", messages({ role: "system", content: "" }, USER), /^messages\[0\]\.content: is empty/],
  [
    "an image in a system prompt",
    messages({ role: "system", content: [{ type: "image_url" }] }),
    /^messages\[0\]\.content\[0\]\.type: /,
  ],
  [
    "an image in a result",
    messages(USER, acting(callOf("c1")), result("c1", [{ type: "image_url" }])),
    /^messages\[2\]\.content\[0\]\.type: /,
  ],
  [
    "a text part without text",
    messages({ role: "user", content: [{ type: "text" }] }),
    /^messages\[0\]\.content\[0\]\.text: /,
  ],
  ["half a surrogate pair", messages({ role: "user", content: "\ud83d" }), /surrogate/],
  [
    "half a surrogate pair in arguments",
    messages(USER, acting(callOf("c1", "a", "\ude00")), result("c1")),
    /arguments: .*surrogate/,
  ],
  [
    "an answer of nothing",
    messages(USER, { role: "assistant", content: null }),
    /^messages\[1\]\.content: expected a string, got null/,
  ],
  ["an empty answer", messages(USER, { role: "assistant", content: "" }), /^messages\[1\]\.content: is empty/],
  [
    "an empty list of calls",
    messages(USER, { role: "assistant", content: "x", tool_calls: [] }),
    /^messages\[1\]\.tool_calls: empty array/,
  ],
  [
    "calls that are no list",
    messages(USER, { role: "assistant", tool_calls: {} }),
    /^messages\[1\]\.tool_calls: expected an array/,
  ],
  [
    "129 calls",
    messages(
      USER,
      acting(...Array.from({ length: 129 }, (_, i) => callOf(`c${i}`))),
      ...Array.from({ length: 129 }, (_, i) => result(`c${i}`)),
    ),
    /^messages\[1\]\.tool_calls: array too long.* maximum length 128, .* length 129/,
  ],
  ["a call that is null", messages(USER, acting(null)), /^messages\[1\]\.tool_calls\[0\]: /, /did not have response/],
  [
    "an empty id",
    messages(USER, acting(callOf("")), result("")),
    /tool_calls\[0\]\.id: .*an empty string/,
    /^messages\[2\]\.tool_call_id: /,
  ],
  [
    "an id of 41 characters",
    messages(USER, acting(callOf("c".repeat(41))), result("c".repeat(41))),
    /\.id: string too long.*40.*41/,
    /tool_call_id: string too long/,
  ],
  [
    "arguments as an object",
    messages(USER, acting(callOf("c1", "a", {})), result("c1")),
    /function\.arguments: expected a string, but got an object/,
  ],
  ["a dotted name", messages(USER, acting(callOf("c1", "a.b")), result("c1")), /function\.name: .*pattern/],
  [
    "an unknown call type",
    messages(USER, acting({ id: "c1", type: "quantum" }), result("c1")),
    /tool_calls\[0\]\.type: /,
  ],
  [
    "a call without a function",
    messages(USER, acting({ id: "c1", type: "function" }), result("c1")),
    /tool_calls\[0\]\.function: missing/,
  ],
  [
    "a call without a result",
    messages(USER, acting(callOf("c1"), callOf("c2")), result("c1")),
    /^messages\[3\]\.role: .*did not have response messages: c2$/,
  ],
  [
    "a question before the result",
    messages(USER, acting(callOf("c1")), USER, result("c1")),
    /^messages\[2\]\.role: .*: c1$/,
    /^messages\[3\]\.role: messages with role 'tool'/,
  ],
  [
    "a result of nothing",
    messages(USER, result("c1")),
    /^messages\[1\]\.role: messages with role 'tool' must be a response/,
  ],
  [
    "a result of an older turn",
    messages(USER, acting(callOf("c1")), result("c1"), acting(callOf("c2")), result("c2"), result("c1")),
    /^messages\[5\]\.tool_call_id: 'c1' not found/,
  ],
  [
    "a call answered twice",
    messages(USER, acting(callOf("c1")), result("c1"), result("c1")),
    /^messages\[3\]\.tool_call_id: Duplicate value .* messages\[2\] and messages\[3\]/,
  ],
  [
    "two calls with one id",
    messages(USER, acting(callOf("c1"), callOf("c1")), result("c1")),
    /^messages\[1\]\.tool_calls\[1\]\.id: Duplicate/,
  ],
  [
    "an id used in two turns",
    messages(USER, acting(callOf("c1")), result("c1"), acting(callOf("c1")), result("c1")),
    /^messages\[3\]\.tool_calls\[0\]\.id: Duplicate/,
  ],
  [
    "a result without an id",
    messages(USER, acting(callOf("c1")), { role: "tool", content: "x" }),
    /tool_call_id: expected/,
    /not found/,
    /did not have response/,
  ],
  ["no tools in tools", withTools([]), /^tools: empty array/],
  ["tools that are no list", withTools({}), /^tools: expected an array/],
  ["129 tools", withTools(Array.from({ length: 129 }, (_, i) => tool(`t${i}`))), /^tools: array too long/],
  [
    "a flat tool, as the Responses API takes it",
    withTools([{ type: "function", name: "a", parameters: {} }]),
    /^tools\[0\]\.function: missing/,
  ],
  ["an unknown tool type", withTools([{ type: "web" }]), /^tools\[0\]\.type: /],
  ["a tool name of 65 characters", withTools([tool("a".repeat(65))]), /^tools\[0\]\.function\.name: string too long/],
  ["two tools of one name", withTools([tool("a"), tool("a")]), /^tools: two tools have the name 'a'/],
  [
    "parameters without type object",
    withTools([tool("a", { parameters: {} })]),
    /^tools\[0\]\.function\.parameters: Invalid schema for function 'a'/,
  ],
  [
    "a strict tool that is open",
    withTools([tool("a", { strict: true, parameters: { type: "object", properties: {} } })]),
    /'additionalProperties'/,
  ],
  [
    "a strict tool with an optional property deep inside",
    withTools([
      tool("a", {
        strict: true,
        parameters: { ...SCHEMA, properties: { n: { type: "array", items: { ...SCHEMA, required: [] } } } },
      }),
    ]),
    /parameters\.properties\.n\.items: 'required' .* 'n'/,
  ],
  ["a choice without tools", { ...messages(USER), tool_choice: "none" }, /^tool_choice: 'tool_choice' is only allowed/],
  ["parallel calls without tools", { ...messages(USER), parallel_tool_calls: true }, /^parallel_tool_calls: /],
  ["a choice of an unknown word", withTools([tool("a")], { tool_choice: "any" }), /^tool_choice: expected none/],
  [
    "a choice of an unknown tool",
    withTools([tool("a")], { tool_choice: { type: "function", function: { name: "b" } } }),
    /^tool_choice: tool 'b' not found/,
  ],
  [
    "json_object without the word",
    { ...messages(USER), response_format: { type: "json_object" } },
    /^messages: must contain the word 'json'/,
  ],
  ["an unknown format", { ...messages(USER), response_format: { type: "xml" } }, /^response_format: /],
  [
    "an output schema without a schema",
    { ...messages(USER), response_format: { type: "json_schema", json_schema: { name: "o" } } },
    /json_schema\.schema: missing/,
  ],
  [
    "an output schema with a bad name",
    { ...messages(USER), response_format: { type: "json_schema", json_schema: { name: "my out", schema: {} } } },
    /json_schema\.name: /,
  ],
  ["no tokens", { ...messages(USER), max_tokens: 0 }, /^max_tokens: expected an integer/],
  ["too hot", { ...messages(USER), temperature: 3 }, /^temperature: /],
  ["both token limits", { ...messages(USER), max_tokens: 9, max_completion_tokens: 9 }, /cannot be used together/],
  [
    "stream_options without stream",
    { ...messages(USER), stream_options: { include_usage: true } },
    /^stream_options: /,
  ],
];

for (const [what, body] of GOOD) {
  test(`accepted: ${what}`, () => assert.deepEqual(checkChatRequest(body), []));
}

for (const [what, body, ...expected] of BAD) {
  test(`refused: ${what}`, () => {
    const problems = checkChatRequest(body);
    assert.equal(problems.length, expected.length, problems.join("\n"));
    for (const [i, pattern] of expected.entries()) assert.match(problems[i] ?? "", pattern);
  });
}
