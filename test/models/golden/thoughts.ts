/** Stories of what only one protocol has, and of a run that goes on in another one. */
import type { Json } from "../../../src/core/json.ts";
import { joinParts } from "../../../src/models/messages-answer.ts";
import { call, calls } from "../../../src/testing/model/reply.ts";
import { CONTEXT, MAIL, read } from "./parts.ts";
import type { Story } from "./record.ts";

export const THOUGHTS: readonly Story[] = [
  {
    name: "thoughts-chat",
    about: "Reasoning details, a thought signature and fields that nobody knows, from a gateway's chat completions.",
    context: CONTEXT,
    turns: [
      {
        by: "chat",
        said: calls(
          [
            call(
              "gmail_read",
              { id: "1" },
              { id: "call_1", extra: { extra_content: { google: { thought_signature: "c2ln" } }, index: 0 } },
            ),
          ],
          {
            extra: {
              reasoning: "I should read it.",
              reasoning_details: [{ type: "reasoning.encrypted", id: "call_1", data: "ZW5j", index: 0 }],
              x_new: { kept: true },
            },
          },
        ),
        calls: [[MAIL]],
      },
    ],
  },
  {
    name: "thoughts-responses",
    about: "An encrypted thought, a comment along the way, and a kind of item that nobody knows, from Responses.",
    context: CONTEXT,
    turns: [
      {
        by: "responses",
        said: calls([read("1")], {
          text: "Looking at mail 1.",
          items: [
            {
              type: "reasoning",
              id: "rs_1",
              summary: [{ type: "summary_text", text: "Read." }],
              encrypted_content: "ZW5j",
            },
            { type: "dream_call_trace", id: "dr_1", status: "completed", depth: 2 },
          ],
          extra: { phase: "commentary", x_new: 1 },
        }),
        calls: [[MAIL]],
      },
    ],
  },
  {
    name: "thoughts-messages",
    about: "A signed thought, one that is not shown, one without its signature, from Anthropic's messages.",
    context: CONTEXT,
    turns: [
      {
        by: "messages",
        said: calls([read("1")], {
          text: "Looking.",
          items: [
            { type: "thinking", thinking: "I should read it.", signature: "c2ln" },
            { type: "redacted_thinking", data: "ZW5j" },
            { type: "thinking", thinking: "Unproven.", signature: "" },
          ],
        }),
        calls: [[MAIL]],
      },
    ],
  },
  {
    name: "pause-turn",
    about:
      "A turn that Anthropic paused in a search of its own, sent back and joined: one turn, with the search and its result.",
    context: CONTEXT,
    turns: [
      {
        by: "messages",
        said: joinParts([
          {
            type: "message",
            role: "assistant",
            model: "m-1",
            stop_reason: "pause_turn",
            content: [{ type: "server_tool_use", id: "srv_1", name: "web_search", input: { query: "ann" } }],
            usage: { input_tokens: 90, output_tokens: 5 },
          },
          {
            type: "message",
            role: "assistant",
            model: "m-1",
            stop_reason: "tool_use",
            content: [
              { type: "web_search_tool_result", tool_use_id: "srv_1", content: [] },
              { type: "tool_use", id: "toolu_1", name: "gmail_read", input: { id: "1" } },
            ],
            usage: { input_tokens: 99, output_tokens: 9 },
          },
        ]) as Record<string, Json>,
        calls: [[MAIL]],
      },
    ],
  },
  {
    name: "fallback",
    about: "Three models of three protocols have spoken; the one that is asked next has said none of it.",
    context: CONTEXT,
    asked: { profile: "spare", model: "m-9" },
    turns: [
      {
        by: "chat",
        asked: { profile: "a", model: "m-1" },
        said: calls([read("1")], { text: "First.", extra: { reasoning_details: [{ type: "x", data: "own" }] } }),
        calls: [[MAIL]],
      },
      {
        by: "responses",
        asked: { profile: "b", model: "m-2" },
        said: calls([read("2")], { items: [{ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "own" }] }),
        calls: [[MAIL]],
      },
      {
        by: "messages",
        asked: { profile: "c", model: "m-3" },
        said: calls([read("3")], { items: [{ type: "thinking", thinking: "Own.", signature: "own" }] }),
        calls: [[MAIL]],
      },
    ],
  },
];
