/** How often an account is looked at that runs wait for. Accounts are looked at in rounds, one every `sweepMs` for a connection. */

/** A gate is in every round for so long after the last run parked there. */
export const STEADY_MS = 3_600_000;
/** Never more than so many rounds pass without it. */
export const MOST_ROUNDS_APART = 10;

/**
 * In how many rounds a gate is looked at again: the next one for an hour, then one more for each hour that nobody new has parked
 * there. A user who has not connected for days comes by callback or webhook; the sweep is only the net below them.
 */
export function roundsApart(waitedMs: number): number {
  return Math.min(MOST_ROUNDS_APART, 1 + Math.max(0, Math.floor(waitedMs / STEADY_MS)));
}
