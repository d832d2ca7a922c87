/** The product with one rule left out, as wrappers of its ports and its store. Each must be found. */
import { accountGate } from "../../src/core/gate.ts";
import type { SeenAccount } from "../../src/core/waiting.ts";
import type { Accounts } from "../../src/ports/accounts.ts";
import type { ClaimReply } from "../../src/ports/journal.ts";
import type { Gatekeeper } from "../../src/queue/gatekeeper.ts";
import type { RedisGates } from "../../src/queue/journal.ts";
import { CANCEL } from "../../src/queue/scripts/cancel.ts";
import { COMMIT } from "../../src/queue/scripts/commit.ts";
import { DUE } from "../../src/queue/scripts/due.ts";
import { SWEEP } from "../../src/queue/scripts/sweep.ts";
import { USER, type World } from "./world.ts";

/** Name → the rule that it breaks. */
export const MUTANTS = {
  "cancel-forgets-gate": "a cancelled run leaves its gate",
  "dead-stay-dead": "a run whose worker died gets a new ticket",
  "expiry-waits": "a run whose time to wait is over goes back to its line",
  "late-webhook-lost": "a webhook that comes before the park makes the run look again",
  "open-unseen": "the status is read before a gate opens",
  "park-blind": "parking at a gate that opened meanwhile is refused",
  "park-keeps-slot": "a parked run holds no slot",
  "sweep-lost": "a round looks at all gates where runs wait",
  "sweep-skips-seen": "a round looks at accounts again that it has seen",
  "wake-blind": "a run that was woken looks at its account itself",
} as const;

export type Mutant = keyof typeof MUTANTS;

type Args = (string | number | Buffer)[];

/** A script and its reply, with the rule left out. */
export async function mutatedRun(world: World, script: string, args: Args): Promise<readonly unknown[]> {
  const { store, redis, mutant } = world;
  const { prefix } = store;
  if (mutant === "park-blind" && script === COMMIT) {
    const move = JSON.parse(String(args[4])) as { gates?: { gate: string; version: number }[] };
    for (const at of move.gates ?? []) at.version = Number(await redis.hget(`${prefix}gate:${at.gate}`, "version"));
    args[4] = JSON.stringify(move);
  }
  if (mutant === "cancel-forgets-gate" && script === CANCEL) {
    const run = `${prefix}run:${String(args[0])}`;
    if ((await redis.hget(run, "place")) === "gate") {
      await redis.hset(run, "cancel", "1");
      return ["held"];
    }
  }
  if (mutant === "late-webhook-lost" && script === DUE) {
    const gates = world.connections.map((connection) => `${prefix}gate:${accountGate(USER, connection)}`);
    const before = await Promise.all(gates.map((gate) => redis.hget(gate, "version")));
    const reply = await store.run(script, ...args);
    await Promise.all(gates.map((gate, i) => redis.hset(gate, "version", before[i] ?? "0")));
    return reply;
  }
  if (mutant === "expiry-waits" && script === DUE) {
    const looks = await redis.zrangebyscore(`${prefix}looks`, "-inf", await world.now());
    for (const look of looks) {
      const place = look.startsWith("run:") ? await redis.hget(`${prefix}${look}`, "place") : null;
      if (place === "gate") await redis.zrem(`${prefix}looks`, look);
    }
  }
  const reply = await store.run(script, ...args);
  if (mutant === "dead-stay-dead" && script === DUE) return reply.slice(0, 3);
  if (mutant === "sweep-lost" && script === SWEEP) return reply.slice(0, 2);
  if (mutant === "park-keeps-slot" && script === COMMIT) {
    const [run, line] = [String(args[0]), `${prefix}live:default:ann ${world.agent.name}`];
    if ((await redis.hget(`${prefix}run:${run}`, "place")) === "gate") await redis.zadd(line, 1, run);
  }
  return reply;
}

/** What a run's worker looks with. */
export function mutatedAccounts(world: World, claim: ClaimReply, accounts: Accounts): Accounts {
  if (world.mutant !== "wake-blind" || claim.answer !== "claimed") return accounts;
  const wasParked = claim.decisions.some(({ kind }) => kind === "parked");
  const believe = (connection: string): SeenAccount => ({ connection, status: "ACTIVE", accountId: "ca_1" });
  return wasParked
    ? { ...accounts, look: async (_, connections) => ({ ok: true, accounts: connections.map(believe) }) }
    : accounts;
}

const seenBefore = new WeakMap<World, Set<string>>();

export function mutatedGatekeeper(world: World, gatekeeper: Gatekeeper, gates: RedisGates): Gatekeeper {
  switch (world.mutant) {
    case "open-unseen":
      return {
        ...gatekeeper,
        lookAt: async (identifier, connection, granted) => {
          await gates.open(accountGate(identifier, connection));
          return gatekeeper.lookAt(identifier, connection, granted);
        },
        sweep: async (due, signal) => {
          for (const gate of due) await gates.open(gate);
          return gatekeeper.sweep(due, signal);
        },
      };
    case "sweep-skips-seen":
      return {
        ...gatekeeper,
        sweep: async (due, signal) => {
          const seen = seenBefore.get(world) ?? new Set();
          seenBefore.set(world, seen);
          const unseen = await gatekeeper.sweep(
            due.filter((gate) => !seen.has(gate)),
            signal,
          );
          for (const gate of due) seen.add(gate);
          return unseen;
        },
      };
    default:
      return gatekeeper;
  }
}
