/** `errand schedules`: the table, the next times and the history as a person sees them, and what is refused. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { Redis } from "ioredis";
import { createErrand } from "../../src/index.ts";
import { removeKeys } from "../../src/testing/index.ts";
import { noteAgent, redisUrl, testPrefix } from "../support/store.ts";
import { errandHere } from "./command.ts";

test("list, show, pause, resume, delete", async (t) => {
  const [redis, prefix] = [redisUrl(), testPrefix()];
  const app = createErrand({ redis, prefix, agents: [noteAgent] });
  t.after(async () => {
    await app.close();
    await removeKeys(redis, prefix);
  });
  const here = (...args: string[]): ReturnType<typeof errandHere> =>
    errandHere(["schedules", ...args], { REDIS_URL: redis, ERRAND_PREFIX: prefix }, { cwd: tmpdir() });
  assert.deepEqual(await here(), { code: 0, stdout: "", stderr: "no schedules\n" });
  const weekdays = { identifier: "ada", input: { n: 1 }, cron: "0 8 * * 1-5", timezone: "Europe/Berlin" } as const;
  await app.schedules.upsert("d/ada", noteAgent, weekdays);
  const run = await app.schedules.trigger("d/ada");
  const list = (await here()).stdout;
  assert.match(
    list,
    /^SCHEDULE +AGENT +IDENTIFIER +WHEN +ZONE +NEXT\nd\/ada +note +ada +At 08:00, Monday through Friday +Europe\/Berlin +in /,
  );
  const shown = (await here("show", "d/ada", "--next", "2")).stdout;
  assert.match(shown, /next:\n {2}\d{4}-\d\d-\d\d 08:00:00 GMT\+[12]\n {2}\d{4}-\d\d-\d\d 08:00:00 GMT\+[12]\nhistory/);
  assert.ok(shown.includes(`triggered ${run.id}`), shown);
  assert.equal((await here("pause", "d/ada")).stdout, "d/ada is paused\n");
  assert.match((await here()).stdout, /paused\n$/);
  assert.equal((await here("resume", "d/ada")).stdout, "d/ada goes on\n");
  assert.equal((await here("show", "nobody")).code, 1);
  assert.equal((await here("delete")).code, 2);
  assert.equal((await here("delete", "--identifier", "ada")).stdout, "1 schedule deleted\n");
});

test("what is due and did not fire says so; dates are the same on every machine; ids that are not there are told", async (t) => {
  const [redis, prefix] = [redisUrl(), testPrefix()];
  const app = createErrand({ redis, prefix, agents: [noteAgent] });
  t.after(async () => {
    await app.close();
    await removeKeys(redis, prefix);
  });
  const config = tmpdir();
  const here = (...args: string[]): ReturnType<typeof errandHere> =>
    errandHere(["schedules", ...args], { REDIS_URL: redis, ERRAND_PREFIX: prefix }, { cwd: config });
  const often = { identifier: "ada", input: { n: 1 }, every: 60_000, endAt: Date.parse("2030-01-01") };
  const { createdAt } = await app.schedules.upsert("d/late", noteAgent, often);
  const store = new Redis(redis);
  t.after(() => store.disconnect());
  // As if it had been defined an hour ago, and nothing had ticked since.
  await store.hset(`{${prefix}:0}:schedule:d/late`, "cursor", createdAt - 3_600_000);
  assert.match((await here()).stdout, /late by (59 m|1 h 00 m)/);
  const shown = (await here("show", "d/late")).stdout;
  assert.match(shown, /\nno time after 2030-01-01 00:00:00 GMT\+0\n/);
  assert.match(shown, /\nlate: .* was due (59 m \d\d s|1 h 00 m) ago\. Does a worker run that ticks\?\n/);

  for (const date of ["2027-01-01T08:00", "2027-02-30T00:00:00Z", "1", "tomorrow"]) {
    const refused = await here("upsert", "d/x", "note", "--identifier", "ada", "--every", "1h", "--start-at", date);
    assert.equal(refused.code, 2, date);
    assert.match(refused.stderr, /Expected a moment with its offset from UTC, such as 2027-01-01T00:00:00Z/);
  }
  const two = await here("delete", "d/late", "d/lat");
  assert.deepEqual(two, { code: 1, stdout: "1 schedule deleted\n", stderr: 'there is no schedule "d/lat"\n' });
});
