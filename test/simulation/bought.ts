/** Answers in the background are bought once: what a journal must not say of them. */
import type { Decision } from "../../src/core/journal.ts";
import type { Reading } from "./reading.ts";
import type { World } from "./world.ts";

const SETTLES: readonly string[] = ["turn-committed", "turn-failed", "compacted", "parked", "ended"];

/**
 * A name is given to the answer of this worker's own question, and from then on the answer is fetched, also by others. While it is on its
 * way, another one is asked for only when it is gone. @returns what is wrong
 */
export function boughtTwice(world: World, at: Reading, d: Decision): readonly string[] {
  const { accepted: before, requested } = at;
  // What is committed was fetched by its name: whoever asked for it may be dead.
  at.fetched = before !== undefined;
  if (d.kind === "turn-requested" || SETTLES.includes(d.kind)) at.accepted = undefined;
  if (d.kind === "turn-requested")
    return before === undefined || d.lost === before.answer ? [] : [`asked, while ${before.answer} is on its way`];
  if (d.kind !== "turn-accepted") return [];
  world.count(requested?.lost === undefined ? "accepted" : "asked anew");
  at.accepted = d;
  at.leasesSinceProgress = 1;
  const isOwn = requested?.turn === d.turn && requested.epoch === d.epoch && before === undefined;
  return isOwn ? [] : [`${d.answer} is no answer to turn ${requested?.turn}`];
}
