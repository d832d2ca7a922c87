/**
 * The content blocks of an answer in Anthropic's messages. The answer and its replay read them by this one function, so that a call's
 * index means the same in both.
 */
import { isObject } from "../core/json.ts";
import type { RequestedCall } from "../core/messages.ts";
import { acceptedArguments, acceptedName, argumentText, type Fields, shortText, textOf } from "./fields.ts";

export interface CallBlock {
  readonly is: "call";
  readonly block: Fields;
  readonly requested: RequestedCall;
  /** The call as a request may carry it, under our id; unknown fields are kept. */
  readonly replay: (id: string) => Fields;
}

export interface TextBlock {
  readonly is: "text" | "refusal";
  readonly block: Fields;
  readonly text: string;
}

/** `other`: what the provider did by itself, and what we do not know. It is given back as it came. */
export type ReadBlock = CallBlock | TextBlock | { readonly is: "thought" | "other"; readonly block: Fields };

/** Calls that the provider makes by itself, and answers in the same message. */
const ITS_OWN: readonly string[] = ["server_tool_use", "mcp_tool_use"];

/** Never throws. An entry that is no block is left out. */
export function readBlocks(content: unknown): readonly ReadBlock[] {
  if (typeof content === "string") return [{ is: "text", block: {}, text: textOf(content) }];
  if (!Array.isArray(content)) return [];
  const blocks = content.filter(isObject);
  const uses = ids(blocks, (type) => ITS_OWN.includes(type), "id");
  const results = ids(blocks, (type) => type.endsWith("_tool_result"), "tool_use_id");
  return blocks.flatMap((block): ReadBlock[] => {
    const { type, id, tool_use_id: of } = block;
    switch (type) {
      case "text":
      case undefined:
        return [{ is: "text", block, text: textOf(block["text"]) }];
      case "refusal":
        return [{ is: "refusal", block, text: textOf(block["refusal"]) }];
      case "thinking":
      case "redacted_thinking":
        return [{ is: "thought", block }];
      case "tool_use":
        return [readCall(block)];
      // Results are what others tell the model; it has none to give.
      case "tool_result":
        return [];
    }
    const kind = textOf(type);
    // A call without its result, and a result without its call, are refused.
    if (ITS_OWN.includes(kind)) return results.has(id) ? [{ is: "other", block }] : [];
    if (kind.endsWith("_tool_result")) return uses.has(of) ? [{ is: "other", block }] : [];
    if (kind.endsWith("_tool_use")) return [readForeign(block, kind)];
    return /^[a-z][\w.:-]{0,63}$/.test(kind) ? [{ is: "other", block }] : [];
  });
}

function ids(blocks: readonly Fields[], fits: (type: string) => boolean, field: string): ReadonlySet<unknown> {
  const found = blocks.filter(({ type }) => fits(textOf(type))).map((block) => block[field]);
  return new Set(found.filter((id) => typeof id === "string" && id !== ""));
}

function readCall(block: Fields): CallBlock {
  const name = shortText(block["name"]);
  const text = argumentText(block["input"]);
  return {
    is: "call",
    block,
    requested: { providerId: shortText(block["id"]), name, arguments: text },
    replay: (id) => ({ ...block, ...toolUse(id, name, text) }),
  };
}

/** A kind of call that we did not offer. The colon makes it a name that no tool has, so that the plan refuses it. */
function readForeign(block: Fields, type: string): CallBlock {
  const kind = type.replace(/_tool_use$/, "").slice(0, 60);
  const name = shortText(block["name"]);
  return {
    is: "call",
    block,
    requested: { providerId: shortText(block["id"]), name: `${kind}:${name}`, arguments: argumentText(block["input"]) },
    replay: (id) => toolUse(id, name || kind, ""),
  };
}

export function toolUse(id: string, name: string, text: string): Fields {
  const input: unknown = JSON.parse(acceptedArguments(text));
  return { type: "tool_use", id, name: acceptedName(name), input };
}

/** A turn that was said in this protocol, as the journal keeps it: the provider's whole message. */
export function asMessage(verbatim: unknown): Fields | undefined {
  if (!isObject(verbatim) || verbatim["type"] !== "message") return undefined;
  return "tool_calls" in verbatim || "function_call" in verbatim ? undefined : verbatim;
}
