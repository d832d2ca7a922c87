/** A large result in pieces against one value of the same size: how long another client waits for a PING meanwhile. */
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { keepBlob } from "../../src/queue/blobs.ts";
import { DEFAULT_STORE, openStore } from "../../src/queue/store.ts";
import { median } from "../floor/figures.ts";
import { openWaits } from "./waits.ts";

export interface Blob {
  readonly bytes: number;
  /** ms, medians over the rounds of the worst PING in each; and of the writing itself. */
  readonly pieces: { readonly worstPing: number; readonly took: number };
  readonly single: { readonly worstPing: number; readonly took: number };
  /** Of a round in which nothing is written: what the machine itself makes a PING wait. */
  readonly idleWorstPing: number;
  /** Median over the rounds of the single value's worst PING by that of the pieces. */
  readonly ratio: number;
}

const SIZES = [2_000_000, 10_000_000] as const;

export async function blobs(url: string, rounds: number): Promise<Blob[]> {
  const redis = new Redis(url);
  const store = openStore(redis, `bench-${randomUUID().slice(0, 8)}`, DEFAULT_STORE);
  const key = `${store.prefix}run:r`;
  const waits = await openWaits(url);
  try {
    await redis.hset(key, "status", "running");
    const found: Blob[] = [];
    for (const bytes of SIZES) {
      const text = "x".repeat(bytes);
      const seen = { pieces: [], single: [], idle: [] } as Record<"pieces" | "single" | "idle", Waited[]>;
      for (let round = -1; round < rounds; round++) {
        const pieces = await waits.during(() => keepBlob(store, "r", "n", text));
        await redis.unlink(`${key}:b`);
        const single = await waits.during(() => redis.hset(`${key}:one`, "n", text));
        await redis.unlink(`${key}:one`);
        const idle = await waits.during(() => new Promise((resolve) => setTimeout(resolve, single.tookMs)));
        // The first round warms up.
        if (round < 0) continue;
        seen.pieces.push(pieces);
        seen.single.push(single);
        seen.idle.push(idle);
      }
      const worst = (of: readonly Waited[]): number => median(of.map(({ worstPingMs }) => worstPingMs));
      const took = (of: readonly Waited[]): number => median(of.map(({ tookMs }) => tookMs));
      found.push({
        bytes,
        pieces: { worstPing: worst(seen.pieces), took: took(seen.pieces) },
        single: { worstPing: worst(seen.single), took: took(seen.single) },
        idleWorstPing: worst(seen.idle),
        ratio: median(seen.single.map((one, i) => one.worstPingMs / (seen.pieces[i]?.worstPingMs ?? NaN))),
      });
    }
    return found;
  } finally {
    await redis.unlink(key);
    redis.disconnect();
    await waits.close();
  }
}

interface Waited {
  readonly worstPingMs: number;
  readonly tookMs: number;
}
