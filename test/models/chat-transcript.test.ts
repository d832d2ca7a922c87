/** How each message of a journal goes out. Every body is checked by the independent validator of the scripted server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../src/core/json.ts";
import type { Message } from "../../src/core/messages.ts";
import { tool, user, wire } from "./lab.ts";

const CALL = { id: "p", type: "function", function: { name: "a", arguments: '{"b": 1}' } };
const SENT = { ...CALL, id: "t0c0" };
const ANSWERED = { role: "tool", tool_call_id: "t0c0", content: "{}" };

/** Verbatim message, its text, our ids → what goes out after the prompt. */
const turns: readonly (readonly [string, Json, string, readonly string[], readonly unknown[]])[] = [
  [
    "one call",
    { role: "assistant", content: null, tool_calls: [CALL] },
    "",
    ["t0c0"],
    [{ role: "assistant", content: null, tool_calls: [SENT] }, ANSWERED],
  ],
  [
    "text beside a call",
    { content: "Let me see", tool_calls: [CALL] },
    "Let me see",
    ["t0c0"],
    [{ role: "assistant", content: "Let me see", tool_calls: [SENT] }, ANSWERED],
  ],
  [
    "unknown fields of message and call",
    { content: null, reasoning_content: "hm", tool_calls: [{ ...CALL, extra_content: { s: 1 }, index: 0 }] },
    "",
    ["t0c0"],
    [
      {
        role: "assistant",
        content: null,
        reasoning_content: "hm",
        tool_calls: [{ ...SENT, extra_content: { s: 1 }, index: 0 }],
      },
      ANSWERED,
    ],
  ],
  [
    "calls of an answer that finished or was sent back",
    { content: "Here", tool_calls: [CALL] },
    "Here",
    [],
    [{ role: "assistant", content: "Here" }],
  ],
  [
    "such an answer with calls alone",
    { content: null, tool_calls: [CALL] },
    "",
    [],
    [{ role: "assistant", content: "(no text)" }],
  ],
  ["an empty list of calls", { content: "Hi", tool_calls: [] }, "Hi", [], [{ role: "assistant", content: "Hi" }]],
  [
    "the first protocol's call",
    { content: null, function_call: { name: "a", arguments: "{}" } },
    "",
    ["t0c0"],
    [
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "t0c0", type: "function", function: { name: "a", arguments: "{}" } }],
      },
      ANSWERED,
    ],
  ],
  [
    "a custom call",
    { content: null, tool_calls: [{ id: "p", type: "custom", custom: { name: "sql", input: "select 1" } }] },
    "",
    ["t0c0"],
    [
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "t0c0", type: "custom", custom: { name: "sql", input: "select 1" } }],
      },
      ANSWERED,
    ],
  ],
  [
    "a call of no known type",
    { content: null, tool_calls: [{ type: "web.search", "web.search": {} }] },
    "",
    ["t0c0"],
    [
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "t0c0", type: "function", function: { name: "web_search", arguments: "{}" } }],
      },
      ANSWERED,
    ],
  ],
  [
    "no type",
    { content: null, tool_calls: [{ function: { name: "a", arguments: "{}" } }] },
    "",
    ["t0c0"],
    [
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "t0c0", type: "function", function: { name: "a", arguments: "{}" } }],
      },
      ANSWERED,
    ],
  ],
  [
    "broken arguments",
    { content: null, tool_calls: [{ ...CALL, function: { name: "a", arguments: '{"b' } }] },
    "",
    ["t0c0"],
    [
      { role: "assistant", content: null, tool_calls: [{ ...SENT, function: { name: "a", arguments: "{}" } }] },
      ANSWERED,
    ],
  ],
  [
    "arguments as an object",
    { content: null, tool_calls: [{ ...CALL, function: { name: "a", arguments: { b: 1 } } }] },
    "",
    ["t0c0"],
    [
      { role: "assistant", content: null, tool_calls: [{ ...SENT, function: { name: "a", arguments: '{"b":1}' } }] },
      ANSWERED,
    ],
  ],
  [
    "a name that no request may hold",
    { content: null, tool_calls: [{ ...CALL, function: { name: "gmail.fetch mails", arguments: "{}" } }] },
    "",
    ["t0c0"],
    [
      {
        role: "assistant",
        content: null,
        tool_calls: [{ ...SENT, function: { name: "gmail_fetch_mails", arguments: "{}" } }],
      },
      ANSWERED,
    ],
  ],
  [
    "plain parts",
    { content: [{ type: "text", text: "Hi" }] },
    "Hi",
    [],
    [{ role: "assistant", content: [{ type: "text", text: "Hi" }] }],
  ],
  [
    "parts that requests do not take",
    {
      content: [
        { type: "thinking", thinking: [] },
        { type: "text", text: "Hi" },
      ],
    },
    "Hi",
    [],
    [{ role: "assistant", content: "Hi" }],
  ],
  ["no parts", { content: [] }, "", [], [{ role: "assistant", content: "(no text)" }]],
  ["another role", { role: "model", content: "Hi" }, "Hi", [], [{ role: "assistant", content: "Hi" }]],
  ["no message at all", null, "Hi", [], [{ role: "assistant", content: "Hi" }]],
];

test("each assistant message", () => {
  for (const [name, verbatim, text, callIds, expected] of turns) {
    const messages: Message[] = [
      user("Go"),
      { role: "assistant", verbatim, text, callIds },
      ...callIds.map((id) => tool(id)),
    ];
    const sent = wire({ messages })["messages"] as unknown[];
    assert.deepEqual(sent.slice(2), expected, name);
  }
});

test("a call without an answer, an answer without a call and a second answer are left out", () => {
  const verbatim = { content: "Hm", tool_calls: [CALL, CALL, CALL] };
  const messages: Message[] = [
    tool("t9c9"),
    user("Go"),
    tool("t9c8"),
    { role: "assistant", verbatim, text: "Hm", callIds: ["t0c0", "t0c1", "t0c2"] },
    tool("t0c2", "two"),
    tool("t9c7"),
    tool("t0c0", "zero"),
    tool("t0c0", "zero again"),
    user("And?"),
    tool("t0c1", "too late"),
  ];
  const sent = wire({ messages })["messages"] as unknown[];
  assert.deepEqual(sent.slice(1), [
    { role: "user", content: "Go" },
    {
      role: "assistant",
      content: "Hm",
      tool_calls: [
        { ...CALL, id: "t0c0" },
        { ...CALL, id: "t0c2" },
      ],
    },
    { role: "tool", tool_call_id: "t0c0", content: "zero" },
    { role: "tool", tool_call_id: "t0c2", content: "two" },
    { role: "user", content: "And?" },
  ]);
});
