/** Commands of one round of the event loop leave together, in their order, and none is lost when the client ends. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { setImmediate as round } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import type { Redis } from "ioredis";
import { connect } from "../../src/queue/connect.ts";
import { removeKeys } from "../../src/testing/index.ts";
import { redisUrl, testPrefix } from "../support/store.ts";

async function opened(t: TestContext): Promise<{ redis: Redis; prefix: string }> {
  const connection = connect(redisUrl(), true);
  const { redis } = connection;
  const prefix = testPrefix();
  t.after(async () => {
    await connection.close();
    await removeKeys(redisUrl(), prefix);
  });
  await redis.ping();
  return { redis, prefix };
}

test("all that is told in one round waits for its end, and then leaves at once", async (t) => {
  const { redis, prefix } = await opened(t);
  const writes: number[] = [];
  const { stream } = redis;
  const written = stream._writev?.bind(stream);
  assert.ok(written, "a socket writes several chunks at once");
  stream._writev = (chunks, callback) => {
    writes.push(chunks.length);
    written(chunks, callback);
  };
  const answers = [1, 2, 3].map(() => redis.incr(`${prefix}n`));
  await Promise.resolve();
  answers.push(redis.incr(`${prefix}n`));
  assert.ok(stream.writableLength > 0, "nothing has left");
  await round();
  assert.equal(stream.writableLength, 0);
  assert.deepEqual(await Promise.all(answers), [1, 2, 3, 4]);
  assert.deepEqual(writes, [4]);
});

test("a pipeline, a transaction and single commands keep their order", async (t) => {
  const { redis, prefix } = await opened(t);
  const key = `${prefix}list`;
  const all = [
    redis.rpush(key, "a"),
    redis.pipeline().rpush(key, "b").rpush(key, "c").exec(),
    redis.rpush(key, "d"),
    redis.multi().rpush(key, "e").exec(),
    redis.eval("return redis.call('RPUSH', KEYS[1], 'f')", 1, key),
  ];
  await Promise.all(all);
  assert.equal((await redis.lrange(key, 0, -1)).join(""), "abcdef");
});

test("what was told just before the client ends still leaves", async (t) => {
  const { redis, prefix } = await opened(t);
  const other = connect(redisUrl(), true);
  t.after(() => other.close());
  const told = redis.set(`${prefix}last`, "1").catch(() => undefined);
  const ended = once(redis, "end");
  redis.disconnect();
  await Promise.all([told, ended]);
  assert.equal(await other.redis.get(`${prefix}last`), "1");
});

test("an idle client holds nothing back", async (t) => {
  const { redis } = await opened(t);
  await round();
  assert.equal(redis.stream.writableCorked, 0);
  assert.equal(await redis.ping(), "PONG");
  await round();
  assert.equal(redis.stream.writableCorked, 0);
});
