/** A worker: takes tickets from BullMQ and works the runs they name. The processor never throws but to send a ticket back. */
import { DelayedError, type Job, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Agent } from "../core/agent.ts";
import { type ShiftPorts, workShift } from "./shift.ts";
import type { Store } from "./store.ts";
import { bullPrefix, PRACTICALLY_INFINITE, type TicketData } from "./tickets.ts";

export interface QueueWorkerOptions {
  readonly queue: string;
  /** Runs at once in this process. */
  readonly concurrency: number;
  readonly agentOf: (name: string) => Agent | undefined;
}

export interface QueueWorker {
  ready(): Promise<void>;
  /**
   * Takes no more tickets, hands each run back at its step's end, then closes. After `timeoutMs` the steps under way are aborted;
   * their runs are taken by another worker when the lease ends.
   */
  close(timeoutMs: number): Promise<void>;
}

/** How long a ticket waits that this worker has no agent for; another worker may have it. */
const UNKNOWN_AGENT_MS = 5_000;

export function startQueueWorker(
  store: Store,
  connection: Redis,
  ports: ShiftPorts,
  options: QueueWorkerOptions,
): QueueWorker {
  /** Runs in the hands of this process, by the id of their BullMQ job. */
  const held = new Map<string, AbortController>();
  let draining = false;
  const { log } = ports;
  const leaseMs = store.options.leaseMs;

  const process = async (job: Job<TicketData>, token?: string): Promise<void> => {
    const { run, ticket, agent } = job.data;
    if (draining) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (options.agentOf(agent) === undefined) {
      log.error("ticket.agent-unknown", { run, agent, queue: options.queue });
      await job.moveToDelayed(ports.clock.now() + UNKNOWN_AGENT_MS, token);
      throw new DelayedError();
    }
    const until = await shift(run, ticket, job.id ?? run);
    if (until === undefined) return;
    // Nothing may be awaited between these two: BullMQ loses track of the lock otherwise (facts/bullmq.md, lock-tracking bug).
    await job.moveToDelayed(until, token);
    throw new DelayedError();
  };

  /** @returns when to come back, or nothing when the ticket is used up */
  const shift = async (run: string, ticket: string, job: string): Promise<number | undefined> => {
    let mine: AbortController | undefined;
    try {
      const onHeld = (abort: AbortController): void => void held.set(job, (mine = abort));
      const done = await workShift(
        { ...ports, draining: () => draining },
        { run, ticket, agentOf: options.agentOf, onHeld },
      );
      return done.is === "later" ? done.until + Math.round(ports.chance.random() * leaseMs * 0.1) : undefined;
    } catch (error) {
      // The store failed, or our own code did. Either way the lease ends, the next looks find the run, and the crash is counted.
      log.error("run.crashed", {
        run,
        error: error instanceof Error ? `${error.name}: ${error.message.slice(0, 300)}` : "unknown",
      });
      return undefined;
    } finally {
      // The same job may have come here a second time, and have been sent back.
      if (held.get(job) === mine) held.delete(job);
    }
  };

  const worker = new Worker<TicketData>(options.queue, process, {
    connection,
    prefix: bullPrefix(store.prefix),
    concurrency: options.concurrency,
    // Twice the lease: a worker that stands still for long loses its lease first, and its run by that alone. Recovery does not wait for
    // this lock: the next looks make another ticket.
    lockDuration: 2 * leaseMs,
    lockRenewTime: leaseMs / 2,
    stalledInterval: leaseMs,
    maxStalledCount: PRACTICALLY_INFINITE,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  // BullMQ has given the job to somebody else, or will: our own lease may live on, but two workers on one run help nobody.
  worker.on("lockRenewalFailed", (jobs) => {
    for (const job of jobs) held.get(job)?.abort(new Error("BullMQ's lock on the ticket was lost"));
  });
  worker.on("error", (error) => {
    // BullMQ's and Redis' own words: they name jobs and addresses. What a command carried stands behind "with args".
    const told = `${error.name}: ${error.message.split(", with args")[0] ?? ""}`.slice(0, 200);
    log.warn("worker.error", { queue: options.queue, error: told });
  });

  return {
    ready: async () => {
      await worker.waitUntilReady();
    },
    close: async (timeoutMs) => {
      draining = true;
      const timer = setTimeout(() => {
        for (const abort of held.values()) abort.abort(new Error("the worker stops"));
      }, timeoutMs);
      try {
        await worker.close();
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
