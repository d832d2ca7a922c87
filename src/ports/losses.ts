import type { Loss } from "../core/losses.ts";

/** Counts accounts that were lost, over all processes (core/losses.ts). Contract: throws only when the store cannot be reached. */
export interface Losses {
  /** How far back a loss is fresh. */
  readonly withinMs: number;
  /** Notes the loss if it is fresh. Safe to call twice. @returns whether its connection is held as an outage, for this loss */
  report(identifier: string, loss: Loss): Promise<boolean>;
}
