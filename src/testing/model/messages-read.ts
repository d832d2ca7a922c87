/** Reads a request of Anthropic's messages into the neutral form that scripts see. */
import { isObject, type JsonObject } from "../../core/json.ts";
import type { ScriptMessage, ScriptRequest, ScriptTool } from "./protocol.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Never throws: what does not fit is left out, and the body is kept as it came. */
export function readMessagesRequest(body: unknown): ScriptRequest {
  const object = isObject(body) ? body : {};
  const system = textIn(object["system"]);
  return {
    model: textOf(object["model"]),
    messages: [
      ...(system === "" ? [] : [{ role: "system", text: system } as const]),
      ...listOf(object["messages"]).flatMap(readMessage),
    ],
    tools: listOf(object["tools"]).map(readTool),
    toolChoice: readToolChoice(object["tool_choice"]),
    stream: object["stream"] === true,
    body: object as JsonObject,
  };
}

/** One message of this protocol holds all results of a turn, and what is said with them: several of the others'. */
function readMessage({ role, content }: Fields): ScriptMessage[] {
  const blocks = typeof content === "string" ? [{ type: "text", text: content }] : listOf(content);
  if (role === "assistant") {
    const calls = blocks.filter(({ type }) => type === "tool_use");
    return [
      {
        role: "assistant",
        text: textIn(blocks),
        calls: calls.map(({ id, name, input }) => ({
          id: textOf(id),
          name: textOf(name),
          arguments: JSON.stringify(input),
        })),
      },
    ];
  }
  return blocks.map((block): ScriptMessage =>
    block["type"] === "tool_result"
      ? { role: "tool", callId: textOf(block["tool_use_id"]), text: textIn(block["content"]) }
      : { role: "user", text: textOf(block["text"]) },
  );
}

function readTool(tool: Fields): ScriptTool {
  const parameters = isObject(tool["input_schema"]) ? (tool["input_schema"] as JsonObject) : {};
  return { name: textOf(tool["name"]), description: textOf(tool["description"]), parameters };
}

function readToolChoice(value: unknown): string {
  const type = isObject(value) ? textOf(value["type"]) : "";
  if (type === "any") return "required";
  return type === "tool" && isObject(value) ? textOf(value["name"]) : type || "auto";
}

function textIn(content: unknown): string {
  if (typeof content === "string") return content;
  return listOf(content)
    .map((block) => (block["type"] === "text" ? textOf(block["text"]) : ""))
    .join("");
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
