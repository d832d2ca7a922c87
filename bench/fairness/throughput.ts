/**
 * Runs a second with a cap of exactly as many as there are slots: each slot waits for its next ticket, which is made when a run ends. In
 * rounds, by turns with the same without caps, where all tickets are in BullMQ from the start, and with plain BullMQ's jobs.
 */
import { randomUUID } from "node:crypto";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { median } from "../floor/figures.ts";
import { inSlices } from "./scenes.ts";
import { openStage } from "./stage.ts";

export interface Rates {
  readonly slots: number;
  readonly workMs: number;
  /** Medians of the rounds' ratios to the same round's runs without caps. */
  readonly capped: number;
  readonly inAll: number;
  /** The same, with the time of enqueueing: a cap puts the making of tickets off from there to here. */
  readonly cappedWhole: number;
  readonly inAllWhole: number;
  /** Capped to plain BullMQ. */
  readonly toPlain: number;
  /** Runs a second: medians. */
  readonly perSecond: {
    readonly free: number;
    readonly capped: number;
    readonly inAll: number;
    readonly plain: number;
  };
}

interface Rate {
  readonly drained: number;
  /** From the first enqueue. */
  readonly whole: number;
}

export async function throughput(url: string, slots: number, workMs: number, rounds: number): Promise<Rates> {
  // Some seconds of work, but enough to come past the first wave.
  const runs = Math.max(3 * slots, Math.min(3_000, Math.round((2_400 / workMs) * slots)));
  const kinds = {
    free: { perIdentifier: 1_000_000 },
    capped: { perIdentifier: slots },
    inAll: { perIdentifier: slots, maxLive: slots },
  };
  const found: Record<"free" | "capped" | "inAll" | "plain", Rate>[] = [];
  for (let round = 0; round < rounds; round++) {
    const side = async (name: keyof typeof kinds): Promise<Rate> => ours(url, kinds[name], slots, workMs, runs);
    // Whoever is first in one round is last in the next.
    const first = round % 2 === 0 ? await side("free") : undefined;
    const [capped, inAll] = [await side("capped"), await side("inAll")];
    found.push({ capped, inAll, free: first ?? (await side("free")), plain: await plain(url, slots, workMs, runs) });
  }
  const ratio = (of: "capped" | "inAll", by: keyof Rate): number => median(found.map((it) => it[of][by] / it.free[by]));
  const rate = (of: "free" | "capped" | "inAll" | "plain"): number => median(found.map((it) => it[of].drained));
  return {
    slots,
    workMs,
    capped: ratio("capped", "drained"),
    inAll: ratio("inAll", "drained"),
    cappedWhole: ratio("capped", "whole"),
    inAllWhole: ratio("inAll", "whole"),
    toPlain: median(found.map((it) => it.capped.drained / it.plain.drained)),
    perSecond: { free: rate("free"), capped: rate("capped"), inAll: rate("inAll"), plain: rate("plain") },
  };
}

async function ours(url: string, options: object, slots: number, workMs: number, count: number): Promise<Rate> {
  const stage = openStage(url, options, workMs);
  try {
    const came = performance.now();
    const runs = await inSlices(count, () => stage.enqueue("ann"));
    const began = performance.now();
    await stage.work(() => false, slots);
    await stage.ended(runs);
    return rates(count, came, began);
  } finally {
    await stage.close();
  }
}

async function plain(url: string, slots: number, workMs: number, count: number): Promise<Rate> {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  const name = randomUUID();
  const queue = new Queue(name, { connection: redis });
  const came = performance.now();
  await inSlices(count, (i) => queue.add("run", {}, { jobId: `a-${i}`, removeOnComplete: true }));
  let [left, done] = [count, (): void => undefined];
  const all = new Promise<void>((resolve) => (done = resolve));
  const began = performance.now();
  const work = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, workMs));
    if (--left === 0) done();
  };
  const worker = new Worker(name, work, { connection: redis, concurrency: slots });
  await worker.waitUntilReady();
  await all;
  const rate = rates(count, came, began);
  await worker.close();
  await queue.close();
  redis.disconnect();
  return rate;
}

function rates(count: number, came: number, began: number): Rate {
  const now = performance.now();
  return { drained: (count / (now - began)) * 1_000, whole: (count / (now - came)) * 1_000 };
}
