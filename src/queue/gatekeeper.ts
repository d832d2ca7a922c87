/** Opens account gates. Whoever asks (callback, sweep, webhook, operator) only asks for a look: the account's status decides. */
import { accountGate, parseAccountGate } from "../core/gate.ts";
import type { SeenAccount } from "../core/waiting.ts";
import type { Accounts } from "../ports/accounts.ts";
import type { Log } from "../ports/log.ts";
import type { RedisGates } from "./journal.ts";

export interface Gatekeeper {
  /** Looks at the account behind a gate and opens it if it may. @param granted the user has just been seen to connect it */
  look(gate: string, granted?: boolean): Promise<boolean>;
  lookAt(identifier: string, connection: string, granted?: boolean): Promise<boolean>;
  /** Looks at the accounts behind many gates, by as few calls as that takes, and opens those that may be. Ends early when aborted. */
  sweep(gates: readonly string[], signal: AbortSignal): Promise<void>;
}

export function createGatekeeper(gates: RedisGates, accounts: Accounts, log: Log): Gatekeeper {
  const openFor = async (gate: string, seen: SeenAccount | undefined, granted: boolean): Promise<boolean> => {
    if (seen?.status !== "ACTIVE") return false;
    // Whoever was refused by this ACTIVE account goes on only if the user has connected it again since.
    await (granted ? gates.open(gate) : gates.open(gate, seen.updatedAt ?? 0));
    log.info("gate.opened", { connection: seen.connection, granted });
    return true;
  };

  const look = async (gate: string, granted = false): Promise<boolean> => {
    const account = parseAccountGate(gate);
    if (account === undefined) return false;
    const { identifier, connection } = account;
    const looked = await accounts.look(identifier, [connection]);
    if (!looked.ok) {
      log.warn("gate.not-seen", { connection, why: looked.why });
      return false;
    }
    return openFor(gate, looked.accounts[0], granted);
  };

  const survey = async (connection: string, identifiers: readonly string[], signal: AbortSignal): Promise<void> => {
    let unseen = identifiers.length;
    for await (const found of accounts.survey(connection, identifiers)) {
      if (!found.ok) {
        log.warn("gate.not-seen", { connection, why: found.why, gates: unseen });
        return;
      }
      unseen -= found.accounts.length;
      for (const seen of found.accounts) await openFor(accountGate(seen.identifier, connection), seen, false);
      if (signal.aborted) return;
    }
  };

  return {
    look,
    lookAt: (identifier, connection, granted) => look(accountGate(identifier, connection), granted),
    sweep: async (due, signal) => {
      const byConnection = new Map<string, string[]>();
      for (const { identifier, connection } of due.flatMap((gate) => parseAccountGate(gate) ?? [])) {
        const identifiers = byConnection.get(connection) ?? [];
        identifiers.push(identifier);
        byConnection.set(connection, identifiers);
      }
      for (const [connection, identifiers] of byConnection)
        if (!signal.aborted) await survey(connection, identifiers, signal);
    },
  };
}
