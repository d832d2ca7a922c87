/**
 * Reads tool input as leniently as the real tools do: models and SDKs send `"5"` for 5, `""` for nothing, and a text
 * for a list of one.
 */
import type { JsonObject } from "@bufbuild/protobuf";

export function text(input: JsonObject, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null || value === "") return undefined;
  return typeof value === "string" ? value : typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function integer(input: JsonObject, name: string, fallback: number, range: readonly [number, number]): number {
  const value = Number(text(input, name) ?? Number.NaN);
  return Number.isFinite(value) ? Math.min(Math.max(Math.trunc(value), range[0]), range[1]) : fallback;
}

export function flag(input: JsonObject, name: string): boolean {
  return text(input, name)?.toLowerCase() === "true";
}

export function list(input: JsonObject, name: string): string[] {
  const value = input[name];
  if (Array.isArray(value))
    return value.filter((item) => typeof item === "string" || typeof item === "number").map(String);
  const one = text(input, name);
  return one === undefined ? [] : one.split(",").map((item) => item.trim());
}
