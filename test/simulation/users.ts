/** Users and the truth about their accounts. */
import type { AccountStatus } from "../../src/core/run.ts";
import type { SeenAccount } from "../../src/core/waiting.ts";
import { agentOf } from "./agents.ts";
import type { StoredRun } from "./memory-state.ts";
import type { World } from "./world.ts";

export interface UserAccount {
  status: AccountStatus;
  updatedAt: number;
  /** Virtual ms since when it has been ACTIVE without a break. */
  activeSince: number;
  /** An ACTIVE account that its provider refuses until then, virtual ms. */
  refusesUntil: number;
}

export interface Users {
  account(identifier: string, connection: string): UserAccount;
  see(identifier: string, connection: string): SeenAccount;
  /** To be set by whoever plays the users: somebody looks at this user's accounts just now. */
  looked: (identifier: string) => void;
  connect(identifier: string, connection: string): void;
  disconnect(identifier: string, connection: string): void;
  /** ms for which all accounts of a run have been ACTIVE. */
  connectedFor(run: StoredRun): number;
}

export function createUsers(world: World): Users {
  const { dice, time } = world;
  const accounts = new Map<string, UserAccount>();
  const account = (identifier: string, connection: string): UserAccount => {
    const key = `${identifier} ${connection}`;
    const known = accounts.get(key);
    if (known !== undefined) return known;
    const status = dice.weighed({ ACTIVE: 3, NONE: 1, EXPIRED: 1, PENDING_AUTH: 1 });
    const made: UserAccount = { status, updatedAt: world.redisNow(), activeSince: time.now, refusesUntil: 0 };
    accounts.set(key, made);
    return made;
  };
  return {
    account,
    looked: () => undefined,
    see(identifier, connection) {
      const { status, updatedAt } = account(identifier, connection);
      return { connection, status, accountId: status === "NONE" ? "" : "ca_1", updatedAt };
    },
    connect(identifier, connection) {
      const known = account(identifier, connection);
      if (known.status !== "ACTIVE") known.activeSince = time.now;
      known.status = "ACTIVE";
      known.updatedAt = world.redisNow();
      known.refusesUntil = dice.chance(world.faults.refuse) ? time.now + dice.between(0, 90_000) : 0;
      world.trace(() => `user ${identifier} connects ${connection}`);
    },
    disconnect(identifier, connection) {
      account(identifier, connection).status = dice.pick(["EXPIRED", "DISCONNECTED", "PENDING_VERIFICATION"]);
      world.trace(() => `user ${identifier} loses ${connection}`);
    },
    connectedFor(run) {
      const connections = agentOf(run.agent)?.connections ?? [];
      const each = connections.map((connection) => {
        const { status, activeSince } = account(run.identifier, connection);
        return status === "ACTIVE" ? time.now - activeSince : 0;
      });
      return Math.min(...each);
    },
  };
}
