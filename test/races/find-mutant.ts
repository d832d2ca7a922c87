/** How many interleavings it takes until a rule breaks: pairs first, then triples. */
import { exploreAll } from "./explore.ts";
import type { Played, Stage } from "./play.ts";
import { PAIRS, TRIPLES } from "./scenarios.ts";

export interface Found {
  readonly played: number;
  readonly broken?: Played;
}

export async function findMutant(stage: Stage): Promise<Found> {
  let played = 0;
  for (const scenario of [...PAIRS, ...TRIPLES]) {
    const found = await exploreAll(stage, scenario);
    played += found.played;
    if (found.broken !== undefined) return { played, broken: found.broken };
  }
  return { played };
}
