/** Cancel from any process: a worker that has the run sees the flag at its next commit; a run that nobody has is claimed and ended here. */
import { ErrandError } from "../core/errors.ts";
import { LeaseLost } from "../loop/held.ts";
import { end } from "../loop/leave.ts";
import type { Chance, Clock } from "../ports/clock.ts";
import type { Journal } from "../ports/journal.ts";
import { CANCEL } from "./scripts/cancel.ts";
import type { Store } from "./store.ts";
import { letGo, readOr } from "./unreadable.ts";

/**
 * Of one process. Each is three scripts; thousands of them sent together would stand before everything else that the process wants of
 * Redis: others' runs waited 750 ms for a slot instead of 2 (bench:fairness).
 */
export const CANCELS_AT_ONCE = 4;

export interface CancelPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly worker: string;
}

/** @returns false when the run had ended already. @throws ErrandError `run-unknown` */
export async function cancelRun(store: Store, ports: CancelPorts, run: string): Promise<boolean> {
  const [answer] = await store.run(CANCEL, run);
  if (answer === "gone") throw new ErrandError("run-unknown", `There is no run ${JSON.stringify(run)} to cancel.`);
  if (answer === "final") return false;
  if (answer === "free") await endUnheld(ports, run);
  return true;
}

/** From line, gate or moment. If a worker is faster, it claims, sees the flag and ends the run itself. */
async function endUnheld({ journal, clock, chance, worker }: CancelPorts, run: string): Promise<void> {
  const askedAt = clock.monotonic();
  const claim = await journal.claim(run, { nonce: chance.nonce(), worker });
  if (claim.answer !== "claimed" && claim.answer !== "unreadable") return;
  const held = readOr(claim, { journal, clock, chance, abort: new AbortController(), askedAt });
  if ("why" in held) return void (await letGo(held, { journal, chance }));
  try {
    await end(held, { kind: "ended", status: "cancelled" });
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
  }
}
