/** Accounts that were lost together with many others: what the run would wait for, without them. */
import { lossesIn } from "../core/losses.ts";
import type { Need } from "../core/run.ts";
import type { AfterLook, SeenAccount } from "../core/waiting.ts";
import type { HeldRun } from "./held.ts";
import type { LoopPorts } from "./loop.ts";

/** The needs that are held as an outage: no user is asked for them. */
export async function heldLosses(
  held: HeldRun,
  seen: readonly SeenAccount[],
  after: AfterLook,
  { losses }: LoopPorts,
): Promise<readonly Need[]> {
  if (losses === undefined) return [];
  const found: Need[] = [];
  for (const loss of lossesIn(held.state, seen, after, losses.withinMs, held.now()))
    if (await losses.report(held.state.created.identifier, loss)) found.push(loss.need);
  return found;
}
