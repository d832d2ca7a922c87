/** Reads a Responses request into the neutral form that scripts see. */
import { isObject, type JsonObject } from "../../core/json.ts";
import type { ScriptCall, ScriptMessage, ScriptRequest, ScriptTool } from "./protocol.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Never throws: what does not fit is left out, and the body is kept as it came. */
export function readResponsesRequest(body: unknown): ScriptRequest {
  const object = isObject(body) ? body : {};
  const { instructions, input } = object as { instructions?: unknown; input?: unknown };
  const items = typeof input === "string" ? [{ role: "user", content: input }] : listOf(input);
  const system: ScriptMessage[] = typeof instructions === "string" ? [{ role: "system", text: instructions }] : [];
  return {
    model: textOf(object["model"]),
    messages: [...system, ...readItems(items)],
    tools: listOf(object["tools"]).map(readTool),
    toolChoice: readToolChoice(object["tool_choice"]),
    stream: object["stream"] === true,
    body: object as JsonObject,
  };
}

/** All that the model said in a row (thoughts, texts, calls) is one message: a turn. */
function readItems(items: readonly Fields[]): ScriptMessage[] {
  const messages: ScriptMessage[] = [];
  let said: { text: string; calls: ScriptCall[] } | undefined;
  for (const item of items) {
    const heard = readHeard(item);
    if (heard !== undefined) {
      messages.push(heard);
      said = undefined;
      continue;
    }
    if (said === undefined) {
      said = { text: "", calls: [] };
      messages.push({ role: "assistant", ...said });
    }
    said.text += contentText(item["content"]);
    if (textOf(item["type"]).endsWith("_call") && "call_id" in item) said.calls.push(readCall(item));
    messages[messages.length - 1] = { role: "assistant", ...said };
  }
  return messages;
}

/** What was said to the model; undefined for what it said itself. */
function readHeard(item: Fields): ScriptMessage | undefined {
  const { type = "message", role } = item as { type?: unknown; role?: unknown };
  if (type === "function_call_output" || type === "custom_tool_call_output")
    return { role: "tool", callId: textOf(item["call_id"]), text: contentText(item["output"]) };
  if (type !== "message") return undefined;
  if (role === "system" || role === "developer") return { role: "system", text: contentText(item["content"]) };
  return role === "user" ? { role: "user", text: contentText(item["content"]) } : undefined;
}

function readCall(item: Fields): ScriptCall {
  return {
    id: textOf(item["call_id"]),
    name: textOf(item["name"]),
    arguments: textOf(item["arguments"] ?? item["input"]),
  };
}

function readTool(tool: Fields): ScriptTool {
  const parameters = isObject(tool["parameters"]) ? (tool["parameters"] as JsonObject) : {};
  return { name: textOf(tool["name"]), description: textOf(tool["description"]), parameters };
}

function readToolChoice(value: unknown): string {
  if (typeof value === "string") return value;
  return (isObject(value) && textOf(value["name"])) || "auto";
}

function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  return listOf(content)
    .map((part) => textOf(part["text"] ?? part["refusal"]))
    .join("");
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
