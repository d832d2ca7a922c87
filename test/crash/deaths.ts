/** The ways in which workers die, each as one batch from the first claim to the verdict on every run. */
import { allEnded, type Case, gather, look } from "./disaster.ts";
import type { Batch, Lab } from "./lab.ts";
import type { WorkerProcess } from "./process.ts";
import { CALLS, isInner, isLookedAfter, nameOf, type Point, pointOf } from "./story.ts";
import { type Death, type Seen, type Told, verdict } from "./verdict.ts";

export interface Outcome {
  readonly runs: number;
  /** Runs whose worker died. */
  readonly deaths: number;
  readonly problems: readonly string[];
}

/** `kill`: SIGKILL. `exit`: process.exit(1). Another process takes over. */
export async function die(
  how: "kill" | "exit",
  lab: Lab,
  points: readonly Point[],
  victim: WorkerProcess,
  survivor: WorkerProcess,
): Promise<Outcome> {
  const batch = await lab.batch(points.map((point) => `${how} at ${nameOf(point)}`));
  const cases = casesOf(batch, points);
  const gathered = await gather(batch, victim, cases);
  await end(how, victim);
  gathered.release(isLookedAfter);
  await takeOver(batch, survivor);
  await allEnded(batch, lab);
  // Only now do the servers execute what else the dead worker had asked for.
  gathered.release();
  return judge(batch, cases, [gathered.deaths]);
}

/** Two workers in a row: the second one on its way to where the first one died. */
export async function dieTwice(
  lab: Lab,
  pairs: readonly (readonly [Point, Point])[],
  victims: readonly [WorkerProcess, WorkerProcess],
  survivor: WorkerProcess,
): Promise<Outcome> {
  const batch = await lab.batch(pairs.map(([first, second]) => `kill at ${nameOf(first)}, then at ${nameOf(second)}`));
  const firstCases = casesOf(
    batch,
    pairs.map(([first]) => first),
  );
  const first = await gather(batch, victims[0], firstCases);
  await end("kill", victims[0]);
  first.release();
  const secondCases = casesOf(
    batch,
    pairs.map(([, second]) => second),
  );
  const second = await gather(batch, victims[1], secondCases);
  await end("kill", victims[1]);
  second.release();
  await takeOver(batch, survivor);
  await allEnded(batch, lab);
  return judge(batch, firstCases, [first.deaths, second.deaths]);
}

/** A port throws, as the store does when it cannot be reached. The same worker goes on. */
export async function throwUp(lab: Lab, points: readonly Point[], worker: WorkerProcess): Promise<Outcome> {
  const inside = points.filter(isInner);
  const batch = await lab.batch(inside.map((point) => `throw at ${nameOf(point)}`));
  const cases = casesOf(batch, inside);
  const gathered = await gather(batch, worker, cases);
  worker.tell({ do: "release", how: "throw" });
  await allEnded(batch, lab);
  return judge(batch, cases, [gathered.deaths]);
}

/**
 * SIGSTOP until others have finished all runs, then SIGCONT: the zombie goes on where it was, and must change nothing. Then it stops in
 * good order, which shows that it has done all it wanted to do.
 */
export async function sleepOver(
  lab: Lab,
  points: readonly Point[],
  zombie: WorkerProcess,
  survivor: WorkerProcess,
): Promise<Outcome> {
  const batch = await lab.batch(points.map((point) => `sleep at ${nameOf(point)}`));
  const cases = casesOf(batch, points);
  const gathered = await gather(batch, zombie, cases);
  zombie.tell({ do: "sleep" });
  gathered.release(isLookedAfter);
  await takeOver(batch, survivor);
  await allEnded(batch, lab);
  const before = await look(batch, cases);
  zombie.signal("SIGTERM");
  zombie.signal("SIGCONT");
  gathered.release();
  const ended = await zombie.ended;
  const outcome = await judge(batch, cases, [gathered.deaths], (point) =>
    isModelCheck(point) ? { requests: 1, intents: 0 } : undefined,
  );
  const after = await look(batch, cases);
  return {
    ...outcome,
    problems: [
      ...outcome.problems,
      ...(ended.code === 0 ? [] : [`the zombie ended with ${ended.code ?? ended.signal}`]),
      ...cases.flatMap(({ run, point }) =>
        changes(before.get(run.id), after.get(run.id), point).map((change) => `${run.name}: the zombie ${change}`),
      ),
    ],
  };
}

