/** What all runs of a world share, in half of the worlds: models and days with limits, and somebody who stops things and lets them go on. */
import type { ModelAnswer, ModelFailure, ModelReply, ModelRequest } from "../../src/core/messages.ts";
import { requestTokens } from "../../src/core/size.ts";
import type { Allowance } from "../../src/ports/allowance.ts";
import type { DayBudget, ProfileBounds } from "../../src/ports/asking.ts";
import { type Dice, rollDice } from "./dice.ts";
import type { World } from "./world.ts";

export interface Shared {
  /** How often something is stopped. */
  readonly pauses: number;
  /** Providers refuse often, and say for how long. */
  readonly strict: number;
  /** Calls in any minute of one user on each connection. */
  readonly calls: number | undefined;
  /** Of each model profile. */
  readonly profile: ProfileBounds & { readonly maxOutputTokens: number };
  /** Of a day; money in billionths of a US dollar. */
  readonly identifier?: { readonly tokens?: number; readonly nano?: number };
  readonly tenant?: { readonly tokens: number };
  /** Of each identifier's day. */
  readonly counts?: { readonly turns: number } | { readonly toolCalls: number };
}

/** Short, so that runs that wait for its end go on. */
export const DAY_MS = 120_000;
/** US dollars for a token, of a request and of an answer. */
const PRICE = { input: 1e-6, output: 4e-6 } as const;
/** Of an answer: at least what its text takes of the next request, so that a provider never counts more than was kept aside. */
const LEAST_OUTPUT = 160;
/** What fits into a day that is used up. */
export const RAISE = { tokens: 10_000, nano: 20_000_000, counts: { turns: 20, toolCalls: 20 } } as const;

/**
 * With dice of its own: the histories of all other worlds do not hang on it.
 * @param always in every world, and providers are strict
 */
export function drawShared(seed: number, always: boolean): Shared | undefined {
  const dice = rollDice(seed ^ 0x5eed);
  if (!dice.chance(0.5) && !always) return undefined;
  const pauses = dice.chance(0.6) ? 1 + dice.below(4) : 0;
  const bounded = dice.chance(0.5);
  const profile = {
    maxOutputTokens: 300,
    ...(bounded && dice.chance(0.6) && { concurrency: 1 + dice.below(2) }),
    ...(bounded && dice.chance(0.4) && { requestsPerMinute: 2 + dice.below(20) }),
    ...(bounded && dice.chance(0.4) && { tokensPerMinute: 1_000 + dice.below(10_000) }),
  };
  const strict = dice.chance(0.25) || always ? dice.between(0.1, 0.6) : 0;
  const calls = dice.chance(0.25) ? 1 + dice.below(4) : undefined;
  const budgets = drawBudgets(dice);
  const most = dice.chance(0.3) ? 2 + dice.below(8) : undefined;
  const counts = most !== undefined && {
    counts: dice.chance(0.5) ? { turns: most } : { toolCalls: Math.ceil(most / 3) },
  };
  return { pauses, strict, calls, profile, ...budgets, ...counts };
}

function drawBudgets(dice: Dice): Pick<Shared, "identifier" | "tenant"> {
  const kind = dice.below(4);
  const tokens = 1_500 + dice.below(6_000);
  return {
    ...(kind === 1 && { identifier: { tokens } }),
    ...(kind === 2 && { identifier: { nano: 2_000 * tokens } }),
    ...(kind === 3 && { identifier: { tokens: 2 * tokens }, tenant: { tokens } }),
  };
}

/** Of the day of `now`, Redis ms. */
export function budgetsOf(
  { identifier: own, tenant: all, counts }: Shared,
  { identifier, tenant }: { readonly identifier: string; readonly tenant?: string },
  now: number,
): readonly DayBudget[] {
  const day = Math.floor(now / DAY_MS);
  const endsAt = (day + 1) * DAY_MS;
  return [
    ...(own === undefined && counts === undefined
      ? []
      : [{ name: `identifier:${identifier}:${day}`, endsAt, ...own, ...(counts !== undefined && { counts }) }]),
    ...(all === undefined || tenant === undefined ? [] : [{ name: `tenant:${tenant}:${day}`, endsAt, ...all }]),
  ];
}

export function allowanceOf({ shared }: World): Allowance | undefined {
  if (shared === undefined) return undefined;
  return {
    profile: () => shared.profile,
    calls: (connection) => (shared.calls === undefined ? undefined : { name: connection, most: shared.calls }),
    budgets: (whose, now) => budgetsOf(shared, whose, now),
    price: (_asked, { input, output }) => Promise.resolve(input * PRICE.input + output * PRICE.output),
    unpriced: () => undefined,
    alarm: () => undefined,
  };
}

/** ms that a provider wants to be left alone, if it does. */
export function refusedFor({ shared, calm, dice }: World): number | undefined {
  return shared === undefined || calm || !dice.chance(shared.strict)
    ? undefined
    : Math.round(dice.between(100, 30_000));
}

const STATUS: Readonly<Partial<Record<ModelFailure["class"], number>>> = {
  "rate-limit": 429,
  billing: 402,
  credentials: 401,
  context: 400,
  invalid: 400,
};

/** What the provider counts and asks to be paid: less than was kept aside for it, as it does not count as carefully. */
export function metered(world: World, reply: ModelReply, request: ModelRequest): ModelReply {
  if (world.shared === undefined) return reply;
  if (reply.kind === "failure") {
    const status = STATUS[reply.class];
    return status === undefined ? reply : { ...reply, status };
  }
  const most = Math.max(LEAST_OUTPUT + 1, request.maxOutputTokens ?? world.shared.profile.maxOutputTokens);
  const input = Math.floor(requestTokens(request, (text) => Math.min(text.length, 300)) / 2);
  const output = Math.floor(world.dice.between(LEAST_OUTPUT, Math.min(most, world.shared.profile.maxOutputTokens)));
  const answer: ModelAnswer = Object.assign({}, reply, { usage: { ...reply.usage, input, output } });
  return answer;
}
