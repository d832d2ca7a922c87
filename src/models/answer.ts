/** What the answers of all wire protocols have in common: errors at HTTP 200, token counts, who answered. Never throws. */
import { isObject } from "../core/json.ts";
import type { ModelAnswer, Usage } from "../core/messages.ts";
import type { Fault } from "./failure.ts";
import { type Fields, shortText } from "./fields.ts";
import type { Price } from "./profile.ts";

export interface Asked {
  /** The model asked for; taken for the one that answered if the body names none. */
  readonly model: string;
  readonly tookMs: number;
  readonly headers?: Headers;
  readonly price?: Price | undefined;
}

/** The part of an answer that says what the model said. */
export type Said = Pick<ModelAnswer, "kind" | "verbatim" | "text" | "calls" | "finish">;

export function fault(words: string): Fault {
  return { kind: "fault", status: 200, words };
}

/** @param body a parsed JSON body; a text if the server called it something else than JSON */
export function readBody(body: unknown): { readonly fields: Fields } | { readonly fault: Fault } {
  const fields = typeof body === "string" ? parsed(body) : body;
  if (!isObject(fields)) return { fault: fault("the answer is not a JSON object") };
  const error = errorIn(fields["error"]);
  return error === undefined ? { fields } : { fault: error };
}

/** An error where an answer was expected; many send an empty one beside a good answer. */
export function errorIn(error: unknown): Fault | undefined {
  const some = isObject(error) ? Object.keys(error).length > 0 : typeof error === "string" && error !== "";
  return some ? { kind: "fault", status: 200, error } : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How a protocol calls its token counts. */
export interface UsageNames {
  readonly input: string;
  readonly output: string;
  readonly inputDetails: string;
  readonly outputDetails: string;
}

export function accounted(
  body: Fields,
  usageOf: (usage: Fields) => Usage,
  asked: Asked,
): Pick<ModelAnswer, "usage" | "costUsd" | "servedModel" | "requestId" | "tookMs"> {
  const told = isObject(body["usage"]) ? body["usage"] : {};
  const usage = usageOf(told);
  const costUsd = dollars(told["cost"]) ?? costIn(asked.headers) ?? (asked.price && costOf(usage, asked.price));
  return {
    usage,
    ...(costUsd !== undefined && { costUsd }),
    servedModel: shortText(body["model"]) || asked.model,
    requestId: requestIdIn(asked.headers) || shortText(body["id"]),
    tookMs: asked.tookMs,
  };
}

/** OpenAI's name, Anthropic's, LiteLLM's. */
function requestIdIn(headers: Headers | undefined): string {
  const names = ["x-request-id", "request-id", "x-litellm-call-id"];
  return names.map((name) => shortText(headers?.get(name))).find((id) => id !== "") ?? "";
}

/** LiteLLM tells the cost of a request beside its body. */
function costIn(headers: Headers | undefined): number | undefined {
  const text = headers?.get("x-litellm-response-cost")?.trim();
  return text === undefined || text === "" ? undefined : dollars(Number(text));
}

function dollars(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** A cost of nothing at all is none that was reported: without a usage there is nothing to price. */
function costOf({ input, cachedInput, output }: Usage, price: Price): number | undefined {
  if (input + output === 0) return undefined;
  const cached = Math.min(cachedInput, input);
  const cost = (input - cached) * price.input + cached * (price.cachedInput ?? price.input) + output * price.output;
  // A thousand-millionth of a dollar is exact enough, and free of the dust of binary fractions.
  return Math.round(cost * 1_000) / 1e9;
}

/** Counts as OpenAI's protocols tell them. */
export function usageBy(names: UsageNames): (usage: Fields) => Usage {
  return (usage) => {
    const input = usage[names.inputDetails];
    const output = usage[names.outputDetails];
    return {
      input: tokens(usage[names.input]),
      output: tokens(usage[names.output]),
      cachedInput: tokens(isObject(input) ? input["cached_tokens"] : undefined),
      reasoning: tokens(isObject(output) ? output["reasoning_tokens"] : undefined),
    };
  };
}

/** Missing and negative counts are seen in the field; sums of a thousand of these stay exact. */
export function tokens(value: unknown): number {
  return typeof value === "number" && value > 0 ? Math.min(Math.round(value), 1e12) : 0;
}
