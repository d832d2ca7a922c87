/** A provider's own words, made fit to be stored and shown: short, without secrets, without what was said to the model. */

const MOST = 200;
/** Stretches of this length that the prompt holds as well are taken for an echo of it; names of tools are mostly shorter. */
const ECHO = 24;
/** Of a long message only the start is looked at: it is far more than is shown. */
const LOOKED_AT = 600;

/** Keys by their usual prefix, JSON web tokens, bearer values, and any long run of letters and digits that holds a digit. */
const TOKENS =
  /\b(?:sk|pk|rk|key|xai|gsk|fw)[-_][\w*.-]{6,}|\beyJ[\w-]+(?:\.[\w-]+)*|(?<=\bBearer )\S+|\b(?=[\w-]*\d)[\w-]{32,}/gi;

export interface Confidential {
  /** Masked wherever they stand: the key, header values. */
  readonly secrets: readonly string[];
  /** What was sent to the model; asked for only when there is something to compare. */
  readonly said: () => string;
}

/** At most 200 characters. Some gateways repeat the request in their errors (facts: FastAPI's `input`, moderation's flagged text). */
export function safeExcerpt(text: string, { secrets, said }: Confidential): string {
  let safe = text.slice(0, 100_000);
  for (const secret of secrets) if (secret.length >= 4) safe = safe.replaceAll(secret, "***");
  safe = withoutEcho(safe.replaceAll(TOKENS, "***").slice(0, LOOKED_AT), said());
  const line = safe
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, " ")
    .trim();
  return line.length <= MOST ? line : `${line.slice(0, MOST - 1).toWellFormed()}…`;
}

function withoutEcho(text: string, said: string): string {
  let out = "";
  for (let i = 0; i < text.length;) {
    let end = i + ECHO;
    if (end > text.length || !said.includes(text.slice(i, end))) {
      out += text[i++] ?? "";
      continue;
    }
    while (end < text.length && said.includes(text.slice(end - ECHO + 1, end + 1))) end++;
    out += "[…]";
    i = end;
  }
  return out;
}
