/** Responses bodies as the real API sends them. */
import { createHash } from "node:crypto";
import type { JsonObject } from "../../core/json.ts";
import { estimateTokens } from "./chat-answer.ts";
import type { ScriptRequest } from "./protocol.ts";
import type { Answer, CallReply } from "./reply.ts";

// A fixed moment: equal requests get equal bytes.
const CREATED = 1_767_225_600;

/** @param output the items; by default those of the reply */
export function response(
  request: ScriptRequest,
  reply: Answer,
  seed: string,
  output: readonly JsonObject[] = outputOf(reply, seed),
): JsonObject {
  const { body } = request;
  const usage = usageOf(request, reply);
  return {
    id: `resp_${digest(seed)}`,
    object: "response",
    created_at: CREATED,
    ...statusOf(reply),
    error: null,
    instructions: body["instructions"] ?? null,
    max_output_tokens: body["max_output_tokens"] ?? null,
    model: reply.model ?? request.model,
    output,
    parallel_tool_calls: body["parallel_tool_calls"] ?? true,
    previous_response_id: null,
    store: body["store"] ?? true,
    text: body["text"] ?? { format: { type: "text" } },
    tool_choice: body["tool_choice"] ?? "auto",
    tools: body["tools"] ?? [],
    truncation: "disabled",
    metadata: {},
    ...(usage === null ? {} : { usage }),
  };
}

/** Chat's words for the end of an answer. A word that is none of them is sent as the status itself. */
function statusOf({ finish = "stop" }: Answer): JsonObject {
  const reason = INCOMPLETE.get(finish.toLowerCase());
  if (reason !== undefined) return { status: "incomplete", incomplete_details: { reason } };
  const done = finish === "stop" || finish === "tool_calls";
  return { status: done ? "completed" : finish, incomplete_details: null };
}

const INCOMPLETE: ReadonlyMap<string, string> = new Map([
  ["length", "max_output_tokens"],
  ["model_length", "max_output_tokens"],
  ["content_filter", "content_filter"],
]);

export function outputOf(reply: Answer, seed: string): JsonObject[] {
  const { text, refusal, calls, items = [], extra } = reply;
  const silent = text === null && refusal === undefined && extra === undefined;
  // An answer with nothing in it still has its message, so that it is told from one with no output at all.
  const message = silent && calls.length + items.length > 0 ? [] : [messageOf(reply, seed)];
  return [...items, ...message, ...calls.map((one, index) => wireItem(one, index, seed))];
}

function messageOf({ text, refusal, finish, extra }: Answer, seed: string): JsonObject {
  const spoken = text === null ? [] : [{ type: "output_text", text, annotations: [], logprobs: [] }];
  const refused = refusal === undefined ? [] : [{ type: "refusal", refusal }];
  return {
    type: "message",
    id: `msg_${digest(`${seed}:message`)}`,
    status: INCOMPLETE.has(finish?.toLowerCase() ?? "") ? "incomplete" : "completed",
    role: "assistant",
    content: [...spoken, ...refused],
    ...extra,
  };
}

const PREFIX: Readonly<Record<string, string>> = { function: "fc", custom: "ctc" };

function wireItem(one: CallReply, index: number, seed: string): JsonObject {
  const { type = "function", name, arguments: text } = one;
  const id = digest(`${seed}:${index}`);
  const callId = one.id === undefined ? `call_${id}` : one.id;
  return {
    type: type === "custom" ? "custom_tool_call" : `${type}_call`,
    id: `${PREFIX[type] ?? type}_${id}`,
    status: "completed",
    ...(callId === null ? {} : { call_id: callId }),
    name,
    ...(type === "custom" ? { input: text } : { arguments: text }),
    ...one.extra,
  };
}

function usageOf(request: ScriptRequest, reply: Answer): JsonObject | null {
  if (reply.usage === null) return null;
  const { instructions, input: items, tools } = request.body;
  const said = `${reply.text ?? ""}${reply.refusal ?? ""}${reply.calls.map((c) => c.name + c.arguments).join("")}`;
  const input = reply.usage?.input ?? estimateTokens(JSON.stringify([instructions, items, tools]));
  const output = reply.usage?.output ?? estimateTokens(said);
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: reply.usage?.cached ?? 0, cache_write_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reply.usage?.reasoning ?? 0 },
    total_tokens: input + output,
    ...(reply.usage?.cost === undefined ? {} : { cost: reply.usage.cost }),
  };
}

function digest(seed: string): string {
  return createHash("sha256").update(seed).digest("hex").slice(0, 24);
}
