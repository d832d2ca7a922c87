/** A Redis that answers and refuses writes: full, or a replica after a failover. No intent, no send; what was done is written down. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertDelivered, courier, faultLab } from "./lab.ts";

test("full while a mail is being sent: its result is written all the same, and nothing more is done until there is memory", async (t) => {
  const lab = await faultLab(t);
  lab.work();
  const hold = lab.hold(["done", 1]);
  const run = await lab.send("ada");
  await hold.there;
  await lab.direct.config("SET", "maxmemory", "1");
  hold.release();
  assert.match(await lab.said("run.crashed"), /OOM/);
  const kept = Object.values(await lab.direct.hgetall(`{errand:0}:run:${run.id}:e`));
  assert.equal(kept.filter((evidence) => evidence.includes('"kind":"ok"')).length, 2, "the profile and the first mail");
  await assert.rejects(lab.errand.enqueue(courier, { identifier: "bob", input: {} }), {
    code: "redis-unavailable",
    message: /OOM.*maxmemory/,
  });
  assert.deepEqual(lab.sent("ada"), ["first"]);
  await lab.direct.config("SET", "maxmemory", "0");
  await assertDelivered(lab, run, "ada");
});

test("full when an intent is to be written: it is refused, so the tool is not executed", async (t) => {
  const lab = await faultLab(t);
  lab.work();
  const hold = lab.hold(["model", 1]);
  const run = await lab.send("ada");
  await hold.there;
  await lab.direct.config("SET", "maxmemory", "1");
  hold.release();
  assert.match(await lab.said("run.crashed"), /OOM/);
  assert.deepEqual(lab.sent("ada"), []);
  const journal = await lab.direct.lrange(`{errand:0}:run:${run.id}:j`, 0, -1);
  assert.equal(
    journal.some((entry) => entry.includes('"gmail_send_message"') && entry.includes('"call-claimed"')),
    false,
  );
  await lab.direct.config("SET", "maxmemory", "0");
  await assertDelivered(lab, run, "ada");
});

for (const [at, what] of [
  ["model", "while the model is asked"],
  ["asked", "before a mail is sent"],
  ["done", "after a mail was sent"],
] as const)
  test(`read-only ${what}: what came back meanwhile is written when writes are taken again`, async (t) => {
    const lab = await faultLab(t);
    lab.work();
    const hold = lab.hold([at, 1]);
    const run = await lab.send("ada");
    await hold.there;
    // Nobody listens there: it stays a replica without a primary, and keeps its data.
    await lab.direct.replicaof("127.0.0.1", "1");
    hold.release();
    await assert.rejects(lab.errand.enqueue(courier, { identifier: "bob", input: {} }), {
      code: "redis-unavailable",
      message: /READONLY.*primary/,
    });
    if (at === "model") assert.deepEqual(lab.sent("ada"), []);
    await lab.direct.replicaof("NO", "ONE");
    await assertDelivered(lab, run, "ada");
  });
