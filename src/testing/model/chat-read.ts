/** Reads a chat completions request into the neutral form that scripts see. */
import { isObject, type JsonObject } from "../../core/json.ts";
import type { ScriptCall, ScriptMessage, ScriptRequest, ScriptTool } from "./protocol.ts";

/** Never throws: what does not fit is left out, and the body is kept as it came. */
export function readChatRequest(body: unknown): ScriptRequest {
  const object = isObject(body) ? body : {};
  return {
    model: textOf(object["model"]),
    messages: listOf(object["messages"]).map(readMessage),
    tools: listOf(object["tools"]).map(readTool),
    toolChoice: readToolChoice(object["tool_choice"]),
    stream: object["stream"] === true,
    body: object as JsonObject,
  };
}

function readMessage(message: Readonly<Record<string, unknown>>): ScriptMessage {
  const text = contentText(message["content"]);
  switch (message["role"]) {
    case "assistant":
      return { role: "assistant", text, calls: listOf(message["tool_calls"]).map(readCall) };
    case "tool":
      return { role: "tool", callId: textOf(message["tool_call_id"]), text };
    case "system":
    case "developer":
      return { role: "system", text };
    default:
      return { role: "user", text };
  }
}

function readCall(value: Readonly<Record<string, unknown>>): ScriptCall {
  const inner = isObject(value["function"]) ? value["function"] : isObject(value["custom"]) ? value["custom"] : {};
  return {
    id: textOf(value["id"]),
    name: textOf(inner["name"]),
    arguments: textOf(inner["arguments"] ?? inner["input"]),
  };
}

function readTool(value: Readonly<Record<string, unknown>>): ScriptTool {
  const inner = isObject(value["function"]) ? value["function"] : {};
  const parameters = isObject(inner["parameters"]) ? (inner["parameters"] as JsonObject) : {};
  return { name: textOf(inner["name"]), description: textOf(inner["description"]), parameters };
}

function readToolChoice(value: unknown): string {
  if (typeof value === "string") return value;
  const named = isObject(value) && isObject(value["function"]) ? value["function"]["name"] : undefined;
  return typeof named === "string" ? named : "auto";
}

function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  return listOf(content)
    .map((part) => textOf(part["text"] ?? part["refusal"]))
    .join("");
}

function listOf(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
