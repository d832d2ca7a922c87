/** Opens account gates. Whoever asks (callback, sweep, webhook, operator) only asks for a look: the account's status decides. */
import { accountGate, parseAccountGate } from "../core/gate.ts";
import type { Accounts } from "../ports/accounts.ts";
import type { Log } from "../ports/log.ts";
import type { RedisGates } from "./journal.ts";

export interface Gatekeeper {
  /** Looks at the account behind a gate and opens it if it may. @param granted the user has just been seen to connect it */
  look(gate: string, granted?: boolean): Promise<boolean>;
  lookAt(identifier: string, connection: string, granted?: boolean): Promise<boolean>;
}

export function createGatekeeper(gates: RedisGates, accounts: Accounts, log: Log): Gatekeeper {
  const look = async (gate: string, granted = false): Promise<boolean> => {
    const account = parseAccountGate(gate);
    if (account === undefined) return false;
    const { identifier, connection } = account;
    const looked = await accounts.look(identifier, [connection]);
    if (!looked.ok) {
      log.warn("gate.not-seen", { connection, why: looked.why });
      return false;
    }
    const [seen] = looked.accounts;
    if (seen?.status !== "ACTIVE") return false;
    // Whoever was refused by this ACTIVE account goes on only if the user has connected it again since.
    await (granted ? gates.open(gate) : gates.open(gate, seen.updatedAt ?? 0));
    log.info("gate.opened", { connection, granted });
    return true;
  };
  return { look, lookAt: (identifier, connection, granted) => look(accountGate(identifier, connection), granted) };
}
