/**
 * The output items of a Responses answer. The answer and its replay read them by this one function, so that a call's index means the
 * same in both.
 */
import { isObject } from "../core/json.ts";
import type { RequestedCall } from "../core/messages.ts";
import { acceptedArguments, acceptedName, argumentText, type Fields, shortText, textOf } from "./fields.ts";

export interface CallItem {
  readonly is: "call";
  readonly item: Fields;
  readonly requested: RequestedCall;
  /** The call as a request may carry it, under our id; unknown fields are kept. And what its answer is called. */
  readonly replay: (id: string) => { readonly call: Fields; readonly outputType: string };
}

export interface MessageItem {
  readonly is: "message";
  readonly item: Fields;
  readonly text: string;
  readonly refusal: string;
}

/** `other`: what we do not know. It is given back as it came. */
export type ReadItem = CallItem | MessageItem | { readonly is: "reasoning" | "other"; readonly item: Fields };

/** Never throws. An entry that is no item is left out. */
export function readItems(output: unknown): readonly ReadItem[] {
  if (!Array.isArray(output)) return [];
  const items = output.filter(isObject);
  const answered = new Set(items.filter((item) => typeOf(item).endsWith("_output")).map((item) => item["call_id"]));
  answered.delete("");
  answered.delete(undefined);
  return items.flatMap((item) => readItem(item, answered.has(item["call_id"])));
}

function readItem(item: Fields, answered: boolean): ReadItem[] {
  const type = typeOf(item);
  switch (type) {
    case "message":
      return [readMessage(item)];
    case "reasoning":
      return [{ is: "reasoning", item }];
    case "function_call":
    case "custom_tool_call":
      // A call that the provider answered by itself is none of ours; nor is its answer.
      return answered ? [] : [type === "function_call" ? readFunction(item) : readCustom(item)];
    case "function_call_output":
    case "custom_tool_call_output":
    // A word of requests alone, which points at something that nobody keeps.
    case "item_reference":
      return [];
    default:
      if (type.endsWith("_call") && textOf(item["call_id"]) !== "" && !answered) return [readForeign(item, type)];
      return /^[a-z][\w.:-]{0,63}$/.test(type) ? [{ is: "other", item }] : [];
  }
}

/** Some servers leave out the type of messages, as requests may. */
function typeOf(item: Fields): string {
  const { type } = item as { type?: unknown };
  return type === undefined && "content" in item && "role" in item ? "message" : textOf(type);
}

function readMessage(item: Fields): MessageItem {
  const { content } = item as { content?: unknown };
  if (!Array.isArray(content)) return { is: "message", item, text: textOf(content), refusal: textOf(item["refusal"]) };
  const parts = content.filter(isObject);
  const texts = parts.filter(({ type }) => type === undefined || type === "output_text" || type === "text");
  return {
    is: "message",
    item,
    text: texts.map((part) => textOf(part["text"])).join(""),
    refusal: parts.map((part) => textOf(part["refusal"])).join("") || textOf(item["refusal"]),
  };
}

function readFunction(item: Fields): CallItem {
  const name = shortText(item["name"]);
  const text = argumentText(item["arguments"]);
  return {
    is: "call",
    item,
    requested: { providerId: shortText(item["call_id"]), name, arguments: text },
    replay: (id) => ({ call: { ...item, ...functionCall(id, name, text) }, outputType: "function_call_output" }),
  };
}

/** We offer no custom tools. The colon makes it a name that no tool has, so that the plan refuses it. */
function readCustom(item: Fields): CallItem {
  const name = shortText(item["name"]);
  const input = argumentText(item["input"]);
  return {
    is: "call",
    item,
    requested: { providerId: shortText(item["call_id"]), name: `custom:${name}`, arguments: input },
    replay: (id) => ({
      call: { ...item, call_id: id, name: acceptedName(name), input },
      outputType: "custom_tool_call_output",
    }),
  };
}

/** A shell, a computer, a patch: each wants an answer of its own form, which we have not. Told back as a function that there is not. */
function readForeign(item: Fields, type: string): CallItem {
  const kind = type.replace(/_call$/, "").slice(0, 60);
  const name = shortText(item["name"]);
  const text = argumentText(item["arguments"] ?? item["input"] ?? item["action"]);
  return {
    is: "call",
    item,
    requested: { providerId: shortText(item["call_id"]), name: `${kind}:${name}`, arguments: text },
    replay: (id) => ({ call: functionCall(id, name || kind, "{}"), outputType: "function_call_output" }),
  };
}

export function functionCall(id: string, name: string, text: string): Fields {
  return { type: "function_call", call_id: id, name: acceptedName(name), arguments: acceptedArguments(text) };
}
