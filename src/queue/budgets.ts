/** A day's budget of an identifier or a tenant, as an operator looks at it and raises it. */
import { type DayCount, type DayCounts, DAY_COUNTS } from "../core/day-counts.ts";
import { checkOptionNames, type OptionNames } from "../core/option-names.ts";
import { budgetName, type Budgets, dayOf, type DayLimits, type Scope, SCOPES } from "../core/days.ts";
import { ErrandError } from "../core/errors.ts";
import type { EnqueueBound } from "./enqueue-bounds.ts";
import { RAISE } from "./scripts/raise.ts";
import type { Store } from "./store.ts";

/** One of the two. */
export interface BudgetOwner {
  readonly identifier?: string;
  readonly tenant?: string;
}

export interface BudgetUse {
  readonly used: number;
  /** Kept aside for model calls that are under way. */
  readonly reserved: number;
  /** With what an operator gave on top. */
  readonly limit?: number;
}

export interface BudgetView {
  readonly owner: BudgetOwner;
  /** `2026-11-21`, in the time zone of the budgets. */
  readonly day: string;
  /** ms since 1970. */
  readonly endsAt: number;
  readonly tokens: BudgetUse;
  readonly costUsd: BudgetUse;
  readonly runs: { readonly used: number; readonly limit?: number };
  /** Those that are limited. */
  readonly counts: Readonly<Partial<Record<DayCount, { readonly used: number; readonly limit: number }>>>;
}

/** What is given on top, for the rest of the day. */
export interface BudgetRaise extends Partial<DayCounts> {
  readonly tokens?: number;
  readonly costUsd?: number;
}

const RAISE_NAMES: OptionNames<BudgetRaise> = {
  tokens: true,
  costUsd: true,
  turns: true,
  toolCalls: true,
  activeMs: true,
  resultChars: true,
};
const NANO = 1e9;

/** @throws ErrandError `option-invalid` */
export async function viewBudget(store: Store, budgets: Budgets, owner: BudgetOwner): Promise<BudgetView> {
  const { scope, name } = scopeOf(owner);
  const { day, endsAt } = dayOf(Date.now(), budgets.timeZone ?? "UTC");
  const found = await store.redis.hgetall(`${store.prefix}spend:${budgetName(scope, name, day)}`);
  const of = (field: string): number => Number(found[field] ?? 0);
  const limits: DayLimits = budgets[scope] ?? {};
  const use = (unit: "tokens" | "nano", limit: number | undefined, per: number): BudgetUse => ({
    used: of(unit) / per,
    reserved: of(`kept-${unit}`) / per,
    ...(limit !== undefined && { limit: limit + of(`extra-${unit}`) / per }),
  });
  return {
    owner,
    day,
    endsAt,
    tokens: use("tokens", limits.tokens, 1),
    costUsd: use("nano", limits.costUsd, NANO),
    runs: { used: of("runs"), ...(limits.runs !== undefined && { limit: limits.runs }) },
    counts: Object.fromEntries(
      DAY_COUNTS.flatMap((count) => {
        const limit = limits[count];
        return limit === undefined ? [] : [[count, { used: of(count), limit: limit + of(`extra-${count}`) }]];
      }),
    ),
  };
}

/** What `create` compares and counts. Empty where nothing is limited. */
export function enqueueBounds(
  budgets: Budgets,
  whose: { readonly identifier: string; readonly tenant?: string | undefined },
  now: number,
): readonly EnqueueBound[] {
  return SCOPES.flatMap((scope) => {
    const { runs, parked } = budgets[scope] ?? {};
    const name = whose[scope];
    if (name === undefined || (runs === undefined && parked === undefined)) return [];
    const { day, endsAt } = dayOf(now, budgets.timeZone ?? "UTC");
    const most = { ...(runs !== undefined && { runs }), ...(parked !== undefined && { parked }) };
    return [{ whose: `${scope}:${name}`, day: budgetName(scope, name, day), endsAt, ...most }];
  });
}

/** Runs that wait for the day to end go on if it is enough. @throws ErrandError `option-invalid` */
export async function raiseBudget(
  store: Store,
  budgets: Budgets,
  owner: BudgetOwner,
  more: BudgetRaise,
  nonce: string,
): Promise<void> {
  checkOptionNames("budget", more, RAISE_NAMES);
  const { tokens = 0, costUsd = 0 } = more;
  const counts = DAY_COUNTS.flatMap((count) => (more[count] === undefined ? [] : [[count, more[count]] as const]));
  const { scope, name } = scopeOf(owner);
  for (const [what, value] of [["tokens", tokens] as const, ...counts])
    if (!(Number.isInteger(value) && value >= 0 && value <= 1e12))
      refuse(`${what}: expected a whole number from 0 to 1000000000000, got ${String(value)}.`);
  if (!(typeof costUsd === "number" && costUsd >= 0 && costUsd <= 1e6))
    refuse(`costUsd: expected US dollars from 0 to 1000000, got ${String(costUsd)}.`);
  if (tokens === 0 && costUsd === 0 && counts.every(([, value]) => value === 0))
    refuse("expected tokens, costUsd, turns, toolCalls, activeMs or resultChars: what is given on top.");
  // A process without budgets may raise those of its workers; where they are known, what they do not limit cannot be raised.
  const limits = budgets[scope];
  const given = Object.entries(more).flatMap(([what, value]) => (value === undefined ? [] : [what]));
  const idle = limits && given.find((what) => limits[what as keyof BudgetRaise] === undefined);
  if (idle !== undefined) refuse(`${idle}: budgets.${scope} does not limit it, so there is nothing to raise.`);
  const { day, endsAt } = dayOf(Date.now(), budgets.timeZone ?? "UTC");
  await store.run(
    RAISE,
    budgetName(scope, name, day),
    endsAt,
    tokens,
    Math.round(costUsd * NANO),
    nonce,
    ...counts.flat(),
  );
}

function scopeOf({ identifier, tenant }: BudgetOwner): { readonly scope: Scope; readonly name: string } {
  if (typeof identifier === "string" && tenant === undefined) return { scope: "identifier", name: identifier };
  if (typeof tenant === "string" && identifier === undefined) return { scope: "tenant", name: tenant };
  return refuse("expected { identifier } or { tenant }, one of the two.");
}

function refuse(message: string): never {
  throw new ErrandError("option-invalid", `budget: ${message}`);
}
