/** When a provider wants to be asked again, in every form that providers use. */

/** A provider that names a longer time is not believed: a run would sleep for years over a typing slip. */
const MOST_MS = 86_400_000;

/** What of headers is read here: those of fetch, or any like them. */
export interface HeaderReader {
  get(name: string): string | null | undefined;
}

/**
 * From `retry-after-ms`, else from `retry-after`: seconds (whole or not) or a date (RFC 9110 §10.2.3).
 * Nothing for what is neither, for a date that is past and for zero.
 * @param now wall-clock ms that a date is compared with; without it the server's own `date`, so that our clock may be wrong
 */
export function retryAfterMs(
  headers: HeaderReader | undefined,
  now?: number,
  most: number = MOST_MS,
): number | undefined {
  const ms = number(headers?.get("retry-after-ms"));
  const wish = ms ?? fromRetryAfter(headers?.get("retry-after"), now ?? date(headers?.get("date") ?? ""));
  return wish === undefined || wish <= 0 ? undefined : Math.min(Math.ceil(wish), most);
}

function fromRetryAfter(text: string | null | undefined, now: number | undefined): number | undefined {
  const seconds = number(text);
  if (seconds !== undefined) return seconds * 1_000;
  const at = date(text ?? "");
  return at === undefined || now === undefined ? undefined : at - now;
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
