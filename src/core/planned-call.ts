/** Any call of a run, by its id. */
import type { PlannedCall } from "./journal.ts";
import type { RunState } from "./state.ts";

/** A call of any turn, or one that a tool makes by itself. */
export function plannedCall(state: RunState, id: string): PlannedCall | undefined {
  const subs = Object.values(state.subs).flatMap((calls) => calls.map(({ call }) => call));
  return [...state.turns.flatMap((turn) => turn.plan), ...subs].find((call) => call.id === id);
}
