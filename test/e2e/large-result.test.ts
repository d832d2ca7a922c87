/** A tool that answers 10 MB, over the wire: what the model, the journal, Redis and the reader get of it. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test, type TestContext } from "node:test";
import { Redis } from "ioredis";
import { z } from "zod";
import { openWaits } from "../../bench/durability/waits.ts";
import { agent, type TypedAgent } from "../../src/index.ts";
import { call, say, startRedis } from "../../src/testing/index.ts";
import { defineConnector } from "../../src/testing/connectors/connector.ts";
import { errandHere } from "../cli/command.ts";
import { keepBlob } from "../../src/queue/blobs.ts";
import { DEFAULT_STORE, openStore } from "../../src/queue/store.ts";
import { redisUrl } from "../support/store.ts";
import { testWorld, type World, type WorldOptions } from "../support/world.ts";

/** Two bytes and four bytes, so that borders of pieces stand inside characters; one that could steer a terminal. */
const answer = { text: "😀ü".repeat(1_800_000), steer: "\u009b31m\u202e" };
const PIECE = 255 * 1024;
const SIZE = Buffer.byteLength(JSON.stringify(answer));

const shelf = defineConnector({
  name: "shelf",
  title: "Shelf",
  scopes: ["shelf.read"],
  tools: [
    { name: "shelf_read", description: "Reads a very long book.", parameters: {}, run: () => answer },
    { name: "shelf_lend", description: "Lends one.", parameters: {}, run: () => answer },
  ],
  world: () => ({}),
});

const reader: TypedAgent<Record<string, never>, Record<string, never>, string> = agent({
  name: "reader",
  model: "openai/scripted",
  instructions: "Read.",
  connections: ["shelf"],
  tools: ["shelf_read", "shelf_lend"],
  input: z.object({}),
});

const script = [call("shelf_read"), call("shelf_lend"), say("Read.")];

async function world(t: TestContext, errand: WorldOptions["errand"] = {}): Promise<World> {
  const scalekit = { connections: [{ name: "shelf", connector: shelf }] };
  const made = await testWorld(t, { script, scalekit, errand: { agents: [reader], leaseMs: 10_000, ...errand } });
  made.scalekit.connect("ada", "shelf");
  return made;
}

test("10 MB: kept in pieces, told to the model as a note, read back whole, printed on request only", async (t) => {
  const { errand, prefix } = await world(t);
  const redis = new Redis(redisUrl());
  const waits = await openWaits(redisUrl());
  t.after(async () => {
    redis.disconnect();
    await waits.close();
  });
  errand.worker();
  const run = await errand.enqueue(reader, { identifier: "ada", input: {} });
  const inPieces = await waits.during(() => run.result({ timeoutMs: 60_000 }));

  const key = `{${prefix}:0}:run:${run.id}`;
  const fields = await redis.hkeys(`${key}:b`);
  const lengths = await Promise.all(fields.map((field) => redis.hstrlen(`${key}:b`, field)));
  assert.equal(fields.length, 2 * Math.ceil(SIZE / PIECE), "two results");
  assert.equal(Math.max(...lengths), PIECE);
  assert.equal(
    lengths.reduce((a, b) => a + b, 0),
    2 * SIZE,
  );
  assert.equal((await redis.pttl(`${key}:b`)) > 0, true, "it expires with the run");
  const evidence = Number(await redis.memory("USAGE", `${key}:e`, "SAMPLES", 0));
  assert.equal(evidence < 1_000_000, true, `the evidence of both takes ${evidence} bytes`);
  const blob = Number(await redis.memory("USAGE", `${key}:b`, "SAMPLES", 0));
  assert.equal(blob < 2.1 * SIZE, true, `${blob} bytes for ${2 * SIZE}`);

  const store = openStore(redis, prefix, DEFAULT_STORE);
  const text = JSON.stringify(answer);
  const alone = await waits.during(() => keepBlob(store, run.id, "again", text));
  const one = await waits.during(() => redis.hset(`${key}:b`, "whole", text));
  t.diagnostic(
    `${SIZE} bytes: worst PING of another process ${alone.worstPingMs.toFixed(1)} ms while they are kept in pieces, ` +
      `${one.worstPingMs.toFixed(1)} ms during one HSET of them; ${inPieces.worstPingMs.toFixed(1)} ms during the whole run`,
  );

  for (const message of (await run.transcript()).filter(({ role }) => role === "tool"))
    assert.match(message.text, /^.{0,40}characters.{0,200}head/s, "the model sees a note");
  const settled = [];
  for await (const event of run.events({ follow: false })) if (event.type === "tool.settled") settled.push(event.size);
  assert.deepEqual(settled, [JSON.stringify(answer).length, JSON.stringify(answer).length]);

  const whole = await run.toolResult("t1c0");
  assert.equal(whole.outcome, "ok");
  assert.equal(JSON.stringify(whole.data) === JSON.stringify(answer), true, "as the tool answered it");
  await assert.rejects(run.toolResult("t9c9"), { code: "call-unknown" });
  await redis.hdel(`${key}:b`, fields.find((field) => field.endsWith(":3")) ?? "");

  const env = { REDIS_URL: redisUrl(), ERRAND_PREFIX: prefix };
  const show = (...args: string[]): ReturnType<typeof errandHere> =>
    errandHere(["show", run.id, ...args], env, { cwd: tmpdir() });
  const printed = await Promise.all([show("--result", "t0c0"), show("--result", "t1c0")]);
  const [good, lost] = printed.toSorted((a, b) => Number(a.code) - Number(b.code));
  assert.deepEqual([good?.code, good?.stderr], [0, ""]);
  assert.equal(/\p{Cc}|\p{Cf}/u.test(good?.stdout.trimEnd() ?? ""), false, "nothing that steers a terminal");
  assert.equal(JSON.stringify(JSON.parse(good?.stdout ?? "")) === JSON.stringify(answer), true, "whole");
  assert.equal(lost?.code, 1);
  assert.match(lost?.stderr ?? "", /^errand: result-not-kept: call t\dc0 of run \S+ succeeded, but its result of \d+ /);
  assert.equal((await show("--result", "t0c0", "--content")).code, 2, "one or the other");
  assert.equal((await show("--content")).stdout.length < 30_000, true);
});

test("no room for it in Redis: the run goes on and completes, and only what the tool said is gone", async (t) => {
  const server = await startRedis({ config: { maxmemory: "9mb" } });
  const { errand } = await world(t, { redis: server.url });
  // Behind the world, which says goodbye to it.
  t.after(() => server.stop());
  errand.worker();
  const run = await errand.enqueue(reader, { identifier: "ada", input: {} });
  assert.equal(await run.result({ timeoutMs: 60_000 }), "Read.");
  await assert.rejects(run.toolResult("t0c0"), { code: "result-not-kept" });
  const kinds = [];
  for await (const event of run.events({ follow: false })) if (event.type === "tool.settled") kinds.push(event.outcome);
  assert.deepEqual(kinds, ["ok", "ok"]);
});
