/** How each turn of a journal goes out. Every body is checked by the independent validator of the scripted server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../src/core/json.ts";
import type { Message } from "../../src/core/messages.ts";
import { responsesWire, tool, user, wire } from "./lab.ts";

const CALL = { type: "function_call", id: "fc_1", call_id: "p", name: "a", arguments: '{"b": 1}', status: "completed" };
const SENT = { ...CALL, call_id: "t0c0" };
const BARE = { type: "function_call", call_id: "t0c0", name: "a", arguments: '{"b": 1}' };
const ANSWERED = { type: "function_call_output", call_id: "t0c0", output: "{}" };
const THOUGHT = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "zzz" };
const TEXT = {
  type: "message",
  id: "msg_1",
  status: "completed",
  role: "assistant",
  content: [{ type: "output_text", text: "Hi", annotations: [] }],
};
const SHORT = { type: "message", role: "assistant", content: "Hi" };
const NOTHING = { ...SHORT, content: "(no text)" };

/** Verbatim items, the turn's text, our ids → what goes out after the prompt. */
const turns: readonly (readonly [string, Json, string, readonly string[], readonly unknown[]])[] = [
  ["one call", [CALL], "", ["t0c0"], [SENT, ANSWERED]],
  ["thought, text, call", [THOUGHT, TEXT, CALL], "Hi", ["t0c0"], [THOUGHT, TEXT, SENT, ANSWERED]],
  ["text after a call", [CALL, TEXT], "Hi", ["t0c0"], [SENT, TEXT, ANSWERED]],
  [
    "unknown fields",
    [
      { ...TEXT, phase: "commentary", x: 1 },
      { ...CALL, namespace: "n", y: [2] },
    ],
    "Hi",
    ["t0c0"],
    [{ ...TEXT, phase: "commentary", x: 1 }, { ...SENT, namespace: "n", y: [2] }, ANSWERED],
  ],
  ["who made it is the provider's to say", [{ ...CALL, created_by: "x" }], "", ["t0c0"], [SENT, ANSWERED]],
  [
    "an unknown item",
    [{ type: "dream", id: "dr_1", a: { b: 1 } }, TEXT],
    "Hi",
    [],
    [{ type: "dream", id: "dr_1", a: { b: 1 } }, TEXT],
  ],
  ["an item of no type", [{ a: 1 }, { type: "" }, { type: "Not a type" }, TEXT], "Hi", [], [TEXT]],
  ["a call that the turn did not keep", [TEXT, CALL], "Hi", [], [TEXT]],
  ["such a call alone", [CALL], "", [], [NOTHING]],
  ["a thought before such a call", [THOUGHT, CALL], "", [], [NOTHING]],
  ["a thought at the end", [TEXT, THOUGHT], "Hi", [], [TEXT]],
  [
    "a thought that can be found nowhere, with the ids that point at it",
    [{ ...THOUGHT, encrypted_content: null }, TEXT, CALL],
    "Hi",
    ["t0c0"],
    [SHORT, { ...BARE, status: "completed" }, ANSWERED],
  ],
  [
    "a thought in the open",
    [{ type: "reasoning", id: "rs_1", content: [{ type: "reasoning_text", text: "hm" }] }, TEXT],
    "Hi",
    [],
    [{ type: "reasoning", content: [{ type: "reasoning_text", text: "hm" }], summary: [] }, TEXT],
  ],
  [
    "an encrypted thought keeps its id, whatever it is",
    [{ ...THOUGHT, id: "x".repeat(400) }, TEXT],
    "Hi",
    [],
    [{ ...THOUGHT, id: "x".repeat(400) }, TEXT],
  ],
  ["an id of another kind", [{ ...CALL, id: "call_1" }], "", ["t0c0"], [{ ...BARE, status: "completed" }, ANSWERED]],
  [
    "an id that is too long",
    [{ ...CALL, id: `fc_${"x".repeat(99)}` }],
    "",
    ["t0c0"],
    [{ ...BARE, status: "completed" }, ANSWERED],
  ],
  ["a status nobody knows", [{ ...CALL, status: "done" }], "", ["t0c0"], [{ ...BARE, id: "fc_1" }, ANSWERED]],
  ["a message without an id", [{ ...TEXT, id: "" }], "Hi", [], [SHORT]],
  ["a message without a status", [{ ...TEXT, status: null }], "Hi", [], [SHORT]],
  ["a plain text", [{ role: "assistant", content: "Hi" }], "Hi", [], [SHORT]],
  ["another role", [{ ...TEXT, role: "system" }], "Hi", [], [TEXT]],
  ["an empty message beside a call", [{ ...TEXT, content: [] }, CALL], "", ["t0c0"], [SENT, ANSWERED]],
  [
    "a refusal",
    [{ ...TEXT, content: [{ type: "refusal", refusal: "No." }] }],
    "No.",
    [],
    [{ ...TEXT, content: [{ type: "refusal", refusal: "No." }] }],
  ],
  [
    "parts that requests do not take",
    [
      {
        ...TEXT,
        content: [
          { type: "sound", data: "" },
          { type: "text", text: "Hi" },
        ],
      },
    ],
    "Hi",
    [],
    [TEXT],
  ],
  ["broken arguments", [{ ...CALL, arguments: '{"b' }], "", ["t0c0"], [{ ...SENT, arguments: "{}" }, ANSWERED]],
  [
    "a name that no request may hold",
    [{ ...CALL, name: "a.b c" }],
    "",
    ["t0c0"],
    [{ ...SENT, name: "a_b_c" }, ANSWERED],
  ],
  [
    "a custom call",
    [{ type: "custom_tool_call", id: "ctc_1", call_id: "p", name: "sql", input: "select 1" }],
    "",
    ["t0c0"],
    [
      { type: "custom_tool_call", id: "ctc_1", call_id: "t0c0", name: "sql", input: "select 1" },
      { ...ANSWERED, type: "custom_tool_call_output" },
    ],
  ],
  [
    "a call that wants an answer of another form",
    [{ type: "shell_call", id: "sh_1", call_id: "p", action: { commands: ["ls"] } }],
    "",
    ["t0c0"],
    [{ ...BARE, name: "shell", arguments: "{}" }, ANSWERED],
  ],
  [
    "what the provider did by itself",
    [{ type: "shell_call", call_id: "s" }, { type: "shell_call_output", call_id: "s", output: [] }, TEXT],
    "Hi",
    [],
    [{ type: "shell_call", call_id: "s" }, { type: "shell_call_output", call_id: "s", output: [] }, TEXT],
  ],
  ["no items", [], "Hi", [], [SHORT]],
  [
    "a turn said in chat completions",
    {
      role: "assistant",
      content: "Hi",
      tool_calls: [{ id: "p", type: "function", function: { name: "a", arguments: '{"b": 1}' } }],
    },
    "Hi",
    ["t0c0"],
    [SHORT, BARE, ANSWERED],
  ],
];

