/** Calls that are not begun, because the run has met a limit in the middle of a turn. */
import { type CallStanding, mayHaveHappened } from "./calls.ts";
import type { RunnableCall, Shown } from "./journal.ts";
import type { RunLimit } from "./limits.ts";
import type { RunState } from "./state.ts";

const BEGINS: ReadonlySet<CallStanding["is"]> = new Set(["open", "unasked", "retry", "blocked"]);

/** Going on with it would begin something. */
export function begins({ is }: CallStanding): boolean {
  return BEGINS.has(is);
}

/** What is shown of a call that is not made any more, or the attempt that has to be written down as unknown first. */
export function limited(state: RunState, call: RunnableCall, limit: RunLimit): Shown | { readonly intent: string } {
  const intent = mayHaveHappened(state, call);
  if (intent !== undefined) return state.unknowns[intent] === undefined ? { intent } : { call: call.id, as: "unknown" };
  const subs = (state.subs[call.id] ?? []).flatMap((sub) => state.claims[sub.call.id] ?? []);
  const made = subs.filter(({ intent }) => state.evidence[intent]?.outcome.kind === "ok").length;
  return { call: call.id, as: "limited", limit, ...(made > 0 && { made }) };
}
