/** Tickets: BullMQ jobs that say "this run may run now". Disposable hints; the run makes them again (DESIGN §4). */
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { Log } from "../ports/log.ts";
import type { Ticket } from "./codec.ts";

export interface TicketData {
  readonly run: string;
  readonly ticket: string;
  readonly agent: string;
}

/** BullMQ's keys stand apart from ours: a queue may be called `run`. */
export function bullPrefix(storePrefix: string): string {
  return `${storePrefix}q`;
}

/** A ticket is never given up by BullMQ: only the journal decides. Two milliard attempts are practically infinite. */
export const PRACTICALLY_INFINITE = 2_000_000_000;

export interface Tickets {
  /** Adds each to its queue. An id that is already there is left alone. Failures are logged, not thrown: the next look adds it again. */
  add(tickets: readonly Ticket[]): Promise<void>;
  close(): Promise<void>;
}

export function openTickets(redis: Redis, storePrefix: string, log: Log): Tickets {
  const queues = new Map<string, Queue<TicketData>>();
  const queueOf = (name: string): Queue<TicketData> => {
    const known = queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue<TicketData>(name, {
      connection: redis,
      prefix: bullPrefix(storePrefix),
      skipWaitingForReady: true,
    });
    queue.on("error", (error) => log.warn("tickets.error", { queue: name, error: error.name }));
    queues.set(name, queue);
    return queue;
  };
  const addOne = async ({ run, number, queue, agent }: Ticket): Promise<void> => {
    try {
      await queueOf(queue).add(
        "run",
        { run, ticket: number, agent },
        {
          jobId: `${run}-${number}`,
          attempts: PRACTICALLY_INFINITE,
          backoff: { type: "fixed", delay: 1_000 },
          removeOnComplete: true,
          removeOnFail: true,
        },
      );
    } catch (error) {
      log.warn("tickets.not-added", { run, queue, error: error instanceof Error ? error.name : "unknown" });
    }
  };
  return {
    add: async (tickets) => {
      await Promise.all(tickets.map(addOne));
    },
    close: async () => {
      await Promise.all(Array.from(queues.values(), (queue) => queue.close()));
    },
  };
}
