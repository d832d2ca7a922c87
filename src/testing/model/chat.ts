/** OpenAI chat completions: bodies and streams as the real API sends them. */
import { createHash } from "node:crypto";
import { isObject } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import { checkChatRequest } from "./check-chat.ts";
import { jsonWire } from "./protocol.ts";
import type { Protocol, ScriptCall, ScriptMessage, ScriptRequest, ScriptTool, Wire } from "./protocol.ts";
import type { Answer, CallReply } from "./reply.ts";

// A fixed moment: equal requests get equal bytes.
const CREATED = 1_767_225_600;

export const chatProtocol: Protocol = {
  name: "chat",
  path: "/chat/completions",
  check: checkChatRequest,
  read: readChatRequest,
  answer(request, reply, seed) {
    return request.stream
      ? streamed(request, reply, seed)
      : jsonWire(200, completion(request, reply, seed), reply.headers);
  },
  noChoices(request, seed) {
    return jsonWire(200, { ...head(request, "chat.completion", seed), choices: [], usage: null });
  },
  error(reply) {
    return jsonWire(reply.status, { error: reply.error }, reply.headers);
  },
};

// ---- request -------------------------------------------------------------------------------------------------------

export function readChatRequest(body: unknown): ScriptRequest {
  const object = isObject(body) ? body : {};
  return {
    model: textOf(object["model"]),
    messages: listOf(object["messages"]).map(readMessage),
    tools: listOf(object["tools"]).map(readTool),
    toolChoice: readToolChoice(object["tool_choice"]),
    stream: object["stream"] === true,
    body: object as JsonObject,
  };
}

function readMessage(message: Readonly<Record<string, unknown>>): ScriptMessage {
  const text = contentText(message["content"]);
  switch (message["role"]) {
    case "assistant":
      return { role: "assistant", text, calls: listOf(message["tool_calls"]).map(readCall) };
    case "tool":
      return { role: "tool", callId: textOf(message["tool_call_id"]), text };
    case "system":
    case "developer":
      return { role: "system", text };
    default:
      return { role: "user", text };
  }
}

function readCall(value: Readonly<Record<string, unknown>>): ScriptCall {
  const inner = isObject(value["function"]) ? value["function"] : isObject(value["custom"]) ? value["custom"] : {};
  return {
    id: textOf(value["id"]),
    name: textOf(inner["name"]),
    arguments: textOf(inner["arguments"] ?? inner["input"]),
  };
}

function readTool(value: Readonly<Record<string, unknown>>): ScriptTool {
  const inner = isObject(value["function"]) ? value["function"] : {};
  const parameters = isObject(inner["parameters"]) ? (inner["parameters"] as JsonObject) : {};
  return { name: textOf(inner["name"]), description: textOf(inner["description"]), parameters };
}

function readToolChoice(value: unknown): string {
  if (typeof value === "string") return value;
  const named = isObject(value) && isObject(value["function"]) ? value["function"]["name"] : undefined;
  return typeof named === "string" ? named : "auto";
}

function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  return listOf(content)
    .map((part) => textOf(part["text"] ?? part["refusal"]))
    .join("");
}

function listOf(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

// ---- answer --------------------------------------------------------------------------------------------------------

function completion(request: ScriptRequest, reply: Answer, seed: string): JsonObject {
  const usage = usageOf(request, reply);
  return {
    ...head(request, "chat.completion", seed, reply.model),
    choices: [{ index: 0, message: messageOf(reply, seed), logprobs: null, finish_reason: finishOf(reply) }],
    ...(usage === null ? {} : { usage }),
  };
}

function head(request: ScriptRequest, object: string, seed: string, model: string = request.model): JsonObject {
  return {
    id: `chatcmpl-${digest(seed)}`,
    object,
    created: CREATED,
    model,
    service_tier: "default",
    system_fingerprint: "fp_scripted",
  };
}

function messageOf(reply: Answer, seed: string): JsonObject {
  const toolCalls = reply.calls.map((one, index) => wireCall(one, index, seed));
  return {
    role: "assistant",
    content: reply.text,
    refusal: reply.refusal ?? null,
    annotations: [],
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
    ...reply.extra,
  };
}

function wireCall(one: CallReply, index: number, seed: string): JsonObject {
  const type = one.type ?? "function";
  const id = one.id === undefined ? `call_${digest(`${seed}:${index}`)}` : one.id;
  const inner =
    type === "custom" ? { name: one.name, input: one.arguments } : { name: one.name, arguments: one.arguments };
  return { ...(id === null ? {} : { id }), type, [type]: inner, ...one.extra };
}

function finishOf(reply: Answer): string {
  return reply.finish ?? (reply.calls.length > 0 ? "tool_calls" : "stop");
}

function usageOf(request: ScriptRequest, reply: Answer): JsonObject | null {
  if (reply.usage === null) return null;
  const said = `${reply.text ?? ""}${reply.refusal ?? ""}${reply.calls.map((c) => c.name + c.arguments).join("")}`;
  const input = reply.usage?.input ?? estimateTokens(JSON.stringify([request.body["messages"], request.body["tools"]]));
  const output = reply.usage?.output ?? estimateTokens(said);
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: reply.usage?.cached ?? 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reply.usage?.reasoning ?? 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** Four characters to a token, at least one. */
export function estimateTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

function digest(seed: string): string {
  return createHash("sha256").update(seed).digest("hex").slice(0, 24);
}

// ---- stream --------------------------------------------------------------------------------------------------------

function streamed(request: ScriptRequest, reply: Answer, seed: string): Wire {
  const shared = head(request, "chat.completion.chunk", seed, reply.model);
  const usage = usageOf(request, reply);
  const options = request.body["stream_options"];
  const wantsUsage = isObject(options) && options["include_usage"] === true && usage !== null;
  const event = (delta: JsonObject, finish: string | null): JsonObject => ({
    ...shared,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...(wantsUsage ? { usage: null } : {}),
  });
  const events = [...deltas(reply, seed).map((delta) => event(delta, null)), event({}, finishOf(reply))];
  if (wantsUsage) events.push({ ...shared, choices: [], usage });
  return {
    status: 200,
    headers: { "content-type": "text/event-stream; charset=utf-8", ...reply.headers },
    chunks: [...events.map((data) => `data: ${JSON.stringify(data)}\n\n`), "data: [DONE]\n\n"],
  };
}

function deltas(reply: Answer, seed: string): JsonObject[] {
  const message = messageOf(reply, seed);
  const { content: _content, refusal: _refusal, tool_calls: _calls, annotations: _annotations, ...start } = message;
  const list: JsonObject[] = [{ ...start, content: reply.text === null ? null : "" }];
  for (const piece of pieces(reply.text ?? "")) list.push({ content: piece });
  for (const piece of pieces(reply.refusal ?? "")) list.push({ refusal: piece });
  for (const [index, one] of reply.calls.entries()) {
    const whole = wireCall({ ...one, arguments: "" }, index, seed);
    list.push({ tool_calls: [{ index, ...whole }] });
    const field = one.type === "custom" ? "input" : "arguments";
    for (const piece of pieces(one.arguments))
      list.push({ tool_calls: [{ index, [one.type ?? "function"]: { [field]: piece } }] });
  }
  return list;
}

/** Pieces of 24 code points: whole characters, so each piece is valid UTF-8. */
function pieces(text: string): string[] {
  const points = Array.from(text);
  return Array.from({ length: Math.ceil(points.length / 24) }, (_, i) => points.slice(i * 24, (i + 1) * 24).join(""));
}
