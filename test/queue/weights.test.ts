/** Weights on Redis: slots go by shares from the hand-over on at which an operator says so, in every process, and leave nothing behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../../src/core/journal.ts";
import { redisJournal } from "../../src/queue/journal.ts";
import { createProducer } from "../../src/queue/producer.ts";
import { listLines } from "../../src/queue/lines.ts";
import { redisWeights } from "../../src/queue/weights.ts";
import { chance, noteAgent, testStore } from "../support/store.ts";

const ENDED: Entry = { kind: "ended", status: "completed" };

test("a tenant of weight 3 beside others gets three of each five slots, also through many identifiers; weighed anew, at once", async (t) => {
  const { store } = testStore(t, { perIdentifier: 10, maxLive: 2 });
  const { redis, prefix } = store;
  const none = { add: async () => undefined, close: async () => undefined };
  const [journal, producer, weights] = [
    redisJournal(store, none),
    createProducer(store, none, chance),
    redisWeights(store),
  ];
  const whose = new Map<string, string>();
  const add = async (identifier: string, tenant: string | undefined, count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      const options = { identifier, input: { n }, ...(tenant !== undefined && { tenant }) };
      whose.set(await producer.create(noteAgent, options), tenant ?? identifier);
    }
  };
  /** The oldest of those that have a slot end, one after the other. @returns whose the slots were that others got for it */
  const served = async (count: number): Promise<string[]> => {
    const got: string[] = [];
    for (let i = 0; i < count; i++) {
      const before = await redis.zrange(`${prefix}busy:all`, "0", "-1");
      const run = before[0] ?? "";
      const claim = await journal.claim(run, { nonce: `${run}c`, worker: "w" });
      if (claim.answer !== "claimed") throw new Error(claim.answer);
      const commit = { run, epoch: claim.epoch, length: claim.decisions.length, nonce: `${run}e`, entries: [ENDED] };
      await journal.commit({ ...commit, move: { to: "end", status: "completed" } });
      for (const now of await redis.zrange(`${prefix}busy:all`, "0", "-1"))
        if (!before.includes(now)) got.push(whose.get(now) ?? "");
    }
    return got;
  };
  const shares = (of: readonly string[]): object => {
    const count = (name: string): number => of.filter((it) => it === name).length;
    return { acme: count("acme"), bolt: count("bolt"), fox: count("fox") };
  };
  assert.equal(await weights.weigh({ tenant: "acme" }, 3), 1);
  for (const who of ["ann", "bob", "cay"]) await add(who, "acme", 15);
  await add("dan", "bolt", 30);
  await add("fox", undefined, 30);
  // The first round begins among those who came first.
  await served(10);
  assert.deepEqual(shares(await served(20)), { acme: 12, bolt: 4, fox: 4 });

  assert.deepEqual(await weights.list(), [{ kind: "tenant", name: "acme", weight: 3 }]);
  assert.equal(await weights.weigh({ identifier: "fox" }, 2), 1);
  assert.equal(await weights.weigh({ tenant: "acme" }, 1), 3);
  await served(4);
  assert.deepEqual(shares(await served(12)), { acme: 3, bolt: 3, fox: 6 });
  const { lines } = await listLines(store, { identifier: "fox" });
  assert.deepEqual([lines[0]?.weight, lines[0]?.tenantWeight], [2, undefined]);

  while ((await redis.zcard(`${prefix}busy:all`)) > 0) await served(1);
  const keys = (await redis.keys(`${prefix}*`)).map((key) => key.slice(prefix.length));
  assert.deepEqual(
    keys.filter((key) => /^((line|live|busy|waits|ready):|used$)/.test(key)),
    [],
  );
  await weights.weigh({ identifier: "fox" }, 1);
  assert.equal(await redis.exists(`${prefix}weights`), 0);
});
