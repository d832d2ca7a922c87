/** A chat completions body, read without trust: every field may be missing, odd or hostile. Never throws. */
import { isObject, toJson } from "../core/json.ts";
import type { Finish, ModelAnswer } from "../core/messages.ts";
import { accounted, type Asked, errorIn, fault, readBody, type Said, usageBy } from "./answer.ts";
import { readCalls } from "./chat-calls.ts";
import type { Fault } from "./failure.ts";
import { type Fields, textOf } from "./fields.ts";

const USAGE = usageBy({
  input: "prompt_tokens",
  output: "completion_tokens",
  inputDetails: "prompt_tokens_details",
  outputDetails: "completion_tokens_details",
});

/** @param body a parsed JSON body; a text if the server called it something else than JSON */
export function chatAnswer(body: unknown, asked: Asked): ModelAnswer | Fault {
  const read = readBody(body);
  if ("fault" in read) return read.fault;
  const { fields } = read;
  const choice: unknown = Array.isArray(fields["choices"]) ? fields["choices"][0] : undefined;
  if (!isObject(choice)) return fault("the answer holds no choice");
  // OpenRouter: an upstream that failed in the middle of its answer.
  const error = errorIn(choice["error"]);
  if (error !== undefined) return error;
  if (choice["finish_reason"] === "error") return fault("the provider broke off in the middle of its answer");
  const { message } = choice as { message?: unknown };
  if (!isObject(message)) return fault("the answer's choice holds no message");
  return { ...said(message, choice["finish_reason"]), ...accounted(fields, USAGE, asked) };
}

function said(message: Fields, reason: unknown): Said {
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
