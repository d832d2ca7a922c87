/** Anthropic's messages as server-sent events: block by block, in deltas. */
import { isObject, type JsonObject } from "../../core/json.ts";
import { pieces } from "./chat-stream.ts";
import type { Wire } from "./protocol.ts";
import type { Answer } from "./reply.ts";
import { eventStream } from "./responses-stream.ts";

export function messageStream(whole: JsonObject, reply: Answer): Wire {
  const { content, stop_reason: stop, stop_sequence: sequence, usage, ...start } = whole;
  const blocks = (Array.isArray(content) ? content : []).filter(isObject) as JsonObject[];
  const { output_tokens: output = 0, ...input } = isObject(usage) ? (usage as JsonObject) : {};
  const counted = isObject(usage) ? { usage: { ...input, output_tokens: 1 } } : {};
  const events: JsonObject[] = [
    {
      type: "message_start",
      message: { ...start, content: [], stop_reason: null, stop_sequence: null, ...counted },
    },
    ...blocks.flatMap((block, index) => [
      ...blockEvents(block, index),
      { type: "content_block_stop", index } satisfies JsonObject,
    ]),
    {
      type: "message_delta",
      delta: { stop_reason: stop ?? null, stop_sequence: sequence ?? null },
      ...(isObject(usage) && { usage: { output_tokens: output } }),
    },
    { type: "message_stop" },
  ];
  return eventStream(events, reply);
}

function blockEvents(block: JsonObject, index: number): JsonObject[] {
  const started = (content_block: JsonObject): JsonObject => ({ type: "content_block_start", index, content_block });
  const delta = (more: JsonObject): JsonObject => ({ type: "content_block_delta", index, delta: more });
  const { text, thinking, signature, input } = block;
  const type = typeof block["type"] === "string" ? block["type"] : "";
  if (type === "text" && typeof text === "string")
    return [
      started({ ...block, text: "" }),
      ...pieces(text).map((piece) => delta({ type: "text_delta", text: piece })),
    ];
  if (type === "thinking" && typeof thinking === "string")
    return [
      started({ ...block, thinking: "", signature: "" }),
      ...pieces(thinking).map((piece) => delta({ type: "thinking_delta", thinking: piece })),
      delta({ type: "signature_delta", signature: signature ?? "" }),
    ];
  if (type.endsWith("tool_use")) {
    const json = typeof input === "string" ? input : JSON.stringify(input ?? {});
    return [
      started({ ...block, input: {} }),
      ...pieces(json).map((piece) => delta({ type: "input_json_delta", partial_json: piece })),
    ];
  }
  return [started(block)];
}
