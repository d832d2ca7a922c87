/** Which claims of a run count as its workers, since its last progress. */
import type { Decision, Leased } from "./journal.ts";
import type { Evidence } from "./outcome.ts";

/** How many workers in a row took the run and left nothing behind: leases at the end of its journal. */
export function leasesAtEnd<T>(journal: readonly T[], isLease: (entry: T) => boolean): number {
  return journal.length - 1 - journal.findLastIndex((entry) => !isLease(entry));
}

/** A result is progress of the worker that had the run when it came. */
export function leasesSince(leases: readonly Decision<Leased>[], { at }: Evidence): readonly Decision<Leased>[] {
  return leases.slice(
    Math.max(
      leases.findLastIndex((lease) => lease.at <= at),
      0,
    ),
  );
}
