/** The port Cooling on Redis. */
import type { Cooling, CoolReason } from "../ports/asking.ts";
import { CLOSED, COOL, REOPEN } from "./scripts/cool.ts";
import type { Store } from "./store.ts";

export function redisCooling(store: Store): Cooling {
  return {
    close: async (key, { why, retryAfterMs = "", backoff, random, nonce, wider = "" }) => {
      const { baseMs, capMs } = backoff;
      const [until, first] = await store.run(COOL, key, nonce, why, retryAfterMs, baseMs, capMs, random, wider);
      return { until: Number(until), first: first === "1" };
    },
    closed: async (keys) => {
      const [until, why] = await store.run(CLOSED, ...keys);
      return why === undefined ? undefined : { until: Number(until), why: why as CoolReason };
    },
    reopen: async (key) => Number((await store.run(REOPEN, key))[0]) === 1,
  };
}
