/** What goes out for each setting of a profile. Every body is checked by the independent validator of the scripted server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelRequest } from "../../src/core/messages.ts";
import type { ChatProfile } from "../../src/models/chat.ts";
import { TOOL, user, wire } from "./lab.ts";

const WIRE_TOOL = { type: "function", function: TOOL };

test("the plain request, whole", () => {
  assert.deepEqual(wire({}), {
    model: "m-1",
    messages: [
      { role: "system", content: "You help." },
      { role: "user", content: "What is new?" },
    ],
    tools: [WIRE_TOOL],
    tool_choice: "auto",
  });
});

const shapes: readonly (readonly [string, Partial<ModelRequest>, Partial<ChatProfile>, Record<string, unknown>])[] = [
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
  ["bounded", {}, { maxOutputTokens: 900 }, { max_completion_tokens: 900, max_tokens: undefined }],
  [
    "bounded, old field",
    {},
    { maxOutputTokens: 900, features: { maxTokensField: "max_tokens" } },
    { max_tokens: 900, max_completion_tokens: undefined },
  ],
  [
    "more fields",
    {},
    { extraBody: { temperature: 0, provider: { order: ["a"] } } },
    { temperature: 0, provider: { order: ["a"] } },
  ],
  [
    "developer",
    {},
    { features: { developerRole: true } },
    {
      messages: [
        { role: "developer", content: "You help." },
        { role: "user", content: "What is new?" },
      ],
    },
  ],
  ["no instructions", { system: " " }, {}, { messages: [{ role: "user", content: "What is new?" }] }],
  [
    "an empty prompt",
    { messages: [user("")] },
    {},
    {
      messages: [
        { role: "system", content: "You help." },
        { role: "user", content: "(no text)" },
      ],
    },
  ],
  [
    "a tool without a schema",
    { tools: [{ name: "t", description: "", parameters: {} }] },
    {},
    { tools: [{ type: "function", function: { name: "t", parameters: { type: "object", properties: {} } } }] },
  ],
];

test("each setting", () => {
  for (const [name, request, profile, expected] of shapes) {
    const body = wire(request, profile);
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(body[key], value, `${name}: ${key}`);
  }
});
