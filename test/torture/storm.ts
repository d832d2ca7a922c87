/** Runs and faults as planned, side by side: new runs come as the faults do, and a fault waits while too much is unfinished. */
import { setTimeout as after } from "node:timers/promises";
import type { Kind, Plan } from "./plan.ts";

export interface StormOptions {
  readonly plan: Plan;
  /** Resolves when the app has its answer, or gave up. */
  readonly enqueue: (run: Plan["runs"][number]) => Promise<void>;
  /** Resolves when the fault is over. */
  readonly inject: (fault: Plan["faults"][number]) => Promise<unknown>;
  /** Runs that have not ended. May throw while Redis is away. */
  readonly backlog: () => Promise<number>;
  /** Now and then. */
  readonly onPause: (injected: number, enqueued: number) => Promise<void>;
}

export interface Stormed {
  readonly injected: Readonly<Partial<Record<Kind, number>>>;
  /** Faults that could not be made, in words. */
  readonly failed: readonly string[];
}

/** More runs that have not ended would only wait behind their caps. */
const MOST_UNFINISHED = 80;
/** However slow the machine is: the next fault comes after so long. */
const MOST_PATIENCE_MS = 8_000;

/** Resolves when all is enqueued, and all faults are over. */
export async function storm({ plan, enqueue, inject, backlog, onPause }: StormOptions): Promise<Stormed> {
  const injected: Partial<Record<Kind, number>> = {};
  const failed: string[] = [];
  const underWay: Promise<unknown>[] = [];
  let next = 0;
  const enqueueUntil = (count: number): void => {
    for (const run of plan.runs.slice(next, count)) underWay.push(after(run.afterMs).then(() => enqueue(run)));
    next = Math.max(next, count);
  };
  for (const [i, fault] of plan.faults.entries()) {
    enqueueUntil(Math.ceil((plan.runs.length * (i + 1)) / plan.faults.length));
    await after(fault.afterMs);
    await onPause(i, next);
    for (let waited = 0; waited < MOST_PATIENCE_MS && (await tooMuch(backlog)); waited += 100) await after(100);
    const over = inject(fault).then(
      () => void (injected[fault.kind] = (injected[fault.kind] ?? 0) + 1),
      (error: unknown) => void failed.push(`${fault.kind}: ${error instanceof Error ? error.message : "unknown"}`),
    );
    // One at a time of these: the others would have nothing to hit.
    if (fault.kind === "kill-redis") await over;
    underWay.push(over);
  }
  enqueueUntil(plan.runs.length);
  await Promise.all(underWay);
  return { injected, failed };
}

async function tooMuch(backlog: () => Promise<number>): Promise<boolean> {
  return (await backlog().catch(() => Infinity)) > MOST_UNFINISHED;
}
