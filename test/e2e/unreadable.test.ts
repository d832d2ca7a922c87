/** Journals that something has damaged: told to whoever reads them, given up in the end, and harmful to nobody else. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Redis } from "ioredis";
import { pino } from "pino";
import { z } from "zod";
import { agent, type RunHandle } from "../../src/index.ts";
import { say } from "../../src/testing/index.ts";
import { redisUrl } from "../support/store.ts";
import { testWorld, type World } from "../support/world.ts";

const note = agent({ name: "note", model: "openai/scripted", instructions: "Answer.", input: z.object({}) });
/** As a worker would have written them, one after the other. */
const LEASE = `1 1 nonce\n{"kind":"leased","worker":"w"}`;
const SECRET = "the mail's own words";

const DAMAGES: Readonly<Record<string, (redis: Redis, journal: string) => Promise<unknown>>> = {
  "an entry that is no JSON": (redis, journal) => redis.lset(journal, 0, `1 0 nonce\n{"kind":"created ${SECRET}`),
  "an entry without its frame": (redis, journal) => redis.lset(journal, 0, SECRET),
  "a kind that nobody knows": (redis, journal) => redis.rpush(journal, `1 0 nonce\n{"kind":"dreamt"}`),
  "its beginning is missing": (redis, journal) => redis.lpop(journal),
};

interface Scene extends World {
  readonly redis: Redis;
  readonly run: RunHandle<unknown>;
  readonly journal: string;
  readonly log: string[];
  readonly status: () => Promise<string | null>;
}

async function damaged(t: TestContext, how: (redis: Redis, journal: string) => Promise<unknown>): Promise<Scene> {
  const log: string[] = [];
  const logger = pino({ level: "info" }, { write: (line) => void log.push(line) });
  const world = await testWorld(t, { script: () => say("Done"), errand: { agents: [note], logger, leaseMs: 1_000 } });
  const redis = new Redis(redisUrl());
  t.after(() => redis.disconnect());
  const run = await world.errand.enqueue(note, { identifier: "ada", input: {} });
  const key = `{${world.prefix}:0}:run:${run.id}`;
  await how(redis, `${key}:j`);
  return { ...world, redis, run, journal: `${key}:j`, log, status: () => redis.hget(key, "status") };
}

for (const [name, how] of Object.entries(DAMAGES))
  test(`${name}: given up after ten workers, told without its words, and nobody else waits`, async (t) => {
    const { errand, run, redis, journal, log, status } = await damaged(t, how);
    await assert.rejects(run.get(), { code: "journal-unreadable", message: new RegExp(`^run ${run.id} is queued`) });
    await redis.rpush(journal, ...Array.from({ length: 9 }, () => LEASE));
    errand.worker();
    const other = await errand.enqueue(note, { identifier: "ada", input: {} });
    await assert.rejects(run.result({ timeoutMs: 30_000 }), { code: "journal-unreadable" });
    assert.equal(await status(), "failed");
    assert.match(String(await redis.lindex(journal, -1)), /"code":"journal-unreadable".*10 times in a row/);
    assert.equal(await other.result({ timeoutMs: 30_000 }), "Done");
    assert.equal(
      log.some((line) => line.includes("run.unreadable") && line.includes(run.id)),
      true,
      "it is told",
    );
    assert.equal(
      log.some((line) => line.includes(SECRET)),
      false,
      "without its words",
    );
  });

test("cancelled while nobody has it, it ends at once", async (t) => {
  const { run, redis, journal, status } = await damaged(t, (redis, key) => redis.lset(key, 0, SECRET));
  await assert.rejects(run.raise({ tokens: 1_000_000 }), { code: "journal-unreadable" });
  assert.equal(await redis.llen(journal), 2, "a raise takes it, and writes nothing else");
  await redis.hset(journal.slice(0, -2), "lease", "0");
  await run.cancel();
  assert.equal(await status(), "cancelled");
});

test("the first nine leave it for others; cancelled, it ends at once", async (t) => {
  const { errand, run, redis, journal, status } = await damaged(t, (redis, key) => redis.lpop(key));
  await redis.rpush(journal, ...Array.from({ length: 8 }, () => LEASE));
  const first = errand.worker();
  while ((await status()) !== "running") await new Promise((resolve) => setImmediate(resolve));
  await first.close();
  assert.equal(await redis.llen(journal), 9, "leased, and nothing else");
  await run.cancel();
  errand.worker();
  await assert.rejects(run.result({ timeoutMs: 30_000 }), { code: "journal-unreadable" });
  assert.equal(await status(), "cancelled");
});
