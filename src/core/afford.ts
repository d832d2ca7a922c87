/** Whether what is left of a budget pays for a model call, and how long its answer may be then. Pure. */
import type { Limits } from "./limits.ts";

/** What a call needs: tokens of its request, of its answer at most, and of the results that the next request has more. */
export interface Needs {
  readonly input: number;
  readonly output: number;
  readonly growth: number;
}

/** Tokens or US dollars: how many are left, and what a token takes of them. */
export interface Purse {
  readonly left: number;
  readonly perInput: number;
  readonly perOutput: number;
}

export type Affordable =
  /** `output`: tokens that the answer may have. */
  | { readonly is: "turn" | "last"; readonly output: number }
  /** Not even for a short last answer. */
  | { readonly is: "nothing" };

/** An answer shorter than this is none. */
export const LEAST_OUTPUT = 256;
/** Of what is left, an ordinary turn takes for its answer: a last turn must still fit behind it. */
const SHARE = 8;

/** With several purses, the narrowest one decides. @param final an ordinary turn is out of the question */
export function afford(purses: readonly Purse[], needs: Needs, final: boolean): Affordable {
  const each = purses.map((purse) => affordOne(purse, needs, final));
  if (each.some(({ is }) => is === "nothing")) return { is: "nothing" };
  if (!final && each.some(({ is }) => is === "last")) return afford(purses, needs, true);
  const output = Math.min(needs.output, ...each.map((one) => (one.is === "nothing" ? 0 : one.output)));
  return { is: final ? "last" : "turn", output };
}

function affordOne({ left, perInput, perOutput }: Purse, { input, output, growth }: Needs, final: boolean): Affordable {
  const room = perOutput === 0 ? output : Math.floor((left - input * perInput) / perOutput);
  const share = perOutput === 0 ? output : Math.floor(left / SHARE / perOutput);
  const usual = Math.min(output, Math.max(LEAST_OUTPUT, share));
  const grown = Math.min(growth * perInput, left / SHARE);
  const both = 2 * (input * perInput + usual * perOutput) + grown;
  if (!final && both <= left) return { is: "turn", output: usual };
  if (left >= input * perInput && room >= Math.min(output, LEAST_OUTPUT))
    return { is: "last", output: Math.min(output, room) };
  return { is: "nothing" };
}

/** With `behind`: what must be left for what comes after, in the purse's own unit. */
export interface SummaryPurse extends Purse {
  readonly behind: number;
}

/** A summary that is told to be shorter than this says too little. */
const LEAST_SUMMARY = 1_000;

/** A summary is bought only where an answer can still be paid behind it. @returns tokens that it may have; nothing: it cannot be paid */
export function affordSummary(
  purses: readonly SummaryPurse[],
  { input, output }: Omit<Needs, "growth">,
): number | undefined {
  const rooms = purses.map(({ left, behind, perInput, perOutput }) => {
    const rest = left - behind - input * perInput;
    return perOutput > 0 ? Math.floor(rest / perOutput) : rest >= 0 ? output : 0;
  });
  const most = Math.min(output, ...rooms);
  return most >= Math.min(output, LEAST_SUMMARY) ? most : undefined;
}

/** Tokens of an answer where nobody bounds them and something is paid by them. */
export const DEFAULT_OUTPUT = 16_384;
/** What English text and JSON have at least. */
const CHARS_PER_TOKEN = 3;

/** Tokens that the results of one turn add at most, as estimated. */
export function growthOf(limits: Limits): number {
  return Math.ceil(limits.turnResultChars / CHARS_PER_TOKEN);
}
