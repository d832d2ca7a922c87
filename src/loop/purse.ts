/** What is left to pay a model call from: the run's own limits and the day's, and what a token takes of each. */
import { DEFAULT_OUTPUT, type Purse } from "../core/afford.ts";
import type { Amount } from "../core/journal.ts";
import { type ModelName, NO_USAGE } from "../core/messages.ts";
import { usedBy } from "../core/spending.ts";
import { limitsOf } from "../core/own-limits.ts";
import type { DayBudget, ProfileBounds } from "../ports/asking.ts";
import { budgetsOf } from "./days.ts";
import type { Asked, HeldRun } from "./held.ts";
import type { LoopPorts } from "./loop.ts";

const NANO = 1e9;

type Money = "tokens" | "costUsd";
export type Limited = Purse & { readonly limit: Money; readonly day?: DayBudget };

/** What a token of this model costs; nothing where nobody knows. */
export interface Rate {
  readonly input?: number;
  readonly output?: number;
}

/** Who asks whom for the run. */
export interface Payer {
  readonly held: HeldRun;
  readonly ports: LoopPorts;
  readonly asked: ModelName;
}

/** What a call of this model is limited by. */
export interface Meters {
  readonly bounds: ProfileBounds & { readonly maxOutputTokens?: number };
  readonly budgets: readonly DayBudget[];
  /** Something is limited by tokens or money. */
  readonly isMetered: boolean;
}

export function metersOf({ held, ports, asked }: Payer): Meters {
  const bounds = ports.allowance?.profile(asked.profile) ?? {};
  const budgets = budgetsOf(held.state, ports, held.now());
  const { tokens, costUsd } = limitsOf(held.state) ?? {};
  const isMetered = [tokens, costUsd, bounds.tokensPerMinute].some((it) => it !== undefined) || budgets.length > 0;
  return { bounds, budgets, isMetered };
}

/** What the run has left of its own limits and, where that is known, of the day's. */
export function pursesOf(
  { held, ports, asked }: Payer,
  rate: Rate,
  days: readonly Limited[],
  { budgets }: Meters,
): Limited[] {
  const { tokens, costUsd } = limitsOf(held.state) ?? {};
  const used = usedBy(held.state.spending);
  const isMoney = costUsd !== undefined || budgets.some(({ nano }) => nano !== undefined);
  if (rate.input === undefined && isMoney) ports.allowance?.unpriced(asked);
  const purses: Limited[] = [...days];
  if (costUsd !== undefined && rate.input !== undefined && rate.output !== undefined)
    purses.unshift({
      limit: "costUsd",
      left: costUsd - (used.costUsd ?? 0),
      perInput: rate.input,
      perOutput: rate.output,
    });
  if (tokens !== undefined) purses.unshift({ limit: "tokens", left: tokens - used.tokens, perInput: 1, perOutput: 1 });
  return purses;
}

export function amountAt({ input: perInput, output: perOutput }: Rate, input: number, output: number): Amount {
  const isKnown = perInput !== undefined && perOutput !== undefined;
  return { tokens: input + output, ...(isKnown && { costUsd: input * perInput + output * perOutput }) };
}

export async function rateOf(
  { asked, ports }: Pick<Payer, "asked"> & { readonly ports: Pick<LoopPorts, "allowance"> },
  input: number,
  output: number,
): Promise<Rate> {
  const many = Math.max(1, input);
  // At its dearest: all of it is written to the provider's cache, and an answer to a long request may cost more than one to a short one.
  const dearest = { ...NO_USAGE, input: many, cacheWritten: many };
  const forInput = await ports.allowance?.price(asked, dearest);
  const forBoth = await ports.allowance?.price(asked, { ...dearest, output });
  return forInput === undefined || forBoth === undefined
    ? {}
    : { input: forInput / many, output: (forBoth - forInput) / output };
}

export async function leftOfDay(
  payer: Payer,
  { budgets }: Meters,
  { budget, tokens, nano }: Extract<Asked, { is: "short" }>,
): Promise<readonly Limited[]> {
  const { input = 0, output = 0 } = await rateOf(payer, DEFAULT_OUTPUT, DEFAULT_OUTPUT);
  const day = budgets.find(({ name }) => name === budget);
  const of = day === undefined ? {} : { day };
  const days: Limited[] = [];
  if (tokens !== undefined) days.push({ limit: "tokens", left: tokens, perInput: 1, perOutput: 1, ...of });
  if (nano !== undefined)
    days.push({ limit: "costUsd", left: moneyOf(nano), perInput: input, perOutput: output, ...of });
  return days;
}

/**
 * US dollars that what is left of a day pays for: one billionth less, as what is kept aside is rounded up. Without it, a call that takes
 * all there is was refused by a rounding error, and asked for again, without end.
 */
export function moneyOf(nano: number): number {
  return Math.max(0, nano - 1) / NANO;
}

export function nanoOf({ costUsd = 0 }: Amount): number {
  return Math.ceil(costUsd * NANO);
}
