/**
 * A deploy over runs that an older Errand left behind: keys as each version of the journal wrote them (test/fixtures, taken from a
 * Redis in the middle of its work) are restored, and workers of today finish the runs.
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
  | { readonly stream: [id: string, fields: string[]][] }
  | { readonly string: string };

interface Fixture {
  /** What the run was doing → its id. */
  readonly scenes: Readonly<Record<string, string>>;
  readonly keys: Readonly<Record<string, Stored>>;
}

function readFixture(version: number): Fixture {
  return JSON.parse(readFileSync(new URL(`../fixtures/journal-v${version}.json`, import.meta.url), "utf8")) as Fixture;
}

async function restore(fixture: Fixture, url: string): Promise<void> {
  const redis = new Redis(url);
  for (const [key, stored] of Object.entries(fixture.keys)) {
    if ("hash" in stored) await redis.hset(key, stored.hash);
    else if ("list" in stored) await redis.rpush(key, ...stored.list);
    else if ("string" in stored) await redis.set(key, stored.string);
    else if ("stream" in stored) for (const [id, fields] of stored.stream) await redis.xadd(key, id, ...fields);
    else
      for (let i = 0; i < stored.zset.length; i += 2)
        await redis.zadd(key, stored.zset[i + 1] ?? "", stored.zset[i] ?? "");
  }
  redis.disconnect();
}

interface Expected {
  readonly version: number;
  /** Whose mails are fetched after the deploy: calls that were settled before it are not made again. */
  readonly fetched: readonly string[];
  /** Calls of which nobody knows, by scene; those of `asked` wait for a person. */
  readonly inDoubt: readonly string[];
}

const EXPECTED: readonly Expected[] = [
  { version: 1, fetched: ["midway", "reading", "refused"], inDoubt: ["sending"] },
  { version: 2, fetched: ["midway", "reading", "refused"], inDoubt: ["asked", "sending", "told"] },
];

const USERS = ["fresh", "midway", "sending", "reading", "thinking", "refused", "asked", "told"];

for (const { version, fetched, inDoubt } of EXPECTED)
  test(`runs of version ${version} resume: what is settled is not done again, what is in doubt is told, waits go on`, async (t) => {
    const fixture = readFixture(version);
    const [redis, scalekit] = await Promise.all([startRedis(), startScalekitEmulator({ connections: ["gmail"] })]);
    const model = await startScriptedModel({ script: () => say("finished by today's version") });
    await restore(fixture, redis.url);
    const [sender, asker] = (["sender", "asker"] as const).map((name) =>
      agent({
        name,
        model: "openai/scripted",
        instructions: "Newer instructions, which do not reach a run that is prepared.",
        connections: ["gmail"],
        tools: ["gmail_send_message", "gmail_fetch_mails"],
        input: z.object({ scene: z.string() }),
      }),
    );
    assert.ok(sender !== undefined && asker !== undefined, "two agents");
    const errand = createErrand({
      redis: redis.url,
      agents: [sender, asker],
      // Longer than any pause of a busy machine: a run whose lease is lost may read again.
      leaseMs: 15_000,
      logger: pino({ level: "silent" }),
      scalekit: { envUrl: scalekit.url, clientId: scalekit.clientId, clientSecret: scalekit.clientSecret },
      models: { openai: { apiKey: model.apiKey, baseURL: model.url } },
    });
    t.after(async () => {
      await errand.close();
      await Promise.all([model.close(), scalekit.close(), redis.stop()]);
    });
    for (const identifier of USERS) scalekit.connect(identifier, "gmail");
    errand.worker({ wakeEveryMs: 50 });
    for (const identifier of ["fresh", "midway"]) await errand.checkAccount(identifier, "gmail");

    const { done, asked, ...unfinished } = fixture.scenes;
    assert.equal((await errand.run(done ?? "").get()).output, "done done", "an ended run reads as before");
    if (asked !== undefined) await errand.run(asked).answer("t0c0", "happened");
    for (const [scene, id] of Object.entries({ ...unfinished, ...(asked !== undefined && { asked }) }))
      assert.equal(await errand.run(id).result({ timeoutMs: 60_000 }), "finished by today's version", scene);

    const executed = scalekit.ledger.map(({ tool, identifier }) => `${identifier} ${tool}`).toSorted();
    assert.deepEqual(
      executed,
      fetched.map((identifier) => `${identifier} gmail_fetch_mails`),
    );
    const { outcomes } = await errand.unknowns();
    const doubted = inDoubt.filter((scene) => scene !== "asked").map((scene) => unfinished[scene] ?? "");
    assert.deepEqual(
      outcomes.map(({ run }) => run).toSorted((a, b) => a.localeCompare(b)),
      doubted.toSorted((a, b) => a.localeCompare(b)),
      "the answered one is in doubt no more",
    );
  });
