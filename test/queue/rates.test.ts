/** A limit of requests to a model that all workers share: never more in any window, and no slot sleeps. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { agent } from "../../src/index.ts";
import { say, startScriptedModel } from "../../src/testing/index.ts";
import { TAKE } from "../../src/queue/scripts/take.ts";
import { testStore } from "../support/store.ts";
import { testWorld, untilEvent } from "../support/world.ts";

test("take: so many in a window, each nonce once, and then the time until the oldest leaves it", async (t) => {
  const { store } = testStore(t);
  const take = async (nonce: string): Promise<number> => Number((await store.run(TAKE, "m", nonce, 2, 60_000))[0]);
  assert.deepEqual([await take("a"), await take("a"), await take("b"), await take("b")], [0, 0, 0, 0]);
  const waitMs = await take("c");
  assert.ok(waitMs > 59_000 && waitMs <= 60_000, `${waitMs} ms`);
  assert.equal(await store.redis.zcard(`${store.prefix}rate:m`), 2);
  await store.redis.zadd(`${store.prefix}rate:m`, 1, "a");
  assert.equal(await take("c"), 0, "the oldest has left the window");
  assert.ok((await store.redis.pttl(`${store.prefix}rate:m`)) > 0, "a limit that nobody uses leaves nothing behind");
});

test("take: side by side never more than the limit", async (t) => {
  const { store } = testStore(t);
  const replies = await Promise.all(
    Array.from({ length: 100 }, (_, i) => store.run(TAKE, "m", `n${i}`, 7, 60_000).then(([wait]) => Number(wait))),
  );
  assert.equal(replies.filter((wait) => wait === 0).length, 7);
});

test("a run over the limit parks until a moment, holding no slot, and it counts as no attempt", async (t) => {
  const greeter = agent({ name: "greeter", model: "openai/scripted", instructions: "Greet.", input: z.object({}) });
  const model = await startScriptedModel({ script: () => say("Hello") });
  t.after(() => model.close());
  const models = { openai: { apiKey: model.apiKey, baseURL: model.url, requestsPerMinute: 1 } };
  const world = await testWorld(t, { errand: { agents: [greeter], models } });
  world.errand.worker();
  const [first, second] = [
    await world.errand.enqueue(greeter, { identifier: "ada", input: {} }),
    await world.errand.enqueue(greeter, { identifier: "bob", input: {} }),
  ];
  const parked = await Promise.any([untilEvent(first, "run.parked"), untilEvent(second, "run.parked")]);
  assert.equal(parked.reason, "rate-limit");
  assert.ok((parked.until ?? 0) - parked.at <= 75_000);
  await Promise.any([first.result({ timeoutMs: 20_000 }), second.result({ timeoutMs: 20_000 })]);
  assert.equal(model.requests.length, 1);
});
