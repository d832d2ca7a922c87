/**
 * Many runs of one account are woken at once while others enqueue: how long those wait for a slot, and what a woken run costs Redis. The
 * others come one after the other all the time, at the same pace with and without the waking, so that their waits can be compared.
 */
import { Redis } from "ioredis";
import type { Entry } from "../../src/core/journal.ts";
import { at, inSlices } from "./scenes.ts";
import { openStage, type Stage } from "./stage.ts";

export interface Woken {
  readonly runs: number;
  /** ms until the last of them stood in its line. */
  readonly openedMs: number;
  /** µs of Redis' CPU for each woken run, without what the others cost at the same time. */
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
/** ms in which the others are watched before the waking. */
const BEFORE_MS = 3_000;

export async function woken(url: string, runs: number): Promise<Woken> {
  const stage = openStage(url, { perIdentifier: 5 }, WORK_MS);
  const redis = new Redis(url);
  try {
    await inSlices(runs, async () => park(stage, await stage.enqueue("ann")));
    await stage.work();
    const warm = await during(stage, () => sleep(500));
    await stage.ended(warm);
    const [before, beforeUs, beforeMs] = await timed(redis, () => during(stage, () => sleep(BEFORE_MS)));
    let openedMs = 0;
    const [meanwhile, us, ms] = await timed(redis, () =>
      during(stage, async () => {
        const began = performance.now();
        await stage.gates.open(GATE);
        openedMs = performance.now() - began;
      }),
    );
    await stage.ended([...before, ...meanwhile]);
    const [alone, those] = [waits(stage, before, "started"), waits(stage, meanwhile, "started")];
    return {
      runs,
      openedMs,
      usEach: (us - (beforeUs / beforeMs) * ms) / runs,
      p50: at(those, 0.5),
      p99: at(those, 0.99),
      before50: at(alone, 0.5),
      before99: at(alone, 0.99),
      done99: at(waits(stage, meanwhile, "ended"), 0.99),
      beforeDone99: at(waits(stage, before, "ended"), 0.99),
      others: meanwhile.length,
    };
  } finally {
    redis.disconnect();
    await stage.close();
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
