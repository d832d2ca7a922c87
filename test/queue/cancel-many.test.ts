/** Many queued runs of one user are cancelled at once by an app: few of them at a time take anybody's slot, and the caps are right afterwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { createErrand } from "../../src/index.ts";
import { CANCELS_AT_ONCE } from "../../src/queue/canceller.ts";
import { noteAgent, redisUrl, removeKeys, testPrefix } from "../support/store.ts";

const [MANY, MOST] = [300, 4];

test("three hundred queued runs are cancelled at once: the others keep their turns, and the line leaves nothing behind", async (t) => {
  const prefix = testPrefix();
  const redis = new Redis(redisUrl());
  const errand = createErrand({ redis: redisUrl(), prefix, agents: [noteAgent], perIdentifier: 2, maxLive: MOST });
  t.after(async () => {
    await errand.close();
    await removeKeys(redis, `{${prefix}:0}:`);
    redis.disconnect();
  });
  const enqueue = async (identifier: string, n: number): ReturnType<typeof errand.enqueue> =>
    errand.enqueue(noteAgent.name, { identifier, input: { n } });
  const anns = await Promise.all(Array.from({ length: MANY }, (_, n) => enqueue("ann", n)));
  const bobs = await Promise.all([0, 1].map((n) => enqueue("bob", n)));
  const cays = await Promise.all([0, 1].map((n) => enqueue("cay", n)));
  const busy = async (of: string): Promise<number> => redis.zcard(`{${prefix}:0}:busy:${of}`);
  const place = async (run: string): Promise<string | null> => redis.hget(`{${prefix}:0}:run:${run}`, "place");
  assert.deepEqual([await busy("all"), await busy("i:ann"), await busy("i:bob")], [4, 2, 2]);
  assert.deepEqual(await Promise.all(cays.map(({ id }) => place(id))), ["line", "line"]);

  let [over, most] = [false, 0];
  const cancelling = Promise.all(anns.map((run) => run.cancel())).finally(() => (over = true));
  while (!over) most = Math.max(most, await busy("all"));
  assert.equal((await cancelling).filter(Boolean).length, MANY);
  assert.equal(most <= MOST + CANCELS_AT_ONCE, true, `${most} had a slot at once`);

  assert.equal((await errand.runs({ identifier: "ann", status: "cancelled", limit: 100 })).runs.length, 100);
  assert.deepEqual([await busy("all"), await busy("i:ann")], [4, 0]);
  assert.deepEqual(await Promise.all([...bobs, ...cays].map(({ id }) => place(id))), ["live", "live", "live", "live"]);
  const { lines, waiting, live } = await errand.lines();
  assert.deepEqual([lines, waiting, live], [[], 0, 4]);
});
