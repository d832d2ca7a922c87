/** Workers that stop in good order, tickets that come twice or are gone, and a run that kills all who take it. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Queue, QueueEvents } from "bullmq";
import { bullPrefix } from "../../src/queue/tickets.ts";
import { redisUrl } from "../support/store.ts";
import { casesOf, end, judge, type Outcome, takeOver } from "./deaths.ts";
import { allEnded, gather, look, see } from "./disaster.ts";
import { type Batch, type Lab, openLab } from "./lab.ts";
import type { WorkerProcess } from "./process.ts";
import { CRASHES, nameOf, pointOf, storyAgent } from "./story.ts";
import { assertNone, verdict } from "./verdict.ts";

test("stopping, lost tickets and poison", { concurrency: true }, async (t: TestContext) => {
  const lab = await openLab(redisUrl(), { onLeave: (work) => t.after(work) });
  const [survivor, drained, impatient, holding, ...victims] = await lab.startWorkers(7);
  const cases: readonly (readonly [string, () => Promise<Outcome>])[] = [
    ["SIGTERM: runs under way are handed back, and no more are taken", () => drain(lab, drained, survivor)],
    ["SIGTERM, and steps that do not end: given up in time, and no crash", () => giveUp(lab, impatient, survivor)],
    ["tickets that are there many times, for two workers", () => duplicate(lab, holding, survivor)],
    ["tickets that are taken away", () => remove(lab, holding, survivor)],
    ["a run that kills its workers ends, others do not suffer", () => poison(lab, victims, survivor)],
  ];
  await Promise.all(
    cases.map(([name, work]) =>
      t.test(name, async (t1) => {
        const { runs, problems } = await work();
        t1.diagnostic(`${runs} runs`);
        assertNone(problems);
      }),
    ),
  );
});

async function drain(lab: Lab, worker: WorkerProcess, survivor: WorkerProcess): Promise<Outcome> {
  const points = [
    "claim:1:after",
    "look:1:before",
    "model:2:after",
    "send:2:before",
    "send:4:after",
    "evidence:5:before",
  ];
  const batch = await batchAt(lab, points);
  const cases = casesOf(batch, points.map(pointOf));
  await gather(batch, worker, cases);
  const waiting = await batch.add(Array.from({ length: 6 }, (_, i) => `waiting ${i}`));
  await worker.terminate();
  letGo(worker, batch);
  const problems = await stoppedWell(batch, worker);
  for (const run of waiting) {
    const { record } = await see(batch, run);
    if (record.decisions.length > 1) problems.push(`${run.name} was taken by a worker that was told to stop`);
  }
  await takeOver(batch, survivor);
  await allEnded(batch, lab);
  return plus(await judge(batch, [...cases, ...waiting.map((run) => ({ run }))], []), problems);
}

/** A model and tools that do not answer in time. A read is made again, an unsafe call is unknown. */
async function giveUp(lab: Lab, worker: WorkerProcess, survivor: WorkerProcess): Promise<Outcome> {
  const points = ["model:1:asked", "model:4:asked", "send:1:asked", "send:4:done", "send:5:asked"];
  const batch = await batchAt(lab, points);
  const cases = casesOf(batch, points.map(pointOf));
  worker.tell({ do: "patience", ms: 200 });
  const gathered = await gather(batch, worker, cases);
  await worker.terminate();
  const problems = await stoppedWell(batch, worker);
  const seen = await look(batch, cases);
  await takeOver(batch, survivor);
  await allEnded(batch, lab);
  gathered.release();
  const final = await look(batch, cases);
  for (const { run } of cases) {
    const last = final.get(run.id);
    const before = seen.get(run.id);
    if (last === undefined || before === undefined) continue;
    // The requests that were given up are counted as what a death costs; the worker's name says that it was none.
    problems.push(...verdict({ run, deaths: [{ ...before, worker: "nobody" }], end: last }));
  }
  return { runs: cases.length, deaths: 0, problems };
}

/** Ended by itself with 0, and every run that it had was handed back: its next lease is no crash. */
async function stoppedWell(batch: Batch, worker: WorkerProcess): Promise<string[]> {
  const { code, signal } = await worker.ended;
  const problems = code === 0 ? [] : [`the worker ended with ${code ?? signal}`];
  for (const run of batch.runs) {
    const { record } = await see(batch, run);
    const kinds = record.decisions.map((d) => d.kind);
    if (kinds.includes("leased") && kinds.at(-1) !== "yielded")
      problems.push(`${run.name} was not handed back: ${kinds.join(" ")}`);
  }
  return problems;
}

