/** Redis goes away in the middle of a run and comes back with its append-only file: the run goes on, and nobody has to do anything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { assertDelivered, faultLab, POINTS } from "./lab.ts";

for (const [how, signal] of [
  ["SHUTDOWN", "SIGTERM"],
  ["kill -9", "SIGKILL"],
] as const)
  test(`${how} while the model is asked, while a tool works, and after it: what came back meanwhile is written`, async (t) => {
    const lab = await faultLab(t);
    lab.work();
    for (const point of POINTS) {
      const who = point.join("-");
      const hold = lab.hold(point);
      const run = await lab.send(who);
      await hold.there;
      await lab.server.kill(signal);
      hold.release();
      await lab.server.restart();
      await assertDelivered(lab, run, who);
    }
  });

test("an outage longer than the lease: a call under way is not made again, and what is left to do waits for Redis", async (t) => {
  const lab = await faultLab(t);
  lab.work();
  const hold = lab.hold(["done", 1]);
  const run = await lab.send("ada");
  await hold.there;
  const { lease } = await lab.direct.hgetall(`{errand:0}:run:${run.id}`);
  await lab.server.kill();
  hold.release();
  // The lease ends while nobody can renew it.
  await after(Math.max(1, Number(lease) - Date.now() + 300));
  assert.deepEqual(lab.sent("ada"), ["first"], "nothing is sent while no intent can be written");
  await lab.server.restart();
  await assertDelivered(lab, run, "ada");
});

for (const back of [false, true])
  test(`a worker that is told to stop while Redis ${back ? "has just come back" : "is away"} stops; another goes on with its run`, async (t) => {
    const lab = await faultLab(t);
    const worker = lab.work();
    const hold = lab.hold(["model", 1]);
    const run = await lab.send("ada");
    await hold.there;
    await lab.server.kill();
    if (back) await lab.server.restart();
    await worker.close({ timeoutMs: 200 });
    assert.equal(worker.state, "stopped");
    hold.release();
    if (!back) await lab.server.restart();
    lab.work();
    await assertDelivered(lab, run, "ada");
  });

test("ten runs and three kills: each run ends by itself, each mail once", async (t) => {
  const lab = await faultLab(t);
  lab.work();
  const people = Array.from({ length: 10 }, (_, i) => `user-${i}`);
  const runs = await Promise.all(people.map((who) => lab.send(who)));
  for (const count of [5, 12, 18]) {
    await until(
      () => lab.scalekit.ledger.length >= count,
      (seen) => lab.scalekit.on("execute", seen),
    );
    await lab.server.kill();
    await lab.server.restart();
  }
  await Promise.all(runs.map((run, i) => assertDelivered(lab, run, people[i] ?? "")));
});

async function until(holds: () => boolean, listen: (seen: () => void) => () => void): Promise<void> {
  if (holds()) return;
  await new Promise<void>((resolve) => {
    const stop = listen(() => {
      if (!holds()) return;
      stop();
      resolve();
    });
  });
}
