/** What a commit says of what was asked for before: the counterpart of the first lines of src/queue/scripts/commit.ts. */
import type { Ask } from "../../src/ports/asking.ts";
import type { CommitReply, Move } from "../../src/ports/journal.ts";
import type { StoredRun } from "./memory-state.ts";

/** A commit that is sent again finds the park that it left instead of what it asked for. */
export function parkInstead(
  { journal, nonces }: StoredRun,
  length: number,
  nonce: string,
  ask: Ask | undefined,
): Extract<CommitReply, { answer: "parked" }> | undefined {
  const last = length - (ask?.entries ?? 0);
  const found = ask === undefined || nonces[last] !== nonce ? undefined : journal[last];
  if (found?.kind !== "parked") return undefined;
  const { reason, about = "", until = 0, message = "" } = found;
  return { answer: "parked", at: found.at, park: { kind: "parked", reason, about, until, message } };
}

/** Whoever lets a run go without a word has lost its call, unless its answer is on its way. */
export function forgets(move: Move): boolean {
  return move.to === "line" ? move.keeps !== true : move.to !== "stay";
}