test("each turn", () => {
  for (const [name, verbatim, text, callIds, expected] of turns) {
    const messages: Message[] = [
      user("Go"),
      { role: "assistant", verbatim, text, callIds },
      ...callIds.map((id) => tool(id)),
    ];
    assert.deepEqual(input(messages).slice(1), expected, name);
  }
});

test("ids that come again in a later turn are left out; a second answer and one without a call as well", () => {
  const said = (callIds: readonly string[]): Message => ({
    role: "assistant",
    verbatim: [THOUGHT, TEXT, CALL],
    text: "Hi",
    callIds,
  });
  const messages = [
    user("Go"),
    said(["t0c0"]),
    tool("t0c0", "one"),
    tool("t0c0", "two"),
    tool("t9c9"),
    said(["t1c0"]),
    tool("t1c0"),
  ];
  assert.deepEqual(input(messages).slice(1), [
    THOUGHT,
    TEXT,
    SENT,
    { ...ANSWERED, output: "one" },
    { type: "reasoning", summary: [], encrypted_content: "zzz" },
    SHORT,
    { ...BARE, call_id: "t1c0", status: "completed" },
    { ...ANSWERED, call_id: "t1c0" },
  ]);
});

test("a turn said in Responses goes on in chat completions", () => {
  const messages: Message[] = [
    user("Go"),
    { role: "assistant", verbatim: [THOUGHT, TEXT, CALL], text: "Hi", callIds: ["t0c0"] },
    tool("t0c0"),
  ];
  assert.deepEqual((wire({ messages })["messages"] as unknown[]).slice(2), [
    {
      role: "assistant",
      content: "Hi",
      tool_calls: [{ id: "t0c0", type: "function", function: { name: "a", arguments: '{"b": 1}' } }],
    },
    { role: "tool", tool_call_id: "t0c0", content: "{}" },
  ]);
});

function input(messages: readonly Message[]): unknown[] {
  return responsesWire({ messages })["input"] as unknown[];
}
