/** What a chat completions endpoint is and can do; checked once, where it is written down. */
import { ErrandError } from "../core/errors.ts";

export interface ChatFeatures {
  /** Sent as `parallel_tool_calls`; left out by default. */
  readonly parallelToolCalls?: boolean;
  /** The endpoint knows `tool_choice`; default true. Without it the last turn is asked for with no tools at all. */
  readonly toolChoice?: boolean;
  /** Instructions go out in role `developer` instead of `system`; default false, as gateways do not know it. */
  readonly developerRole?: boolean;
  /** Default `max_completion_tokens`. */
  readonly maxTokensField?: "max_completion_tokens" | "max_tokens";
}

/** One OpenAI-compatible endpoint: OpenAI, FastRouter, LiteLLM, OpenRouter, Gemini's compatible endpoint, vLLM, … */
export interface ChatProfile {
  readonly apiKey: string;
  /** Default `https://api.openai.com/v1`. */
  readonly baseURL?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further fields of every request: `temperature`, `models`, `provider`, … */
  readonly extraBody?: Readonly<Record<string, unknown>>;
  readonly features?: ChatFeatures;
  /** Tokens of one answer; by default the provider's own bound. */
  readonly maxOutputTokens?: number;
  /** Requests a minute by all workers together; a run whose turn has come too early parks until there is room. Default: no limit. */
  readonly requestsPerMinute?: number;
}

/** Ours to say; what else a gateway knows may stand in `extraBody`. */
const OURS = ["model", "messages", "tools", "tool_choice", "functions", "function_call", "stream", "n"];

/** @throws ErrandError `option-invalid`, never with a key or header value in it */
export function checkChatProfile(profile: ChatProfile): void {
  const { apiKey, baseURL, headers, extraBody } = profile;
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
  const taken = Object.keys(extraBody ?? {}).find((key) => OURS.includes(key));
  if (taken !== undefined) refuse(`extraBody: "${taken}" is set by Errand for each request; leave it out.`);
  for (const name of ["maxOutputTokens", "requestsPerMinute"] as const) {
    const value = profile[name];
    if (value !== undefined && (!Number.isInteger(value) || value < 1))
      refuse(`${name}: expected a whole number of at least 1, got ${String(value)}.`);
  }
}

function refuse(message: string): never {
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
