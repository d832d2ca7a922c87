/**
 * Many parked runs on a Redis of their own, parked by the scripts that a worker parks them with: create → claim → gate's version →
 * commit. No worker loop is in it, and no look at an account. Tickets are taken in memory, as a worker would have used them up.
 */
import { randomUUID } from "node:crypto";
import { accountGate } from "../../src/core/gate.ts";
import type { Entry } from "../../src/core/journal.ts";
import { chance, workerName } from "../../src/parts.ts";
import type { Claim, Journal } from "../../src/ports/journal.ts";
import type { Log } from "../../src/ports/log.ts";
import { connect } from "../../src/queue/connect.ts";
import { redisGates, redisJournal, type RedisGates } from "../../src/queue/journal.ts";
import { createProducer, type Producer } from "../../src/queue/producer.ts";
import { DEFAULT_STORE, openStore, type Store, type StoreOptions } from "../../src/queue/store.ts";
import { openTickets, type Tickets } from "../../src/queue/tickets.ts";
import { redisCpu } from "../floor/rounds.ts";
import { CONNECTION, deskAgent } from "../floor/scene.ts";

export interface Lot {
  readonly store: Store;
  /** With the defaults of a worker, and its tickets: for whoever wakes. */
  readonly gates: RedisGates;
  readonly tickets: Tickets;
  /** @param identifier of the i-th run */
  park(runs: number, identifier: (i: number) => string): Promise<Parked>;
  close(): Promise<void>;
}

export interface Parked {
  readonly runs: readonly string[];
  readonly create: Cost;
  /** From the claim to the end of the commit. */
  readonly park: Cost;
}

/** Of all runs together: ms by the clock, and of Redis' CPU. */
export interface Cost {
  readonly ms: number;
  readonly redisCpuMs: number;
}

/** In flight at once, on one connection. */
const AT_ONCE = 200;
const EXPIRES_AFTER_MS = 7 * 86_400_000;

export const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

export function gateOf(identifier: string): string {
  return accountGate(identifier, CONNECTION);
}

export function openLot(url: string, options: Partial<StoreOptions> = {}): Lot {
  const connection = connect(url, true);
  const name = `lot-${randomUUID().slice(0, 8)}`;
  const store = openStore(connection.redis, name, { ...DEFAULT_STORE, ...options });
  const tickets = openTickets(connection.redis, store.prefix, silent);
  // The cap is an argument of the scripts and leaves no trace: this one lets a whole batch be live, whoever they belong to.
  const uncapped = openStore(connection.redis, name, { ...store.options, perIdentifier: AT_ONCE });
  const taken = new Map<string, string>();
  const inMemory: Tickets = {
    add: async (made) => {
      for (const { run, number } of made) taken.set(run, number);
    },
    close: async () => undefined,
  };
  const parts: Parts = {
    store: uncapped,
    producer: createProducer(uncapped, inMemory, chance),
    journal: redisJournal(uncapped, inMemory),
    gates: redisGates(uncapped, inMemory),
    taken,
  };
  return {
    store,
    gates: redisGates(store, tickets),
    tickets,
    park: (runs, identifier) => parkAll(parts, runs, identifier),
    close: async () => {
      await tickets.close();
      await connection.close();
    },
  };
}

interface Parts {
  readonly store: Store;
  readonly producer: Producer;
  readonly journal: Journal;
  readonly gates: RedisGates;
  readonly taken: Map<string, string>;
}

async function parkAll(parts: Parts, count: number, identifier: (i: number) => string): Promise<Parked> {
  const { redis } = parts.store;
  const runs: string[] = [];
  const [creating, parking] = [stopwatch(redis), stopwatch(redis)];
  for (let from = 0; from < count; from += AT_ONCE) {
    const users = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => identifier(from + i));
    const made = await creating.time(() =>
      Promise.all(
        users.map((user) => parts.producer.create(deskAgent, { identifier: user, input: { query: "is:open" } })),
      ),
    );
    await parking.time(async () => {
      const claims = await Promise.all(made.map((run) => claim(parts, run)));
      await Promise.all(claims.map((held, i) => parkOne(parts, held, users[i] ?? "")));
    });
    for (const run of made) runs.push(run);
    parts.taken.clear();
  }
  return { runs, create: creating.cost(), park: parking.cost() };
}

async function claim({ journal, taken }: Parts, run: string): Promise<Claim> {
  const ticket = taken.get(run);
  const reply = await journal.claim(run, {
    nonce: chance.nonce(),
    worker: workerName(),
    ...(ticket !== undefined && { ticket }),
  });
  if (reply.answer !== "claimed") throw new Error(`run ${run}: expected a claim, got ${reply.answer}`);
  return reply;
}

/** What a worker writes down that found no account: the loop's own words and move (loop/prepare.ts). */
async function parkOne({ journal, gates }: Parts, held: Claim, identifier: string): Promise<void> {
  const gate = gateOf(identifier);
  const version = await gates.version(gate);
  const entry: Entry = {
    kind: "parked",
    reason: "account",
    needs: [{ connection: CONNECTION, reason: "not-connected" }],
  };
  const reply = await journal.commit({
    run: held.run,
    epoch: held.epoch,
    length: held.decisions.length,
    nonce: chance.nonce(),
    entries: [entry],
    move: {
      to: "accounts",
      needs: [{ gate, version, reason: "not-connected" }],
      until: held.now + EXPIRES_AFTER_MS,
    },
  });
  if (reply.answer !== "ok") throw new Error(`run ${held.run}: expected it to park, got ${reply.answer}`);
}

/** Adds up what its pieces of work take. */
export function stopwatch(redis: Store["redis"]): { time<T>(work: () => Promise<T>): Promise<T>; cost(): Cost } {
  const cost = { ms: 0, redisCpuMs: 0 };
  return {
    time: async (work) => {
      const cpu = await redisCpu(redis);
      const started = performance.now();
      const done = await work();
      cost.ms += performance.now() - started;
      cost.redisCpuMs += (await redisCpu(redis)) - cpu;
      return done;
    },
    cost: () => cost,
  };
}
