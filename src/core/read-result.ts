/**
 * `read_result`: the rest of a tool result that the model was shown only in part. Every run has it, and a model is offered it once
 * something was left out. It reads what the journal holds of this run's own calls, and nothing else. Pure.
 */
import { canonical, isObject, type Json } from "./json.ts";
import { splitMedia } from "./media.ts";
import { didYouMean } from "./nearest.ts";
import type { Evidence, Outcome } from "./outcome.ts";
import type { FrozenTool, RunContext } from "./run.ts";
import { visible, visibleText } from "./visible.ts";

export const READ_RESULT: FrozenTool = {
  name: "read_result",
  description:
    "Read more of a tool result that was shown only in part. `call` and `offset` stand where something was left out; `next` in the answer is the offset of what follows.",
  parameters: {
    type: "object",
    properties: {
      call: { type: "string", description: "The call whose result it is, such as t0c0" },
      offset: { type: "integer", minimum: 0, description: "Characters to skip; default 0" },
      length: { type: "integer", minimum: 1, description: "Characters to read at most" },
    },
    required: ["call"],
    additionalProperties: false,
  },
  connection: "",
  source: "run",
  effect: "read",
  hash: "read_result/1",
};

/** What stands where something was left out; a model that has seen it is offered the tool. */
export const MARK = "read_result({";

export function readMore(call: string, offset: number): string {
  return `; for more: ${MARK}"call":"${call}","offset":${offset}})`;
}

/** With the tool, unless the app has one of that name. */
export function withReadResult(context: RunContext): RunContext {
  const has = context.tools.some(({ name, alias }) => name === READ_RESULT.name || alias === READ_RESULT.name);
  return has ? context : { ...context, tools: [...context.tools, READ_RESULT] };
}

export function isReadResult(context: Pick<RunContext, "tools"> | undefined, name: string): boolean {
  return name === READ_RESULT.name && context?.tools.some((tool) => tool.name === name) !== true;
}

/** Problems of the arguments; empty when they fit. */
export function checkReadResult(args: Json): readonly string[] {
  if (!isObject(args)) return ["send one JSON object"];
  const known = ["call", "offset", "length"];
  const strange = Object.keys(args).find((name) => !known.includes(name));
  if (strange !== undefined)
    return [
      `there is no parameter ${JSON.stringify(strange.slice(0, 100))}.${didYouMean(strange.slice(0, 100), known)}`,
    ];
  const { call, offset = 0, length = 1 } = args;
  if (typeof call !== "string" || !/^[\w.:-]{1,100}$/.test(call))
    return ["call: expected the id of a call, such as t0c0"];
  for (const [name, value, least] of [["offset", offset, 0] as const, ["length", length, 1] as const])
    if (!Number.isSafeInteger(value) || Number(value) < least)
      return [`${name}: expected a whole number from ${least}`];
  return [];
}

/** The text that `offset` counts in: as the model is shown it, before anything is left out. */
export function textOf(outcome: Extract<Outcome, { kind: "ok" }>): string {
  return canonical(visible(splitMedia(outcome.data).data));
}

/**
 * @param whole the text of a result that is kept beside the journal; nothing when it is gone
 * @param most characters that the model is shown of one result
 */
export function readResult(
  args: Json,
  evidence: Evidence | undefined,
  whole: string | undefined,
  most: number,
): Outcome {
  const { call = "", offset = 0, length } = isObject(args) ? args : {};
  const wrong = (message: string): Outcome => ({ kind: "error", type: "NoSuchResult", message, retryable: false });
  if (evidence === undefined || evidence.outcome.kind !== "ok")
    return wrong(`There is no result of a call ${JSON.stringify(call)} in this run.`);
  const { blob } = evidence.outcome;
  if (blob !== undefined && whole === undefined)
    return wrong("The whole of this result was not kept; what was shown of it is all there is.");
  const text = whole === undefined ? textOf(evidence.outcome) : visibleText(whole);
  // In quotes a text grows; what is read must not be cut again.
  const room = Math.max(100, Math.floor(most * 0.6));
  const start = Math.min(Number(offset), text.length);
  const end = Math.min(start + Math.min(typeof length === "number" ? length : room, room), text.length);
  const data = {
    call: evidence.call,
    offset: start,
    characters: text.length,
    text: text.slice(start, end).toWellFormed(),
  };
  return { kind: "ok", data: end < text.length ? { ...data, next: end } : data };
}
