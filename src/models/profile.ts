/** What every model endpoint needs, whatever its wire protocol; checked once, where it is written down. */
import { ErrandError } from "../core/errors.ts";

export interface Endpoint {
  readonly apiKey: string;
  /** Default `https://api.openai.com/v1`. */
  readonly baseURL?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further fields of every request: `temperature`, `models`, `provider`, … */
  readonly extraBody?: Readonly<Record<string, unknown>>;
  /** Tokens of one answer; by default the provider's own bound. */
  readonly maxOutputTokens?: number;
  /** Requests a minute by all workers together; a run whose turn has come too early parks until there is room. Default: no limit. */
  readonly requestsPerMinute?: number;
}

/**
 * @param ours fields of the body that are ours to say; what else a gateway knows may stand in `extraBody`
 * @throws ErrandError `option-invalid`, never with a key or header value in it
 */
export function checkEndpoint(profile: Endpoint, ours: readonly string[], leastTokens = 1): void {
  const { apiKey, baseURL, headers, extraBody, maxOutputTokens, requestsPerMinute } = profile;
  if (typeof apiKey !== "string" || !/^[\x21-\x7e]+$/.test(apiKey))
    refuse(
      `apiKey: expected printable ASCII without spaces, got ${typeof apiKey === "string" ? `${apiKey.length} characters that are not` : typeof apiKey}. A server that wants no key takes any, such as "none".`,
    );
  if (baseURL !== undefined && !isHttpUrl(baseURL))
    refuse(
      "baseURL: expected an http or https URL without user and password, such as https://api.openai.com/v1. A key belongs into apiKey.",
    );
  for (const [name, value] of Object.entries(headers ?? {}))
    if (!isHeader(name, value)) refuse(`headers: ${JSON.stringify(name)}: expected a header name with an ASCII value.`);
  const taken = Object.keys(extraBody ?? {}).find((key) => ours.includes(key));
  if (taken !== undefined) refuse(`extraBody: "${taken}" is set by Errand for each request; leave it out.`);
  checkNumber("maxOutputTokens", maxOutputTokens, leastTokens);
  checkNumber("requestsPerMinute", requestsPerMinute, 1);
}

function checkNumber(name: string, value: number | undefined, least: number): void {
  if (value !== undefined && (!Number.isInteger(value) || value < least))
    refuse(`${name}: expected a whole number of at least ${least}, got ${String(value)}.`);
}

export function refuse(message: string): never {
  throw new ErrandError("option-invalid", `model profile: ${message}`);
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === "http:" || protocol === "https:") && username === "" && password === "";
}

function isHeader(name: string, value: unknown): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name) && typeof value === "string" && /^[\t\x20-\x7e]*$/.test(value);
}
