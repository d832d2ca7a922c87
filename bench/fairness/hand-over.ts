/** What a hand-over costs Redis while so many identifiers wait with one run each, and what idle identifiers leave behind. */
import { Redis } from "ioredis";
import { DUE } from "../../src/queue/scripts/due.ts";
import { at, inSlices } from "./scenes.ts";
import { openStage, SLOTS, type Stage } from "./stage.ts";

export interface HandOver {
  readonly identifiers: number;
  /** µs of Redis' CPU for one end with the next one's slot, median of rounds. */
  readonly us: number;
  /** Commands, inside of scripts as well. */
  readonly commands: number;
}

const ROUNDS = 15;
const ENDS = 40;

export async function handOver(url: string, identifiers: number): Promise<HandOver> {
  const stage = openStage(url, { maxLive: SLOTS });
  const redis = new Redis(url);
  try {
    await redis.flushall();
    await inSlices(identifiers + SLOTS + ROUNDS * ENDS, (i) => stage.enqueue(`user_${i}`));
    const rounds: { us: number; commands: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const live = (await redis.zrange(`${stage.store.prefix}busy:all`, "0", String(ENDS - 1))) ?? [];
      const claims = await Promise.all(live.map((run) => stage.journal.claim(run, { nonce: `${run}c`, worker: "w" })));
      const before = await used(redis);
      for (const claim of claims) await endOf(stage, claim);
      const after = await used(redis);
      rounds.push({ us: (after.us - before.us) / ENDS, commands: (after.commands - before.commands) / ENDS });
    }
    const sorted = (of: "us" | "commands"): number[] => rounds.map((one) => one[of]).toSorted((a, b) => a - b);
    return { identifiers, us: at(sorted("us"), 0.5), commands: Math.round(at(sorted("commands"), 0.5)) };
  } finally {
    redis.disconnect();
    await stage.close();
  }
}

async function endOf({ journal }: Stage, claim: Awaited<ReturnType<Stage["journal"]["claim"]>>): Promise<void> {
  if (claim.answer !== "claimed") throw new Error(claim.answer);
  const { run, epoch, decisions } = claim;
  const entries = [{ kind: "ended", status: "completed" } as const];
  const move = { to: "end", status: "completed" } as const;
  await journal.commit({ run, epoch, length: decisions.length, nonce: `${run}e`, entries, move });
}

/** CPU of Redis' main thread, µs, and commands, also those inside of scripts. BullMQ's own script for the ticket is in it, the same each time. */
async function used(redis: Redis): Promise<{ us: number; commands: number }> {
  const info = `${await redis.info("commandstats")}${await redis.info("cpu")}`;
  let commands = 0;
  for (const [, name = "", calls = "0"] of info.matchAll(/cmdstat_([^:]+):calls=(\d+)/g))
    if (name !== "evalsha" && name !== "info") commands += Number(calls);
  const seconds = Array.from(info.matchAll(/used_cpu_(?:sys|user)_main_thread:([\d.]+)/g), ([, text]) => Number(text));
  return { us: seconds.reduce((a, b) => a + b, 0) * 1e6, commands };
}

export interface Idle {
  readonly identifiers: number;
  /** Bytes that Redis uses more than before, for each. */
  readonly bytes: number;
}

/** Each has had one run, which has ended and expired. */
export async function idle(url: string, identifiers: number, tenants: boolean): Promise<Idle> {
  const stage = openStage(url, { keepMs: 1, perIdentifier: 5 });
  const redis = new Redis(url);
  try {
    await redis.flushall();
    await redis.memory("PURGE");
    const before = await memory(redis);
    await inSlices(identifiers, async (i) => {
      const run = await stage.enqueue(`user_${i}`, tenants ? `org_${i % 100}` : undefined);
      await endOf(stage, await stage.journal.claim(run, { nonce: `${run}c`, worker: "w" }));
    });
    stage.times.clear();
    // Tickets that a worker would have used up.
    for await (const keys of redis.scanStream({ match: `${stage.store.prefix}q:*`, count: 1_000 }))
      if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]));
    while ((await redis.zcard(`${stage.store.prefix}runs:ended`)) > 0) await stage.store.run(DUE, 1_000);
    for (let left = -1; left !== 0;) {
      const expiring = /expires=(\d+)/.exec(await redis.info("keyspace"))?.[1];
      left = Number(expiring ?? 0);
    }
    return { identifiers, bytes: Math.max(0, ((await memory(redis)) - before) / identifiers) };
  } finally {
    redis.disconnect();
    await stage.close();
  }
}

async function memory(redis: Redis): Promise<number> {
  return Number(/used_memory_dataset:(\d+)/.exec(await redis.info("memory"))?.[1] ?? 0);
}
