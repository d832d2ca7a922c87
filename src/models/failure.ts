/** What a provider's refusal or silence means for the run (facts/seeds.md D.4). */
import { isObject } from "../core/json.ts";
import type { FailureClass, ModelFailure } from "../core/messages.ts";
import { retryAfterMs } from "../core/retry-after.ts";
import { type Confidential, safeExcerpt } from "./safe-text.ts";

/** A request that brought no answer. */
export interface Fault {
  readonly kind: "fault";
  /** HTTP status, if there was a reply. */
  readonly status?: number;
  /** The provider's error as it came: an object, a text, or nothing. */
  readonly error?: unknown;
  /** Ours, when the provider has none. */
  readonly words?: string;
  readonly headers?: Headers;
  readonly background?: ModelFailure["background"];
}

export interface Telling extends Confidential {
  /** Wall-clock ms. */
  readonly now: number;
}

export function modelFailure(fault: Fault, telling: Telling): ModelFailure {
  const { error, headers } = fault;
  const fields = isObject(error) ? error : {};
  // Anthropic's own code stands among the details.
  const { details } = fields as { details?: unknown };
  const inner = isObject(details) ? details["error_code"] : undefined;
  const words = [fields["code"], inner, fields["type"], fields["status"]].filter((w) => typeof w === "string");
  const said = typeof error === "string" ? error : messageOf(fields["message"]);
  const status = statusOf(fault.status, fields["code"], words);
  const after = retryAfterMs(headers, telling.now);
  return {
    kind: "failure",
    class: classify(status, words, fields, said),
    message: tell(fault, fields, words, said, telling),
    ...(status !== undefined && { status }),
    ...(after !== undefined && { retryAfterMs: after }),
    ...(fault.background !== undefined && { background: fault.background }),
  };
}

function messageOf(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

/** Gateways tell the failure of an upstream at HTTP 200: `code` is then a number, a text of digits, or a word. */
function statusOf(http: number | undefined, code: unknown, words: readonly string[]): number | undefined {
  if (http !== undefined && (http < 200 || http > 299)) return http;
  const told = Number(code);
  if (Number.isInteger(told) && told >= 400 && told <= 599) return told;
  const word = words.map((w) => STATUS_OF.find(([pattern]) => pattern.test(w))?.[1]).find((s) => s !== undefined);
  return word ?? http;
}

const STATUS_OF: readonly (readonly [RegExp, number])[] = [
  [/rate_?limit|throttl|resource_exhausted/i, 429],
  [/invalid_api_key|authentication|unauthenticated/i, 401],
  [/permission/i, 403],
  [/not_found/i, 404],
  [/timeout/i, 408],
  [/invalid_(request|argument|prompt)|policy/i, 400],
];

const BILLING = /insufficient_?(quota|credits?|funds|balance)|billing|budget_exceeded|exceeded_current_quota/i;
/** Anthropic tells an empty account with 400 and no code of its own. */
const BILLING_TEXT = /credit balance is too low/i;
const CONTEXT_CODE = /context_?(length|window)|request_too_large|prompt_too_long/i;
const CONTEXT_TEXT =
  /context[ _-]?(length|window|size)|maximum prompt length|(prompt|input|request)( is)? too (long|large)|too many (input |prompt )?tokens|token count .{0,40}exceeds|exceeds? (the )?context limit|reduce the length/i;
const MODERATED = /moderation|content_(policy|filter)/i;

function classify(
  status: number | undefined,
  words: readonly string[],
  { metadata }: { metadata?: unknown },
  said: string,
): FailureClass {
  const any = (pattern: RegExp): boolean => words.some((word) => pattern.test(word));
  // OpenRouter wraps the upstream's own error as text.
  const raw = isObject(metadata) && typeof metadata["raw"] === "string" ? metadata["raw"] : "";
  if (status === 402 || any(BILLING) || (status === 400 && BILLING_TEXT.test(said))) return "billing";
  if (status === 413 || any(CONTEXT_CODE)) return "context";
  if (status === 400 || status === 422)
    return CONTEXT_TEXT.test(said) || CONTEXT_TEXT.test(raw) ? "context" : "invalid";
  // Gateways refuse what their moderation flagged with 403: not our key's fault, and no other key would help.
  if (status === 403 && (any(MODERATED) || (isObject(metadata) && "flagged_input" in metadata))) return "invalid";
  if (status === undefined || status < 400 || status >= 500) return "retry";
  return CLASS_OF.get(status) ?? "invalid";
}

const CLASS_OF: ReadonlyMap<number, FailureClass> = new Map([
  [401, "credentials"],
  [403, "credentials"],
  [408, "retry"],
  [409, "retry"],
  [425, "retry"],
  [429, "rate-limit"],
]);

/** `HTTP 429 (insufficient_quota): You exceeded …` */
function tell(fault: Fault, fields: object, words: readonly string[], said: string, telling: Telling): string {
  const { status, words: own } = fault;
  const number = "code" in fields && typeof fields.code === "number" ? [String(fields.code)] : [];
  const codes = [...new Set([...words, ...number].filter((word) => /^[\w.-]{1,64}$/.test(word)))].join(", ");
  const excerpt = safeExcerpt(said, telling);
  const head = `${status === undefined ? "" : `HTTP ${status}`}${codes === "" ? "" : ` (${safeExcerpt(codes, telling)})`}`;
  return [head.trim(), own, excerpt].filter((part) => part !== undefined && part !== "").join(": ");
}
