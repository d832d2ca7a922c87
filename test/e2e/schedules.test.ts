/** A digest for each user at times of their own, from the app's code to the result: a real worker, a real model's protocol, BullMQ's ticker. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Redis } from "ioredis";
import { z } from "zod";
import { pino } from "pino";
import { agent, createErrand } from "../../src/index.ts";
import { startRedis } from "../../src/testing/index.ts";
import { redisUrl } from "../support/store.ts";
import { connectAs, giveMail, inboxDigest, testWorld, untilEvent } from "../support/world.ts";
import { connect } from "../../src/queue/connect.ts";

const windowed = agent({
  name: "windowed",
  model: "openai/scripted",
  instructions: "Answer.",
  input: z.object({ since: z.number(), label: z.string() }),
});

test("a schedule fires by itself, its run parks for an account like any other, and it goes on with the user's return", async (t) => {
  const world = await testWorld(t);
  const { schedules } = world.errand;
  await giveMail(world, "ada");
  await schedules.upsert("digest/ada", inboxDigest, {
    identifier: "ada",
    input: { query: "is:unread" },
    cron: "* * * * *",
    timezone: "Europe/Berlin",
  });
  // As if nothing had ticked for the last minutes: the ticks are made up at once.
  const direct = connect(redisUrl(), false);
  const { redis } = direct;
  t.after(() => direct.close());
  const key = `{${world.prefix}:0}:schedule`;
  await redis.hset(`${key}:digest/ada`, "cursor", Date.now() - 150_000);
  await redis.zadd(`${key}s:due`, Date.now(), "digest/ada");
  const made = await nextRun(t, redis, world.prefix);
  world.errand.worker({ tickEveryMs: 50 });
  const run = world.errand.run(await made.id);
  await untilEvent(run, "run.parked");
  await connectAs(world, "ada");
  const { unread } = (await run.result({ timeoutMs: 60_000 })) as { readonly unread: number };
  assert.equal(unread > 0, true);
  const { history, words } = await schedules.get("digest/ada");
  assert.equal(words, "Every minute");
  assert.deepEqual(
    history.map((line) => line.outcome),
    ["enqueued", "coalesced"],
  );
});

test("only an app: a function says where the tick's values go, pages, next times, deletion of a user and of an agent", async (t) => {
  const { errand } = await testWorld(t, { errand: { agents: [windowed, inboxDigest] } });
  const { schedules } = errand;
  const ada = { identifier: "ada", cron: "0 8 * * 1-5", timezone: "Europe/Berlin" } as const;
  const made = await schedules.upsert("w", windowed, {
    ...ada,
    input: (tick) => ({ since: tick.since, label: "daily" }),
  });
  assert.deepEqual(
    [made.input, made.words],
    [{ since: { $tick: "since" }, label: "daily" }, "At 08:00, Monday through Friday"],
  );
  const many = Array.from({ length: 1_200 }, (_, i) => ({
    id: `d/${i}`,
    identifier: `u${i}`,
    input: { query: "" },
    cron: "0 8 * * *",
  }));
  assert.equal((await schedules.upsertMany(inboxDigest, many)).created, 1_200);
  const after = Date.parse("2027-03-26T12:00:00Z");
  const next = (await schedules.next("w", { count: 2, after })).map((ms) => new Date(ms).toISOString());
  assert.deepEqual(next, ["2027-03-29T06:00:00.000Z", "2027-03-30T06:00:00.000Z"]);
  const preview = await schedules.next({ every: 3_600_000, startAt: new Date(after) }, { count: 1, after: after - 1 });
  assert.deepEqual(preview, [after]);

  const run = await schedules.trigger("w");
  assert.deepEqual((await run.get()).status, "queued");
  assert.deepEqual(await schedules.deleteAll({ identifier: "ada" }, { cancelRuns: true }), {
    deleted: 1,
    cancelled: 1,
  });
  assert.deepEqual(await schedules.deleteAll({ agent: "inbox-digest" }), { deleted: 1_200, cancelled: 0 });
  assert.deepEqual((await schedules.list()).schedules, []);
  await assert.rejects(schedules.get("w"), { code: "schedule-unknown" });
  await assert.rejects(schedules.deleteAll({}), { code: "option-invalid" });
});

test("a process that only fires schedules needs no models and no Scalekit; Redis goes away over several ticks, and they are made up", async (t) => {
  const own = await startRedis();
  const errand = createErrand({ redis: own.url, agents: [windowed], logger: pino({ level: "silent" }) });
  t.after(() => errand.close());
  t.after(() => own.stop());
  const input = (tick: { since: number }): { since: number; label: string } => ({ since: tick.since, label: "" });
  await errand.schedules.upsert("w", windowed, { identifier: "ada", cron: "0 * * * *", input });
  const worker = errand.worker({ queues: [], wake: false, tickEveryMs: 50 });
  await worker.ready();
  await own.kill("SIGKILL");
  await own.restart();
  const direct = connect(own.url, true);
  const { redis } = direct;
  const made = await nextRun(t, redis, "errand");
  await redis.hset("{errand:0}:schedule:w", "cursor", Date.now() - 11 * 3_600_000);
  await redis.zadd("{errand:0}:schedules:due", Date.now(), "w");
  await made.id;
  const { history } = await errand.schedules.get("w");
  assert.equal(history.reduce((sum, line) => sum + (line.count ?? 1), 0) >= 10, true);
  assert.equal(history[0]?.outcome, "enqueued");
  assert.equal(typeof worker.clockSkewMs, "number");
  await direct.close();
});

/** Listens from now on. @returns the id of the next run that is created: its script tells whoever listens */
async function nextRun(t: TestContext, redis: Redis, prefix: string): Promise<{ readonly id: Promise<string> }> {
  const listener = redis.duplicate({ lazyConnect: false });
  t.after(() => listener.disconnect());
  const channel = `{${prefix}:0}:run:`;
  const id = new Promise<string>((resolve) => {
    listener.on("pmessage", (_pattern: string, heard: string) => resolve(heard.slice(channel.length)));
  });
  await listener.psubscribe(`${channel}*`);
  return { id };
}
