/**
 * Errand's own scripts and tickets on a Redis of its own, and a worker without a model: it claims, holds its slot for a while, and ends
 * the run, or parks it for a moment first. What is measured is who gets a slot, when, and what that costs.
 */
import { randomUUID } from "node:crypto";
import { Worker } from "bullmq";
import type { Entry } from "../../src/core/journal.ts";
import type { Log } from "../../src/ports/log.ts";
import { decodeTickets } from "../../src/queue/codec.ts";
import { connect } from "../../src/queue/connect.ts";
import { redisGates, redisJournal, type RedisGates } from "../../src/queue/journal.ts";
import { CREATE } from "../../src/queue/scripts/create.ts";
import { DUE } from "../../src/queue/scripts/due.ts";
import { DEFAULT_STORE, openStore, type Store, type StoreOptions } from "../../src/queue/store.ts";
import { bullPrefix, openTickets, type TicketData } from "../../src/queue/tickets.ts";
import type { Journal } from "../../src/ports/journal.ts";

export const SLOTS = 50;
/** ms for which a run holds its slot. */
export const WORK_MS = 400;

export interface Times {
  readonly enqueued: number;
  started: number;
  ended: number;
}

export interface Stage {
  readonly store: Store;
  readonly journal: Journal;
  readonly gates: RedisGates;
  /** Of each run, by its id. */
  readonly times: Map<string, Times>;
  enqueue(identifier: string, tenant?: string): Promise<string>;
  /** Starts so many places that work, default `SLOTS`. @param parks whether a run parks at its first turn */
  work(parks?: (run: string) => boolean, slots?: number): Promise<void>;
  /** Resolves when these have ended. */
  ended(runs: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const ENDED: Entry = { kind: "ended", status: "completed" };
const PARKED: Entry = { kind: "parked", reason: "retry" };
const PARK_MS = 100;

export function openStage(url: string, options: Partial<StoreOptions>, workMs: number = WORK_MS): Stage {
  const connection = connect(url, true);
  const store = openStore(connection.redis, `fair-${randomUUID().slice(0, 8)}`, { ...DEFAULT_STORE, ...options });
  const tickets = openTickets(connection.redis, store.prefix, silent);
  const journal = redisJournal(store, tickets);
  const times = new Map<string, Times>();
  let worker: Worker<TicketData> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let [closed, waking] = [false, Promise.resolve()];
  let told = (): void => undefined;

  const shift = async ({ run, ticket }: TicketData, parks: (run: string) => boolean): Promise<void> => {
    const claim = await journal.claim(run, { ticket, nonce: randomUUID(), worker: "w" });
    if (claim.answer !== "claimed") return;
    const { epoch, decisions } = claim;
    const commit = { run, epoch, length: decisions.length, nonce: randomUUID() };
    const at = times.get(run);
    if (at !== undefined && at.started === 0) {
      at.started = performance.now();
      if (parks(run)) {
        const until = claim.now + PARK_MS;
        await journal.commit({ ...commit, entries: [PARKED], move: { to: "moment", until } });
        return;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, workMs));
    await journal.commit({ ...commit, entries: [ENDED], move: { to: "end", status: "completed" } });
    if (at !== undefined) at.ended = performance.now();
    told();
  };
  const wake = async (): Promise<void> => {
    const [, , , ...made] = await store.run(DUE, 100);
    await tickets.add(decodeTickets(made));
  };
  return {
    store,
    journal,
    gates: redisGates(store, tickets),
    times,
    enqueue: async (identifier, tenant = "") => {
      const run = `run_0_${randomUUID().replaceAll("-", "")}`;
      times.set(run, { enqueued: performance.now(), started: 0, ended: 0 });
      const created = JSON.stringify({ kind: "created", agent: "a", identifier, input: {} });
      const rest = [tenant, "default", 0, "", "h", created, "all", "", ""] as const;
      const reply = await store.run(CREATE, run, run, "a", identifier, ...rest);
      await tickets.add(decodeTickets(reply.slice(2)));
      return run;
    },
    work: async (parks = () => false, slots = SLOTS) => {
      worker = new Worker<TicketData>("default", (job) => shift(job.data, parks), {
        connection: connection.redis,
        prefix: bullPrefix(store.prefix),
        concurrency: slots,
        removeOnComplete: { count: 0 },
      });
      const again = (): void => {
        if (!closed) timer = setTimeout(() => void (waking = wake().then(again)), 50);
      };
      again();
      await worker.waitUntilReady();
    },
    ended: (runs) =>
      new Promise((resolve) => {
        const left = new Set(runs);
        told = () => {
          for (const run of left) if ((times.get(run)?.ended ?? 0) > 0) left.delete(run);
          if (left.size === 0) resolve();
        };
        told();
      }),
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await waking;
      await worker?.close();
      await tickets.close();
      store.close();
      await connection.close();
    },
  };
}
