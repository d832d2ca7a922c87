/** A Redis that answers later than a lease lives, or stands still: nothing is sent on a lease that may have ended. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertDelivered, faultLab, LEASE_MS } from "./lab.ts";

test("each answer comes later than a lease lives: no mail is sent meanwhile, then each once", async (t) => {
  const lab = await faultLab(t);
  lab.work();
  const hold = lab.hold(["model", 1]);
  const run = await lab.send("ada");
  await hold.there;
  lab.proxy.delay(LEASE_MS * 0.6);
  hold.release();
  await lab.said('"ending"');
  assert.deepEqual(lab.sent("ada"), []);
  lab.proxy.delay(0);
  await assertDelivered(lab, run, "ada");
});

for (const [at, sent] of [
  ["model", []],
  ["done", ["first"]],
] as const)
  test(`Redis stands still for longer than a lease (${at}): nothing more is sent until it goes on`, async (t) => {
    const lab = await faultLab(t);
    lab.work();
    const hold = lab.hold([at, 1]);
    const run = await lab.send("ada");
    await hold.there;
    await lab.direct.client("PAUSE", LEASE_MS * 1.5, "ALL");
    const back = lab.direct.ping();
    hold.release();
    await back;
    assert.deepEqual(lab.sent("ada"), sent);
    await assertDelivered(lab, run, "ada");
  });
