/** What a scripted model can learn from a transcript: each tool call with what came back for it, however it is wrapped. */
import { isObject } from "../../core/json.ts";
import type { ScriptRequest } from "./protocol.ts";

export interface ToolOutcome {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The text as the model sees it; "" if there is no result. */
  readonly text: string;
  /** The parsed result; undefined if the text holds no whole JSON (shortened, elided, prose). */
  readonly data: unknown;
  /** Set if the result says that the call failed. */
  readonly error: string | undefined;
}

/** In the order of the calls. Results are matched within their own turn, since ids may repeat in later ones. */
export function toolOutcomes(request: ScriptRequest): ToolOutcome[] {
  const { messages } = request;
  return messages.flatMap((message, at) => {
    if (message.role !== "assistant") return [];
    const next = messages.findIndex((one, i) => i > at && one.role === "assistant");
    const group = messages.slice(at + 1, next === -1 ? undefined : next);
    return message.calls.map((one) => {
      const found = group.find((result) => result.role === "tool" && result.callId === one.id);
      const text = found?.role === "tool" ? found.text : "";
      const data = jsonIn(text);
      const args = jsonIn(one.arguments);
      return { name: one.name, args: isObject(args) ? args : {}, text, data, error: errorIn(data) };
    });
  });
}

/** The JSON in a text: all of it, or what stands between its first and last brace (labels and fences around it are common). */
export function jsonIn(text: string): unknown {
  const whole = parse(text);
  if (whole !== undefined) return whole;
  const start = text.search(/[{[]/);
  const end = Math.max(text.lastIndexOf("}"), text.lastIndexOf("]"));
  return start === -1 || end < start ? undefined : parse(text.slice(start, end + 1));
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? jsonIn(value) : value;
  } catch {
    return undefined;
  }
}

function errorIn(data: unknown): string | undefined {
  if (!isObject(data)) return undefined;
  const { error } = data as { error?: unknown };
  if (data["success"] !== false && data["ok"] !== false && (error === undefined || error === null)) return undefined;
  const name = isObject(error) ? (error["type"] ?? error["code"] ?? error["message"]) : error;
  return typeof name === "string" || typeof name === "number" ? String(name) : "error";
}

/** The first object in `data`, at most six levels down, that `fits`. */
export function findObject(
  data: unknown,
  fits: (object: Readonly<Record<string, unknown>>) => boolean,
  depth = 6,
): Readonly<Record<string, unknown>> | undefined {
  if (isObject(data) && fits(data)) return data;
  if (depth === 0 || typeof data !== "object" || data === null) return undefined;
  for (const value of Object.values(data)) {
    const found = findObject(value, fits, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
