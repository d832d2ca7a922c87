/**
 * Answers that come in pieces, put together again: each protocol's collector makes the body that the same answer has in one piece, so that
 * everything behind it is the same. Pieces are read without trust, and never throw.
 */
import { isObject } from "../core/json.ts";
import { type Fields, textOf } from "./fields.ts";
import { addDetail, chatCallPieces, merge, type Mutable } from "./pieces.ts";

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

export const CHAT_STREAM: Streaming = {
  fields: { stream: true, stream_options: { include_usage: true } },
  collect(onText) {
    const message: Mutable = {};
    const calls = chatCallPieces();
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
        const { tool_calls: pieces, reasoning_details: details, ...more } = delta;
        merge(message, more, ["role"]);
        if (Array.isArray(pieces)) pieces.forEach((piece) => calls.add(piece));
        if (Array.isArray(details))
          message["reasoning_details"] = details.reduce(addDetail, listIn(message, "reasoning_details"));
      },
      done() {
        if (error !== undefined) return { error };
        if (body === undefined || finish === undefined) return undefined;
        const list = calls.list();
        const whole = list.length === 0 ? message : { ...message, tool_calls: list };
        return { ...body, choices: [{ index: 0, message: whole, finish_reason: finish }] };
      },
    };
  },
};

function withoutNulls(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function listIn(message: Mutable, key: string): Mutable[] {
  const list = message[key];
  return Array.isArray(list) ? (list as Mutable[]) : [];
}

/** The last event holds the whole response; of some gateways without its output (LiteLLM#32718), which then is that of the events before it. */
export const RESPONSES_STREAM: Streaming = {
  fields: { stream: true },
  collect(onText) {
    let body: unknown;
    const items = new Map<number, unknown>();
    return {
      take(event) {
        if (!isObject(event)) return;
        const { type, delta, response, item, output_index: at } = event;
        if (type === "response.output_item.done") items.set(typeof at === "number" ? at : items.size, item);
        if (type === "response.output_text.delta" && typeof delta === "string") onText(delta);
        if (type === "response.completed" || type === "response.incomplete" || type === "response.failed")
          body = response;
        if (type === "error" || (type === undefined && isObject(event["error"])))
          body = { error: event["error"] ?? { message: event["message"], code: event["code"] } };
      },
      done() {
        if (!isObject(body) || items.size === 0) return body;
        const output = body["output"] ?? [];
        if (!Array.isArray(output) || output.length > 0) return body;
        return { ...body, output: [...items].toSorted(([a], [b]) => a - b).map(([, item]) => item) };
      },
    };
  },
};

export const MESSAGES_STREAM: Streaming = {
  fields: { stream: true },
  collect(onText) {
    let body: Mutable | undefined;
    let ended = false;
    let error: unknown;
    const blocks: Block[] = [];
    return {
      take(event) {
        if (!isObject(event)) return;
        const { type, index, message, delta, usage } = event;
        const at = typeof index === "number" && index >= 0 && index < 10_000 ? index : -1;
        if (type === "error") error = event["error"];
        if (type === "message_start" && isObject(message)) body = { ...message };
        if (type === "content_block_start" && isObject(event["content_block"]) && at >= 0)
          blocks[at] = { block: { ...event["content_block"] }, json: "" };
        if (type === "content_block_delta" && isObject(delta)) addDelta(blocks[at], delta, onText);
        if (type === "message_delta" && body !== undefined) {
          if (isObject(delta)) body = { ...body, ...delta };
          const before = body["usage"];
          if (isObject(usage)) body["usage"] = { ...(isObject(before) && before), ...withoutNulls(usage) };
        }
        if (type === "message_stop") ended = true;
      },
      done() {
        if (error !== undefined) return { type: "error", error };
        if (body === undefined || !ended) return undefined;
        return { ...body, content: blocks.flatMap((one) => withInput(one)) };
      },
    };
  },
};

/** Indexes may have gaps: what belongs to a block stands with it. */
interface Block {
  readonly block: Mutable;
  /** The input's text so far. */
  json: string;
}

function addDelta(to: Block | undefined, delta: Fields, onText: (text: string) => void): void {
  if (to === undefined) return;
  const { type, partial_json: json, citation, ...rest } = delta;
  if (type === "text_delta") onText(textOf(delta["text"]));
  if (typeof json === "string") to.json += json;
  else if (citation !== undefined) to.block["citations"] = [...listIn(to.block, "citations"), citation];
  else merge(to.block, rest, []);
}

/** Input that is no JSON stays a text: it is a call whose arguments are broken. */
function withInput({ block, json }: Block): Mutable {
  if (json.trim() === "") return block;
  try {
    return { ...block, input: JSON.parse(json) as unknown };
  } catch {
    return { ...block, input: json };
  }
}
