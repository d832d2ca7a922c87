/** A body as the stream that its provider would have sent it in: in pieces of any length, with indexes as odd as they were seen. */
import { isObject } from "../../../src/core/json.ts";
import type { Dice } from "../../simulation/dice.ts";
import type { ProtocolName } from "../lab.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface Streamed {
  readonly events: unknown[];
  /** Nothing in it is so odd that its pieces could not say it: they must come to the same answer. */
  readonly isPlain: boolean;
}

export function streamed(protocol: ProtocolName, body: unknown, dice: Dice): Streamed {
  return isObject(body) ? STREAMS[protocol](body, dice) : { events: [body], isPlain: false };
}

const STREAMS: Readonly<Record<ProtocolName, (body: Fields, dice: Dice) => Streamed>> = { chat, responses, messages };

function pieces(text: unknown, dice: Dice): string[] {
  if (typeof text !== "string" || text === "") return [];
  const each = 1 + dice.below(40);
  return Array.from({ length: Math.ceil(text.length / each) }, (_, i) => text.slice(i * each, (i + 1) * each));
}

const isText = (value: unknown): value is string => typeof value === "string";

function chat({ choices, usage, ...rest }: Fields, dice: Dice): Streamed {
  const list: unknown[] = Array.isArray(choices) ? choices : [];
  const [choice] = list;
  const message = isObject(choice) ? choice["message"] : undefined;
  if (!isObject(choice) || !isObject(message)) return { events: [{ ...rest, choices, usage }], isPlain: false };
  const { content, tool_calls: calls, function_call: _old, reasoning_details: _thoughts, ...more } = message;
  const told = Array.isArray(calls) ? (calls as unknown[]) : [];
  const event = (delta: Fields): Fields => ({ choices: [{ index: 0, delta }] });
  const events = [
    { ...rest, ...event({ ...more, content: isText(content) ? "" : content }) },
    ...pieces(content, dice).map((piece) => event({ content: piece })),
    ...told.flatMap((call, i) => callPieces(call, i, dice).map((one) => event({ tool_calls: [one] }))),
    { choices: [{ index: 0, delta: {}, finish_reason: choice["finish_reason"] }] },
    { choices: [], usage },
  ];
  const isPlain =
    (content === null || isText(content)) &&
    isText(choice["finish_reason"]) &&
    told.every(isPlainCall) &&
    !("function_call" in message) &&
    (calls === undefined || Array.isArray(calls)) &&
    [message["refusal"] ?? "", message["role"], rest["model"]].every(isText) &&
    isObject(usage) &&
    choice["error"] === undefined &&
    (rest["error"] ?? undefined) === undefined;
  return { events, isPlain };
}

function callPieces(call: unknown, index: number, dice: Dice): unknown[] {
  const named = isObject(call) ? call["function"] : undefined;
  if (!isObject(call) || !isObject(named)) return [call];
  const { arguments: args, ...others } = named;
  return [
    { index, ...call, function: { ...others, arguments: isText(args) ? "" : args } },
    ...pieces(args, dice).map((piece) => ({ index, function: { arguments: piece } })),
  ];
}

function isPlainCall(call: unknown): boolean {
  const named = isObject(call) ? call["function"] : undefined;
  if (!isObject(call) || !isObject(named) || call["type"] !== "function" || "index" in call) return false;
  return isText(named["name"]) && isText(named["arguments"]) && isText(call["id"]);
}

function responses(body: Fields, dice: Dice): Streamed {
  const { output, status, error } = body;
  const items = Array.isArray(output) ? (output as unknown[]) : [];
  const done = items.map((item, output_index) => ({ type: "response.output_item.done", output_index, item }));
  const end = status === "incomplete" || status === "failed" ? String(status) : "completed";
  // Some gateways leave out of the last event what the others have told.
  const response = dice.chance(0.3) ? { ...body, output: dice.pick([[], null, undefined]) } : body;
  const isPlain = Array.isArray(output) && (error ?? undefined) === undefined;
  return { events: [...dice.pick([done, done.toReversed()]), { type: `response.${end}`, response }], isPlain };
}

function messages({ content, stop_reason: stop, usage, ...rest }: Fields, dice: Dice): Streamed {
  const blocks = Array.isArray(content) ? (content as unknown[]) : [];
  const step = dice.pick([1, 1, 3] as const);
  const first = dice.pick([0, 0, 1] as const);
  const events = [
    { type: "message_start", message: { ...rest, content: [], usage } },
    ...blocks.flatMap((block, i) => blockEvents(block, first + i * step, dice)),
    { type: "message_delta", delta: { stop_reason: stop } },
    { type: "message_stop" },
  ];
  const isPlain = Array.isArray(content) && blocks.every(isPlainBlock) && (rest["error"] ?? undefined) === undefined;
  return { events, isPlain };
}

function blockEvents(block: unknown, index: number, dice: Dice): unknown[] {
  const start = (content_block: unknown): Fields => ({ type: "content_block_start", index, content_block });
  const delta = (one: Fields): Fields => ({ type: "content_block_delta", index, delta: one });
  if (!isObject(block)) return [start(block)];
  const { text, input } = block;
  if (isText(text) && block["type"] === "text")
    return [
      start({ ...block, text: "" }),
      ...pieces(text, dice).map((piece) => delta({ type: "text_delta", text: piece })),
    ];
  if (input === undefined || block["type"] === "text") return [start(block)];
  const json = isText(input) ? input : JSON.stringify(input);
  const inputs = pieces(json, dice).map((piece) => delta({ type: "input_json_delta", partial_json: piece }));
  return [start({ ...block, input: {} }), ...inputs];
}

function isPlainBlock(block: unknown): boolean {
  if (!isObject(block)) return false;
  return !("input" in block) || isObject(block["input"]);
}
