/** One disaster: a batch of runs, each at its own point, all in one worker process, and what happens to that process then. */
import { type Batch, type Lab, type LabRun } from "./lab.ts";
import type { Held } from "./orders.ts";
import type { WorkerProcess } from "./process.ts";
import { isInner, nameOf, type Point, waitingPoint } from "./story.ts";
import type { Death, Seen } from "./verdict.ts";

/** A run and the point at which its worker is to be; none: it goes on as it likes. */
export interface Case {
  readonly run: LabRun;
  readonly point?: Point;
}

export interface Gathered {
  /** As the runs stand when all are at their points, by run id: how they will have stood when the worker died. */
  readonly deaths: ReadonlyMap<string, Death>;
  /** Lets the servers go on that hold requests, or those at such points. */
  release(which?: (point: Point) => boolean): void;
}

const ALL_THERE_WITHIN_MS = 60_000;

/**
 * Gives the batch's runs to the worker and waits until each is at its point.
 */
export function gather(batch: Batch, worker: WorkerProcess, cases: readonly Case[]): Promise<Gathered> {
  return batch.inTurn(() => gatherNow(batch, worker, cases));
}

async function gatherNow(batch: Batch, worker: WorkerProcess, cases: readonly Case[]): Promise<Gathered> {
  const holds = cases.map(({ run: { id, identifier }, point }): Held => {
    return { run: id, identifier, ...(point !== undefined && { at: waitingPoint(point) }) };
  });
  await worker.work({ prefix: batch.prefix, concurrency: Math.max(1, cases.length), holds });
  const placed = cases.flatMap(({ run, point }) => (point === undefined ? [] : [{ run, point }]));
  await allThere(
    placed.map(({ run, point }) => ({ name: `${run.name} (${nameOf(point)})`, arrived: worker.held(run.id) })),
    worker,
  );
  const outside = placed.filter(({ point }) => !isInner(point));
  const wires = outside.map(({ run, point }) => ({ name: run.name, point, ...run.holdOnWire(point) }));
  worker.tell({ do: "release", how: "go", runs: outside.map(({ run }) => run.id) });
  await allThere(
    wires.map(({ name, there }) => ({ name, arrived: there })),
    worker,
  );
  const seen = await look(batch, cases);
  const deaths = new Map(Array.from(seen, ([id, one]) => [id, { ...one, worker: worker.name }]));
  return {
    deaths,
    release: (which = () => true) => {
      for (const wire of wires) if (which(wire.point)) wire.release();
    },
  };
}

export async function look(batch: Batch, cases: readonly Case[]): Promise<Map<string, Seen>> {
  const all = await Promise.all(cases.map(async ({ run }) => [run.id, await see(batch, run)] as const));
  return new Map(all);
}

export async function see({ reader }: Batch, run: LabRun): Promise<Seen> {
  const record = await reader.read(run.id);
  return { record, executions: run.executions(), requests: run.requests() };
}

/** All runs have ended. Names those that do not. */
export async function allEnded(batch: Batch, lab: Lab, runs: readonly LabRun[] = batch.runs): Promise<void> {
  const outcomes = await Promise.allSettled(runs.map((run) => batch.reader.ended(run.id, ALL_THERE_WITHIN_MS)));
  const late = runs.filter((_, i) => outcomes[i]?.status === "rejected");
  if (late.length === 0) return;
  const where = await Promise.all(
    late.map(async (run) => {
      const { status, decisions } = await batch.reader.read(run.id);
      return `${run.name}: ${status} after ${decisions.map((d) => d.kind).join(" ")}`;
    }),
  );
  throw new Error(`These runs never ended (${lab.scalekit.ledger.length} calls executed):\n${where.join("\n")}`);
}

async function allThere(
  expected: readonly { readonly name: string; readonly arrived: Promise<unknown> }[],
  worker: WorkerProcess,
): Promise<void> {
  const missing = new Set(expected.map(({ name }) => name));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new Error(`Not at their points: ${[...missing].join(", ")}. Log: ${worker.log.slice(-10).join("\n")}`)),
      ALL_THERE_WITHIN_MS,
    );
  });
  try {
    await Promise.race([
      late,
      Promise.all(expected.map(({ name, arrived }) => arrived.then(() => missing.delete(name)))),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
