/** Makes a foreign text safe to store and to show: no tokens, no pages, no control characters, and short. */

const MOST = 500;

/** What credentials look like, wherever they stand. */
const SECRETS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, "$1 …"],
  [/\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?/g, "…"],
  [/\b(?:ya29\.|xox[a-z]-|gh[pousr]_|github_pat_|sk-|1\/\/)[\w.-]{6,}/g, "…"],
  [
    /((?:access|refresh|id)_?token|client_?secret|secret|password|api_?key|authorization)("?\s*[=:]\s*"?)[^\s"',;&}]+/gi,
    "$1$2…",
  ],
  // Links carry states, codes and request ids in their query.
  [/(https?:\/\/[^\s?#"'<>]+)[?#][^\s"'<>]*/gi, "$1?…"],
];

export function safeText(text: string): string {
  if (/^\s*</.test(text)) return "(a page instead of a message)";
  // Cut first, so that the patterns never run over a whole body; with room, so that no secret is cut in the middle.
  let safe = text.slice(0, 4 * MOST).replace(/[\p{Cc}\p{Cf}\s]+/gu, " ");
  for (const [pattern, instead] of SECRETS) safe = safe.replace(pattern, instead);
  safe = safe.trim().toWellFormed();
  return safe.length <= MOST ? safe : `${safe.slice(0, MOST - 1).toWellFormed()}…`;
}
