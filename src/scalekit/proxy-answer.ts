/**
 * What follows from a provider's answer to a proxied request: an `Outcome`. Pure. Providers say no in many ways; the model is told one
 * short sentence, never the raw answer (facts/seeds.md rows 25, 27, 30).
 */
import { isObject, type Json, toJson } from "../core/json.ts";
import { happenedEnvelope, type Outcome } from "../core/outcome.ts";
import { retryAfterMs } from "../core/retry-after.ts";
import { failureOf, LONGEST_WISH_MS, systemCode } from "./failure.ts";
import { outcomeOfFailure } from "./errors.ts";
import type { ProxyAnswer } from "./proxy-wire.ts";
import { safeText } from "./text.ts";

/** A definite no that came as a success. `kind` as for `Outcome`; default: an error that the model is told. */
export interface ProviderRefusal {
  readonly type: string;
  readonly message?: string;
  /** Certainly not executed for this reason, which is waited for. */
  readonly why?: "account" | "scope" | "rate-limit";
  /** Nobody can know whether it was executed. */
  readonly unknown?: true;
}

export type Read =
  | { readonly is: "data"; readonly data: Json; readonly headers: Headers }
  | { readonly is: "outcome"; readonly outcome: Outcome };

export interface Reading {
  readonly tool: string;
  readonly reads: boolean;
  /** Looks for a no in the body of a success. */
  readonly refusal: (data: Json) => ProviderRefusal | undefined;
}

/** The data of a success, or what else the answer means. */
export function readAnswer(answer: ProxyAnswer, reading: Reading): Read {
  const { status, headers, text } = answer;
  const ended = (outcome: Outcome): Read => ({ is: "outcome", outcome });
  if (status < 200 || status >= 300) return ended(ofStatus(answer, reading));
  const body = text === undefined ? undefined : bodyOf(text);
  if (body === undefined) return ended(unreadable(reading, text === undefined ? "is too long" : "is no JSON"));
  const refused = reading.refusal(body.json);
  return refused === undefined ? { is: "data", data: body.json, headers } : ended(ofRefusal(refused, headers));
}

/** Executed, and the answer cannot be shown: a read can say so; after any other call the model must not think that it failed. */
export function unreadable({ tool, reads }: Pick<Reading, "tool" | "reads">, why: string): Outcome {
  if (!reads) return { kind: "ok", data: happenedEnvelope(tool) };
  const message = `The provider's answer ${why}. Ask for less, or for something else.`;
  return { kind: "error", type: "UnreadableAnswer", message, retryable: false };
}

/** Of a request that got no answer. */
export function outcomeOfBroken(error: unknown): Outcome {
  const failure = failureOf(error);
  if (failure.unsent !== undefined) return outcomeOfFailure(failure);
  // fetch's own message says nothing.
  const why = systemCode(error) ?? (error instanceof Error ? error.name : "error");
  return { kind: "unknown", message: safeText(`no answer from the provider (${why})`) };
}

function bodyOf(text: string): { readonly json: Json } | undefined {
  if (text.trim() === "") return { json: null };
  try {
    return { json: toJson(JSON.parse(text)) };
  } catch {
    return undefined;
  }
}

const RATE_LIMITED = /rate.?limit|quota|too many requests/i;
/** Scalekit's own sentence (facts/scalekit.md 2.4): switched off for the environment, the operator's matter. */
const PROXY_OFF = /proxy (?:is )?not enabled/i;
const NOT_ACTIVE = /\bconnected account\b.{0,60}\bnot (?:active|found)\b/i;

