/** Foreign text without what people cannot see. */
import { changed, type Json } from "./json.ts";

/**
 * Format characters (tags, zero-width, bidi controls, soft hyphen) and variation selectors: invisible to people, read by models
 * (OWASP LLM01:2026 #5). Joined emoji and some scripts lose their joiners; the meaning stays.
 */
const INVISIBLE = /\p{Cf}|\p{Variation_Selector}/gu;

export function visibleText(text: string): string {
  // None of them is below U+00AD, and most texts have nothing above.
  return /[^\0-\xac]/.test(text) ? text.replace(INVISIBLE, "") : text;
}

/** Itself where there is nothing to take away. */
export function visible(value: Json): Json {
  return typeof value === "string" ? visibleText(value) : changed(value, visible, visibleText);
}
