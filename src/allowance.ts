/** The port Allowance from the options: limits of profiles, budgets of the day, prices, alarms. */
import { type CallRates, rateOf } from "./core/call-rates.ts";
import { DAY_COUNTS, type DayCount, type DayCounts } from "./core/day-counts.ts";
import { budgetName, type Budgets, type Day, dayOf, type DayLimits, type Scope } from "./core/days.ts";
import { priceOf } from "./models/prices.ts";
import type { ModelProfile } from "./models/protocols.ts";
import type { Allowance, ModelAlarm } from "./ports/allowance.ts";
import type { DayBudget } from "./ports/asking.ts";
import type { Log } from "./ports/log.ts";

const NANO = 1e9;

export interface AllowanceOptions {
  readonly models: Readonly<Record<string, ModelProfile>>;
  readonly budgets: Budgets;
  readonly callsPerMinute?: CallRates | undefined;
  readonly onAlarm: ((alarm: ModelAlarm) => void) | undefined;
  readonly log: Log;
}

export function createAllowance({ models, budgets, callsPerMinute = {}, onAlarm, log }: AllowanceOptions): Allowance {
  const unpriced = new Set<string>();
  let today: Day = { day: "", endsAt: 0 };
  let began = 0;
  const dayAt = (now: number): Day => {
    if (now < began || now >= today.endsAt) [today, began] = [dayOf(now, budgets.timeZone ?? "UTC"), now];
    return today;
  };
  return {
    profile: (name) => (Object.hasOwn(models, name) ? (models[name] ?? {}) : {}),
    budgets: ({ identifier, tenant }, now) => {
      const found: DayBudget[] = [];
      const add = (scope: Scope, name: string | undefined, limits: DayLimits | undefined): void => {
        if (name === undefined || limits === undefined) return;
        const { tokens, costUsd } = limits;
        const counts = countsIn(limits);
        if (tokens === undefined && costUsd === undefined && counts === undefined) return;
        const { day, endsAt } = dayAt(now);
        found.push({
          name: budgetName(scope, name, day),
          endsAt,
          ...(tokens !== undefined && { tokens }),
          ...(costUsd !== undefined && { nano: Math.floor(costUsd * NANO) }),
          ...(counts !== undefined && { counts }),
        });
      };
      add("identifier", identifier, budgets.identifier);
      add("tenant", tenant, budgets.tenant);
      return found;
    },
    calls: (connection, source) => rateOf(callsPerMinute, connection, source),
    price: (asked, usage) => priceOf(models[asked.profile], asked, usage),
    unpriced: ({ profile, model }) => {
      const name = `${profile}/${model}`;
      if (!unpriced.has(name)) log.warn("model.price-unknown", { model: name });
      unpriced.add(name);
    },
    alarm: (alarm) => {
      try {
        onAlarm?.(alarm);
      } catch (error) {
        log.warn("alarm.threw", { error: error instanceof Error ? error.name : "something that is no Error" });
      }
    },
  };
}

function countsIn(limits: DayLimits): Partial<DayCounts> | undefined {
  const counts: Partial<Record<DayCount, number>> = {};
  for (const count of DAY_COUNTS) if (limits[count] !== undefined) counts[count] = limits[count];
  return Object.keys(counts).length === 0 ? undefined : counts;
}
