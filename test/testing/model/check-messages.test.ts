/** The validator of Anthropic's messages: what it lets through, and the one thing that is wrong with each other body. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkMessagesRequest } from "../../../src/testing/model/index.ts";

const USER = { role: "user", content: "Go" };
const USE = { role: "assistant", content: [{ type: "tool_use", id: "a", name: "t", input: {} }] };
const RESULT = { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: "{}" }] };
const TOOL = { name: "t", input_schema: { type: "object" } };
const GOOD = { model: "m", max_tokens: 10, tools: [TOOL], messages: [USER, USE, RESULT] };

const wrong: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
  ["no max_tokens", { max_tokens: undefined }, /^max_tokens: Field required/],
  [
    "a field of another protocol",
    { max_completion_tokens: 5 },
    /^max_completion_tokens: Extra inputs are not permitted/,
  ],
  ["a system message", { messages: [{ role: "system", content: "x" }] }, /role: Input should be 'user' or 'assistant'/],
  ["an assistant first", { messages: [USE, RESULT] }, /first message must use the "user" role/],
  ["roles that do not take turns", { messages: [USER, USER] }, /roles must alternate/],
  ["an assistant last", { messages: [USER, { role: "assistant", content: [{ type: "text", text: "x" }] }] }, /prefill/],
  ["no result", { messages: [USER, USE, USER] }, /without `tool_result` blocks immediately after: a/],
  ["a result of nothing", { messages: [{ role: "user", content: RESULT.content }] }, /unexpected `tool_use_id`/],
  [
    "two results",
    { messages: [USER, USE, { role: "user", content: [...RESULT.content, ...RESULT.content] }] },
    /single result/,
  ],
  [
    "a result after a text",
    { messages: [USER, USE, { role: "user", content: [{ type: "text", text: "x" }, ...RESULT.content] }] },
    /must come before other content/,
  ],
  ["an id twice", { messages: [USER, USE, RESULT, USE, RESULT] }, /ids must be unique/],
  [
    "an odd id",
    { messages: [USER, { role: "assistant", content: [{ type: "tool_use", id: "a b", name: "t", input: {} }] }, USER] },
    /tool_use\.id: String should match/,
  ],
  [
    "arguments as a text",
    {
      messages: [USER, { role: "assistant", content: [{ type: "tool_use", id: "a", name: "t", input: "{}" }] }, RESULT],
    },
    /input: Input should be a valid dictionary/,
  ],
  ["an empty text", { messages: [{ role: "user", content: [{ type: "text", text: " " }] }] }, /non-whitespace text/],
  [
    "a thought without its proof",
    {
      messages: [
        USER,
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "x" },
            { type: "text", text: "x" },
          ],
        },
        USER,
      ],
    },
    /signature: Field required/,
  ],
  [
    "a thought at the end",
    { messages: [USER, { role: "assistant", content: [{ type: "thinking", thinking: "x", signature: "s" }] }, USER] },
    /cannot be `thinking`/,
  ],
  ["calls without tools", { tools: undefined }, /must define tools/],
  ["a dotted name", { tools: [{ ...TOOL, name: "a.b" }] }, /name: String should match pattern/],
  [
    "a schema with a choice at its root",
    { tools: [{ ...TOOL, input_schema: { type: "object", anyOf: [] } }] },
    /must not have 'anyOf' at the top level/,
  ],
  ["a choice of OpenAI's form", { tool_choice: "auto" }, /tool_choice: Input tag/],
  [
    "five marks",
    { system: Array.from({ length: 5 }, () => ({ type: "text", text: "x", cache_control: { type: "ephemeral" } })) },
    /maximum of 4 blocks/,
  ],
  [
    "an image of no known kind",
    {
      messages: [
        {
          role: "user",
          content: [{ type: "image", source: { type: "base64", media_type: "image/tiff", data: "AAAA" } }],
        },
      ],
    },
    /media_type/,
  ],
];

test("what the real API takes", () => {
  assert.deepEqual(checkMessagesRequest(GOOD), []);
  assert.deepEqual(checkMessagesRequest({ model: "m", max_tokens: 1, messages: [USER] }), []);
});

test("what it refuses, each for its one reason", () => {
  for (const [name, fields, reason] of wrong) {
    const body: unknown = JSON.parse(JSON.stringify({ ...GOOD, ...fields }));
    assert.match(checkMessagesRequest(body).join("\n"), reason, name);
  }
  for (const body of [null, [], "x", 7]) assert.equal(checkMessagesRequest(body).length, 1);
});
