/**
 * What makes passes over the schedules happen: one BullMQ job scheduler for all of them, whose job is a pass. One process gets each, and a
 * process that dies is replaced by another. Nothing depends on it: BullMQ makes the next job only when the last one starts, counts by the
 * clock of whichever worker that is, and a job may be lost; so every process looks whether passes happen by Redis's clock, and if not,
 * makes one itself and the scheduler anew. While there are no schedules, there is none of this.
 */
import { Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Log } from "../ports/log.ts";
import { SCHEDULE_BEAT } from "./scripts/schedule-read.ts";
import type { Store } from "./store.ts";
import type { Ticker } from "./ticker.ts";

export interface Heartbeat {
  start(): void;
  /** Waits for the pass under way. */
  close(): Promise<void>;
}

export interface HeartbeatOptions {
  /** ms between two passes. */
  readonly everyMs: number;
  readonly log: Log;
}

const SCHEDULER = "tick";
const QUEUE = "ticks";
/** Looks whether passes happen are so much rarer than passes. */
const LOOK_FACTOR = 2;
/** Without a pass for so many intervals, the ticker is lost. */
const LOST_FACTOR = 4;

/** BullMQ's keys of the ticker, apart from those of tickets: an agent's queue may be called `ticks`. */
export function tickPrefix(storePrefix: string): string {
  return `${storePrefix}t`;
}

export function createHeartbeat(
  store: Store,
  connection: Redis,
  ticker: Ticker,
  { everyMs, log }: HeartbeatOptions,
): Heartbeat {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let looking: Promise<void> = Promise.resolve();
  let opened: { readonly queue: Queue; readonly worker: Worker } | undefined;
  const told = (event: string) => (error: unknown) =>
    log.warn(event, {
      error:
        error instanceof Error
          ? `${error.name}: ${error.message.split(", with args")[0] ?? ""}`.slice(0, 200)
          : "unknown",
    });

  const open = (): { readonly queue: Queue; readonly worker: Worker } => {
    const shared = { connection, prefix: tickPrefix(store.prefix) };
    const queue = new Queue(QUEUE, { ...shared, skipWaitingForReady: true });
    const worker = new Worker(QUEUE, async () => void (await ticker.pass()), {
      ...shared,
      concurrency: 1,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    queue.on("error", told("ticker.error"));
    worker.on("error", told("ticker.error"));
    worker.on("failed", (_job, error) => told("ticker.failed")(error));
    return { queue, worker };
  };

  const look = async (): Promise<void> => {
    const [, schedules, age] = await store.run(SCHEDULE_BEAT);
    if (Number(schedules) === 0) return void (await opened?.queue.removeJobScheduler(SCHEDULER));
    opened ??= open();
    const known = await opened.queue.getJobScheduler(SCHEDULER);
    const lost = age === "" || Number(age) > LOST_FACTOR * everyMs;
    if (known !== undefined && !lost) return;
    if (known !== undefined) {
      log.warn("ticker.lost", { ms: Number(age) });
      await opened.queue.removeJobScheduler(SCHEDULER);
    }
    await opened.queue.upsertJobScheduler(
      SCHEDULER,
      { every: everyMs },
      { name: "tick", opts: { removeOnComplete: true, removeOnFail: true } },
    );
    if (lost) await ticker.pass();
  };

  const plan = (delayMs: number): void => {
    if (closed) return;
    timer = setTimeout(() => {
      looking = look()
        .catch(told("ticker.failed"))
        .then(() => plan(LOOK_FACTOR * everyMs));
    }, delayMs);
  };

  return {
    start: () => plan(0),
    close: async () => {
      closed = true;
      ticker.stop();
      clearTimeout(timer);
      await looking;
      await opened?.worker.close();
      await opened?.queue.close();
    },
  };
}
