/** What a run adds to the day of its user and of its tenant, besides tokens and money: totals of the run, folded from its journal. Pure. */
import { resultChars } from "./at-limit.ts";
import type { RunLimit } from "./limits.ts";
import { activeMs } from "./spending.ts";
import type { RunState } from "./state.ts";

/** As the limits of a run of the same names; `resultChars` is its `runResultChars`. */
export interface DayCounts {
  readonly turns: number;
  readonly toolCalls: number;
  readonly activeMs: number;
  readonly resultChars: number;
}

export type DayCount = keyof DayCounts;
export const DAY_COUNTS: readonly DayCount[] = ["turns", "toolCalls", "activeMs", "resultChars"];

/** How it is called where a run fails of it. */
export const RUN_LIMIT: Readonly<Record<DayCount, RunLimit>> = {
  turns: "turns",
  toolCalls: "toolCalls",
  activeMs: "activeMs",
  resultChars: "runResultChars",
};

/** @param now Redis ms */
export function countsOf(state: RunState, now: number): DayCounts {
  const calls = state.turns.flatMap(({ plan }) => plan.filter(({ verdict }) => verdict === "run"));
  return {
    turns: state.turns.length,
    toolCalls: calls.length,
    activeMs: Math.round(activeMs(state.activity, now)),
    resultChars: resultChars(state),
  };
}
