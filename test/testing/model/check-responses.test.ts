/** What the real Responses API would refuse, each rule seen to refuse. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkResponsesRequest } from "../../../src/testing/model/index.ts";

type Fields = Record<string, unknown>;

const USER = { role: "user", content: "Hello" };
const CALL = { type: "function_call", id: "fc_1", call_id: "c1", name: "a", arguments: "{}", status: "completed" };
const OUTPUT = { type: "function_call_output", call_id: "c1", output: "done" };
const CUSTOM = { type: "custom_tool_call", call_id: "c2", name: "sql", input: "select 1" };
const CUSTOM_OUTPUT = { type: "custom_tool_call_output", call_id: "c2", output: "" };
const THOUGHT = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "zzz" };
const TEXT = {
  type: "message",
  id: "msg_1",
  role: "assistant",
  status: "completed",
  phase: "final_answer",
  content: [{ type: "output_text", text: "Hi", annotations: [] }],
};
const TOOL = { type: "function", name: "a", parameters: { type: "object", properties: {} }, strict: false };

function problems(body: Fields): string[] {
  return checkResponsesRequest({ model: "m-1", store: false, input: [USER], ...body });
}

const good: readonly (readonly [string, Fields])[] = [
  ["a text", { input: "Hello" }],
  [
    "all kinds of items",
    { input: [{ role: "developer", content: "Be kind" }, USER, THOUGHT, TEXT, CALL, CUSTOM, OUTPUT, CUSTOM_OUTPUT] },
  ],
  ["parts", { input: [{ role: "user", content: [{ type: "input_text", text: "Hello" }] }] }],
  ["an answer in short", { input: [USER, { role: "assistant", content: "Hi", phase: "commentary" }, USER] }],
  ["an item of tomorrow", { input: [USER, THOUGHT, { type: "dream", id: "d" }] }],
  [
    "the provider's own tools",
    { input: [USER, { type: "shell_call", call_id: "s" }, { type: "shell_call_output", call_id: "s" }, TEXT] },
  ],
  ["a thought that is stored", { store: true, input: [USER, { ...THOUGHT, encrypted_content: null }, TEXT] }],
  [
    "tools",
    {
      tools: [TOOL, { type: "custom", name: "sql" }, { type: "web_search" }],
      tool_choice: { type: "function", name: "a" },
    },
  ],
  [
    "a strict tool",
    { tools: [{ ...TOOL, strict: true, parameters: { type: "object", properties: {}, additionalProperties: false } }] },
  ],
  ["a format", { text: { format: { type: "json_schema", name: "x", schema: { type: "object" }, strict: false } } }],
  [
    "the rest",
    { include: ["reasoning.encrypted_content"], max_output_tokens: 16, temperature: 0, parallel_tool_calls: false },
  ],
];

test("what the real API takes", () => {
  for (const [name, body] of good) assert.deepEqual(problems(body), [], name);
});

const bad: readonly (readonly [string, Fields, RegExp])[] = [
  ["no model", { model: "" }, /^model: you must provide/],
  ["no input", { input: undefined }, /^input: missing required parameter/],
  ["an empty input", { input: [] }, /^input: empty array/],
  ["an empty text", { input: "" }, /^input: is empty/],
  ["chat's messages", { messages: [] }, /^messages: Unsupported parameter\. .*moved to 'input'/],
  ["chat's format", { response_format: {} }, /^response_format: .*moved to 'text\.format'/],
  ["chat's bound", { max_tokens: 20 }, /^max_tokens: .*moved to 'max_output_tokens'/],
  ["instructions in parts", { instructions: [] }, /^instructions: expected a string/],
  ["half a character", { instructions: "\ud83d" }, /^instructions: /],
  ["no role", { input: [{ type: "message", content: "x" }] }, /^input\[0\]\.role: Invalid value/],
  ["chat's tool message", { input: [{ role: "tool", content: "x" }] }, /^input\[0\]\.role: Invalid value: "tool"/],
  ["an empty message", { input: [{ role: "user", content: [] }] }, /^input\[0\]\.content: empty array/],
  [
    "a part of the other side",
    { input: [{ role: "user", content: [{ type: "output_text", text: "x" }] }] },
    /content\[0\]\.type: Invalid value: "output_text"\. Supported values are: input_text/,
  ],
  ["an answer in parts without its id", { input: [{ ...TEXT, id: undefined }] }, /needs its id and its status/],
  ["an id of another kind", { input: [{ ...TEXT, id: "x_1" }] }, /^input\[0\]\.id: .*begins with 'msg'/],
  ["an unknown phase", { input: [{ ...TEXT, phase: "x" }] }, /^input\[0\]\.phase/],
  ["an unknown status", { input: [{ ...TEXT, status: "done" }] }, /^input\[0\]\.status/],
  ["an item of no type", { input: [{ type: "" }] }, /^input\[0\]\.type: Invalid value/],
  ["a call without its id", { input: [{ ...CALL, call_id: undefined }, OUTPUT] }, /^input\[0\]\.call_id: missing/],
  [
    "an empty call id",
    {
      input: [
        { ...CALL, call_id: "" },
        { ...OUTPUT, call_id: "" },
      ],
    },
    /^input\[0\]\.call_id: empty string/,
  ],
  [
    "a call id of 65",
    {
      input: [
        { ...CALL, call_id: "x".repeat(65) },
        { ...OUTPUT, call_id: "x".repeat(65) },
      ],
    },
    /maximum length 64, but got a string with length 65/,
  ],
  ["the call id as item id", { input: [{ ...CALL, id: "call_1" }, OUTPUT] }, /^input\[0\]\.id: .*begins with 'fc'/],
  [
    "a name that is none",
    { input: [{ ...CALL, name: "a.b" }, OUTPUT] },
    /^input\[0\]\.name: string does not match pattern/,
  ],
  [
    "broken arguments",
    { input: [{ ...CALL, arguments: '{"a' }, OUTPUT] },
    /^input\[0\]\.arguments: expected valid JSON/,
  ],
  [
    "arguments that are a list",
    { input: [{ ...CALL, arguments: "[]" }, OUTPUT] },
    /^input\[0\]\.arguments: expected the JSON of an object/,
  ],
  ["a call without an answer", { input: [CALL, USER] }, /No tool output found for function call c1/],
  ["a call without an answer, at the end", { input: [USER, CALL] }, /No tool output found for function call c1/],
  [
    "an answer without a call",
    { input: [USER, OUTPUT] },
    /No tool call found for function call output with call_id c1/,
  ],
  ["two answers", { input: [CALL, OUTPUT, OUTPUT] }, /^input\[2\]\.call_id: No tool call found/],
  [
    "answers in another order",
    { input: [CALL, CUSTOM, CUSTOM_OUTPUT, OUTPUT] },
    /^input\[2\]\.call_id: .*in the place of the one for c1/,
  ],
  [
    "an answer of another kind",
    { input: [CALL, { ...CUSTOM_OUTPUT, call_id: "c1" }] },
    /^input\[1\]\.call_id: No tool call found/,
  ],
  ["an answer that comes too late", { input: [CALL, USER, OUTPUT] }, /No tool output found/],
  [
    "the same call id in two turns",
    { input: [CALL, OUTPUT, { ...CALL, id: "fc_2" }, OUTPUT] },
    /Duplicate function call id c1/,
  ],
  ["the same item twice", { input: [TEXT, USER, TEXT] }, /Duplicate item found with id msg_1/],
  [
    "a thought with nothing in it",
    { input: [{ ...THOUGHT, encrypted_content: null }, TEXT] },
    /Item with id 'rs_1' not found\. Items are not persisted/,
  ],
  [
    "a thought without a summary",
    { input: [{ ...THOUGHT, summary: undefined }, TEXT] },
    /^input\[0\]\.summary: missing/,
  ],
  [
    "a thought that leads nowhere",
    { input: [TEXT, THOUGHT, USER] },
    /^input\[1\]: Item 'rs_1' of type 'reasoning' was provided without its required following item/,
  ],
  ["a reference", { input: [{ type: "item_reference", id: "msg_1" }] }, /Item with id 'msg_1' not found/],
  [
    "chat's tools",
    { tools: [{ type: "function", function: { name: "a" } }] },
    /^tools\[0\]\.name: missing required parameter/,
  ],
  [
    "a tool that does not say whether it is strict",
    { tools: [{ ...TOOL, strict: undefined }] },
    /^tools\[0\]\.strict: missing required parameter/,
  ],
  ["a strict tool that is not", { tools: [{ ...TOOL, strict: true }] }, /'additionalProperties' is required/],
  [
    "a schema that is no object's",
    { tools: [{ ...TOOL, parameters: { type: "array" } }] },
    /^tools\[0\]\.parameters: Invalid schema for function 'a'/,
  ],
  [
    "129 tools",
    { tools: Array.from({ length: 129 }, (_, i) => ({ ...TOOL, name: `t${i}` })) },
    /^tools: array too long/,
  ],
  ["two of a name", { tools: [TOOL, TOOL] }, /^tools: two tools have the name 'a'/],
  [
    "a choice that there is not",
    { tools: [TOOL], tool_choice: { type: "function", name: "b" } },
    /^tool_choice: .*'b' not found/,
  ],
  ["few tokens", { max_output_tokens: 15 }, /^max_output_tokens: expected an integer of at least 16/],
  ["stored nowhere, asked for later", { background: true }, /^background: /],
  ["an answer that is not kept", { previous_response_id: "resp_1" }, /^previous_response_id: .*'resp_1' not found/],
  ["store as a text", { store: "no" }, /^store: expected a boolean/],
];

test("each rule refuses", () => {
  for (const [name, body, message] of bad) {
    const found = problems(body);
    assert.ok(found.length > 0, `${name}: accepted`);
    assert.ok(
      found.some((problem) => message.test(problem)),
      `${name}: ${found.join(" | ")}`,
    );
  }
  assert.deepEqual(checkResponsesRequest(null), ["body: expected a JSON object, but got null instead."]);
});
