/** Which runs a new one makes superfluous: the counterpart of src/queue/scripts/coalesce.ts. */
import { isFinal } from "../../src/core/run.ts";
import type { StoredRun } from "./memory-state.ts";

/** Newest first: those that wait for an account, and those without a turn that are not being worked. */
export function superfluous(
  runs: Iterable<StoredRun>,
  agent: string,
  identifier: string,
  now: number,
): { readonly waits: StoredRun | undefined; readonly idle: readonly StoredRun[] } {
  const mine = Array.from(runs)
    .filter((it) => it.agent === agent && it.identifier === identifier && !isFinal(it.status) && !it.cancel)
    .toReversed();
  const waiting = (it: StoredRun): boolean => it.status === "parked" && it.reason === "account";
  const idle = mine.filter((it) => !it.turned && (waiting(it) || (it.status === "queued" && it.lease <= now)));
  return { waits: mine.find(waiting), idle };
}
