/** One user floods, others come: how long those wait, and how long it takes altogether. */
import { randomUUID } from "node:crypto";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import type { StoreOptions } from "../../src/queue/store.ts";
import { openStage, SLOTS, type Times, WORK_MS } from "./stage.ts";

export interface Waits {
  /** ms from enqueue to start, of the others' runs. */
  readonly p50: number;
  readonly p99: number;
  /** ms from enqueue to end: what users feel. */
  readonly done50: number;
  readonly done99: number;
  /** Runs a second, of all of them; nothing where the flood was not waited for. */
  readonly perSecond?: number;
}

export interface Scene {
  readonly flood: number;
  readonly options: Partial<StoreOptions>;
  /** Whose the i-th run of the flood is. */
  readonly whose?: (i: number) => { readonly identifier: string; readonly tenant?: string };
  readonly tenants?: boolean;
  /** 0 to 1: runs that park for a moment at first. */
  readonly parks?: number;
  /** For which a run holds its slot; default `WORK_MS`. */
  readonly workMs?: number;
  /** Until the flood has ended, too. */
  readonly drains?: boolean;
}

const OTHERS = 10;
const EACH = 10;

export async function play(url: string, scene: Scene): Promise<Waits> {
  const stage = openStage(url, scene.options, scene.workMs);
  const { whose = () => ({ identifier: "ann", ...(scene.tenants && { tenant: "flood" }) }) } = scene;
  try {
    const flood = await inSlices(scene.flood, async (i) => {
      const { identifier, tenant } = whose(i);
      return stage.enqueue(identifier, tenant);
    });
    const parked = new Set(flood.filter((_, i) => scene.parks !== undefined && i % 10 < scene.parks * 10));
    const began = performance.now();
    await stage.work((run) => parked.has(run));
    // The flood has all slots by now.
    await new Promise((resolve) => setTimeout(resolve, scene.flood === 0 ? 0 : 2 * WORK_MS));
    const others = await inSlices(OTHERS * EACH, (i) => {
      const name = `other_${i % OTHERS}`;
      return stage.enqueue(name, scene.tenants === true ? name : undefined);
    });
    await stage.ended(scene.drains === true ? [...flood, ...others] : others);
    const seconds = (performance.now() - began) / 1_000;
    const rate = scene.drains === true ? { perSecond: (scene.flood + others.length) / seconds } : {};
    return { ...waits(others.flatMap((run) => stage.times.get(run) ?? [])), ...rate };
  } finally {
    await stage.close();
  }
}

/** Jobs of plain BullMQ: one queue, first come, first served. */
export async function playPlain(url: string, flood: number): Promise<Waits> {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  const name = randomUUID();
  const queue = new Queue(name, { connection: redis });
  const times = new Map<string, Times>();
  const add = async (jobId: string): Promise<void> => {
    times.set(jobId, { enqueued: performance.now(), started: 0, ended: 0 });
    await queue.add("run", {}, { jobId, removeOnComplete: true });
  };
  await inSlices(flood, (i) => add(`a-${i}`));
  let [left, done] = [flood + OTHERS * EACH, (): void => undefined];
  const all = new Promise<void>((resolve) => (done = resolve));
  const began = performance.now();
  const worker = new Worker(
    name,
    async (job) => {
      const at = times.get(job.id ?? "");
      if (at !== undefined) at.started = performance.now();
      await new Promise((resolve) => setTimeout(resolve, WORK_MS));
      if (at !== undefined) at.ended = performance.now();
      if (--left === 0) done();
    },
    { connection: redis, concurrency: SLOTS },
  );
  await worker.waitUntilReady();
  await new Promise((resolve) => setTimeout(resolve, flood === 0 ? 0 : 2 * WORK_MS));
  await inSlices(OTHERS * EACH, (i) => add(`o-${i}`));
  await all;
  const seconds = (performance.now() - began) / 1_000;
  await worker.close();
  await queue.close();
  redis.disconnect();
  const others = Array.from(times).flatMap(([id, at]) => (id.startsWith("o-") ? [at] : []));
  return { ...waits(others), perSecond: (flood + others.length) / seconds };
}

export async function inSlices<T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  for (let i = 0; i < count; i += 200)
    done.push(...(await Promise.all(Array.from({ length: Math.min(200, count - i) }, (_, j) => work(i + j)))));
  return done;
}

function waits(times: readonly Times[]): Waits {
  const started = times.map(({ enqueued, started: at }) => at - enqueued).toSorted((a, b) => a - b);
  const ended = times.map(({ enqueued, ended: at }) => at - enqueued).toSorted((a, b) => a - b);
  return { p50: at(started, 0.5), p99: at(started, 0.99), done50: at(ended, 0.5), done99: at(ended, 0.99) };
}

export function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}
