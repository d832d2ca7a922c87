/** How many requests a model profile may be sent a minute, counted in Redis for all workers. */
import type { Rates } from "../ports/rates.ts";
import { TAKE } from "./scripts/take.ts";
import type { Store } from "./store.ts";

const MINUTE = 60_000;

/** @param perMinute profile → its limit; a profile without one is not counted */
export function redisRates(store: Store, perMinute: Readonly<Record<string, number | undefined>>): Rates {
  return {
    take: async (profile, nonce) => {
      const most = perMinute[profile];
      if (most === undefined) return 0;
      const [waitMs] = await store.run(TAKE, `model:${profile}`, nonce, most, MINUTE);
      return Number(waitMs);
    },
  };
}
