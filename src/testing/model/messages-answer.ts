/** Bodies of Anthropic's messages as the real API sends them. */
import { createHash } from "node:crypto";
import { isObject, type JsonObject } from "../../core/json.ts";
import { estimateTokens } from "./chat-answer.ts";
import type { ScriptRequest } from "./protocol.ts";
import type { Answer, CallReply } from "./reply.ts";

export function message(request: ScriptRequest, reply: Answer, seed: string): JsonObject {
  const usage = usageOf(request, reply);
  return {
    id: `msg_${digest(seed)}`,
    type: "message",
    role: "assistant",
    model: reply.model ?? request.model,
    content: contentOf(reply, seed),
    stop_reason: stopOf(reply),
    stop_sequence: null,
    ...(usage === null ? {} : { usage }),
    ...reply.extra,
  };
}

/** Chat's words for the end of an answer in Anthropic's; a word that is none of them is sent as it stands. */
const STOPS: Readonly<Record<string, string>> = {
  stop: "end_turn",
  tool_calls: "tool_use",
  length: "max_tokens",
  model_length: "max_tokens",
  content_filter: "refusal",
};

function stopOf({ finish, refusal, calls }: Answer): string {
  if (finish !== undefined) return STOPS[finish.toLowerCase()] ?? finish;
  if (refusal !== undefined) return "refusal";
  return calls.length > 0 ? "tool_use" : "end_turn";
}

function contentOf({ text, refusal, calls, items = [] }: Answer, seed: string): JsonObject[] {
  const spoken = [text ?? "", refusal ?? ""].filter((words) => words !== "");
  return [
    ...items,
    ...spoken.map((words) => ({ type: "text", text: words })),
    ...calls.map((one, index) => toolUse(one, index, seed)),
  ];
}

function toolUse(
  { type = "function", name, arguments: text, id, extra }: CallReply,
  index: number,
  seed: string,
): JsonObject {
  const made = id === undefined ? `toolu_${digest(`${seed}:${index}`)}` : id;
  const kind = type === "function" ? "tool_use" : `${type}_tool_use`;
  return { type: kind, ...(made === null ? {} : { id: made }), name, input: inputOf(text), ...extra };
}

/** The real API sends an object; servers that only translate send what the model wrote when it is none. */
function inputOf(text: string): JsonObject | string {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? (value as JsonObject) : text;
  } catch {
    return text;
  }
}

function usageOf({ body }: ScriptRequest, reply: Answer): JsonObject | null {
  if (reply.usage === null) return null;
  const said = `${reply.text ?? ""}${reply.refusal ?? ""}${reply.calls.map((c) => c.name + c.arguments).join("")}`;
  const cached = reply.usage?.cached ?? 0;
  const input = reply.usage?.input ?? estimateTokens(JSON.stringify([body["system"], body["messages"], body["tools"]]));
  return {
    // Without what was read from the cache.
    input_tokens: input - cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: reply.usage?.output ?? estimateTokens(said),
    output_tokens_details: { thinking_tokens: reply.usage?.reasoning ?? 0 },
    service_tier: "standard",
    ...(reply.usage?.cost === undefined ? {} : { cost: reply.usage.cost }),
  };
}

function digest(seed: string): string {
  return createHash("sha256").update(seed).digest("hex").slice(0, 24);
}
