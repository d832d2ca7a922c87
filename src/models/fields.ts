/** What a provider wrote, read field by field without trust. Shared by all wire protocols. */
import { isObject } from "../core/json.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** Names and ids: no honest one is longer, and they are kept in several places. */
export function shortText(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 200).toWellFormed() : "";
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value.toWellFormed() : "";
}

/** Some servers send the arguments as an object. */
export function argumentText(value: unknown): string {
  if (typeof value === "string") return value.toWellFormed();
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

/** Providers refuse a transcript for a name that their own model made up. */
export function acceptedName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(0, 64) || "unknown";
}

/**
 * vLLM, llama-server and LiteLLM parse the arguments of old calls and refuse the whole transcript if one is broken, for ever
 * (vllm#48922, openai-agents-python#2061). What was wrong with them stands in the call's answer.
 */
export function acceptedArguments(text: string): string {
  try {
    return isObject(JSON.parse(text)) ? text : "{}";
  } catch {
    return "{}";
  }
}

/** Stands where providers refuse an empty text. */
const NOTHING_SAID = "(no text)";

export function said(text: string): string {
  return text.trim() === "" ? NOTHING_SAID : text.toWellFormed();
}
