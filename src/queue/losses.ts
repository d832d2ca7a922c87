/** The port Losses on Redis: a sliding window of accounts for each connection, and a hold that ends by itself. */
import { accountGate } from "../core/gate.ts";
import { isHeld, type MassLoss } from "../core/losses.ts";
import type { Log } from "../ports/log.ts";
import type { Losses } from "../ports/losses.ts";
import { LOSSES } from "./scripts/losses.ts";
import type { Store } from "./store.ts";

export function redisLosses(store: Store, { accounts, withinMs, holdMs }: MassLoss, log: Log): Losses {
  return {
    withinMs,
    report: async (identifier, loss) => {
      const { connection } = loss.need;
      const lost = loss.fresh ? accountGate(identifier, connection) : "";
      const [since, tooMany] = await store.run(LOSSES, connection, lost, withinMs, accounts, holdMs);
      if (tooMany === "1") log.error("accounts.mass-loss", { connection, accounts, withinMs, holdMs });
      return isHeld(loss, since === "" ? undefined : Number(since), withinMs);
    },
  };
}
