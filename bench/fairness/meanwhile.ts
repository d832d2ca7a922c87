/**
 * Something large is done to one account's runs while others enqueue: many are woken at once, or cancelled in their line. How long the
 * others wait for a slot, and what it costs Redis. They come one after the other all the time, at the same pace before and meanwhile.
 */
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import type { Entry } from "../../src/core/journal.ts";
import { CANCELS_AT_ONCE, cancelRun } from "../../src/queue/canceller.ts";
import { turnstile } from "../../src/loop/turnstile.ts";
import { at, inSlices } from "./scenes.ts";
import { openStage, SLOTS, type Stage } from "./stage.ts";

export interface Meanwhile {
  readonly runs: number;
  /** ms until it was done. */
  readonly doneMs: number;
  /** µs of Redis' CPU for each run, without what the others cost at the same time. */
  readonly usEach: number;
  /** ms from enqueue to start of the others that came meanwhile, and of those that came before. */
  readonly p50: number;
  readonly p99: number;
  readonly before50: number;
  readonly before99: number;
  /** The same from enqueue to end. */
  readonly done99: number;
  readonly beforeDone99: number;
  /** How many of the others came meanwhile. */
  readonly others: number;
}

const GATE = "account/ann/gmail";
const PARKED: Entry = { kind: "parked", reason: "account" };
/** ms between two of the others. */
const PACE_MS = 8;
const WORK_MS = 200;
const OTHERS = 10;
const HERE = {
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
  chance: { random: Math.random, nonce: randomUUID },
  worker: "w",
};
/** ms in which the others are watched before. */
const BEFORE_MS = 2_000;

/** They wait at one gate, which is opened. */
export async function woken(url: string, runs: number): Promise<Meanwhile> {
  const stage = openStage(url, { perIdentifier: 5 }, WORK_MS);
  try {
    await inSlices(runs, async () => park(stage, await stage.enqueue("ann")));
    return await meanwhile(stage, url, runs, () => stage.gates.open(GATE));
  } finally {
    await stage.close();
  }
}

/** They stand in their line, and are cancelled all at once. */
export async function cancelled(url: string, runs: number): Promise<Meanwhile> {
  const stage = openStage(url, { perIdentifier: 5, maxLive: SLOTS }, WORK_MS);
  try {
    const all = await inSlices(runs, () => stage.enqueue("ann"));
    // As errand's `cancel` does it. Those that have a slot last.
    const soon = turnstile(CANCELS_AT_ONCE);
    const cancel = async (): Promise<void> => {
      await Promise.all(
        all.toReversed().map((run) => soon(() => cancelRun(stage.store, { journal: stage.journal, ...HERE }, run))),
      );
    };
    return await meanwhile(stage, url, runs, cancel);
  } finally {
    await stage.close();
  }
}

async function meanwhile(stage: Stage, url: string, runs: number, work: () => Promise<void>): Promise<Meanwhile> {
  const redis = new Redis(url);
  try {
    await stage.work();
    const warm = await during(stage, () => sleep(500));
    await stage.ended(warm);
    const [before, beforeUs, beforeMs] = await timed(redis, () => during(stage, () => sleep(BEFORE_MS)));
    let doneMs = 0;
    const [those, us, ms] = await timed(redis, () =>
      during(stage, async () => {
        const began = performance.now();
        await work();
        doneMs = performance.now() - began;
      }),
    );
    await stage.ended([...before, ...those]);
    const part = (of: readonly string[], until: "started" | "ended", p: number): number =>
      at(waits(stage, of, until), p);
    return {
      runs,
      doneMs,
      usEach: (us - (beforeUs / beforeMs) * ms) / runs,
      p50: part(those, "started", 0.5),
      p99: part(those, "started", 0.99),
      before50: part(before, "started", 0.5),
      before99: part(before, "started", 0.99),
      done99: part(those, "ended", 0.99),
      beforeDone99: part(before, "ended", 0.99),
      others: those.length,
    };
  } finally {
    redis.disconnect();
  }
}

/** Others enqueue at their pace until it is done. @returns their runs */
async function during(stage: Stage, work: () => Promise<void>): Promise<string[]> {
  const [began, runs] = [performance.now(), [] as Promise<string>[]];
  let isDone = false;
  const done = work().finally(() => (isDone = true));
  while (!isDone) {
    runs.push(stage.enqueue(`other_${runs.length % OTHERS}`));
    // By the clock, not by the last one: whoever comes late because Redis is slow is not left out.
    await sleep(Math.max(0, began + runs.length * PACE_MS - performance.now()));
  }
  await done;
  return Promise.all(runs);
}

async function park({ journal, gates }: Stage, run: string): Promise<void> {
  const claim = await journal.claim(run, { nonce: run, worker: "w" });
  if (claim.answer !== "claimed") throw new Error(claim.answer);
  const needs = [{ gate: GATE, reason: "not-connected", version: await gates.version(GATE) }] as const;
  const { epoch, decisions } = claim;
  const move = { to: "accounts", needs, until: 4e12 } as const;
  await journal.commit({ run, epoch, length: decisions.length, nonce: `p${run}`, entries: [PARKED], move });
}

async function timed<T>(redis: Redis, work: () => Promise<T>): Promise<readonly [T, us: number, ms: number]> {
  const [used, began] = [await cpu(redis), performance.now()];
  const found = await work();
  return [found, (await cpu(redis)) - used, performance.now() - began];
}

/** µs of Redis' main thread. */
async function cpu(redis: Redis): Promise<number> {
  const info = await redis.info("cpu");
  const seconds = Array.from(info.matchAll(/used_cpu_(?:sys|user)_main_thread:([\d.]+)/g), ([, text]) => Number(text));
  return seconds.reduce((a, b) => a + b, 0) * 1e6;
}

function waits(stage: Stage, runs: readonly string[], until: "started" | "ended"): number[] {
  const all = runs.flatMap((run) => stage.times.get(run) ?? []);
  return all.map((one) => one[until] - one.enqueued).toSorted((a, b) => a - b);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
