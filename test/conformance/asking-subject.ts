/** What a store under test tells of cool-downs and of budgets. */
import { DAY_COUNTS, type DayCount, type DayCounts } from "../../src/core/day-counts.ts";
import type { Cooling, Used } from "../../src/ports/asking.ts";
import { redisCooling } from "../../src/queue/cooling.ts";
import type { Store } from "../../src/queue/store.ts";
import type { MemoryStore } from "../simulation/memory-api.ts";

export interface AskingSubject {
  readonly cooling: Cooling;
  /** Of a day's budget. */
  spend(name: string): Promise<{ readonly spent: Used; readonly kept: Used }>;
  /** What runs have told of themselves on that day. */
  counts(name: string): Promise<DayCounts>;
}

function countsIn(kept: Partial<Record<DayCount, unknown>>): DayCounts {
  const [turns = 0, toolCalls = 0, activeMs = 0, resultChars = 0] = DAY_COUNTS.map((it) => Number(kept[it] ?? 0));
  return { turns, toolCalls, activeMs, resultChars };
}

export function memoryAsking(store: MemoryStore, at: <T>(op: () => T) => Promise<T>): AskingSubject {
  const { asking } = store;
  return {
    cooling: {
      close: (key, closing) => at(() => asking.close(key, closing)),
      closed: (keys) => at(() => asking.closed(keys)),
      reopen: (key) => at(() => asking.reopen(key)),
    },
    spend: async (name) => {
      const none = { tokens: 0, nano: 0 };
      const { spent = none, kept = none } = asking.spends.get(name) ?? {};
      return { spent, kept };
    },
    counts: async (name) => countsIn(asking.spends.get(name)?.counts ?? {}),
  };
}

export function redisAsking(store: Store): AskingSubject {
  return {
    cooling: redisCooling(store),
    spend: async (name) => {
      const h = await store.redis.hgetall(`${store.prefix}spend:${name}`);
      return {
        spent: { tokens: Number(h["tokens"] ?? 0), nano: Number(h["nano"] ?? 0) },
        kept: { tokens: Number(h["kept-tokens"] ?? 0), nano: Number(h["kept-nano"] ?? 0) },
      };
    },
    counts: async (name) => countsIn(await store.redis.hgetall(`${store.prefix}spend:${name}`)),
  };
}

export async function ageAsking({ redis, prefix }: Store, ms: number): Promise<void> {
  for (const key of await redis.keys(`${prefix}cool:*`)) await redis.hincrby(key, "until", String(-ms));
  for (const kind of ["wait", "rate", "cooled"])
    for (const key of await redis.keys(`${prefix}${kind}:*`))
      for (const member of await redis.zrange(key, "0", "-1")) await redis.zincrby(key, -ms, member);
  for (const id of await redis.zrange(`${prefix}runs:all`, "0", "-1"))
    for (const [field, record] of Object.entries(await redis.hgetall(`${prefix}run:${id}`))) {
      const [asked, argsHash, before] = record.split(" ");
      if (field.startsWith("ask:"))
        await redis.hset(`${prefix}run:${id}`, field, `${asked} ${argsHash} ${Number(before) - ms}`);
    }
}
