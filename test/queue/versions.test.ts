/**
 * A deploy over runs that an older Errand left behind: keys as version 1 of the journal wrote them (test/fixtures, taken from a
 * Redis in the middle of the work of commit 6d4e42e) are restored, and workers of today finish the runs.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Redis } from "ioredis";
import { pino } from "pino";
import { z } from "zod";
import { agent, createErrand } from "../../src/index.ts";
import { say, startRedis, startScalekitEmulator, startScriptedModel } from "../../src/testing/index.ts";

type Stored =
  | { readonly hash: Record<string, string> }
  | { readonly list: string[] }
  | { readonly zset: string[] }
  | { readonly string: string };

interface Fixture {
  /** What the run was doing → its id. */
  readonly scenes: Readonly<Record<string, string>>;
  readonly keys: Readonly<Record<string, Stored>>;
}

const fixture = JSON.parse(readFileSync(new URL("../fixtures/journal-v1.json", import.meta.url), "utf8")) as Fixture;

async function restore(url: string): Promise<void> {
  const redis = new Redis(url);
  for (const [key, stored] of Object.entries(fixture.keys)) {
    if ("hash" in stored) await redis.hset(key, stored.hash);
    else if ("list" in stored) await redis.rpush(key, ...stored.list);
    else if ("string" in stored) await redis.set(key, stored.string);
    else
      for (let i = 0; i < stored.zset.length; i += 2)
        await redis.zadd(key, stored.zset[i + 1] ?? "", stored.zset[i] ?? "");
  }
  redis.disconnect();
}

test("runs of version 1 resume: what is settled is not done again, what is in doubt is told, waits go on", async (t) => {
  const [redis, scalekit] = await Promise.all([startRedis(), startScalekitEmulator({ connections: ["gmail"] })]);
  const model = await startScriptedModel({ script: () => say("finished by version 2") });
  await restore(redis.url);
  const sender = agent({
    name: "sender",
    model: "openai/scripted",
    instructions: "Newer instructions, which do not reach a run that is prepared.",
    connections: ["gmail"],
    tools: ["gmail_send_message", "gmail_fetch_mails"],
    input: z.object({ scene: z.string() }),
  });
  const errand = createErrand({
    redis: redis.url,
    agents: [sender],
    leaseMs: 2_000,
    logger: pino({ level: "silent" }),
    scalekit: { envUrl: scalekit.url, clientId: scalekit.clientId, clientSecret: scalekit.clientSecret },
    models: { openai: { apiKey: model.apiKey, baseURL: model.url } },
  });
  t.after(async () => {
    await errand.close();
    await Promise.all([model.close(), scalekit.close(), redis.stop()]);
  });
  for (const identifier of ["fresh", "midway", "sending", "reading", "thinking", "refused"])
    scalekit.connect(identifier, "gmail");
  errand.worker({ wakeEveryMs: 50 });
  for (const identifier of ["fresh", "midway"]) await errand.checkAccount(identifier, "gmail");

  const { done, ...unfinished } = fixture.scenes;
  assert.equal((await errand.run(done ?? "").get()).output, "done done", "an ended run reads as before");
  for (const [scene, id] of Object.entries(unfinished))
    assert.equal(await errand.run(id).result({ timeoutMs: 20_000 }), "finished by version 2", scene);

  const executed = scalekit.ledger.map(({ tool, identifier }) => `${identifier} ${tool}`).toSorted();
  assert.deepEqual(
    executed,
    ["midway", "reading", "refused"].map((identifier) => `${identifier} gmail_fetch_mails`),
  );
  const { outcomes } = await errand.unknowns();
  assert.deepEqual(
    outcomes.map(({ run, call, tool }) => [run, call, tool]),
    [[unfinished["sending"], "t0c0", "gmail_send_message"]],
  );
});
