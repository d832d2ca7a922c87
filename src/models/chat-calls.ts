/**
 * The calls in a provider's chat message, in every spelling seen. The answer and its replay read them by this one function, so
 * that a call's index means the same in both.
 */
import { isObject } from "../core/json.ts";
import type { RequestedCall } from "../core/messages.ts";
import { acceptedArguments, acceptedName, argumentText, type Fields, shortText } from "./fields.ts";

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

export function readFunction(call: Fields, named: Fields): ReadCall {
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
