/** What every model endpoint needs, whatever its wire protocol; checked once, where it is written down. */
import { ErrandError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import { type OptionNames, strayOption } from "../core/option-names.ts";

export type GatewayName = "fastrouter" | "openrouter" | "litellm" | "gemini" | "vllm";

export interface Endpoint {
  readonly apiKey: string;
  /** Default: that of the gateway, else OpenAI's or Anthropic's own. */
  readonly baseURL?: string;
  /** Sets what is known of this gateway; by default it is recognised by the host of `baseURL`. */
  readonly gateway?: GatewayName;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further fields of every request: `temperature`, `models`, `provider`, … */
  readonly extraBody?: Readonly<Record<string, unknown>>;
  /** Tokens of one answer; by default the provider's own bound. */
  readonly maxOutputTokens?: number;
  /**
   * Tokens that its models take, request and answer together. By default what the tables of @pydantic/genai-prices say of a model, else
   * 128,000. A run whose transcript comes near is compacted.
   */
  readonly contextTokens?: number;
  /** Requests a minute by all workers together; a run whose turn has come too early parks until there is room. Default: no limit. */
  readonly requestsPerMinute?: number;
  /** Tokens a minute, in and out, likewise: what a request may use at most is counted until it is known what it used. */
  readonly tokensPerMinute?: number;
  /** Requests under way at once, likewise. */
  readonly concurrency?: number;
  /** For the cost of a turn where the gateway does not tell it. What it tells wins. */
  readonly price?: Price;
}

/** US dollars for a million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** Of input that was read from the provider's cache; default that of other input. */
  readonly cachedInput?: number;
}

/** What endpoints of all protocols may know or not know. */
export interface Features {
  /** Sent as the protocol says it; left out by default. */
  readonly parallelToolCalls?: boolean;
  /** The endpoint knows `tool_choice`; default true. */
  readonly toolChoice?: boolean;
  /** It knows the value `none`, with which the last turn is asked for; default true. */
  readonly toolChoiceNone?: boolean;
  /** Tools whose schema allows it go out as strict ones, whose arguments always fit; default false. */
  readonly strictTools?: boolean;
  /** How the provider itself keeps an answer to the agent's output schema; default `json_schema`. `none`: it is only asked for. */
  readonly structuredOutput?: "json_schema" | "json_object" | "none";
  /** Also in requests with tools, default true. `false` for servers that would then call none: it goes out where no tool can be called. */
  readonly structuredOutputWithTools?: boolean;
  /** Images and files from tools go to the model, where the protocol takes them; default true. Otherwise it is told that there is one. */
  readonly vision?: boolean;
}

export function knowsNone({ toolChoice = true, toolChoiceNone = true }: Omit<Features, "vision">): boolean {
  return toolChoice && toolChoiceNone;
}

/** A setting's name with what it may be. */
export type Values = "boolean" | readonly unknown[];

export const FEATURES: Readonly<Record<keyof Features, Values>> = {
  parallelToolCalls: "boolean",
  toolChoice: "boolean",
  toolChoiceNone: "boolean",
  strictTools: "boolean",
  structuredOutput: ["json_schema", "json_object", "none"],
  structuredOutputWithTools: "boolean",
  vision: "boolean",
};

/** All that a profile may hold: a slip of the pen must not turn into "not said". */
const SETTINGS: OptionNames<Endpoint & Record<"protocol" | "features", unknown>> = {
  protocol: true,
  gateway: true,
  apiKey: true,
  baseURL: true,
  headers: true,
  extraBody: true,
  maxOutputTokens: true,
  contextTokens: true,
  requestsPerMinute: true,
  tokensPerMinute: true,
  concurrency: true,
  price: true,
  features: true,
};

export interface ProfileRules {
  /** Fields of the body that are ours to say; what else a gateway knows may stand in `extraBody`. */
  readonly ours: readonly string[];
  readonly features: Readonly<Record<string, Values>>;
  /** The least that the provider takes as `maxOutputTokens`. */
  readonly leastTokens?: number;
}

