/** The limits that hold for a run: what its agent says, what older journals lack, and what operators gave it on top. */
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import type { RunContext } from "./run.ts";
import type { RunState } from "./state.ts";

/** They change only when somebody raises them, and each step asks for them several times. */
const merged = new WeakMap<RunContext, { readonly raised: Partial<Limits>; readonly limits: Limits }>();

/** The run's limits; nothing before the first preparation. Journals of older Errands lack some of them. */
export function limitsOf({ context, raised }: RunState): Limits | undefined {
  if (context === undefined) return undefined;
  const known = merged.get(context);
  if (known?.raised === raised) return known.limits;
  const limits: Limits = { ...DEFAULT_LIMITS, ...context.limits, ...raised };
  merged.set(context, { raised, limits });
  return limits;
}
