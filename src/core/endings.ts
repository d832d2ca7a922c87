/** How a run ends by itself. */
import type { Ended, RunnableCall } from "./journal.ts";
import type { Turn } from "./state.ts";

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

export function partial(turn: Turn): { output?: string } {
  return turn.text === "" ? {} : { output: turn.text };
}

export function poisoned(times: number): Ended {
  return {
    kind: "ended",
    status: "failed",
    code: "crashed",
    message: `${times} workers in a row died at the same step; the run was stopped so that it takes no more with it`,
  };
}
