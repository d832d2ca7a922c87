/**
 * The app's side: it enqueues with idempotency keys, again when no answer came, waits for some results, and cancels some runs. What it
 * never asks for twice has no key: there only the script's own nonce keeps a lost reply from making two runs of one.
 */
import { setTimeout as after } from "node:timers/promises";
import { ErrandError, type RunHandle } from "../../src/index.ts";
import type { PlannedRun } from "./plan.ts";
import type { Enqueued, SeenResult } from "./recorded.ts";
import type { World } from "./world.ts";

export interface App {
  /** Resolves when it is answered, or given up. */
  enqueue(run: PlannedRun): Promise<void>;
  /** Everything that it still waits for. Call it when all runs have ended. */
  settled(): Promise<void>;
  readonly enqueues: readonly Enqueued[];
  readonly results: readonly SeenResult[];
  readonly counts: Readonly<AppCounts>;
  /** Errors that no fault explains. */
  readonly surprises: readonly string[];
}

interface AppCounts {
  /** Enqueues that failed for the app. */
  failed: number;
  /** Asked once more, after a failure or for no reason. */
  resent: number;
  cancelled: number;
}

const RESEND_AFTER_MS = 100;
const WAIT_MS = 600_000;

export function startApp({ app }: World): App {
  const enqueues: Enqueued[] = [];
  const results: SeenResult[] = [];
  const surprises: string[] = [];
  const counts: AppCounts = { failed: 0, resent: 0, cancelled: 0 };
  const waits: Promise<void>[] = [];

  const surprised =
    (what: string) =>
    (error: unknown): void => {
      const told = error instanceof Error ? `${error.name} ${error.message}` : "unknown";
      surprises.push(`${what}: ${told.slice(0, 300)}`);
    };
  const ask = ({ agent, identifier, key, givesUp, twice }: PlannedRun): Promise<RunHandle<unknown>> =>
    app.enqueue(agent, { identifier, input: { key }, ...((twice || !givesUp) && { idempotencyKey: key }) });

  const cancel = async (run: RunHandle<unknown>, afterMs: number): Promise<void> => {
    await after(afterMs);
    await insist(() => run.cancel());
    counts.cancelled += 1;
  };
  const wait = async (run: RunHandle<unknown>): Promise<void> => {
    results.push({ id: run.id, ...(await insist(() => outcome(run))) });
  };
  /** Its answers, in the order in which they came. */
  const enqueue = async (planned: PlannedRun, answers: RunHandle<unknown>[]): Promise<void> => {
    try {
      answers.push(await ask(planned));
    } catch (error) {
      if (!isRedisAway(error)) throw error;
      counts.failed += 1;
      if (planned.givesUp) return;
      counts.resent += 1;
      await after(RESEND_AFTER_MS);
      answers.push(await insist(() => ask(planned)));
    }
    if (!planned.twice) return;
    counts.resent += 1;
    answers.push(await insist(() => ask(planned)));
  };
  return {
    enqueues,
    results,
    counts,
    surprises,
    enqueue: async (planned) => {
      const { key, agent, identifier, cancelAfterMs } = planned;
      const answers: RunHandle<unknown>[] = [];
      await enqueue(planned, answers).catch(surprised("enqueue"));
      const [run] = answers;
      const ids = answers.map(({ id }) => id);
      if (run === undefined) return void enqueues.push({ key, agent, identifier, ids, cancelAsked: false });
      const cancelAsked = cancelAfterMs !== undefined;
      enqueues.push({ key, agent, identifier, ids, cancelAsked, ackedAt: Date.now() });
      if (cancelAsked) waits.push(cancel(run, cancelAfterMs).catch(surprised("cancel")));
      if (planned.waits) waits.push(wait(run).catch(surprised("result")));
    },
    settled: async () => void (await Promise.all(waits)),
  };
}

/** All that an app gets to hear of a Redis that is away; ioredis' own words never reach it. */
function isRedisAway(error: unknown): boolean {
  return error instanceof ErrandError && error.code === "redis-unavailable";
}

/** Again and again until Redis is there. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isRedisAway(error)) throw error;
      await after(RESEND_AFTER_MS);
    }
  }
}

/** How it ended, as the app is told. @throws what is no end */
async function outcome(run: RunHandle<unknown>): Promise<Pick<SeenResult, "status" | "output">> {
  try {
    return { status: "completed", output: String(await run.result({ timeoutMs: WAIT_MS })) };
  } catch (error) {
    const status = error instanceof ErrandError ? error.details["status"] : undefined;
    if (typeof status !== "string") throw error;
    return { status: status as SeenResult["status"] };
  }
}
