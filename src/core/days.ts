/** Budgets of a day: whose, how much, and when the day is over. Pure. */
import { ErrandError } from "./errors.ts";
import { toldValue } from "./json.ts";
import { type OptionNames, strayOption } from "./option-names.ts";

/** What one identifier or one tenant may use on one day. What is left out has no limit. */
export interface DayLimits {
  /** Runs enqueued; an `enqueue` beyond it is refused. */
  readonly runs?: number;
  /** Tokens of model calls, in and out. */
  readonly tokens?: number;
  /** US dollars of model calls whose price is known. */
  readonly costUsd?: number;
  /** Model answers, calls of tools, ms that workers had its runs, characters of all results: as the limits of a run count them. */
  readonly turns?: number;
  readonly toolCalls?: number;
  readonly activeMs?: number;
  readonly resultChars?: number;
  /** Runs that are parked at once, on whatever day; an `enqueue` beyond it is refused. */
  readonly parked?: number;
}

export interface Budgets {
  readonly identifier?: DayLimits;
  readonly tenant?: DayLimits;
  /** Where a day begins at midnight, an IANA name such as `Europe/Berlin`; default UTC. */
  readonly timeZone?: string;
}

export const SCOPES = ["identifier", "tenant"] as const;
export type Scope = (typeof SCOPES)[number];

const BUDGETS: OptionNames<Budgets> = { identifier: true, tenant: true, timeZone: true };
const DAY_CAPS: Required<DayLimits> = {
  runs: 10_000_000,
  tokens: 1e12,
  costUsd: 1_000_000,
  turns: 1e9,
  toolCalls: 1e9,
  activeMs: 1e12,
  resultChars: 1e12,
  parked: 10_000_000,
};

/** @throws ErrandError `config-invalid` */
export function checkBudgets(given: Budgets | undefined): Budgets {
  const where = "createErrand: budgets";
  const refuse = (message: string): never => {
    throw new ErrandError("config-invalid", `${where}: ${message}`);
  };
  if (given === undefined) return {};
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return refuse(`expected { identifier, tenant, timeZone }, got ${JSON.stringify(given)}.`);
  const stray = strayOption(given, BUDGETS);
  if (stray !== undefined) refuse(stray);
  const { timeZone = "UTC", identifier, tenant } = given;
  if (!isZone(timeZone))
    refuse(`timeZone: expected an IANA name such as Europe/Berlin, got ${JSON.stringify(timeZone)}.`);
  for (const [scope, limits] of Object.entries({ identifier, tenant })) {
    const strange = strayOption(limits ?? {}, DAY_CAPS);
    if (strange !== undefined) refuse(`${scope}: ${strange}`);
    if (limits !== undefined && (typeof limits !== "object" || limits === null || Array.isArray(limits)))
      refuse(`${scope}: expected names and numbers, such as { tokens: 500000 }, got ${JSON.stringify(limits)}.`);
    for (const [name, value] of Object.entries(limits ?? {})) {
      if (value === undefined) continue;
      const cap = DAY_CAPS[name as keyof DayLimits];
      const fits =
        typeof value === "number" && value > 0 && value <= cap && (name === "costUsd" || Number.isInteger(value));
      const what = name === "costUsd" ? `US dollars above 0 and up to ${cap}` : `a whole number from 1 to ${cap}`;
      if (!fits) refuse(`${scope}.${name}: expected ${what}, got ${toldValue(value)}.`);
    }
  }
  return given;
}

function isZone(name: unknown): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: String(name) });
    return typeof name === "string";
  } catch {
    return false;
  }
}

export interface Day {
  /** `2026-11-21`. */
  readonly day: string;
  /** ms since 1970. */
  readonly endsAt: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function dateOf(ms: number, timeZone: string): string {
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" });
  formats.set(timeZone, format);
  return format.format(ms);
}

const LONGEST_DAY_MS = 27 * 3_600_000;

/** Days are as long as clocks make them: 23 and 25 hours where summer begins and ends. */
export function dayOf(now: number, timeZone: string): Day {
  const day = dateOf(now, timeZone);
  let [inside, after] = [Math.floor(now), Math.floor(now) + LONGEST_DAY_MS];
  while (after - inside > 1) {
    const middle = Math.floor((inside + after) / 2);
    if (dateOf(middle, timeZone) === day) inside = middle;
    else after = middle;
  }
  return { day, endsAt: after };
}

/** Key of what was used. Both names are escaped, so that none runs into another. */
export function budgetName(scope: Scope, name: string, day: string): string {
  return `${scope}:${encodeURIComponent(name)}:${day}`;
}
