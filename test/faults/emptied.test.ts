/** Somebody empties Redis in the middle of a run (FLUSHALL), or it takes long to read its data: what is gone stays gone, the rest goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { assertDelivered, faultLab } from "./lab.ts";

for (const [at, sent] of [
  ["model", []],
  ["asked", ["first"]],
  ["done", ["first"]],
] as const)
  test(`emptied (${at}): the worker drops the run, nothing of it is made again, and new runs go on`, async (t) => {
    const lab = await faultLab(t);
    lab.work();
    const hold = lab.hold([at, 1]);
    const run = await lab.send("ada");
    await hold.there;
    await lab.direct.flushall();
    hold.release();
    await lab.said('"ending":"lost"');
    await assert.rejects(run.get(), { code: "run-unknown" });
    await assertDelivered(lab, await lab.send("bob"), "bob");
    assert.deepEqual(lab.sent("ada"), sent, "nothing more is sent for a run that is gone");
    assert.deepEqual(await lab.direct.keys(`*run:${run.id}*`), []);
  });

test("LOADING: Redis answers but reads its data; the run waits for that and goes on", async (t) => {
  // A directive of Redis itself, for tests: µs for each key or command that is read.
  const lab = await faultLab(t, { redis: { "key-load-delay": "500" } });
  const filling = lab.direct.pipeline();
  for (let i = 0; i < 6_000; i++) filling.set(`ballast:${i}`, "x");
  await filling.exec();
  lab.work();
  const hold = lab.hold(["done", 1]);
  const run = await lab.send("ada");
  await hold.there;
  await lab.server.kill();
  const restarted = lab.server.restart();
  const probe = new Redis(lab.server.port, "127.0.0.1", {
    enableReadyCheck: false,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
  });
  probe.on("error", () => undefined);
  t.after(() => probe.disconnect());
  await assert.rejects(probe.get("ballast:1"), /LOADING/);
  hold.release();
  assert.deepEqual(lab.sent("ada"), ["first"]);
  await assert.rejects(probe.get("ballast:1"), /LOADING/, "still");
  await probe.config("SET", "key-load-delay", "0");
  await restarted;
  await assertDelivered(lab, run, "ada");
});
