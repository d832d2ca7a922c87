/** A tool whose definition is not the one that the app reviewed: no run gets it, none fails, and all go on once somebody has read it. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Redis } from "ioredis";
import { type Logger, pino } from "pino";
import { createErrand, type ErrandOptions, type GivenManifest } from "../../src/index.ts";
import { DEFAULT_STORE, openStore } from "../../src/queue/store.ts";
import { READ } from "../../src/scalekit/reviewed.ts";
import { redisUrl } from "../support/store.ts";
import { giveMail, inboxDigest, testWorld, untilEvent, type World } from "../support/world.ts";

const OLD = "0".repeat(64);

function entry(hash: unknown, more: { reviewed?: boolean; effect?: string } = {}): GivenManifest["tools"][string] {
  return { hash: String(hash), effect: "read", reviewed: true, ...more };
}

interface Logged {
  readonly level: number;
  readonly msg: string;
  readonly tools?: string;
}

function logger(): { readonly logger: Logger; readonly logged: Logged[] } {
  const logged: Logged[] = [];
  const write = (line: string): void => void logged.push(JSON.parse(line) as Logged);
  return { logger: pino({ level: "info" }, { write }), logged };
}

function optionsOf({ scalekit, model, prefix }: World, manifest: GivenManifest): ErrandOptions {
  return {
    redis: redisUrl(),
    prefix,
    scalekit: { envUrl: scalekit.url, clientId: scalekit.clientId, clientSecret: scalekit.clientSecret },
    models: { openai: { apiKey: model.apiKey, baseURL: model.url } },
    agents: [inboxDigest],
    logger: pino({ level: "silent" }),
    manifest,
  };
}

/** As if the moment had come that the run waits for. */
async function momentCame(t: TestContext, { prefix }: World, run: string): Promise<void> {
  const redis = new Redis(redisUrl());
  t.after(() => redis.disconnect());
  await redis.zadd(`${openStore(redis, prefix, DEFAULT_STORE).prefix}looks`, "XX", 0, `run:${run}`);
}

test("the run parks for a review, and goes on by itself under a manifest with the new hash", async (t) => {
  const { logger: log, logged } = logger();
  const old = { version: 1, tools: { gmail_fetch_mails: entry(OLD), gmail_old: entry(OLD) } };
  const world = await testWorld(t, { errand: { manifest: old, logger: log } });
  await giveMail(world, "ada");
  world.scalekit.connect("ada", "gmail");
  const run = await world.errand.enqueue(inboxDigest, { identifier: "ada", input: { query: "is:unread" } });
  const first = world.errand.worker();
  const parked = await untilEvent(run, "run.parked");
  assert.equal(parked.reason, "review");
  assert.match(parked.message ?? "", /^The definition of gmail_fetch_mails is not .*errand tools classify/);
  assert.equal(world.model.requests.length, 0, "no token was bought");
  await first.close();
  assert.deepEqual(
    logged.filter(({ msg }) => msg.includes("tools")).map(({ level, msg, tools }) => [level, msg, tools]),
    [
      [50, "boot.tools-changed", "gmail_fetch_mails"],
      [40, "boot.tools-unused", "gmail_old"],
      [50, "tools.changed", "gmail_fetch_mails"],
    ],
  );

  const manifest = { version: 1, tools: { gmail_fetch_mails: entry(READ["gmail_fetch_mails"]) } };
  const second = createErrand(optionsOf(world, manifest));
  t.after(() => second.close());
  await momentCame(t, world, run.id);
  second.worker({ wakeEveryMs: 20 });
  assert.equal(typeof (await run.result({ timeoutMs: 60_000 })).summary, "string");
});

test("an entry that waits for its review is told at boot, and the run goes on with an unsafe tool", async (t) => {
  const { logger: log, logged } = logger();
  const tools = { gmail_fetch_mails: entry(READ["gmail_fetch_mails"], { reviewed: false }) };
  const world = await testWorld(t, { errand: { manifest: { version: 1, tools }, logger: log } });
  await giveMail(world, "ada");
  world.scalekit.connect("ada", "gmail");
  const run = await world.errand.enqueue(inboxDigest, { identifier: "ada", input: { query: "is:unread" } });
  world.errand.worker();
  await run.result({ timeoutMs: 60_000 });
  assert.deepEqual(
    logged.filter(({ msg }) => msg.includes("tools")).map(({ level, msg, tools: named }) => [level, msg, named]),
    [[40, "boot.tools-unreviewed", "gmail_fetch_mails"]],
  );
});

test("a worker whose definitions cannot be listed starts all the same", async (t) => {
  const { logger: log, logged } = logger();
  const world = await testWorld(t, { errand: { logger: log } });
  // The first list is that of all names.
  world.scalekit.faults.add({ method: "ListTools", delayMs: 1 });
  world.scalekit.faults.add({ method: "ListTools", code: "Internal" });
  await world.errand.worker().ready();
  assert.deepEqual(
    logged.filter(({ level }) => level > 30).map(({ msg }) => msg),
    ["boot.tools-unchecked"],
  );
});

test("a manifest that is none is refused where it is given", () => {
  const options = { redis: redisUrl(), agents: [inboxDigest] };
  const tools = { gmail_fetch_mails: entry("abc", { effect: "reads" }) };
  assert.throws(() => createErrand({ ...options, manifest: { version: 1, tools } }), {
    code: "config-invalid",
    message: /^createErrand: manifest: tools\.gmail_fetch_mails\.hash: .*; tools\.gmail_fetch_mails\.effect: .*"reads"/,
  });
});
