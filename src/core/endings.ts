/** How a run ends by itself. */
import type { Ended, RunnableCall } from "./journal.ts";
import type { RunState, Turn } from "./state.ts";

export function fatal({ id, name }: RunnableCall, run: string): Ended {
  return {
    kind: "ended",
    status: "failed",
    code: "unknown-outcome",
    message: `Nobody can know whether ${name} (call ${id}) was executed; it was not repeated. Find out, and then say so: errand unknowns answer ${run} ${id}`,
  };
}

export function completed(turn: Turn): Ended {
  return {
    kind: "ended",
    status: "completed",
    output: turn.output === undefined ? turn.text : turn.output,
    ...(turn.truncated && { truncated: true }),
  };
}

/** However it ends: the last text that the model wrote is kept. */
export function withText(ended: Ended, { turns }: RunState): Ended {
  if (ended.status === "completed" || ended.output !== undefined) return ended;
  const text = turns.findLast((turn) => turn.text.trim() !== "")?.text;
  return text === undefined ? ended : { ...ended, output: text };
}

export function partial(turn: Turn): { output?: string } {
  return turn.text === "" ? {} : { output: turn.text };
}

/**
 * Of a run whose journal this version cannot read. Whoever takes it can do no more than give it up, so it is given up for good once that
 * many in a row had to: it may be a version of Errand that is taken back.
 * @param leases in a row with nothing after them
 */
export function unreadable(
  why: string,
  { leases, cancelled }: { leases: number; cancelled: boolean },
): Ended | undefined {
  if (cancelled) return { kind: "ended", status: "cancelled" };
  if (leases < LEASES_UNREADABLE) return undefined;
  const message = `its journal could not be read ${leases} times in a row (${why}); nothing more was done`;
  return { kind: "ended", status: "failed", code: "journal-unreadable", message };
}

const LEASES_UNREADABLE = 10;

export function poisoned(times: number): Ended {
  return {
    kind: "ended",
    status: "failed",
    code: "crashed",
    message: `${times} workers in a row died at the same step; the run was stopped so that it takes no more with it`,
  };
}
