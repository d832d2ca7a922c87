/** JSON as the journal needs it: a canonical text to compare arguments, and a clean copy of what came from outside. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Deeper than anyone writes, and far from where recursion runs out of stack (about 2,000 levels). */
const MOST_DEEP = 500;

/** True for a value that the functions here, which call themselves for each level, must not be given. */
export function isTooDeep(value: unknown, levels: number = MOST_DEEP): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isTooDeep(inner, levels - 1));
}

/**
 * JSON text with sorted keys: equal values have equal text. Joined level by level: one long chain of small texts takes more than twice as
 * long and more than twice the garbage (measured on 1 MB).
 */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (isObject(value)) {
    const keys = Object.keys(value).toSorted();
    return `{${keys.map((k) => `${JSON.stringify(k)}:${canonical(value[k])}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/**
 * The value with each of its own values changed: itself where none was, so that what is large is not copied for nothing.
 * @param key for the names of an object's fields, likewise
 */
export function changed(value: Json, change: (one: Json) => Json, key: (name: string) => string = asItIs): Json {
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) {
    let copy: Json[] | undefined;
    for (const [i, one] of value.entries()) {
      const next = change(one);
      if (copy === undefined && next !== one) copy = value.slice(0, i);
      copy?.push(next);
    }
    return copy ?? value;
  }
  let isSame = true;
  const entries = Object.entries(value).map(([name, one]): [string, Json] => {
    const entry: [string, Json] = [key(name), change(one)];
    isSame &&= entry[0] === name && entry[1] === one;
    return entry;
  });
  return isSame ? value : Object.fromEntries(entries);
}

const asItIs = (name: string): string => name;

function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}

/**
 * The value as JSON would carry it: no undefined, functions, NaN or class instances; bigint as text; maps and sets with what is
 * in them, where JSON would say `{}`; lone surrogates made whole, so that it is valid UTF-8. Cycles, throwing getters and endless nesting give a note instead of an exception.
 */
export function toJson(value: unknown): Json {
  try {
    const text = JSON.stringify(value, (_key, v: unknown) =>
      typeof v === "bigint" ? String(v) : typeof v === "string" ? v.toWellFormed() : withContent(v),
    );
    if (text === undefined) return null;
    const json = JSON.parse(text) as Json;
    return isTooDeep(json) ? { unserialisable: `nested deeper than ${MOST_DEEP} levels` } : json;
  } catch (error) {
    return { unserialisable: error instanceof Error ? error.message : String(error) };
  }
}

function withContent(value: unknown): unknown {
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<unknown, unknown>)];
    return entries.every(([key]) => typeof key === "string" || typeof key === "number")
      ? Object.fromEntries(entries as [string, unknown][])
      : entries;
  }
  return value instanceof Set ? [...(value as ReadonlySet<unknown>)] : value;
}

/** What came instead of a number, for a message: the text "5" is told from the number 5. */
export function toldValue(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