/**
 * SIGSTOP, and awake again while another worker has the run: nothing but the fence and the lease keeps the zombie off. What it brings
 * is accepted: of an unsafe call that was sent, the model is told the result.
 */
export async function wakeAmid(
  lab: Lab,
  points: readonly Point[],
  zombie: WorkerProcess,
  owner: WorkerProcess,
): Promise<Outcome> {
  const batch = await lab.batch(points.map((point) => `awake amid, from ${nameOf(point)}`));
  const cases = casesOf(batch, points);
  const { deaths } = await gather(batch, zombie, cases);
  zombie.tell({ do: "sleep" });
  const claimed = batch.runs.map((run) => ({ run, point: pointOf("claim:1:after") }));
  await gather(batch, owner, claimed);
  const before = await look(batch, cases);
  zombie.signal("SIGTERM");
  zombie.signal("SIGCONT");
  const { code, signal } = await zombie.ended;
  const after = await look(batch, cases);
  owner.tell({ do: "release", how: "go" });
  await allEnded(batch, lab);
  const outcome = await judge(batch, cases, [deaths], spareOf);
  const changed = cases.flatMap(({ run, point }) =>
    changes(before.get(run.id), after.get(run.id), point).map((change) => `${run.name}: the zombie ${change}`),
  );
  const stopped = code === 0 ? [] : [`the zombie ended with ${code ?? signal}`];
  return { ...outcome, problems: [...outcome.problems, ...changed, ...stopped] };
}

function spareOf(point: Point | undefined): Told["spare"] {
  return isModelCheck(point) ? { requests: 1, intents: 0 } : undefined;
}

/** Awake again between the check of the lease and the first byte: in the product nothing is awaited there, and an answer is harmless. */
function isModelCheck(point: Point | undefined): boolean {
  return point?.op === "model" && point.when === "before";
}

function changes(before: Seen | undefined, after: Seen | undefined, point: Point | undefined): string[] {
  const written = (after?.record.decisions.length ?? 0) - (before?.record.decisions.length ?? 0);
  const asked = (after?.requests.length ?? 0) - (before?.requests.length ?? 0);
  const executed = (after?.executions.length ?? 0) - (before?.executions.length ?? 0);
  // What a server was asked for before the sleep, it may execute whenever it likes. And a read may still be sent: its run needs no longer
  // to recover than a send has time, while all other calls are waited for until no send is possible any more.
  const isRead = CALLS[(point?.nth ?? 0) - 1]?.effect === "read";
  const late = point?.op === "send" && (point.when === "asked" || (point.when === "before" && isRead)) ? 1 : 0;
  return [
    ...(written === 0 ? [] : [`wrote ${written} decisions`]),
    ...(asked <= (isModelCheck(point) ? 1 : 0) ? [] : [`asked the model ${asked} times`]),
    ...(executed <= late ? [] : [`had ${executed} calls executed`]),
  ];
}

export function casesOf(batch: Batch, points: readonly Point[]): readonly (Case & { readonly point: Point })[] {
  return batch.runs.flatMap((run, i) => {
    const point = points[i];
    return point === undefined ? [] : [{ run, point }];
  });
}

export async function end(how: "kill" | "exit", victim: WorkerProcess): Promise<void> {
  if (how === "kill") victim.signal("SIGKILL");
  else victim.tell({ do: "exit", code: 1 });
  await victim.ended;
}

/** Few at once: a run that waits holds no lease, and a worker that has too much to do for its lease loses it. */
const TAKEN_OVER_AT_ONCE = 8;

export async function takeOver({ prefix }: Batch, survivor: WorkerProcess): Promise<void> {
  await survivor.work({ prefix, concurrency: TAKEN_OVER_AT_ONCE, holds: [] });
}

export async function judge(
  batch: Batch,
  cases: readonly Case[],
  deaths: readonly ReadonlyMap<string, Death>[],
  spare?: (point: Point | undefined) => Told["spare"],
): Promise<Outcome> {
  const final = await look(batch, cases);
  const problems = cases.flatMap(({ run, point }) => {
    const last = final.get(run.id);
    if (last === undefined) return [`${run.name}: not seen`];
    const spared = spare?.(point);
    const died = deaths.flatMap((death) => death.get(run.id) ?? []);
    return verdict({ run, deaths: died, end: last, ...(spared !== undefined && { spare: spared }) });
  });
  return { runs: cases.length, deaths: cases.length * deaths.length, problems };
}
