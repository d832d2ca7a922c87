/** What goes out for each setting of a profile. Every body is checked by the independent validator of the scripted server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrandError } from "../../src/core/errors.ts";
import type { ModelRequest } from "../../src/core/messages.ts";
import { modelOf, type ModelProfile } from "../../src/models/protocols.ts";
import type { ResponsesProfile } from "../../src/models/responses.ts";
import { responsesWire as wire, TOOL, user } from "./lab.ts";

const WIRE_TOOL = { type: "function", ...TOOL, strict: false };
const PROMPT = { type: "message", role: "user", content: "What is new?" };
const ENCRYPTED = "reasoning.encrypted_content";

test("the plain request, whole", () => {
  assert.deepEqual(wire({}), {
    store: false,
    include: [ENCRYPTED],
    model: "m-1",
    instructions: "You help.",
    input: [PROMPT],
    tools: [WIRE_TOOL],
    tool_choice: "auto",
  });
});

const shapes: readonly (readonly [
  string,
  Partial<ModelRequest>,
  Partial<ResponsesProfile>,
  Record<string, unknown>,
])[] = [
  ["last turn", { toolChoice: "none" }, {}, { tool_choice: "none", tools: [WIRE_TOOL] }],
  [
    "no tools",
    { tools: [] },
    { features: { parallelToolCalls: true } },
    { tools: undefined, tool_choice: undefined, parallel_tool_calls: undefined },
  ],
  ["no tool_choice", {}, { features: { toolChoice: false } }, { tool_choice: undefined, tools: [WIRE_TOOL] }],
  [
    "no tool_choice, last turn",
    { toolChoice: "none" },
    { features: { toolChoice: false } },
    { tool_choice: undefined, tools: undefined },
  ],
  ["one call at a time", {}, { features: { parallelToolCalls: false } }, { parallel_tool_calls: false }],
  ["bounded", {}, { maxOutputTokens: 900 }, { max_output_tokens: 900 }],
  [
    "more fields",
    {},
    { extraBody: { temperature: 0, store: true, reasoning: { effort: "low" } } },
    { temperature: 0, store: true, reasoning: { effort: "low" } },
  ],
  [
    "more to include",
    {},
    { extraBody: { include: [ENCRYPTED, "message.output_text.logprobs"] } },
    { include: [ENCRYPTED, "message.output_text.logprobs"] },
  ],
  ["no thoughts", {}, { features: { encryptedReasoning: false } }, { include: undefined, store: false }],
  [
    "developer",
    {},
    { features: { instructions: "developer" } },
    { instructions: undefined, input: [{ type: "message", role: "developer", content: "You help." }, PROMPT] },
  ],
  ["no instructions", { system: " " }, {}, { instructions: undefined, input: [PROMPT] }],
  ["an empty prompt", { messages: [user("")] }, {}, { input: [{ ...PROMPT, content: "(no text)" }] }],
  [
    "a tool without a schema",
    { tools: [{ name: "t", description: "", parameters: {} }] },
    {},
    { tools: [{ type: "function", name: "t", parameters: { type: "object", properties: {} }, strict: false }] },
  ],
];

test("each setting", () => {
  for (const [name, request, profile, expected] of shapes) {
    const body = wire(request, profile);
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(body[key], value, `${name}: ${key}`);
  }
});

const wrong: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
  ["no key", { apiKey: "" }, /^model profile: apiKey: expected printable ASCII/],
  ["our field", { extraBody: { input: [] } }, /extraBody: "input" is set by Errand for each request; leave it out\./],
  ["state at the provider", { extraBody: { previous_response_id: "resp_1" } }, /extraBody: "previous_response_id"/],
  ["background", { extraBody: { background: true } }, /extraBody: "background"/],
  ["fewer tokens than OpenAI takes", { maxOutputTokens: 15 }, /expected a whole number of at least 16, got 15\./],
  ["another protocol", { protocol: "soap" }, /protocol: expected "chat", "responses", "messages", got "soap"\./],
];

test("a profile that can never work is refused at once", () => {
  for (const [name, fields, message] of wrong)
    assert.throws(
      () => modelOf({ apiKey: "k", protocol: "responses", ...fields } as ModelProfile),
      (error: unknown) => {
        assert.ok(error instanceof ErrandError, name);
        assert.equal(error.code, "option-invalid");
        assert.match(error.message, message, name);
        return true;
      },
    );
});
