/** What a hand-over costs Redis while so many identifiers wait with one run each, and what idle identifiers leave behind. */
import { Redis } from "ioredis";
import { redisJournal } from "../../src/queue/journal.ts";
import { CREATE } from "../../src/queue/scripts/create.ts";
import { redisWeights } from "../../src/queue/weights.ts";
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

const ROUNDS = 11;
const ENDS = 40;

/** @param empties Redis, before. @param weighed every identifier has two turns in each round */
export async function handOver(
  url: string,
  identifiers: number,
  { empties = true, weighed = false }: { readonly empties?: boolean; readonly weighed?: boolean } = {},
): Promise<HandOver> {
  const stage = openStage(url, { maxLive: SLOTS });
  const redis = new Redis(url);
  try {
    if (empties) await redis.flushall();
    const weights = redisWeights(stage.store);
    await inSlices(identifiers + SLOTS + ROUNDS * ENDS, async (i) => {
      if (weighed) await weights.weigh({ identifier: `user_${i}` }, 2);
      await stage.enqueue(`user_${i}`);
    });
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

async function endOf(
  { journal }: Pick<Stage, "journal">,
  claim: Awaited<ReturnType<Stage["journal"]["claim"]>>,
): Promise<void> {
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
  /** Keys that are left, of all together. */
  readonly keys: readonly string[];
  /** Bytes of the one key that names tenants, for each. */
  readonly tenantBytes: number;
  /** A hand-over with 100 who wait, before and after; not measured for less than `CHUNK`, which could show nothing. */
  readonly before?: HandOver;
  readonly after?: HandOver;
  readonly seconds: number;
}

const NO_TICKETS = { add: async () => undefined, close: async () => undefined };
const CHUNK = 10_000;

/** Each has had one run, which has ended and expired: by our own scripts, without BullMQ, whose tickets workers use up. */
export async function idle(url: string, identifiers: number, tenants: boolean): Promise<Idle> {
  const stage = openStage(url, { keepMs: 1, perIdentifier: 5 });
  const redis = new Redis(url);
  const journal = redisJournal(stage.store, NO_TICKETS);
  try {
    await redis.flushall();
    const before = identifiers < CHUNK ? undefined : await handOver(url, 100);
    await redis.flushall();
    await redis.memory("PURGE");
    const [memoryBefore, began] = [await memory(redis), performance.now()];
    for (let from = 0; from < identifiers; from += CHUNK) {
      await inSlices(Math.min(CHUNK, identifiers - from), async (i) => {
        const user = `user_${from + i}`;
        const run = `run_0_${from + i}`;
        const created = JSON.stringify({ kind: "created", agent: "a", identifier: user, input: {} });
        const tenant = tenants ? `org_${i % 100}` : "";
        await stage.store.run(CREATE, run, run, "a", user, tenant, "default", 0, "", "h", created, "all", "", "");
        await endOf({ journal }, await journal.claim(run, { nonce: `${run}c`, worker: "w" }));
      });
      while ((await redis.zcard(`${stage.store.prefix}runs:ended`)) > 0) await stage.store.run(DUE, 1_000);
    }
    for (let left = -1; left !== 0;) {
      const expiring = /expires=(\d+)/.exec(await redis.info("keyspace"))?.[1];
      left = Number(expiring ?? 0);
    }
    const bytes = Math.max(0, ((await memory(redis)) - memoryBefore) / identifiers);
    const names = (await redis.keys("*")).map((key) => key.slice(stage.store.prefix.length));
    const named = await redis.memory("USAGE", `${stage.store.prefix}tenants`, "SAMPLES", "0");
    const seconds = (performance.now() - began) / 1_000;
    return {
      identifiers,
      bytes,
      keys: names.toSorted(),
      tenantBytes: (named ?? 0) / identifiers,
      ...(before !== undefined && { before, after: await handOver(url, 100, { empties: false }) }),
      seconds,
    };
  } finally {
    redis.disconnect();
    await stage.close();
  }
}

async function memory(redis: Redis): Promise<number> {
  return Number(/used_memory_dataset:(\d+)/.exec(await redis.info("memory"))?.[1] ?? 0);
}
