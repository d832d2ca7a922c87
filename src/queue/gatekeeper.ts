/** Opens account gates. Whoever asks (callback, sweep, webhook, operator) only asks for a look: the account's status decides. */
import { type AccountGate, accountGate, parseAccountGate } from "../core/gate.ts";
import { needFor } from "../core/needs.ts";
import type { SeenAccount } from "../core/waiting.ts";
import type { Accounts } from "../ports/accounts.ts";
import type { Log } from "../ports/log.ts";
import type { LookedAt, RedisGates } from "./journal.ts";

export interface Gatekeeper {
  /** Looks at the account behind a gate and opens it if it may. @param granted the user has just been seen to connect it */
  look(gate: string, granted?: boolean): Promise<boolean>;
  lookAt(identifier: string, connection: string, granted?: boolean): Promise<boolean>;
  /**
   * Looks at the accounts behind many gates, by as few calls as that takes, and opens those that may be. Ends early when aborted.
   * @returns how many Scalekit could not be asked about
   */
  sweep(gates: readonly string[], signal: AbortSignal): Promise<number>;
}

export function createGatekeeper(gates: RedisGates, accounts: Accounts, log: Log): Gatekeeper {
  /** Opens the gates of the accounts that are ACTIVE. What is seen of the others is kept, for whoever asks why they wait. */
  const judge = async (accounts: readonly (AccountGate & SeenAccount)[], granted: boolean): Promise<boolean> => {
    const waiting: LookedAt[] = [];
    for (const seen of accounts) {
      const gate = accountGate(seen.identifier, seen.connection);
      const reason = needFor(seen.status);
      if (reason === undefined) await openFor(gate, seen, granted);
      else waiting.push({ gate, reason });
    }
    if (waiting.length > 0) await gates.looked(waiting);
    return waiting.length < accounts.length;
  };
  const openFor = async (gate: string, { connection, updatedAt = 0 }: SeenAccount, granted: boolean): Promise<void> => {
    // Whoever was refused by this ACTIVE account goes on only if the user has connected it again since.
    await (granted ? gates.open(gate) : gates.open(gate, updatedAt));
    log.info("gate.opened", { connection, granted });
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
    return judge(
      looked.accounts.map((seen) => ({ identifier, ...seen })),
      granted,
    );
  };

  const survey = async (connection: string, identifiers: readonly string[], signal: AbortSignal): Promise<number> => {
    let unseen = identifiers.length;
    for await (const found of accounts.survey(connection, identifiers)) {
      if (!found.ok) {
        log.warn("gate.not-seen", { connection, why: found.why, gates: unseen });
        return unseen;
      }
      unseen -= found.accounts.length;
      await judge(found.accounts, false);
      if (signal.aborted) return unseen;
    }
    return unseen;
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
      let unseen = 0;
      for (const [connection, identifiers] of byConnection)
        unseen += signal.aborted ? identifiers.length : await survey(connection, identifiers, signal);
      return unseen;
    },
  };
}
