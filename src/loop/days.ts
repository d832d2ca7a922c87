/** What a run may use of the day of its user and of its tenant, and what it tells them of itself. */
import { answersAtLimit } from "../core/at-limit.ts";
import { countsFor, countsOf, type DayStep } from "../core/day-counts.ts";
import { DEFAULT_LIMITS } from "../core/limits.ts";
import { limitsOf } from "../core/own-limits.ts";
import type { RunState } from "../core/state.ts";
import type { DayBudget } from "../ports/asking.ts";
import type { Meter } from "./held.ts";
import type { LoopPorts } from "./loop.ts";

type Allowing = Pick<LoopPorts, "allowance">;

/** @param now Redis ms */
export function budgetsOf({ created }: RunState, { allowance }: Allowing, now: number): readonly DayBudget[] {
  const { identifier, tenant } = created;
  return allowance?.budgets({ identifier, ...(tenant !== undefined && { tenant }) }, now) ?? [];
}

/** With the counts that this step must find room in. */
export function budgetsFor(step: DayStep, budgets: readonly DayBudget[], state: RunState): readonly DayBudget[] {
  const { modelTimeoutMs } = limitsOf(state) ?? DEFAULT_LIMITS;
  const answers = answersAtLimit(state);
  return budgets.map(({ counts, ...budget }) =>
    counts === undefined ? budget : { ...budget, counts: countsFor(step, counts, { answers, modelTimeoutMs }) },
  );
}

/** Those that count something. Calls keep neither tokens nor money aside. */
export function budgetsOfCalls(state: RunState, ports: Allowing, now: number): readonly DayBudget[] {
  const counting = budgetsOf(state, ports, now).flatMap(({ name, endsAt, counts }) =>
    counts === undefined ? [] : [{ name, endsAt, counts }],
  );
  return budgetsFor("calls", counting, state);
}

/** Nothing where no count of a day is limited. */
export function dayMeter({ allowance }: Allowing): Meter | undefined {
  return (
    allowance &&
    ((state, now) => {
      const days = budgetsOf(state, { allowance }, now).filter(({ counts }) => counts !== undefined);
      if (days.length === 0) return undefined;
      return { totals: countsOf(state, now), days: days.map(({ name, endsAt }) => ({ name, endsAt })) };
    })
  );
}
