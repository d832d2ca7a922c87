/** When a provider wants to be asked again, in every form that providers use. */

/** A provider that names a longer time is not believed: a run would sleep for years over a typing slip. */
const MOST_MS = 86_400_000;

/**
 * From `retry-after-ms`, else from `retry-after`: seconds (whole or not) or a date against `now` (wall-clock ms).
 * Nothing for what is neither, for a date that is past and for zero.
 */
export function retryAfterMs(headers: Headers | undefined, now: number): number | undefined {
  const ms = number(headers?.get("retry-after-ms"));
  const wish = ms ?? fromRetryAfter(headers?.get("retry-after"), now);
  return wish === undefined || wish <= 0 ? undefined : Math.min(Math.ceil(wish), MOST_MS);
}

function fromRetryAfter(text: string | null | undefined, now: number): number | undefined {
  const seconds = number(text);
  if (seconds !== undefined) return seconds * 1_000;
  const at = date(text ?? "");
  return at === undefined ? undefined : at - now;
}

function number(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}

/** The three forms of HTTP dates (RFC 9110 §5.6.7) and ISO 8601. Date.parse alone finds a date in nearly any text with a number. */
function date(text: string): number | undefined {
  const asctime = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}$/.test(text);
  const zoned = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*, .* GMT$|^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(text);
  const at = asctime ? Date.parse(`${text} GMT`) : zoned ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
