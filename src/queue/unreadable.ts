/** A run that was leased and whose journal cannot be read: it is told, left to others who may know more, and given up in the end. */
import { unreadable } from "../core/endings.ts";
import { leasesAtEnd } from "../core/leases.ts";
import type { FinalStatus } from "../core/run.ts";
import { type HeldRun, type Holding, holdRun } from "../loop/held.ts";
import type { Chance } from "../ports/clock.ts";
import type { Claim, Journal, Unreadable } from "../ports/journal.ts";
import type { Log } from "../ports/log.ts";

/** Each entry may be readable and the whole not: an order of them that no version of ours writes. */
export function readOr(claim: Claim | Unreadable, holding: Holding): HeldRun | Unreadable {
  if (claim.answer === "unreadable") return claim;
  try {
    return holdRun(claim, holding);
  } catch (error) {
    const { run, epoch, cancelled, decisions } = claim;
    const { length } = decisions;
    const leases = leasesAtEnd(decisions, ({ kind }) => kind === "leased");
    const why = error instanceof Error ? error.message : "unknown";
    return { answer: "unreadable", run, epoch, cancelled, length, leases, why };
  }
}

export interface UnreadablePorts {
  readonly journal: Journal;
  readonly chance: Chance;
  readonly log?: Log;
}

/** Its lease ends by itself; or the run does, here. */
export async function letGo(found: Unreadable, ports: UnreadablePorts): Promise<{ readonly ending?: FinalStatus }> {
  const { journal, chance, log } = ports;
  const { run, epoch, length, leases, why } = found;
  log?.error("run.unreadable", { run, leases, why });
  const ended = unreadable(why, found);
  if (ended === undefined) return {};
  const move = { to: "end", status: ended.status } as const;
  await journal.commit({ run, epoch, length, nonce: chance.nonce(), entries: [ended], move });
  return { ending: ended.status };
}
