/** A worker dies at every boundary of a run, in every way; another finishes the run, and nothing is done twice that must not be. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { redisUrl } from "../support/store.ts";
import { die, dieTwice, type Outcome, sleepOver, throwUp, wakeAmid } from "./deaths.ts";
import { openLab } from "./lab.ts";
import { AMID, COUNTS, POINTS, TWICE } from "./story.ts";
import { assertNone } from "./verdict.ts";

test("a worker dies at any boundary", { concurrency: true }, async (t: TestContext) => {
  const lab = await openLab(redisUrl(), { onLeave: (work) => t.after(work) });
  // All of them before the first disaster: their start takes all there is of the machine.
  const [survivor, killed, exited, throwing, zombie, first, second, other, owner] = await lab.startWorkers(9);
  const cases: readonly (readonly [string, () => Promise<Outcome>])[] = [
    ["kill -9", () => die("kill", lab, POINTS, killed, survivor)],
    ["exit", () => die("exit", lab, POINTS, exited, survivor)],
    ["a port that throws", () => throwUp(lab, POINTS, throwing)],
    ["a sleep beyond the lease", () => sleepOver(lab, POINTS, zombie, survivor)],
    ["awake again while another worker has the run", () => wakeAmid(lab, AMID, other, owner)],
    ["kill -9, twice in a row", () => dieTwice(lab, TWICE, [first, second], survivor)],
  ];
  await Promise.all(
    cases.map(([name, work]) =>
      t.test(name, async (t1) => {
        const { runs, deaths, problems } = await work();
        t1.diagnostic(`${runs} runs, ${deaths} deaths`);
        assertNone(problems);
      }),
    ),
  );
});

test("the points are all that there are: an undisturbed run calls each port as often as the matrix says", async (t) => {
  const lab = await openLab(redisUrl(), { onLeave: (work) => t.after(work) });
  const [worker] = await lab.startWorkers(1);
  const batch = await lab.batch(["undisturbed"]);
  const [run] = batch.runs;
  assert.ok(run);
  await worker.work({ prefix: batch.prefix, concurrency: 1, holds: [{ run: run.id, identifier: run.identifier }] });
  await batch.reader.ended(run.id, 30_000);
  worker.signal("SIGTERM");
  const { code, counts } = await worker.ended;
  assert.equal(code, 0);
  assert.deepEqual(counts?.[run.id], COUNTS);
});
