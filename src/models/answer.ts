/** What the answers of all wire protocols have in common: errors at HTTP 200, token counts, who answered. Never throws. */
import { isObject } from "../core/json.ts";
import type { ModelAnswer, Usage } from "../core/messages.ts";
import type { Fault } from "./failure.ts";
import { type Fields, shortText } from "./fields.ts";

export interface Asked {
  /** The model asked for; taken for the one that answered if the body names none. */
  readonly model: string;
  readonly tookMs: number;
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
  const usage = isObject(body["usage"]) ? body["usage"] : {};
  const { cost } = usage as { cost?: unknown };
  const known = typeof cost === "number" && Number.isFinite(cost) && cost >= 0;
  return {
    usage: usageOf(usage),
    ...(known && { costUsd: cost }),
    servedModel: shortText(body["model"]) || asked.model,
    requestId: shortText(body["_request_id"]) || shortText(body["id"]),
    tookMs: asked.tookMs,
  };
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
