/** What must hold of a run that has waited: it was not left behind, and it did not give up too early. */
import type { Decision, Parked } from "../../src/core/journal.ts";
import { EXPIRES_AFTER_MS } from "./agents.ts";
import type { StoredRun } from "./memory-state.ts";
import type { Reading } from "./reading.ts";

/** A run goes on within this time after it could: well above all faults, well below its expiry. */
export const WAKES_WITHIN_MS = 200_000;

export interface WaitRules {
  /** It is taken. @param now Redis ms */
  over(run: StoredRun, parked: Decision<Parked>, now: number): void;
  expired(run: StoredRun, at: Reading, now: number): void;
}

export interface WaitParts {
  readonly unlessLost: (run: StoredRun, invariant: string, detail: string) => void;
  /** ms for which all accounts have been ACTIVE. */
  readonly connectedFor: (run: StoredRun) => number;
  /** Redis ms since when nothing is stopped; Infinity while anything is. */
  readonly goesOnSince: () => number;
  readonly approval: (run: StoredRun, now: number, parkedAt: number) => void;
}

export function createWaitRules({ unlessLost, connectedFor, goesOnSince, approval }: WaitParts): WaitRules {
  return {
    over(run, { reason, at, until }, now) {
      const free = Math.max(at, goesOnSince());
      switch (reason) {
        case "account":
          if (Math.min(now - free, connectedFor(run)) > WAKES_WITHIN_MS)
            unlessLost(run, "no wake is lost", `it waited ${now - free} ms for accounts that were connected`);
          break;
        case "approval":
          approval(run, now, free);
          break;
        case "review":
          break;
        default: {
          const waited = now - Math.max(free, until ?? 0);
          if (waited > WAKES_WITHIN_MS)
            unlessLost(run, "nobody is left behind", `${reason}: ${waited} ms after it could go on`);
        }
      }
    },
    expired(run, { waitsSince, pausedSince, unknowns }, now) {
      const doubts = Array.from(unknowns.values(), (unknown) => unknown.at);
      const since = Math.min(waitsSince ?? now, pausedSince ?? now, ...doubts);
      if (now - since < EXPIRES_AFTER_MS - 1)
        unlessLost(run, "a run expires when its time is over", `after ${now - since} ms`);
    },
  };
}
