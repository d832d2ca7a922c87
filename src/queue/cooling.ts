/** The port Cooling on Redis. */
import type { Cooling, CoolReason } from "../ports/asking.ts";
import { COOL, REOPEN } from "./scripts/cool.ts";
import type { Store } from "./store.ts";

export function redisCooling(store: Store): Cooling {
  return {
    close: async (key, { why, retryAfterMs = "", backoff, random, nonce, wider = "" }) => {
      const { baseMs, capMs } = backoff;
      const [until, first] = await store.run(COOL, key, nonce, why, retryAfterMs, baseMs, capMs, random, wider);
      return { until: Number(until), first: first === "1" };
    },
    closed: async (keys) => {
      const all = await Promise.all(keys.map((key) => store.redis.hmget(`${store.prefix}cool:${key}`, "until", "why")));
      const [seconds, micros] = await store.redis.time();
      const now = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
      const found = all.map(([until, why]) => ({ until: Number(until ?? 0), why: why as CoolReason }));
      const [longest] = found.filter(({ until }) => until > now).toSorted((a, b) => b.until - a.until);
      return longest;
    },
    reopen: async (key) => Number((await store.run(REOPEN, key))[0]) === 1,
  };
}
