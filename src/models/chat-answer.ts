/** A chat completions body, read without trust: every field may be missing, odd or hostile. Never throws. */
import { isObject, toJson } from "../core/json.ts";
import type { Finish, ModelAnswer, Usage } from "../core/messages.ts";
import { type Fields, readCalls, shortText, textOf } from "./chat-calls.ts";
import type { Fault } from "./failure.ts";

export interface Asked {
  /** The model asked for; taken for the one that answered if the body names none. */
  readonly model: string;
  readonly tookMs: number;
}

/** @param body a parsed JSON body; a text if the server called it something else than JSON */
export function chatAnswer(body: unknown, asked: Asked): ModelAnswer | Fault {
  const fields = typeof body === "string" ? parsed(body) : body;
  if (!isObject(fields)) return fault("the answer is not a JSON object");
  const { error } = fields as { error?: unknown };
  if (isError(error)) return { kind: "fault", status: 200, error };
  const choice: unknown = Array.isArray(fields["choices"]) ? fields["choices"][0] : undefined;
  if (!isObject(choice)) return fault("the answer holds no choice");
  // OpenRouter: an upstream that failed in the middle of its answer.
  if (isError(choice["error"])) return { kind: "fault", status: 200, error: choice["error"] };
  if (choice["finish_reason"] === "error") return fault("the provider broke off in the middle of its answer");
  const { message } = choice as { message?: unknown };
  if (!isObject(message)) return fault("the answer's choice holds no message");
  return { ...said(message, choice["finish_reason"]), ...accounted(fields, asked) };
}

function fault(words: string): Fault {
  return { kind: "fault", status: 200, words };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isError(value: unknown): boolean {
  return isObject(value) ? Object.keys(value).length > 0 : typeof value === "string" && value !== "";
}

function said(message: Fields, reason: unknown): Pick<ModelAnswer, "kind" | "verbatim" | "text" | "calls" | "finish"> {
  const refusal = refusalOf(message);
  const text = contentText(message["content"]);
  return {
    kind: "answer",
    verbatim: toJson(message),
    text: text === "" ? refusal : text,
    calls: readCalls(message).map((call) => call.requested),
    finish: refusal.trim() === "" ? finishOf(reason) : "refused",
  };
}

function contentText(content: unknown): string {
  if (!Array.isArray(content)) return textOf(content);
  return content.map((part: unknown) => (isObject(part) && isText(part["type"]) ? textOf(part["text"]) : "")).join("");
}

function isText(type: unknown): boolean {
  return type === undefined || type === "text" || type === "output_text";
}

function refusalOf(message: Fields): string {
  const { content } = message as { content?: unknown };
  const parts = Array.isArray(content) ? content.filter(isObject).map((part) => textOf(part["refusal"])) : [];
  return [textOf(message["refusal"]), ...parts].join("");
}

function finishOf(reason: unknown): Finish {
  switch (typeof reason === "string" ? reason.toLowerCase() : "") {
    case "stop":
    case "tool_calls":
    case "function_call":
      return "stop";
    case "length":
    case "max_tokens":
    case "model_length":
      return "length";
    case "content_filter":
    case "refusal":
      return "refused";
    default:
      return "other";
  }
}

function accounted(
  body: Fields,
  asked: Asked,
): Pick<ModelAnswer, "usage" | "costUsd" | "servedModel" | "requestId" | "tookMs"> {
  const usage = isObject(body["usage"]) ? body["usage"] : {};
  const { cost } = usage as { cost?: unknown };
  const known = typeof cost === "number" && Number.isFinite(cost) && cost >= 0;
  return {
    usage: usageOf(usage),
    ...(known && { costUsd: cost }),
    servedModel: shortText(body["model"]) || asked.model,
    requestId: shortText(body["_request_id"]) || shortText(body["id"]),
    tookMs: asked.tookMs,
  };
}

function usageOf(usage: Fields): Usage {
  const input = isObject(usage["prompt_tokens_details"]) ? usage["prompt_tokens_details"] : {};
  const output = isObject(usage["completion_tokens_details"]) ? usage["completion_tokens_details"] : {};
  return {
    input: tokens(usage["prompt_tokens"]),
    output: tokens(usage["completion_tokens"]),
    cachedInput: tokens(input["cached_tokens"]),
    reasoning: tokens(output["reasoning_tokens"]),
  };
}

/** Missing and negative counts are seen in the field; sums of a thousand of these stay exact. */
function tokens(value: unknown): number {
  return typeof value === "number" && value > 0 ? Math.min(Math.round(value), 1e12) : 0;
}
