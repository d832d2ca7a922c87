/** A client that waits for its next attempt to connect ends when it is told to, and so do those who wait for its end. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { Worker } from "bullmq";
import type { Redis } from "ioredis";
import { connect } from "../../src/queue/connect.ts";
import { removeKeys } from "../../src/testing/index.ts";
import { redisUrl, testPrefix } from "../support/store.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

/** What is tested here would wait for ever. */
const SOON = { timeout: 30_000 };

test("disconnect ends a client that reconnects, and a duplicate of it; what waits is refused", SOON, async (t) => {
  const { proxy, redis } = await behindProxy(t);
  const duplicate = redis.duplicate();
  duplicate.on("error", () => undefined);
  await duplicate.ping();
  for (const client of [redis, duplicate]) {
    const reconnecting = once(client, "reconnecting");
    proxy.refuse();
    await reconnecting;
    const refused = assert.rejects(client.ping(), /Connection is closed/);
    const ended = once(client, "end");
    client.disconnect();
    await ended;
    await refused;
    assert.equal(client.status, "end");
    proxy.accept();
    await duplicate.ping().catch(() => undefined);
  }
});

test("a client that was told to connect again does not end", SOON, async (t) => {
  const { proxy, redis } = await behindProxy(t);
  const reconnecting = once(redis, "reconnecting");
  proxy.refuse();
  await reconnecting;
  proxy.accept();
  assert.equal(await redis.ping(), "PONG");
});

test("a worker of BullMQ closes while Redis is away", SOON, async (t) => {
  const { proxy, redis } = await behindProxy(t);
  const prefix = testPrefix();
  t.after(() => removeKeys(redisUrl(), prefix));
  const worker = new Worker("q", async () => undefined, { connection: redis, prefix });
  worker.on("error", () => undefined);
  await worker.waitUntilReady();
  const reconnecting = once(redis, "reconnecting");
  proxy.refuse();
  await reconnecting;
  await worker.close();
});

async function behindProxy(t: TestContext): Promise<{ proxy: TcpProxy; redis: Redis }> {
  const { hostname, port } = new URL(redisUrl());
  const proxy = await startTcpProxy({ host: hostname, port: Number(port === "" ? 6379 : port) });
  const url = new URL(redisUrl());
  url.host = `127.0.0.1:${proxy.port}`;
  const connection = connect(url.href, true);
  t.after(async () => {
    await connection.close();
    await proxy.close();
  });
  await connection.redis.ping();
  return { proxy, redis: connection.redis };
}
