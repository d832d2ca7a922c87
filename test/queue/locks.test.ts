/** BullMQ's lock on a ticket, beside the run's own lease: which of the two ends first. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { agent } from "../../src/index.ts";
import { say } from "../../src/testing/index.ts";
import { z } from "zod";
import { redisUrl } from "../support/store.ts";
import { testWorld } from "../support/world.ts";

const LEASE_MS = 2_000;

test("a worker that stands still loses its lease before BullMQ's lock: the lock's end never takes a run from its owner", async (t) => {
  const waiter = agent({ name: "waiter", model: "openai/scripted", instructions: "Wait.", input: z.object({}) });
  let arrive = (): void => undefined;
  let release = (): void => undefined;
  const there = new Promise<void>((resolve) => (arrive = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  t.after(() => release());
  const script = async (): Promise<ReturnType<typeof say>> => {
    arrive();
    await released;
    return say("Waited.");
  };
  const { errand, prefix } = await testWorld(t, { script, errand: { agents: [waiter], leaseMs: LEASE_MS } });
  const worker = errand.worker();
  await worker.ready();
  const run = await errand.enqueue(waiter, { identifier: "user_1", input: {} });
  await there;
  const redis = new Redis(redisUrl());
  t.after(() => redis.quit());
  const locks = await keysOf(redis, `*${prefix}*:lock`);
  assert.equal(locks.length, 1, locks.join());
  const left = await redis.pttl(locks[0] ?? "");
  assert.ok(left > LEASE_MS, `BullMQ's lock has ${left} ms left, a lease of ${LEASE_MS} ms at most that`);
  release();
  assert.equal(await run.result({ timeoutMs: 60_000 }), "Waited.");
});

async function keysOf(redis: Redis, match: string): Promise<string[]> {
  const found: string[] = [];
  for await (const keys of redis.scanStream({ match, count: 1_000 })) found.push(...(keys as string[]));
  return found;
}