async function duplicate(lab: Lab, worker: WorkerProcess, other: WorkerProcess): Promise<Outcome> {
  const points = ["look:1:before", "model:3:after", "send:4:before", "send:4:after", "commit:8:after"];
  const batch = await batchAt(lab, points);
  const cases = casesOf(batch, points.map(pointOf));
  const { queue, events } = await openQueue(batch, lab);
  const tickets = await queue.getJobs(["waiting", "prioritized"]);
  await gather(batch, worker, cases);
  let sentBack = 0;
  const allSentBack = new Promise<void>((resolve) => {
    events.on("delayed", () => {
      if (++sentBack === 3 * tickets.length) resolve();
    });
  });
  for (const ticket of tickets)
    for (let i = 0; i < 3; i++)
      await queue.add(ticket.name, ticket.data, { ...ticket.opts, jobId: `${ticket.id}-${i}` });
  await takeOver(batch, other);
  await allSentBack;
  letGo(worker, batch);
  await allEnded(batch, lab);
  const problems = tickets.length === points.length ? [] : [`${tickets.length} tickets for ${points.length} runs`];
  return plus(await judge(batch, cases, []), problems);
}

/** `queue.obliterate` while runs are under way and waiting: BullMQ forgets everything, and nothing happens but a delay. */
async function remove(lab: Lab, worker: WorkerProcess, other: WorkerProcess): Promise<Outcome> {
  const points = ["look:1:before", "model:3:after", "send:4:before", "commit:8:after"];
  const batch = await batchAt(lab, points);
  const cases = casesOf(batch, points.map(pointOf));
  const { queue } = await openQueue(batch, lab);
  await gather(batch, worker, cases);
  const waiting = await batch.add(["waiting 0", "waiting 1", "waiting 2"]);
  await queue.obliterate({ force: true });
  letGo(worker, batch);
  await takeOver(batch, other);
  const late = await batch.add(["drained 0", "drained 1"]);
  await queue.drain(true);
  await allEnded(batch, lab);
  // Without its lock the worker gives up what it has under way, which may be any step, and hands the run back: no crash.
  const spare = { requests: 1, intents: 1 };
  const outcome = await judge(batch, cases, [], () => spare);
  const others = await judge(
    batch,
    [...waiting, ...late].map((run) => ({ run })),
    [],
  );
  return { ...plus(outcome, others.problems), runs: batch.runs.length };
}

async function poison(lab: Lab, victims: readonly WorkerProcess[], survivor: WorkerProcess): Promise<Outcome> {
  const batch = await lab.batch(["poison", "neighbour"]);
  const [bad, good] = batch.runs;
  assert.ok(bad && good && victims.length === CRASHES);
  const deaths = [];
  for (const [i, victim] of victims.entries()) {
    // The neighbour has got further each time when its worker is taken from it.
    const points = [
      pointOf("model:1:before"),
      pointOf(["send:1:after", "model:1:after", "evidence:1:before"][i] ?? ""),
    ];
    deaths.push((await gather(batch, victim, casesOf(batch, points))).deaths);
    await end("kill", victim);
  }
  await takeOver(batch, survivor);
  await allEnded(batch, lab);
  const { record, requests } = await see(batch, bad);
  const { ended } = record.state;
  const problems = ended?.status === "failed" && ended.code === "crashed" ? [] : [`poison: ${JSON.stringify(ended)}`];
  const leases = record.decisions.filter((d) => d.kind === "leased").length;
  if (leases !== CRASHES + 1) problems.push(`poison was taken ${leases} times`);
  if (requests.length > 0) problems.push(`poison asked the model ${requests.length} times`);
  const outcome = await judge({ ...batch, runs: [good] }, [{ run: good }], deaths);
  return plus(outcome, problems);
}

function letGo(worker: WorkerProcess, { runs }: Batch): void {
  worker.tell({ do: "release", how: "go", runs: runs.map(({ id }) => id) });
}

function batchAt(lab: Lab, points: readonly string[]): Promise<Batch> {
  return lab.batch(points.map((point) => nameOf(pointOf(point))));
}

async function openQueue({ store }: Batch, lab: Lab): Promise<{ queue: Queue; events: QueueEvents }> {
  const options = { connection: { url: redisUrl() }, prefix: bullPrefix(store.prefix) };
  const queue = new Queue(storyAgent.queue, options);
  const events = new QueueEvents(storyAgent.queue, options);
  lab.onLeave(async () => {
    await events.close();
    await queue.close();
  });
  await events.waitUntilReady();
  return { queue, events };
}

function plus(outcome: Outcome, problems: readonly string[]): Outcome {
  return { ...outcome, problems: [...outcome.problems, ...problems] };
}
