/** Chat completions bodies as the real API sends them. */
import { createHash } from "node:crypto";
import type { JsonObject } from "../../core/json.ts";
import type { ScriptRequest } from "./protocol.ts";
import type { Answer, CallReply } from "./reply.ts";

// A fixed moment: equal requests get equal bytes.
const CREATED = 1_767_225_600;

export function completion(request: ScriptRequest, reply: Answer, seed: string): JsonObject {
  const usage = usageOf(request, reply);
  return {
    ...head(request, "chat.completion", seed, reply.model),
    choices: [{ index: 0, message: messageOf(reply, seed), logprobs: null, finish_reason: finishOf(reply) }],
    ...(usage === null ? {} : { usage }),
  };
}

export function head(request: ScriptRequest, object: string, seed: string, model: string = request.model): JsonObject {
  return {
    id: `chatcmpl-${digest(seed)}`,
    object,
    created: CREATED,
    model,
    service_tier: "default",
    system_fingerprint: "fp_scripted",
  };
}

export function messageOf(reply: Answer, seed: string): JsonObject {
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

export function wireCall(one: CallReply, index: number, seed: string): JsonObject {
  const type = one.type ?? "function";
  const id = one.id === undefined ? `call_${digest(`${seed}:${index}`)}` : one.id;
  const inner =
    type === "custom" ? { name: one.name, input: one.arguments } : { name: one.name, arguments: one.arguments };
  return { ...(id === null ? {} : { id }), type, [type]: inner, ...one.extra };
}

export function finishOf(reply: Answer): string {
  return reply.finish ?? (reply.calls.length > 0 ? "tool_calls" : "stop");
}

export function usageOf(request: ScriptRequest, reply: Answer): JsonObject | null {
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
    ...(reply.usage?.cost === undefined ? {} : { cost: reply.usage.cost }),
  };
}

/** Four characters to a token, at least one. */
export function estimateTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

function digest(seed: string): string {
  return createHash("sha256").update(seed).digest("hex").slice(0, 24);
}
