/** A listening connection that breaks and comes back, on a real Redis behind a proxy. */
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { connect } from "../../src/queue/connect.ts";
import { openSubscriber, type Subscriber } from "../../src/queue/subscriber.ts";
import { redisUrl, testPrefix } from "../support/store.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

interface Scene {
  readonly proxy: TcpProxy;
  readonly subscriber: Subscriber;
  readonly publish: (channel: string) => Promise<number>;
  /** The next message. */
  readonly heard: () => Promise<string>;
  /** Resolves when it subscribes the next time; that reply is lost. */
  readonly loseNext: () => Promise<void>;
}

async function scene(t: TestContext): Promise<Scene> {
  const { hostname, port } = new URL(redisUrl());
  let losing: (() => void) | undefined;
  const loses = (request: Buffer): boolean => {
    if (losing === undefined || !/\bsubscribe\b/i.test(request.toString("latin1"))) return false;
    losing();
    return true;
  };
  const proxy = await startTcpProxy({ host: hostname, port: Number(port) }, loses);
  const [through, direct] = [connect(`redis://127.0.0.1:${proxy.port}`, true), connect(redisUrl(), true)];
  const listeners: ((channel: string) => void)[] = [];
  const subscriber = openSubscriber(through.redis, {
    onMessage: (channel) => listeners.shift()?.(channel),
    onError: () => undefined,
  });
  t.after(async () => {
    subscriber.close();
    await Promise.all([through.close(), direct.close(), proxy.close()]);
  });
  return {
    proxy,
    subscriber,
    publish: (channel) => direct.redis.publish(channel, "now"),
    heard: () => new Promise((resolve) => listeners.push(resolve)),
    loseNext: () => new Promise((resolve) => (losing = resolve)),
  };
}

test("after its connection was cut it listens to all channels again", async (t) => {
  const { proxy, subscriber, publish, heard } = await scene(t);
  const [one, two] = [testPrefix(), testPrefix()];
  await subscriber.add(one);
  await subscriber.add(two);
  proxy.cut();
  for (const channel of [one, two]) {
    const message = heard();
    while ((await publish(channel)) === 0) await turn();
    assert.equal(await message, channel);
  }
});

test("closed while it subscribes again: nothing is left that nobody hears, and the process lives", async (t) => {
  const { proxy, subscriber, loseNext } = await scene(t);
  await subscriber.add(testPrefix());
  const again = loseNext();
  proxy.cut();
  await again;
  // An unhandled rejection would fail this test, and end an app.
  subscriber.close();
  for (let i = 0; i < 10; i++) await turn();
});

test("a channel that is not wanted any more is not subscribed to again", async (t) => {
  const { proxy, subscriber, publish, heard } = await scene(t);
  const [kept, dropped] = [testPrefix(), testPrefix()];
  await subscriber.add(kept);
  await subscriber.add(dropped);
  await subscriber.remove(dropped);
  proxy.cut();
  const message = heard();
  while ((await publish(kept)) === 0) await turn();
  assert.equal(await message, kept);
  assert.equal(await publish(dropped), 0);
});
