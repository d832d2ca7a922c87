/** How many tokens a request has, before it is sent. Estimates: only the provider knows, and says so afterwards. */
import { askedOf, isSame } from "./fallback.ts";
import type { Message, ModelName, ModelRequest } from "./messages.ts";
import type { RunContext } from "./run.ts";
import type { RunState } from "./state.ts";

export type Count = (text: string) => number;

/** What a chat template puts around each message. */
const AROUND = 8;

export function requestTokens({ system, messages, tools }: ModelRequest, count: Count): number {
  return messagesTokens(messages, count) + count(system) + count(textOfData(tools));
}

export function messagesTokens(messages: readonly Message[], count: Count): number {
  return messages.reduce((sum, message) => sum + AROUND + count(textOf(message)), 0);
}

/** As JSON: the calls of a message are tokens as well. */
function textOf(message: Message): string {
  return message.role === "assistant" ? textOfData(message.verbatim) : message.text;
}

/** Each turn's request has those before it, and the same tools: each is written once, as long as it is held in memory. */
const texts = new WeakMap<object, string>();

function textOfData(data: unknown): string {
  if (typeof data !== "object" || data === null) return JSON.stringify(data);
  const text = texts.get(data) ?? JSON.stringify(data);
  texts.set(data, text);
  return text;
}

/** At least as many as `mostTokens`, without a look at the text: UTF-8 has at most three bytes for each unit of UTF-16. */
export function boundTokens(text: string): number {
  return 3 * text.length;
}

/** Every tokenizer makes at most one token of each byte. */
export function mostTokens(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * What the provider itself counted of the last request and its answer, and what has come since; nothing if it did not count, counted for
 * another model, or if the transcript was compacted since. Nor if it counted only what came behind the turns that it keeps: then it is
 * less than what it had counted before.
 */
export function countedTokens(
  state: RunState,
  context: RunContext,
  { messages }: ModelRequest,
  asked: ModelName,
  count: Count,
): number | undefined {
  const last = state.turns.at(-1);
  if (last === undefined || last.usage.input === 0 || !isSame(askedOf(context, last.asked), asked)) return undefined;
  if (state.compactions.some(({ turn }) => turn === state.turns.length)) return undefined;
  const before = state.turns.at(-2);
  if (last.history === "kept" && before !== undefined && last.usage.input < before.usage.input) return undefined;
  const since = messages.slice(messages.findLastIndex(({ role }) => role === "assistant") + 1);
  return last.usage.input + last.usage.output + messagesTokens(since, count);
}