/** @throws ErrandError `option-invalid`, never with a key or header value in it */
export function checkEndpoint(profile: Endpoint & { readonly features?: unknown }, rules: ProfileRules): void {
  const { apiKey, baseURL, headers, extraBody, maxOutputTokens, contextTokens, price, features } = profile;
  checkKeys("", profile, SETTINGS);
  if (typeof apiKey !== "string" || !/^[\x21-\x7e]+$/.test(apiKey))
    refuse(
      `apiKey: expected printable ASCII without spaces, got ${typeof apiKey === "string" ? `${apiKey.length} characters that are not` : typeof apiKey}. A server that wants no key takes any, such as "none".`,
    );
  if (baseURL !== undefined && !isHttpUrl(baseURL))
    refuse(
      "baseURL: expected an http or https URL without user and password, such as https://api.openai.com/v1. A key belongs into apiKey.",
    );
  for (const [name, fields] of Object.entries({ headers, extraBody }))
    if (fields !== undefined && !isObject(fields))
      refuse(
        `${name}: expected an object of names and values, got ${Array.isArray(fields) ? "a list" : typeof fields}.`,
      );
  for (const [name, value] of Object.entries(headers ?? {}))
    if (!isHeader(name, value)) refuse(`headers: ${JSON.stringify(name)}: expected a header name with an ASCII value.`);
  const taken = Object.keys(extraBody ?? {}).find((key) => rules.ours.includes(key));
  if (taken !== undefined)
    refuse(
      `extraBody: "${taken}" is set by Errand for each request; ${taken.startsWith("max_") ? "set maxOutputTokens instead" : "leave it out"}.`,
    );
  checkNumber("maxOutputTokens", maxOutputTokens, rules.leastTokens ?? 1);
  checkNumber("contextTokens", contextTokens, 1_000);
  for (const name of ["requestsPerMinute", "tokensPerMinute", "concurrency"] as const)
    checkNumber(name, profile[name], 1);
  if (price !== undefined) checkPrice(price);
  checkFeatures(features ?? {}, rules.features);
}

function checkKeys(where: string, given: object, known: Readonly<Record<string, unknown>>): void {
  const stray = strayOption(given, known);
  if (stray !== undefined) refuse(where + stray);
}

function checkFeatures(given: unknown, known: Readonly<Record<string, Values>>): void {
  if (!isObject(given)) refuse(`features: expected an object, got ${typeof given}.`);
  checkKeys("features: ", given, known);
  for (const [name, value] of Object.entries(given)) {
    const values = known[name] ?? "boolean";
    const fits = values === "boolean" ? typeof value === "boolean" : values.includes(value);
    const expected = values === "boolean" ? "true or false" : values.map((one) => JSON.stringify(one)).join(", ");
    if (value !== undefined && !fits)
      refuse(`features.${name}: expected ${expected}, got ${JSON.stringify(value) ?? typeof value}.`);
  }
}

const PRICES: OptionNames<Price> = { input: true, output: true, cachedInput: true };

function checkPrice(price: Price): void {
  checkKeys("price: ", price, PRICES);
  for (const name of ["input", "output", "cachedInput"] as const) {
    const value: unknown = price[name];
    if (name === "cachedInput" && value === undefined) continue;
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
      refuse(`price.${name}: expected US dollars for a million tokens, such as 0.25, got ${String(value)}.`);
  }
}

/** Tokens that an answer may have: the request's own bound, if the profile's is not lower. */
export function answerTokens(
  { maxOutputTokens: asked }: { readonly maxOutputTokens?: number },
  { maxOutputTokens: most }: Endpoint,
): number | undefined {
  return asked === undefined || most === undefined ? (asked ?? most) : Math.min(asked, most);
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
