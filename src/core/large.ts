/** Results too large to stand in their evidence: when that is, and the note that stands there instead. */
import type { Json } from "./json.ts";

/** Bytes of JSON. One value of many megabytes stops all other clients of Redis for as long as it takes (docs/figures.md). */
const MOST_IN_EVIDENCE = 1_000_000;
/** Characters; the model is shown less of it. */
const HEAD = 64_000;
const TAIL = 16_000;

/** @param text JSON */
export function isLarge(text: string): boolean {
  // A character has at most three bytes; only a text near the limit is counted.
  if (text.length > MOST_IN_EVIDENCE) return true;
  return text.length > MOST_IN_EVIDENCE / 3 && new TextEncoder().encode(text).length > MOST_IN_EVIDENCE;
}

/** What the model sees of a large result. @param text JSON */
export function noteOf(text: string): Json {
  return {
    truncated: true,
    characters: text.length,
    head: text.slice(0, HEAD).toWellFormed(),
    tail: text.slice(-TAIL).toWellFormed(),
  };
}
