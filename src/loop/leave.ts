/** Ways out of the loop: a run parks until a moment, or ends. */
import type { Ended } from "../core/journal.ts";
import type { AfterFailure } from "../core/waiting.ts";
import type { Ending } from "./loop.ts";
import type { HeldRun } from "./held.ts";

export async function end(held: HeldRun, ended: Ended): Promise<Ending> {
  held.note(ended);
  await held.flush({ to: "end", status: ended.status });
  return ended.status;
}

export async function parkOrEnd(held: HeldRun, after: AfterFailure): Promise<Ending> {
  if (after.do === "end") return end(held, after.end);
  const until = Math.round(held.now() + after.delayMs);
  held.note({ ...after.park, until });
  await held.flush({ to: "moment", until });
  return "parked";
}
