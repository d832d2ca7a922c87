/** An operator gives a run more. A run that nobody works on is claimed without a ticket, gets its decision, and goes to its line. */
import { ErrandError } from "../core/errors.ts";
import { checkLimits, type Limits } from "../core/limits.ts";
import { holdRun } from "../loop/held.ts";
import type { Chance, Clock } from "../ports/clock.ts";
import type { Journal } from "../ports/journal.ts";

export interface RaisePorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly worker: string;
}

/** @throws ErrandError `option-invalid`, `run-unknown`, `run-busy`, `journal-unreadable` */
export async function raiseRun(ports: RaisePorts, run: string, given: Partial<Limits>, by?: string): Promise<void> {
  const limits = checkLimits(given, (message) => refuse(run, message));
  if (Object.keys(limits).length === 0) refuse(run, "expected limits, such as { tokens: 500000 }.");
  const { journal, clock, chance, worker } = ports;
  const askedAt = clock.monotonic();
  const claim = await journal.claim(run, { nonce: chance.nonce(), worker });
  if (claim.answer === "gone") throw new ErrandError("run-unknown", `There is no run ${JSON.stringify(run)} to raise.`);
  if (claim.answer === "stale") return refuse(run, "the run has ended; its limits matter to nobody.");
  if (claim.answer === "unreadable")
    throw new ErrandError("journal-unreadable", `raise ${run}: its journal cannot be read: ${claim.why}.`);
  if (claim.answer !== "claimed")
    throw new ErrandError("run-busy", `raise ${run}: a worker has the run. Try again when it is parked.`);
  const held = holdRun(claim, { journal, clock, chance, abort: new AbortController(), askedAt });
  held.note({ kind: "limits-raised", limits, ...(by !== undefined && { by }) });
  await held.flush({ to: "line" });
}

function refuse(run: string, what: string): never {
  throw new ErrandError("option-invalid", `raise ${run}: ${what}`);
}
