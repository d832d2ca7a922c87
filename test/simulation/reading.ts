/** What the reader of a journal remembers of what it has read. */
import type { CallClaimed, Decision, TurnCommitted, TurnRequested } from "../../src/core/journal.ts";

export interface Reading {
  count: number;
  seen: Decision | undefined;
  leased: Decision | undefined;
  /** Nothing may follow but a claim. */
  left: boolean;
  ended: boolean;
  turns: Decision<TurnCommitted>[];
  requested: Decision<TurnRequested> | undefined;
  claims: Map<string, Decision<CallClaimed>[]>;
  /** Call → what the model was told when it gave a committed answer. */
  told: Map<string, string>;
  leasesSinceProgress: number;
  /** Failed attempts of this turn's model call. */
  failures: number;
  /** The epoch whose last reply told of a cancel. */
  cancelTold: number;
}

export function start(): Reading {
  return {
    count: 0,
    seen: undefined,
    leased: undefined,
    left: false,
    ended: false,
    turns: [],
    requested: undefined,
    claims: new Map(),
    told: new Map(),
    leasesSinceProgress: 0,
    failures: 0,
    cancelTold: -1,
  };
}
