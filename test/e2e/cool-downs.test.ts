/** Cool-downs of what calls go through: before Scalekit, and of calls that a tool makes by itself. Over the wire. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { z } from "zod";
import { agent } from "../../src/index.ts";
import { DEFAULT_STORE, openStore } from "../../src/queue/store.ts";
import { call, say, type Script } from "../../src/testing/index.ts";
import { redisUrl } from "../support/store.ts";
import { testWorld, untilEvent } from "../support/world.ts";

const mailer = agent({
  name: "mailer",
  model: "openai/scripted",
  instructions: "Greet.",
  connections: ["gmail"],
  tools: ["gmail_fetch_mails"],
  input: z.object({}),
});
/** One mail is fetched, then it says so. */
const oneMail: Script = ({ messages }) =>
  messages.some(({ role }) => role === "tool") ? say("Hello") : call("gmail_fetch_mails", { max_results: 1 });

test("a balancer's 429 before Scalekit: the call was not made, all that goes through Scalekit waits, and then it is made once", async (t) => {
  const world = await testWorld(t, { script: oneMail, errand: { agents: [mailer] } });
  const redis = new Redis(redisUrl());
  t.after(() => redis.disconnect());
  world.scalekit.connect("ada", "gmail");
  world.scalekit.faults.add({ method: "ExecuteTool", httpStatus: 429, retryAfter: 2 });
  world.errand.worker({ wakeEveryMs: 50 });
  const run = await world.errand.enqueue("mailer", { identifier: "ada", input: {} });
  const parked = await untilEvent(run, "run.parked");
  assert.ok((parked.until ?? 0) >= parked.at + 1_500, `${(parked.until ?? 0) - parked.at}`);
  const { prefix } = openStore(redis, world.prefix, DEFAULT_STORE);
  assert.equal(await redis.hget(`${prefix}cool:scalekit`, "why"), "rate-limit");
  assert.equal(await run.result({ timeoutMs: 20_000 }), "Hello");
  assert.equal(world.scalekit.ledger.length, 1);
  assert.deepEqual((await world.errand.unknowns()).outcomes, []);
});
