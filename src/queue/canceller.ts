/** Cancel from any process: a worker that has the run sees the flag at its next commit; a run that nobody has is claimed and ended here. */
import type { Agent } from "../core/agent.ts";
import { ErrandError } from "../core/errors.ts";
import { CANCEL } from "./scripts/cancel.ts";
import { type ShiftPorts, workShift } from "./shift.ts";
import type { Store } from "./store.ts";

/** @returns false when the run had ended already. @throws ErrandError `run-unknown` */
export async function cancelRun(
  store: Store,
  ports: ShiftPorts,
  run: string,
  agentOf: (name: string) => Agent | undefined,
): Promise<boolean> {
  const [answer] = await store.run(CANCEL, run);
  switch (answer) {
    case "gone":
      throw new ErrandError("run-unknown", `There is no run ${JSON.stringify(run)} to cancel.`);
    case "final":
      return false;
    case "held":
      return true;
    default:
      // If a worker is faster, it claims, sees the flag and ends the run itself.
      await workShift(ports, { run, agentOf });
      return true;
  }
}
