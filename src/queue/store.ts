/** One shard of our own keys on Redis: its names, its options, and the one way to run a script on it. */
import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { JOURNAL_VERSION } from "../core/journal.ts";
import { type Durability, openReplicas } from "./replicas.ts";

export interface StoreOptions {
  /** Live runs that one identifier may have at once. */
  readonly perIdentifier: number;
  /** Live runs that one tenant may have at once; without it as many as its identifiers have. */
  readonly perTenant?: number;
  /** Live runs of all; without it as many as there are. */
  readonly maxLive?: number;
  /** Agents with a cap of their own. */
  readonly agentCaps?: ReadonlyMap<string, number>;
  /** ms; how long a worker owns a run without renewal, and BullMQ's lock. */
  readonly leaseMs: number;
  /** ms between two rounds of looks at the accounts of a connection that gates wait for. */
  readonly sweepMs: number;
  /** ms that a final run is kept. */
  readonly keepMs: number;
  /** A limit of parked runs is set, so they are counted for each identifier and tenant. */
  readonly countParked?: boolean;
  /** ms after an account was first needed, when its user is reminded; ascending. */
  readonly remindAfterMs: readonly number[];
  /** Without it a confirmation of Redis itself is enough. */
  readonly durability?: Required<Durability>;
}

const DAY_MS = 86_400_000;

export const DEFAULT_STORE: StoreOptions = {
  perIdentifier: 5,
  leaseMs: 30_000,
  sweepMs: 60_000,
  keepMs: 7 * DAY_MS,
  remindAfterMs: [DAY_MS, 3 * DAY_MS],
};

export interface Store {
  readonly redis: Redis;
  /** `{errand:0}:`: the braces put all keys of the shard into one slot of a Redis Cluster. */
  readonly prefix: string;
  readonly options: StoreOptions;
  run(script: string, ...args: readonly (string | number | Buffer)[]): Promise<readonly unknown[]>;
  /** As `run`. `kept`: as many replicas have it as `durability` asks for. */
  runKept(
    script: string,
    ...args: readonly (string | number | Buffer)[]
  ): Promise<{ readonly reply: readonly unknown[]; readonly kept: boolean }>;
  /** Closes what was opened besides the connection that was given. */
  close(): void;
}

/** @param name what all keys start with; one per environment that shares a Redis */
export function openStore(redis: Redis, name: string, options: StoreOptions): Store {
  const prefix = `{${name}:0}:`;
  // A ticket that nobody took after this time is made again; a lease that ended is found at once.
  const grace = Math.max(1_000, Math.round(options.leaseMs / 2));
  const told = JSON.stringify({
    cap: options.perIdentifier,
    tenant: options.perTenant ?? 0,
    total: options.maxLive ?? 0,
    grace,
    lease: options.leaseMs,
    sweep: options.sweepMs,
    keep: options.keepMs,
    remind: options.remindAfterMs,
    version: JOURNAL_VERSION,
    ...(options.countParked === true && { parked: true }),
  });
  const { durability } = options;
  const replicas = durability && openReplicas(redis, `${prefix}replicated`, durability);
  const keys = [`${prefix}looks`];
  const run: Store["run"] = async (script, ...args) =>
    (await evaluate(redis, script, keys, [prefix, told, ...args])) as readonly unknown[];
  return {
    redis,
    prefix,
    options,
    run,
    runKept: async (script, ...args) => {
      if (replicas === undefined) return { reply: await run(script, ...args), kept: true };
      const call = { sha: digest(script), script, keys, args: [prefix, told, ...args] };
      const kept = await replicas.run(call);
      return { reply: kept.reply as readonly unknown[], kept: kept.replicas >= (durability?.replicas ?? 0) };
    },
    close: () => replicas?.close(),
  };
}

const digests = new Map<string, string>();

function digest(script: string): string {
  const known = digests.get(script) ?? createHash("sha1").update(script).digest("hex");
  digests.set(script, known);
  return known;
}

/** EVALSHA, and EVAL where Redis does not know the script (first use, SCRIPT FLUSH, another primary). */
async function evaluate(
  redis: Redis,
  script: string,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(digest(script), keys.length, ...keys, ...args);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("NOSCRIPT"))
      return redis.eval(script, keys.length, ...keys, ...args);
    throw error;
  }
}
