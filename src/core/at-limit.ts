/** Before each model call: which limit of the run is met, and what the agent wants done then. Pure. */
import type { Amount, Ended } from "./journal.ts";
import { pollingTools } from "./judge.ts";
import type { AtLimit, Limits, RunLimit } from "./limits.ts";
import { pastOf, repetition, sameErrors } from "./loops.ts";
import type { Evidence } from "./outcome.ts";
import { LIMIT_CODE } from "./run.ts";
import { activeMs, usedBy } from "./spending.ts";
import { limitsOf } from "./own-limits.ts";
import type { RunState } from "./state.ts";

export type Bounded =
  | { readonly is: "free" }
  /** The last turn, for an answer. */
  | { readonly is: "last"; readonly because: RunLimit }
  | { readonly is: "end"; readonly end: Ended }
  /** Until an operator raises the limit, or Redis ms. */
  | { readonly is: "wait"; readonly limit: RunLimit; readonly until: number; readonly message: string };

/** Limits that are known without looking at the next request. */
export function bounded(state: RunState, now: number): Bounded {
  const limits = limitsOf(state);
  const met = limits && metLimit(state, limits, policyOf(state), now);
  return met === undefined ? { is: "free" } : atLimit(state, met, now);
}

/** What calls use up by themselves, so that it is looked at before each of them as well; or what the day has no room for. */
export function limitOfCalls(state: RunState, now: number): RunLimit | undefined {
  const limits = limitsOf(state);
  if (limits === undefined) return undefined;
  if (activeMs(state.activity, now) >= limits.activeMs) return "activeMs";
  if (resultChars(state) >= limits.runResultChars) return "runResultChars";
  return state.budgetMet !== undefined && now < state.budgetMet.until ? state.budgetMet.limit : undefined;
}

/** What follows from a limit that is met. A loop is nothing that an operator could raise. */
export function atLimit(state: RunState, met: RunLimit, now: number): Bounded {
  const policy = policyOf(state);
  if (policy === "answer" || (policy === "park" && met === "loop")) return { is: "last", because: met };
  if (policy === "fail") return { is: "end", end: failedAt(state, met) };
  const since = state.parks.find((park) => park.limit !== undefined && park.at > state.raisedAt)?.at ?? now;
  const until = since + (state.context?.expiresAfterMs ?? 0);
  const message = messageOf(state, met);
  if (now < until) return { is: "wait", limit: met, until, message };
  return { is: "end", end: { kind: "ended", status: "expired", message: `${message} Nobody raised it in time.` } };
}

/** The run is to end with an answer, so that something is kept for it. */
export function answersAtLimit(state: RunState): boolean {
  return policyOf(state) === "answer";
}

function policyOf({ context }: RunState): AtLimit {
  return context?.atLimit ?? "answer";
}

function metLimit(state: RunState, limits: Limits, policy: AtLimit, now: number): RunLimit | undefined {
  const plans = state.turns.map(({ plan }) => plan);
  const last = plans.at(-1) ?? [];
  const made = plans.flat().filter((call) => call.verdict === "run").length;
  // Without a last turn for it, all turns are the model's own, and it may answer after its last call.
  const answers = policy === "answer";
  if (plans.length >= limits.turns - (answers ? 1 : 0)) return "turns";
  if (made >= limits.toolCalls && (answers || last.some((call) => call.verdict === "reject"))) return "toolCalls";
  const byCalls = limitOfCalls(state, now);
  if (byCalls !== undefined) return byCalls;
  const { tokens, costUsd = 0 } = usedBy(state.spending);
  if (limits.tokens !== undefined && tokens >= limits.tokens) return "tokens";
  if (limits.costUsd !== undefined && costUsd >= limits.costUsd) return "costUsd";
  const polling = state.context === undefined ? new Set<string>() : pollingTools(state.context);
  const loops = [repetition(plans, polling), sameErrors(pastOf(state), polling)];
  return loops.some(({ is }) => is === "finish") ? "loop" : undefined;
}

/** Each result is measured once, as long as its evidence is held in memory. */
const sizes = new WeakMap<Evidence, number>();

/** Of all results, as JSON. */
export function resultChars({ evidence }: RunState): number {
  let sum = 0;
  for (const one of Object.values(evidence)) {
    const size = sizes.get(one) ?? sizeOf(one);
    sizes.set(one, size);
    sum += size;
  }
  return sum;
}

function sizeOf({ outcome }: Evidence): number {
  return outcome.kind === "ok" ? (outcome.blob?.characters ?? JSON.stringify(outcome.data).length) : 0;
}

/** What text there is, is kept. */
export function failedAt(state: RunState, met: RunLimit, message: string = messageOf(state, met)): Ended {
  const text = state.turns.findLast((turn) => turn.text.trim() !== "")?.text;
  return {
    kind: "ended",
    status: "failed",
    code: LIMIT_CODE[met],
    message,
    ...(text !== undefined && { output: text }),
  };
}

function messageOf(state: RunState, met: RunLimit): string {
  if (met === "loop") return "The model went round in circles, and did not stop when it was told so.";
  if (state.budgetMet?.limit === met) return `${state.budgetMet.message}.`;
  const most = limitsOf(state)?.[met];
  return `The run's limit is met: ${met}${most === undefined ? "" : ` ${most}`}${toldOf(met, usedBy(state.spending))}.`;
}

function toldOf(met: RunLimit, { tokens, costUsd = 0 }: Amount): string {
  if (met === "tokens") return `, ${tokens} used`;
  return met === "costUsd" ? `, ${costUsd.toFixed(4)} used` : "";
}
