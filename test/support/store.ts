/** A shard of its own for each test, on the Redis that scripts/test.mjs gives in REDIS_URL. Nothing is ever flushed: keys expire. */
import { randomUUID } from "node:crypto";
import type { TestContext } from "node:test";
import { agent, type Agent } from "../../src/core/agent.ts";
import type { Chance, Clock } from "../../src/ports/clock.ts";
import type { Log } from "../../src/ports/log.ts";
import { connect } from "../../src/queue/connect.ts";
import { redisGates, redisJournal, type RedisGates } from "../../src/queue/journal.ts";
import { createProducer, type Producer } from "../../src/queue/producer.ts";
import { DEFAULT_STORE, openStore, type Store, type StoreOptions } from "../../src/queue/store.ts";
import { openTickets, type Tickets } from "../../src/queue/tickets.ts";
import type { Journal } from "../../src/ports/journal.ts";
import type { Redis } from "ioredis";
import { z } from "zod";

export function redisUrl(): string {
  const url = process.env["REDIS_URL"];
  if (url === undefined)
    throw new Error(
      "REDIS_URL is not set: run the tests with `npm test` (or `npm test -- part-of-a-path`), which starts a Redis.",
    );
  return url;
}

export const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
export const chance: Chance = { random: () => 0.5, nonce: randomUUID };
export const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

export function testPrefix(): string {
  return `test-${randomUUID().slice(0, 8)}`;
}

export const noteAgent: Agent = agent({
  name: "note",
  model: "openai/test",
  instructions: "Answer.",
  input: z.object({ n: z.number() }),
});

/** A given Redis is never flushed; a test takes its own keys away. */
export async function removeKeys(redis: Redis, prefix: string): Promise<void> {
  for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1000 })) {
    const found = keys as string[];
    if (found.length > 0) await redis.unlink(...found);
  }
}

export interface TestStore {
  readonly store: Store;
  readonly journal: Journal;
  readonly gates: RedisGates;
  readonly tickets: Tickets;
  readonly producer: Producer;
}

/** @param url default: the Redis that all tests share */
export function testStore(t: TestContext, options: Partial<StoreOptions> = {}, url: string = redisUrl()): TestStore {
  const connection = connect(url, true);
  const store = openStore(connection.redis, testPrefix(), { ...DEFAULT_STORE, keepMs: 60_000, ...options });
  const tickets = openTickets(connection.redis, store.prefix, quiet);
  t.after(async () => {
    await tickets.close();
    await removeKeys(connection.redis, store.prefix);
    await connection.close();
  });
  return {
    store,
    tickets,
    journal: redisJournal(store, tickets),
    gates: redisGates(store, tickets),
    producer: createProducer(store, tickets, chance),
  };
}
