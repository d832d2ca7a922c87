/** The private Redis: it can be killed, frozen and restarted with its data, and it never outlives its owner. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { Redis } from "ioredis";
import { startRedis } from "../../src/testing/redis.ts";
import type { RedisOptions, RedisServer } from "../../src/testing/redis.ts";
import { start } from "../scripts/processes.ts";

async function redis(t: TestContext, options?: RedisOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  t.after(() => server.stop());
  return server;
}

function client(t: TestContext, server: RedisServer): Redis {
  const connection = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 5 });
  connection.on("error", () => undefined); // it is killed on purpose
  t.after(() => connection.disconnect());
  return connection;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("what was answered before kill -9 is there after a restart, on the same address", async (t) => {
  const server = await redis(t);
  const { url, port, dir, pid } = server;
  const connection = client(t, server);
  await connection.set("kept", "yes");
  await server.kill();
  assert.equal(isAlive(pid), false, "kill resolves when it is gone");
  await server.restart();
  assert.notEqual(server.pid, pid);
  assert.deepEqual([server.url, server.port, server.dir], [url, port, dir]);
  assert.equal(await connection.get("kept"), "yes");
});

test("restart of a running one ends it well first", async (t) => {
  const server = await redis(t);
  const { pid } = server;
  await client(t, server).set("kept", "yes");
  await server.restart();
  assert.equal(isAlive(pid), false);
  assert.equal(await client(t, server).get("kept"), "yes");
});

test("SIGSTOP freezes it and SIGCONT lets it answer", async (t) => {
  const server = await redis(t);
  const connection = client(t, server);
  await connection.ping();
  await server.kill("SIGSTOP");
  let answered = false;
  const answer = connection.ping().then(() => (answered = true));
  const other = connect(server.port, "127.0.0.1"); // the kernel still accepts, nobody answers
  await once(other, "connect");
  other.destroy();
  assert.equal(answered, false);
  await server.kill("SIGCONT");
  assert.equal(await answer, true);
});

test("it runs with the settings Errand asks for, and with those of the test over them", async (t) => {
  const server = await redis(t, { config: { maxmemory: "20mb" } });
  const connection = client(t, server);
  const setting = async (name: string): Promise<unknown> => ((await connection.config("GET", name)) as string[])[1];
  assert.equal(await setting("bind"), "127.0.0.1");
  assert.equal(await setting("appendonly"), "yes");
  assert.equal(await setting("maxmemory-policy"), "noeviction");
  assert.equal(await setting("save"), "");
  assert.equal(await setting("maxmemory"), String(20 * 1024 * 1024));
});

test("it listens on loopback only", async (t) => {
  const server = await redis(t);
  const outside = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  for (const { address, internal, family } of outside) {
    if (internal || family !== "IPv4") continue;
    const [error] = (await once(connect(server.port, address), "error")) as [NodeJS.ErrnoException];
    assert.equal(error.code, "ECONNREFUSED");
  }
});

test("with a password it refuses who has none", async (t) => {
  const server = await redis(t, { password: "s p:e/c@i#al" });
  assert.equal(await client(t, server).ping(), "PONG");
  const stranger = new Redis(server.port, "127.0.0.1", { enableReadyCheck: false });
  stranger.on("error", () => undefined);
  t.after(() => stranger.disconnect());
  await assert.rejects(stranger.ping(), /NOAUTH/);
});

test("stop is idempotent, removes the folder and leaves nothing to restart", async (t) => {
  const server = await redis(t);
  await Promise.all([server.stop(), server.stop()]);
  assert.equal(existsSync(server.dir), false);
  assert.equal(isAlive(server.pid), false);
  await assert.rejects(server.restart(), /was stopped and its data removed/);
  await server.stop();
});

test("two at once have ports and folders of their own", async (t) => {
  const [one, other] = await Promise.all([redis(t), redis(t)]);
  assert.notEqual(one.port, other.port);
  assert.notEqual(one.dir, other.dir);
  await client(t, one).set("mine", "1");
  assert.equal(await client(t, other).get("mine"), null);
});

test("a program that is no server, and settings it refuses, give its own words", async () => {
  await assert.rejects(startRedis({ program: { file: "no-such-program", argv0: "redis-server" } }), /is it on PATH\?/);
  await assert.rejects(startRedis({ config: { appendonly: "perhaps" } }), /did not come up on port \d+: /);
});

test("a port that is taken when it restarts is told", async (t) => {
  const server = await redis(t);
  await server.kill();
  const thief = createServer().listen(server.port, "127.0.0.1");
  await once(thief, "listening");
  t.after(() => thief.close());
  await assert.rejects(server.restart(), /Address already in use/);
});

test("it ends with its owner, even after kill -9, with its folder", async (t) => {
  const owner = `import { startRedis } from "./src/testing/redis.ts";
    const { pid, dir } = await startRedis(); process.stdout.write(JSON.stringify({ pid, dir }) + "\\n");`;
  const run = start(t, process.execPath, ["--import", "tsx", "--input-type=module", "--eval", owner]);
  const { pid, dir } = JSON.parse(await run.firstLine) as { pid: number; dir: string };
  assert.equal(isAlive(pid), true);
  run.child.kill("SIGKILL");
  await run.gone(pid);
  assert.equal(existsSync(dir), false);
});
