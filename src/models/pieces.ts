/** What is said in pieces, put together. Pieces come from outside: no field of theirs reaches further than the value that is made. */
import { isObject } from "../core/json.ts";
import { type Fields, textOf } from "./fields.ts";

export type Mutable = Record<string, unknown>;

/** Texts grow, but for those that are said whole; what is no text is replaced. */
export function merge(into: Mutable, from: Fields, whole: readonly string[]): void {
  for (const [key, value] of Object.entries(from)) {
    // Each object has it without owning it, and all objects share it.
    if (key === "__proto__") continue;
    const before = Object.hasOwn(into, key) ? into[key] : undefined;
    if (typeof value === "string" && typeof before === "string") {
      if (!whole.includes(key)) into[key] = before + value;
      else if (before === "") into[key] = value;
    } else if (isObject(value) && isObject(before)) merge(before as Mutable, value, whole);
    else if (value !== null || before === undefined) into[key] = isObject(value) ? { ...value } : value;
  }
}

export interface Calls {
  add(piece: unknown): void;
  /** In the order of their indexes. */
  list(): readonly Fields[];
}

/**
 * The calls of chat completions. A piece belongs to the call of its index; but Gemini's endpoint and others give all calls of an answer the
 * index 0 (hermes-agent#62940): then a new name with another id, or behind whole arguments, is another call. Without an index a piece with
 * a name is a call of its own, and one without goes on with the last.
 */
export function chatCallPieces(): Calls {
  const calls: { readonly at: number; readonly call: Mutable }[] = [];
  const latest = new Map<number, Mutable>();
  return {
    add(piece) {
      if (!isObject(piece)) return;
      const { index, ...rest } = piece;
      const known = typeof index === "number" ? latest.get(index) : calls.at(-1)?.call;
      const isNew = known === undefined || (typeof index === "number" ? isAnother(known, rest) : nameOf(rest) !== "");
      const call: Mutable = isNew ? {} : known;
      const at = typeof index === "number" ? index : calls.length;
      if (isNew) calls.push({ at, call });
      latest.set(at, call);
      merge(call, rest, ["id", "type", "name"]);
    },
    list: () => calls.toSorted((a, b) => a.at - b.at).map(({ call }) => call),
  };
}

function isAnother(known: Fields, piece: Fields): boolean {
  if (nameOf(piece) === "" || nameOf(known) === "") return false;
  const [before, id] = [textOf(known["id"]), textOf(piece["id"])];
  if (before !== "" && id !== "" && before !== id) return true;
  return argumentsOf(piece) !== "" && isWhole(argumentsOf(known));
}

function nameOf(call: Fields): string {
  return textOf(functionOf(call)["name"]);
}

function argumentsOf(call: Fields): string {
  return textOf(functionOf(call)["arguments"]);
}

function functionOf(call: Fields): Fields {
  const named = call["function"];
  return isObject(named) ? named : {};
}

function isWhole(text: string): boolean {
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}

/** OpenRouter: pieces of one thought have its index. */
export function addDetail(details: Mutable[], piece: unknown): Mutable[] {
  if (!isObject(piece)) return details;
  const same = details.find((one) => one["index"] !== undefined && one["index"] === piece["index"]);
  if (same === undefined || same["type"] !== piece["type"]) details.push({ ...piece });
  else merge(same, piece, ["type", "id", "format"]);
  return details;
}
