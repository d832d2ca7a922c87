/** `errand lines`, `weigh`, `weights`, `pause`, `resume`, `switches`: what an operator sees and does at night. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { createErrand } from "../../src/index.ts";
import { removeKeys } from "../../src/testing/index.ts";
import { noteAgent, redisUrl, testPrefix } from "../support/store.ts";
import { errandHere } from "./command.ts";

test("who waits and why; what is stopped, by whom, and that it goes on", async (t) => {
  const [redis, prefix] = [redisUrl(), testPrefix()];
  const app = createErrand({ redis, prefix, agents: [noteAgent], perIdentifier: 2 });
  t.after(async () => {
    await app.close();
    await removeKeys(redis, prefix);
  });
  const here = (...args: string[]): ReturnType<typeof errandHere> =>
    errandHere(args, { REDIS_URL: redis, ERRAND_PREFIX: prefix }, { cwd: tmpdir() });

  assert.match((await here("lines")).stderr, /nobody waits[^]*0 waiting, 0 live; caps: 5 per identifier/);
  for (let i = 0; i < 5; i++) await app.enqueue(noteAgent, { identifier: "ann", tenant: "acme", input: { n: 1 } });
  const lines = (await here("lines", "--tenant", "acme")).stdout.split("\n");
  assert.match(lines[1] ?? "", /^ann +acme +note +default +3 +2 /);
  const { stdout } = await here("lines", "--json");
  assert.deepEqual((JSON.parse(stdout) as { waiting: number }).waiting, 3);

  assert.match((await here("weigh", "tenant", "acme", "3")).stdout, /tenant acme has 3 turns in each round \(was 1\)/);
  assert.match((await here("lines")).stdout, /ann +acme ×3 +note/);
  assert.match((await here("weights")).stdout, /tenant acme +3/);
  const none = await here("weigh", "tenant", "acme", "0");
  assert.equal(none.code, 1);
  assert.match(none.stderr, /whole number from 1 to 100, got 0\.[^]*errand pause tenant acme/);
  assert.match((await here("weigh", "tenant", "acme", "1")).stdout, /has 1 turn in each round \(was 3\)/);
  assert.match((await here("weights")).stderr, /all have one turn/);

  assert.match((await here("pause", "agent", "note", "--why", "too loud", "--by", "mira")).stdout, /note is paused/);
  assert.match((await here("pause", "agent", "note", "--by", "tom")).stdout, /was paused already/);
  assert.match((await here("switches")).stdout, /agent note +\S+.* ago +tom +0/);
  assert.match((await here("lines")).stdout, /paused/);
  assert.match((await here("resume", "agent", "note")).stdout, /note goes on/);
  assert.match((await here("resume", "agent", "note")).stdout, /was not paused/);
  assert.match((await here("switches")).stderr, /nothing is paused/);
  const wrong = await here("pause", "user", "ann");
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /agent, identifier, tenant, connection, tool/);
});
