/**
 * Which model is asked, when an agent names several. An attempt asks them one after the other until one answers; only when none did
 * does the run wait, as the most hopeful of their failures says.
 *
 * F1 Who answered the last turn is asked first, because its caches are warm; after a wait, the first of the list again.
 * F2 Which failures lead to the next model is a table, and each of them is written down before that one is asked.
 */
import type { ModelName, Trouble } from "./messages.ts";
import type { FailureCode, RunContext } from "./run.ts";
import type { RunState } from "./state.ts";

/** A model that refuses is asked by some to have another one say it: that is for the app to want. */
export const FALLBACK_ON: Readonly<Record<Trouble, boolean>> = {
  retry: true,
  "rate-limit": true,
  billing: true,
  credentials: true,
  context: true,
  invalid: true,
  unusable: true,
  refused: false,
};

export const TROUBLES: readonly Trouble[] = Object.keys(FALLBACK_ON) as Trouble[];

export function isSame(a: ModelName, b: ModelName): boolean {
  return a.profile === b.profile && a.model === b.model;
}

/** @param asked of an older journal: nothing */
export function askedOf({ profile, model }: RunContext, asked: ModelName | undefined): ModelName {
  return asked ?? { profile, model };
}

/** All models of an attempt, in the order in which they are asked. */
function candidates(state: RunState, context: RunContext): readonly ModelName[] {
  const { profile, model, fallbacks = [] } = context;
  const all = [{ profile, model }, ...fallbacks];
  const last = state.rested ? undefined : state.turns.at(-1);
  const warm = last && all.find((one) => isSame(one, askedOf(context, last.asked)));
  return warm === undefined ? all : [warm, ...all.filter((one) => one !== warm)];
}

function left(state: RunState, context: RunContext): readonly ModelName[] {
  return candidates(state, context).filter((one) => !state.failures.some(({ asked }) => isSame(asked, one)));
}

/** Who is asked next. */
export function modelFor(state: RunState, context: RunContext): ModelName {
  return left(state, context)[0] ?? { profile: context.profile, model: context.model };
}

/** Whether another model is asked at once, now that this one has this trouble. */
export function hasAnother(state: RunState, context: RunContext, asked: ModelName, why: Trouble): boolean {
  const on = { ...FALLBACK_ON, ...context.fallbackOn };
  return on[why] && left(state, context).some((one) => !isSame(one, asked));
}

export interface Failed {
  readonly why: Trouble;
  readonly message: string;
  readonly retryAfterMs?: number;
  /** What the run ends with if nothing more is tried. */
  readonly code?: FailureCode;
}

const HOPE: readonly Trouble[] = ["retry", "rate-limit", "unusable", "billing", "credentials", "context", "invalid"];

/** When none has answered: the failure whose wait is the shortest, or that a wait helps at all. */
export function mostHopeful(failures: readonly [Failed, ...Failed[]]): Failed {
  const rank = ({ why }: Failed): number => (HOPE.includes(why) ? HOPE.indexOf(why) : HOPE.length);
  const wait = ({ why, retryAfterMs = 0 }: Failed): number => (why === "rate-limit" ? retryAfterMs : 0);
  return failures.reduce((best, one) => ((rank(one) - rank(best) || wait(one) - wait(best)) < 0 ? one : best));
}
