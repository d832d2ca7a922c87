/**
 * The calls in a provider's chat message, in every spelling seen. The answer and its replay read them by this one function, so
 * that a call's index means the same in both.
 */
import { isObject } from "../core/json.ts";
import type { RequestedCall } from "../core/messages.ts";

export type Fields = Readonly<Record<string, unknown>>;

export interface ReadCall {
  readonly requested: RequestedCall;
  /** The call as a request may carry it, under our id; unknown fields (thought signatures) are kept. */
  readonly replay: (id: string) => Fields;
}

/** Never throws. An entry that is no object is no call. */
export function readCalls(message: unknown): readonly ReadCall[] {
  if (!isObject(message)) return [];
  const listed = Array.isArray(message["tool_calls"]) ? message["tool_calls"].filter(isObject) : [];
  if (listed.length > 0) return listed.map(readCall);
  // The one call of the protocol's first version. Replayed as a tool call: its answer needs an id to point at.
  const legacy = message["function_call"];
  return isObject(legacy) ? [readFunction({}, legacy)] : [];
}

function readCall(call: Fields): ReadCall {
  const named = call["function"];
  if (isObject(named) && call["type"] !== "custom") return readFunction(call, named);
  return readOther(call);
}

function readFunction(call: Fields, named: Fields): ReadCall {
  const name = shortText(named["name"]);
  const text = argumentText(named["arguments"]);
  return {
    requested: { providerId: shortText(call["id"]), name, arguments: text },
    replay: (id) => ({
      ...call,
      id,
      type: "function",
      function: { ...named, name: acceptedName(name), arguments: acceptedArguments(text) },
    }),
  };
}

/** Custom tools and whatever comes next: we offer none. The colon makes it a name that no tool has, so that the plan refuses it. */
function readOther(call: Fields): ReadCall {
  const type = shortText(call["type"]) || "unknown";
  const named = call[type];
  const inner = isObject(named) ? named : {};
  const name = shortText(inner["name"]);
  const text = argumentText(inner["input"] ?? inner["arguments"]);
  const replay = (id: string): Fields =>
    type === "custom"
      ? { ...call, id, type, custom: { ...inner, name: acceptedName(name), input: text } }
      : { id, type: "function", function: { name: acceptedName(name || type), arguments: "{}" } };
  return {
    requested: { providerId: shortText(call["id"]), name: `${type}:${name}`, arguments: text },
    replay,
  };
}

/** Providers refuse a transcript for a name that their own model made up. */
function acceptedName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(0, 64) || "unknown";
}

/**
 * vLLM, llama-server and LiteLLM parse the arguments of old calls and refuse the whole transcript if one is broken, for ever
 * (vllm#48922, openai-agents-python#2061). What was wrong with them stands in the call's answer.
 */
function acceptedArguments(text: string): string {
  try {
    return isObject(JSON.parse(text)) ? text : "{}";
  } catch {
    return "{}";
  }
}

/** Some servers send the arguments as an object. */
function argumentText(value: unknown): string {
  if (typeof value === "string") return value.toWellFormed();
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

/** Names and ids: no honest one is longer, and they are kept in several places. */
export function shortText(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 200).toWellFormed() : "";
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value.toWellFormed() : "";
}
