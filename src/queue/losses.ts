/** The port Losses on Redis: a sliding window of users for each connection, and a hold that ends by itself. */
import { accountGate } from "../core/gate.ts";
import { isHeld, type MassLoss } from "../core/losses.ts";
import type { Log } from "../ports/log.ts";
import type { Losses } from "../ports/losses.ts";
import type { RedisGates } from "./journal.ts";
import { LOSSES } from "./scripts/losses.ts";
import type { Store } from "./store.ts";

export function redisLosses(store: Store, gates: RedisGates, rules: MassLoss, log: Log): Losses {
  const { accounts, withinMs, holdMs } = rules;
  return {
    withinMs,
    report: async (identifier, loss) => {
      const { connection } = loss.need;
      const who = loss.fresh ? identifier : "";
      const [since, counted] = await store.run(LOSSES, connection, who, withinMs, accounts, holdMs);
      if (Array.isArray(counted)) {
        log.error("accounts.mass-loss", { connection, accounts, withinMs, holdMs });
        // The first ones were asked to connect before it was known: they look again, and wait for the outage like the others.
        for (const first of counted) await gates.open(accountGate(String(first), connection), 0);
      }
      return isHeld(loss, since === "" ? undefined : Number(since), withinMs);
    },
  };
}
