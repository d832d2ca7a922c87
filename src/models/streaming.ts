/**
 * Answers that come in pieces, put together again: each protocol's collector makes the body that the same answer has in one piece, so that
 * everything behind it is the same. Pieces are read without trust, and never throw.
 */
import { isObject } from "../core/json.ts";
import { type Fields, textOf } from "./fields.ts";

export interface Collector {
  take(event: unknown): void;
  /** The body; nothing when the stream ended before its end. */
  done(): unknown;
}

export interface Streaming {
  /** What is added to the body to have the answer streamed. */
  readonly fields: Fields;
  /** @param onText told each piece of the answer's text */
  collect(onText: (text: string) => void): Collector;
}

type Mutable = Record<string, unknown>;

export const CHAT_STREAM: Streaming = {
  fields: { stream: true, stream_options: { include_usage: true } },
  collect(onText) {
    const message: Mutable = {};
    let body: Mutable | undefined;
    let finish: unknown;
    let error: unknown;
    return {
      take(event) {
        if (!isObject(event)) return;
        if (event["error"] !== undefined && event["error"] !== null) error = event["error"];
        const { choices, object: _object, ...rest } = event;
        body = { ...body, ...withoutNulls(rest) };
        const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
        if (!isObject(choice)) return;
        finish = choice["finish_reason"] ?? finish;
        if (choice["error"] !== undefined) error = choice["error"];
        const { delta } = choice;
        if (!isObject(delta)) return;
        const text = textOf(delta["content"]);
        if (text !== "") onText(text);
        mergeMessage(message, delta);
      },
      done() {
        if (error !== undefined) return { error };
        if (body === undefined || finish === undefined) return undefined;
        return { ...body, choices: [{ index: 0, message, finish_reason: finish }] };
      },
    };
  },
};

function withoutNulls(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function mergeMessage(message: Mutable, { tool_calls: calls, reasoning_details: details, ...delta }: Fields): void {
  merge(message, delta, ["role"]);
  if (Array.isArray(calls)) message["tool_calls"] = calls.reduce(addCall, listIn(message, "tool_calls"));
  if (Array.isArray(details))
    message["reasoning_details"] = details.reduce(addDetail, listIn(message, "reasoning_details"));
}

function listIn(message: Mutable, key: string): Mutable[] {
  const list = message[key];
  return Array.isArray(list) ? (list as Mutable[]) : [];
}

/** Texts grow, but for those that are said whole; what is no text is replaced. */
function merge(into: Mutable, from: Fields, whole: readonly string[]): void {
  for (const [key, value] of Object.entries(from)) {
    const before = into[key];
    if (typeof value === "string" && typeof before === "string") {
      if (!whole.includes(key)) into[key] = before + value;
      else if (before === "") into[key] = value;
    } else if (isObject(value) && isObject(before)) merge(before as Mutable, value, whole);
    else if (value !== null || before === undefined) into[key] = isObject(value) ? { ...value } : value;
  }
}

/** Some servers give no index: then each piece is a call of its own. */
function addCall(calls: Mutable[], piece: unknown): Mutable[] {
  if (!isObject(piece)) return calls;
  const { index, ...rest } = piece;
  const at = typeof index === "number" && index >= 0 && index < 10_000 ? index : calls.length;
  while (calls.length <= at) calls.push({});
  const call = calls[at];
  if (call !== undefined) merge(call, rest, ["id", "type", "name"]);
  return calls;
}

/** OpenRouter: pieces of one thought have its index. */
function addDetail(details: Mutable[], piece: unknown): Mutable[] {
  if (!isObject(piece)) return details;
  const same = details.find((one) => one["index"] !== undefined && one["index"] === piece["index"]);
  if (same === undefined || same["type"] !== piece["type"]) details.push({ ...piece });
  else merge(same, piece, ["type", "id", "format"]);
  return details;
}

/** The last event holds the whole response. */
export const RESPONSES_STREAM: Streaming = {
  fields: { stream: true },
  collect(onText) {
    let body: unknown;
    return {
      take(event) {
        if (!isObject(event)) return;
        const { type, delta, response } = event;
        if (type === "response.output_text.delta" && typeof delta === "string") onText(delta);
        if (type === "response.completed" || type === "response.incomplete" || type === "response.failed")
          body = response;
        if (type === "error" || (type === undefined && isObject(event["error"])))
          body = { error: event["error"] ?? { message: event["message"], code: event["code"] } };
      },
      done: () => body,
    };
  },
};

export const MESSAGES_STREAM: Streaming = {
  fields: { stream: true },
  collect(onText) {
    let body: Mutable | undefined;
    let ended = false;
    let error: unknown;
    const blocks: Mutable[] = [];
    const inputs: string[] = [];
    return {
      take(event) {
        if (!isObject(event)) return;
        const { type, index, message, delta, usage } = event;
        const at = typeof index === "number" && index >= 0 && index < 10_000 ? index : -1;
        if (type === "error") error = event["error"];
        if (type === "message_start" && isObject(message)) body = { ...message };
        if (type === "content_block_start" && isObject(event["content_block"]) && at >= 0)
          blocks[at] = { ...event["content_block"] };
        if (type === "content_block_delta" && isObject(delta)) addDelta(blocks[at], inputs, at, delta, onText);
        if (type === "message_delta" && body !== undefined) {
          if (isObject(delta)) Object.assign(body, delta);
          const before = body["usage"];
          if (isObject(usage)) body["usage"] = { ...(isObject(before) && before), ...withoutNulls(usage) };
        }
        if (type === "message_stop") ended = true;
      },
      done() {
        if (error !== undefined) return { type: "error", error };
        if (body === undefined || !ended) return undefined;
        return { ...body, content: blocks.filter(Boolean).map((block, i) => withInput(block, inputs[i])) };
      },
    };
  },
};

function addDelta(
  block: Mutable | undefined,
  inputs: string[],
  at: number,
  delta: Fields,
  onText: (text: string) => void,
): void {
  if (block === undefined) return;
  const { type, partial_json: json, citation, ...rest } = delta;
  if (type === "text_delta") onText(textOf(delta["text"]));
  if (typeof json === "string") inputs[at] = (inputs[at] ?? "") + json;
  else if (citation !== undefined) block["citations"] = [...listIn(block, "citations"), citation];
  else merge(block, rest, []);
}

/** Input that is no JSON stays a text: it is a call whose arguments are broken. */
function withInput(block: Mutable, json: string | undefined): Mutable {
  if (json === undefined || json.trim() === "") return block;
  try {
    return { ...block, input: JSON.parse(json) as unknown };
  } catch {
    return { ...block, input: json };
  }
}
