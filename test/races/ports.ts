/** The ports of an actor: the product's own over its steps, and accounts and a model that are a world's. */
import { NO_USAGE } from "../../src/core/messages.ts";
import type { SeenAccount } from "../../src/core/waiting.ts";
import type { Accounts, Outage } from "../../src/ports/accounts.ts";
import type { Model } from "../../src/ports/model.ts";
import type { Toolbox } from "../../src/ports/toolbox.ts";
import { createGatekeeper, type Gatekeeper } from "../../src/queue/gatekeeper.ts";
import { redisGates, type RedisGates } from "../../src/queue/journal.ts";
import { ASK } from "../../src/queue/scripts/ask.ts";
import { CANCEL } from "../../src/queue/scripts/cancel.ts";
import { CLAIM } from "../../src/queue/scripts/claim.ts";
import { COMMIT } from "../../src/queue/scripts/commit.ts";
import { DUE } from "../../src/queue/scripts/due.ts";
import { LOOKED } from "../../src/queue/scripts/looked.ts";
import { OPEN } from "../../src/queue/scripts/open.ts";
import { SWEEP } from "../../src/queue/scripts/sweep.ts";
import type { Store } from "../../src/queue/store.ts";
import { quiet } from "../support/store.ts";
import { mutatedGatekeeper, mutatedRun } from "./mutants.ts";
import type { Actor, Step } from "./turns.ts";
import { LEASE_MS, type World } from "./world.ts";

const STEPS: ReadonlyMap<string, Step> = new Map([
  [ASK, { what: "ask", store: "w" }],
  [CANCEL, { what: "cancel", store: "w" }],
  [CLAIM, { what: "claim", store: "w" }],
  [COMMIT, { what: "commit", store: "w" }],
  // Whether a webhook was news depends on the account: see `World.heard`.
  [DUE, { what: "due", store: "w", account: "r" }],
  [LOOKED, { what: "looked", store: "w" }],
  [OPEN, { what: "open", store: "w" }],
  [SWEEP, { what: "sweep", store: "w" }],
]);
/** Time passes before it, and what a worker makes of its look depends on the time. */
const DUE_LATE: Step = { what: "due", store: "w", account: "w" };
/** States of OAuth are nobody else's. */
const OTHER: Step = { what: "other" };

/** One waiter in each slice, so that an opening is often found half done. */
const SLICE = 1;

/** @param beforeDue ms that pass just before what is due is read */
export function storeOf(world: World, me: Actor, beforeDue = 0): Store {
  return {
    ...world.store,
    run: (script, ...given) =>
      me.turn(stepOf(script, beforeDue), async () => {
        const args = [...given];
        if (script === DUE && beforeDue > 0) await world.age(beforeDue);
        if (script === OPEN) args[2] = SLICE;
        return mutatedRun(world, script, args);
      }),
  };
}

function stepOf(script: string, beforeDue: number): Step {
  return script === DUE && beforeDue >= LEASE_MS ? DUE_LATE : (STEPS.get(script) ?? OTHER);
}

export function gatesOf(world: World, me: Actor): RedisGates {
  // Between two slices all others may have their turns anyway.
  const gates = redisGates(storeOf(world, me), world.tickets, async () => undefined);
  const raw = redisGates(world.store, world.tickets);
  return { ...gates, version: (gate) => me.turn({ what: "version", store: "r" }, () => raw.version(gate)) };
}

export function gatekeeperOf(world: World, me: Actor): Gatekeeper {
  const gates = gatesOf(world, me);
  const hear = (seen: readonly SeenAccount[]): void => {
    for (const { connection, status } of seen) if (status === "ACTIVE") world.heard.add(connection);
  };
  return mutatedGatekeeper(world, createGatekeeper(gates, accountsOf(world, me, hear), quiet), gates);
}

const NOT_ASKED: Outage = { ok: false, why: "unavailable", message: "no actor asks this" };

/** @param onSeen told what was seen, at the moment of the look */
export function accountsOf(world: World, me: Actor, onSeen: (seen: readonly SeenAccount[]) => void): Accounts {
  const see = (what: string, connections: readonly string[]): Promise<SeenAccount[]> =>
    me.turn({ what, account: "r" }, async () => {
      const seen = connections.map((connection) => world.see(connection));
      onSeen(seen);
      return seen;
    });
  return {
    look: async (_, connections) => ({ ok: true, accounts: await see("look", connections) }),
    survey: async function* (connection, identifiers) {
      const accounts = await see("survey", [connection]);
      yield {
        ok: true,
        accounts: identifiers.flatMap((who) => accounts.map((seen) => ({ ...seen, identifier: who }))),
      };
    },
    link: () => Promise.resolve(NOT_ASKED),
    verify: () => Promise.resolve(NOT_ASKED),
    connections: () => Promise.resolve(NOT_ASKED),
  };
}

/** Answers at once, and does not call tools. */
export function modelOf(onAsked: () => void): Model {
  return {
    respond: async () => {
      onAsked();
      const told = { verbatim: {}, text: "done", calls: [], finish: "stop", usage: NO_USAGE } as const;
      return { kind: "answer", ...told, servedModel: "m", requestId: "r", tookMs: 1 };
    },
  };
}

export const noTools: Toolbox = {
  list: async () => ({ ok: true, tools: [], missing: [], known: [], changed: [] }),
  check: () => [],
  send: () => Promise.reject(new Error("the model calls no tools")),
  names: async () => ({ ok: true, names: [] }),
};
