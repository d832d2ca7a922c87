/** A clock that only tests move. */
import type { Clock } from "../ports/clock.ts";

export interface ManualClock extends Clock {
  /**
   * Moves both times on.
   * @param ms 0 or more
   * @throws RangeError if `ms` is negative or no number: this clock never goes back
   */
  advance(ms: number): void;
}

/** @param start wall clock, ms since 1970; 2026-01-01 UTC if left out. The monotonic time starts at 0. */
export function manualClock(start: number = Date.UTC(2026, 0, 1)): ManualClock {
  let passed = 0;
  return {
    now: () => start + passed,
    monotonic: () => passed,
    advance(ms) {
      if (!(ms >= 0 && Number.isFinite(ms)))
        throw new RangeError(`advance: expected 0 or more milliseconds, got ${ms}`);
      passed += ms;
    },
  };
}
