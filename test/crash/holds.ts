/** Which run is held where, inside one worker process. */
import type { Op, Visitor } from "./boundaries.ts";
import type { Counts, Held } from "./orders.ts";

export interface Holds {
  add(held: readonly Held[]): void;
  readonly visit: Visitor;
  release(how: "go" | "throw", runs?: readonly string[]): void;
  counts(): Counts;
}

export function createHolds(onHeld: (run: string) => void): Holds {
  const byRun = new Map<string, Held>();
  const runOf = new Map<string, string>();
  const counted: Record<string, Partial<Record<Op, number>>> = {};
  const waiting = new Map<string, (how: "go" | "throw") => void>();

  const pass = async (run: string, op: Op, nth: number, when: "before" | "after"): Promise<void> => {
    const at = byRun.get(run)?.at;
    if (at?.op !== op || at.nth !== nth || at.when !== when) return;
    const how = await new Promise<"go" | "throw">((resolve) => {
      waiting.set(run, resolve);
      onHeld(run);
    });
    if (how === "throw") throw new Error(`thrown ${when} ${op} ${nth}`);
  };
  return {
    add: (held) => {
      for (const one of held) {
        byRun.set(one.run, one);
        runOf.set(one.identifier, one.run);
      }
    },
    visit: async ({ op, who }) => {
      const run = runOf.get(who) ?? who;
      const counts = (counted[run] ??= {});
      const nth = (counts[op] ?? 0) + 1;
      counts[op] = nth;
      await pass(run, op, nth, "before");
      return () => pass(run, op, nth, "after");
    },
    release: (how, runs = [...byRun.keys()]) => {
      for (const run of runs) {
        waiting.get(run)?.(how);
        waiting.delete(run);
        byRun.delete(run);
      }
    },
    counts: () => counted,
  };
}
