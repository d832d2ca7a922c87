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
  return {
    turns: state.turns.length,
    toolCalls: state.turns.flatMap(({ plan }) => plan.filter(({ id }) => isBegun(state, id))).length,
    activeMs: Math.round(activeMs(state.activity, now)),
    resultChars: resultChars(state),
  };
}

/** It has been announced at least once; more attempts are no more calls. */
export function isBegun({ claims }: RunState, call: string): boolean {
  return (claims[call] ?? []).length > 0;
}

/** What is about to be done, for which a day must have room. */
export type DayStep = "turn" | "last turn" | "summary" | "calls";

/** An eighth of the day's time, as of tokens: the answer that ends a run must still fit behind its last ordinary step. */
const SHARE = 8;

/**
 * The counts that this step must find room in. Where a run is to end with an answer, the last turn and some time are kept for it, and
 * nothing but those two can keep it from being asked for: it makes no calls. Otherwise the model may still answer after its last call,
 * so calls are counted when they are made.
 */
export function countsFor(
  step: DayStep,
  most: Partial<DayCounts>,
  { answers, modelTimeoutMs }: { readonly answers: boolean; readonly modelTimeoutMs: number },
): Partial<DayCounts> {
  const { turns, activeMs, toolCalls, resultChars } = most;
  const isLast = step === "last turn" || step === "summary";
  const keepsTurn = answers && step === "turn" ? 1 : 0;
  const keepsMs = answers && !isLast ? Math.min(modelTimeoutMs, Math.ceil((activeMs ?? 0) / SHARE)) : 0;
  const counts = {
    turns: step === "calls" || turns === undefined ? undefined : turns - keepsTurn,
    toolCalls: isLast || (step === "turn" && !answers) ? undefined : toolCalls,
    activeMs: activeMs === undefined ? undefined : activeMs - keepsMs,
    resultChars: isLast ? undefined : resultChars,
  };
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== undefined));
}
