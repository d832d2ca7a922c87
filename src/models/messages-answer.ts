/** A body of Anthropic's messages, read without trust: every field may be missing, odd or hostile. Never throws. */
import { isObject, toJson } from "../core/json.ts";
import { type Finish, type ModelAnswer, type Usage, writtenOf } from "../core/messages.ts";
import { accounted, type Asked, fault, readBody, type Said, tokens } from "./answer.ts";
import type { Fault } from "./failure.ts";
import { type Fields, textOf } from "./fields.ts";
import { readBlocks } from "./messages-blocks.ts";

/** @param body a parsed JSON body; a text if the server called it something else than JSON */
export function messagesAnswer(body: unknown, asked: Asked): ModelAnswer | Fault {
  const read = readBody(body);
  if ("fault" in read) return read.fault;
  const { fields } = read;
  if (!("content" in fields)) return fault("the answer holds no content");
  const reason = textOf(fields["stop_reason"]).toLowerCase();
  // Nothing is left of the window for a further turn: the run's context must shrink first.
  if (reason === "model_context_window_exceeded")
    return { ...fault("the model's context window is full"), error: { type: reason } };
  return { ...said(fields, reason), ...accounted(fields, usageOf, asked) };
}

function said(fields: Fields, reason: string): Said {
  const blocks = readBlocks(fields["content"]);
  const textIn = (is: string): string => blocks.map((one) => (one.is === is && "text" in one ? one.text : "")).join("");
  const refusal = textIn("refusal");
  const { usage: _usage, ...rest } = fields;
  const { stop_details: details } = fields;
  const explained = reason === "refusal" && isObject(details) ? textOf(details["explanation"]) : "";
  return {
    kind: "answer",
    verbatim: toJson({ ...rest, type: "message" }),
    text: textIn("text") || refusal || explained,
    calls: blocks.flatMap((one) => (one.is === "call" ? [one.requested] : [])),
    finish: refusal.trim() === "" ? finishOf(reason) : "refused",
  };
}

function finishOf(reason: string): Finish {
  switch (reason) {
    case "end_turn":
    case "stop_sequence":
    case "tool_use":
      return "stop";
    case "max_tokens":
      return "length";
    case "refusal":
      return "refused";
    default:
      return "other";
  }
}

/** Anthropic's `input_tokens` are those that were neither read from the cache nor written to it; ours are all. */
function usageOf(usage: Fields): Usage {
  const { output_tokens_details: details } = usage;
  const cachedInput = tokens(usage["cache_read_input_tokens"]);
  const written = tokens(usage["cache_creation_input_tokens"]);
  return {
    input: tokens(usage["input_tokens"]) + written + cachedInput,
    output: tokens(usage["output_tokens"]),
    cachedInput,
    reasoning: tokens(isObject(details) ? details["thinking_tokens"] : undefined),
    ...writtenOf(written),
  };
}

/** The provider paused a long turn: it goes on when it gets its own words back. Not a turn of ours. */
export function pausedRequest(sent: Fields, answered: unknown): Fields | undefined {
  if (!isObject(answered) || answered["stop_reason"] !== "pause_turn") return undefined;
  const { content } = answered;
  const { messages } = sent;
  if (!Array.isArray(content) || content.length === 0 || !Array.isArray(messages)) return undefined;
  const all = messages as unknown[];
  const last = all.at(-1);
  // Paused for the second time: all that it said so far is one message.
  const before = isObject(last) && last["role"] === "assistant" && Array.isArray(last["content"]) ? last : undefined;
  const said = [...((before?.["content"] ?? []) as unknown[]), ...(content as unknown[])];
  return {
    ...sent,
    messages: [...(before === undefined ? all : all.slice(0, -1)), { role: "assistant", content: said }],
  };
}

/** The parts of a turn that was paused: one message with all their blocks, for which all of them were paid. */
export function joinParts(parts: readonly unknown[]): unknown {
  const last = parts.at(-1);
  if (!isObject(last) || !Array.isArray(last["content"])) return last;
  const bodies = parts.filter(isObject);
  const content = bodies.flatMap((body) => (Array.isArray(body["content"]) ? (body["content"] as unknown[]) : []));
  const usages = bodies.map(({ usage }) => usageOf(isObject(usage) ? usage : {}));
  const sum = (of: (usage: Usage) => number): number => usages.reduce((all, usage) => all + of(usage), 0);
  const usage = {
    input_tokens: sum(({ input, cachedInput, cacheWritten = 0 }) => input - cachedInput - cacheWritten),
    cache_creation_input_tokens: sum(({ cacheWritten = 0 }) => cacheWritten),
    cache_read_input_tokens: sum(({ cachedInput }) => cachedInput),
    output_tokens: sum(({ output }) => output),
    output_tokens_details: { thinking_tokens: sum(({ reasoning }) => reasoning) },
  };
  return { ...last, content, usage };
}