function ofStatus({ status, headers, text = "" }: ProxyAnswer, { reads }: Reading): Outcome {
  const said = safeText(messageIn(text));
  const wait = wishOf(headers);
  const refused = (why: Extract<Outcome, { kind: "not-executed" }>["why"], what: string): Outcome => ({
    kind: "not-executed",
    why,
    message: safeText(`${what}${said === "" ? "" : `: ${said}`}`),
    // GitHub tells with every answer when its limit is reset.
    ...(why === "rate-limit" && wait !== undefined && { retryAfterMs: wait }),
  });
  if (NOT_ACTIVE.test(said) && status >= 400 && status < 500) return refused("account", "The account is not connected");
  if (PROXY_OFF.test(said))
    return refused(
      "credentials",
      "Scalekit's API proxy is off for this provider; switch it on in Scalekit's dashboard",
    );
  if (status === 401) return refused("account", "The provider refused the account (401)");
  // GitHub says 403 for its rate limits and tells when to come back.
  if (status === 429 || (status === 403 && (RATE_LIMITED.test(said) || headers.get("x-ratelimit-remaining") === "0")))
    return refused("rate-limit", `The provider's rate limit (${status})`);
  if (status === 403) return refused("scope", "The provider did not allow it (403)");
  if (status < 400 && reads)
    return { kind: "error", type: "Redirected", message: "The provider sent us elsewhere.", retryable: false };
  if (status < 400 || status >= 500 || status === 408)
    return { kind: "unknown", message: safeText(`The provider failed (${status}): ${said}`) };
  const message = said === "" ? `The provider answered ${status}.` : said;
  return { kind: "error", type: TYPES[status] ?? "ProviderError", message, retryable: false };
}

const TYPES: Readonly<Record<number, string>> = {
  400: "InvalidRequest",
  404: "NotFound",
  409: "Conflict",
  410: "NotFound",
  412: "Conflict",
  422: "InvalidRequest",
};

function ofRefusal({ type, message, why, unknown }: ProviderRefusal, headers: Headers): Outcome {
  const told = safeText(message === undefined ? `The provider said no: ${type}` : message);
  if (unknown === true) return { kind: "unknown", message: told };
  if (why === undefined) return { kind: "error", type: safeText(type), message: told, retryable: false };
  const wait = wishOf(headers);
  return { kind: "not-executed", why, message: told, ...(wait !== undefined && { retryAfterMs: wait }) };
}

/** At most an hour. */
function wishOf(headers: Headers): number | undefined {
  if ((headers.get("retry-after") ?? "") !== "") return retryAfterMs(headers, undefined, LONGEST_WISH_MS);
  // GitHub's, in seconds since 1970; against the server's own clock: ours may be wrong.
  const ms = Number(headers.get("x-ratelimit-reset") ?? "") * 1_000 - Date.parse(headers.get("date") ?? "");
  return ms > 0 ? Math.min(ms, LONGEST_WISH_MS) : undefined;
}

/** The sentence in an error body: Google's and GitHub's `{error: {message}}` and `{message}`, Salesforce's list, OAuth's description. */
function messageIn(text: string): string {
  const body = text.length > 100_000 ? undefined : bodyOf(text)?.json;
  const found = body === undefined ? undefined : sentence(body, 3);
  return found ?? (body === undefined || body === null ? text.slice(0, 2_000) : "");
}

function sentence(value: unknown, depth: number): string | undefined {
  if (typeof value === "string") return value;
  if (depth === 0) return undefined;
  if (Array.isArray(value)) return sentence(value[0], depth - 1);
  if (!isObject(value)) return undefined;
  for (const name of ["error_description", "message", "error", "errors", "detail", "title"]) {
    const found = sentence(value[name], depth - 1);
    if (found !== undefined && found !== "") return found;
  }
  return undefined;
}

/** Slack's words (api.slack.com/methods/chat.postMessage#errors and its neighbours) for what is waited for. */
const SLACK: Readonly<Record<string, Pick<ProviderRefusal, "why" | "unknown">>> = {
  not_authed: { why: "account" },
  invalid_auth: { why: "account" },
  account_inactive: { why: "account" },
  token_revoked: { why: "account" },
  token_expired: { why: "account" },
  missing_scope: { why: "scope" },
  no_permission: { why: "scope" },
  ratelimited: { why: "rate-limit" },
  rate_limited: { why: "rate-limit" },
  internal_error: { unknown: true },
  fatal_error: { unknown: true },
  request_timeout: { unknown: true },
  service_unavailable: { unknown: true },
};

/** `{ ok: false, error: "channel_not_found" }` with HTTP 200: Slack's no, and that of APIs made after it. */
export function slackRefusal(data: Json): ProviderRefusal | undefined {
  if (!isObject(data) || data["ok"] !== false) return undefined;
  const error = typeof data["error"] === "string" ? data["error"] : "refused";
  const { needed } = data;
  const more = typeof needed === "string" ? ` (needed: ${needed})` : "";
  return { type: error, message: `The provider said no: ${error}${more}`, ...SLACK[error] };
}
