/**
 * Loops: a model that asks for the same again and again. It is told so, and if it goes on, the next turn is its last. Pure.
 *
 * What counts is a turn's calls as a multiset of name and canonical arguments, so their order does not matter. Three equal turns in a row,
 * or a cycle of two to four turns gone through three times: its calls are not made, and the model is told why. Two more: the last turn.
 * A tool that fails three times in a row with the same error: the model is told; five times: the last turn. (facts/seeds.md D.4: peers
 * use 3 to 6.) Calls of polling tools are not counted, and a turn with no other calls ends any loop.
 */
import type { PlannedCall } from "./journal.ts";
import type { Evidence } from "./outcome.ts";
import type { RunState } from "./state.ts";

export interface PastTurn {
  readonly plan: readonly PlannedCall[];
  /** Tool and error of each call that failed with a definite one, and the tool alone of each that did not, in order. */
  readonly results: readonly PastResult[];
}

export interface PastResult {
  readonly tool: string;
  readonly error?: string;
}

export type Loop = { readonly is: "none" } | { readonly is: "nudge" | "finish"; readonly why: string };

const NONE: Loop = { is: "none" };
const REPEATS = { nudge: 3, finish: 5 } as const;
const LONGEST_CYCLE = 4;

/** The committed turns, with what became of their calls. */
export function pastOf(state: RunState): readonly PastTurn[] {
  return state.turns.map(({ plan }) => ({
    plan,
    results: plan.flatMap((call) => (call.verdict === "reject" ? [] : resultsOf(state, call))),
  }));
}

/**
 * Whether a tool that makes these equal calls by itself makes them for nothing: the last five failed with the same error. Equal calls that
 * succeed, or fail otherwise, are its own affair: a tool is code, and has a limit of calls.
 */
export function isStuck(state: RunState, equal: readonly PlannedCall[]): boolean {
  const last = equal.flatMap((call) => resultsOf(state, call)).slice(-REPEATS.finish);
  const error = last[0]?.error;
  return error !== undefined && last.length === REPEATS.finish && last.every((one) => one.error === error);
}

function resultsOf(state: RunState, call: PlannedCall): readonly PastResult[] {
  const found = (state.claims[call.id] ?? []).map(({ intent }) => state.evidence[intent]).find(isDefinite);
  return found === undefined ? [] : [{ tool: call.name, ...errorOf(found) }];
}

function isDefinite(evidence: Evidence | undefined): evidence is Evidence {
  return evidence?.outcome.kind === "ok" || evidence?.outcome.kind === "error";
}

function errorOf({ outcome }: Evidence): { error?: string } {
  return outcome.kind === "error" ? { error: `${outcome.type}: ${outcome.message}` } : {};
}

/** @param polling names of tools whose calls are no loop */
export function repetition(plans: readonly (readonly PlannedCall[])[], polling: ReadonlySet<string>): Loop {
  const turns = plans.map((plan, i) => signature(plan, polling) ?? `${i}`);
  for (let period = 1; period <= LONGEST_CYCLE; period++) {
    const times = timesOf(turns, period);
    const what =
      period === 1
        ? `the same tool calls ${times} times in a row`
        : `the same ${period} rounds of tool calls ${times} times`;
    if (times >= (period === 1 ? REPEATS.finish : REPEATS.nudge + 1)) return { is: "finish", why: what };
    if (times >= REPEATS.nudge) return { is: "nudge", why: what };
  }
  return NONE;
}

/** How many whole periods the end of the list repeats. */
function timesOf(turns: readonly string[], period: number): number {
  const same = (i: number): boolean => turns[i] !== undefined && turns[i] === turns[i - period];
  let length = 0;
  while (same(turns.length - 1 - length)) length++;
  return Math.floor(length / period) + 1;
}

/** None for a turn without calls that count: it is equal to no other. Calls that were not made count too: they were asked for. */
function signature(plan: readonly PlannedCall[], polling: ReadonlySet<string>): string | undefined {
  const calls = plan.filter(({ name }) => !polling.has(name));
  if (calls.length === 0) return undefined;
  const texts = calls.map((call) => `${call.name} ${call.argsHash ?? call.id}`);
  return texts.toSorted().join("\n");
}

/** A tool that keeps failing in the same way. */
export function sameErrors(past: readonly PastTurn[], polling: ReadonlySet<string>): Loop {
  let worst: Loop = NONE;
  const runs = new Map<string, { error: string | undefined; times: number }>();
  for (const { tool, error } of past.flatMap(({ results }) => results)) {
    const before = runs.get(tool);
    runs.set(tool, { error, times: error !== undefined && before?.error === error ? before.times + 1 : 1 });
  }
  for (const [tool, { error, times }] of runs) {
    if (error === undefined || polling.has(tool) || times < REPEATS.nudge) continue;
    const why = `${tool} failed ${times} times in a row with the same error`;
    if (times >= REPEATS.finish) return { is: "finish", why };
    worst = { is: "nudge", why };
  }
  return worst;
}
