/** Bytes per parked run, and how fast runs park and wake, with many of them there. By scripts: the worker loop is in loop-rates.ts. */
import type { Accounts } from "../../src/ports/accounts.ts";
import { createGatekeeper } from "../../src/queue/gatekeeper.ts";
import { startRedis } from "../../src/testing/index.ts";
import { usedMemory } from "../floor/redis-cost.ts";
import { person } from "../floor/scene.ts";
import { gateOf, type Lot, openLot, silent, stopwatch } from "./lot.ts";
import { type Weight, weigh } from "./memory.ts";

export interface Rates {
  readonly runs: number;
  readonly accounts: number;
  readonly bytes: Weight;
  readonly create: Rate;
  readonly park: Rate;
  readonly wake: Wake;
}

export interface Rate {
  readonly perSecond: number;
  /** µs of Redis' CPU for each. */
  readonly redisCpuUs: number;
}

export interface Wake extends Rate {
  readonly runs: number;
  readonly accounts: number;
  /** Added to BullMQ while they woke: the others stand in their line, behind the cap of five. */
  readonly tickets: number;
}

/** Woken at most, of each kind: as many as give a rate. The others stay parked. */
const MOST_WOKEN = 20_000;
/** Scalekit's page, as the sweep reads it. */
const PAGE = 100;

/** @param accounts that the runs are spread over; one: all wait at one gate */
export async function rates(runs: number, accounts: number): Promise<Rates> {
  const server = await startRedis();
  const lot = openLot(server.url);
  try {
    const identifier = (i: number): string => person(i % accounts);
    // Scripts, and keys of every kind, are known before the first weighing.
    await lot.park(1, () => "somebody");
    await wake(lot, 1, ["somebody"]);
    const before = await usedMemory(lot.store.redis);
    const parked = await lot.park(runs, identifier);
    const grown = (await usedMemory(lot.store.redis)) - before;
    const standing = await lot.store.redis.zcard(`${lot.store.prefix}runs:status:parked`);
    if (standing !== runs) throw new Error(`${standing} of ${runs} runs are parked`);
    const each = runs / accounts;
    const bytes = await weigh(lot.store, { grown, runs: parked.runs, each, identifier });
    const rate = ({ ms, redisCpuMs }: typeof parked.park): Rate => ({
      perSecond: (runs / ms) * 1_000,
      redisCpuUs: (redisCpuMs / runs) * 1_000,
    });
    const woken = Array.from({ length: Math.min(accounts, Math.ceil(MOST_WOKEN / each)) }, (_, i) => person(i));
    return {
      runs,
      accounts,
      bytes,
      create: rate(parked.create),
      park: rate(parked.park),
      wake: await wake(lot, woken.length * each, woken),
    };
  } finally {
    await lot.close();
    await server.stop();
  }
}

/** As the product wakes them: one waker, one gate after another, each with its slices and its tickets. */
async function wake(lot: Lot, runs: number, users: readonly string[]): Promise<Wake> {
  const { redis, prefix } = lot.store;
  const queue = `${prefix}q:default:wait`;
  const gatekeeper = createGatekeeper(lot.gates, allActive(), silent);
  const before = await redis.llen(queue);
  const watch = stopwatch(redis);
  await watch.time(() => gatekeeper.sweep(users.map(gateOf), new AbortController().signal));
  const queued = await redis.zcard(`${prefix}runs:status:queued`);
  if (queued < runs) throw new Error(`${queued} of ${runs} runs were woken`);
  const { ms, redisCpuMs } = watch.cost();
  return {
    runs,
    accounts: users.length,
    tickets: (await redis.llen(queue)) - before,
    perSecond: (runs / ms) * 1_000,
    redisCpuUs: (redisCpuMs / runs) * 1_000,
  };
}

/** Nobody is asked: each account is ACTIVE, and they come in pages. What looks cost is in calls.ts. */
function allActive(): Accounts {
  const unasked = (): Promise<never> => Promise.reject(new Error("nobody asks this here"));
  return {
    look: unasked,
    link: unasked,
    verify: unasked,
    connections: unasked,
    survey: async function* (connection, identifiers) {
      for (let i = 0; i < identifiers.length; i += PAGE) {
        const accounts = identifiers.slice(i, i + PAGE).map((identifier) => ({
          identifier,
          connection,
          status: "ACTIVE" as const,
          accountId: `ca_${identifier}`,
          updatedAt: Date.now(),
        }));
        yield { ok: true, accounts };
      }
    },
  };
}
