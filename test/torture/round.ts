/** One round of torture: a world, a crew and a plan; then the faults stop, all runs must end, and the checker reads what is left. */
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { startApp } from "./app.ts";
import { type Checked, check } from "./checker.ts";
import { type Crew, startCrew } from "./crew.ts";
import { FAULTS } from "./faults.ts";
import type { Plan } from "./plan.ts";
import { ledgerOf, openReadBack, type ReadBack, told } from "./read-back.ts";
import type { Loss } from "./recorded.ts";
import { storm, type Stormed } from "./storm.ts";
import { compiled } from "../support/compiled.ts";
import { CAP } from "./surroundings.ts";
import { openWorld, unfinished, type World } from "./world.ts";

export interface RoundOptions {
  readonly plan: Plan;
  readonly workers: number;
  readonly leaseMs: number;
  readonly concurrency: number;
  /** Told now and then how far it is. */
  readonly onProgress: (line: string) => void;
}

export interface Round extends Checked, Pick<Stormed, "injected"> {
  /** What broke outside any run. */
  readonly surprises: readonly string[];
  /** The journals of the runs that broke something. */
  readonly journals: readonly string[];
  /** Where the workers' log is, if anything is wrong. */
  readonly log?: string;
  readonly seconds: { readonly storm: number; readonly drain: number };
  readonly redisLosses: readonly Loss[];
}

const WORKER = new URL("worker.ts", import.meta.url);
/** With all faults over, some run must end within this time: more than any wait that the product makes by itself. */
const NOTHING_ENDS_MS = 90_000;

export async function playRound({ plan, workers, leaseMs, concurrency, onProgress }: RoundOptions): Promise<Round> {
  const dir = mkdtempSync(join(tmpdir(), "errand-torture-"));
  const log = openSync(join(dir, "workers.log"), "a");
  const world = await openWorld({ identifiers: plan.identifiers, leaseMs, concurrency });
  const crew = startCrew(await compiled(WORKER), world.surroundings, workers, log);
  const reads = openReadBack(world);
  let isClean = false;
  try {
    const round = await play(plan, world, crew, reads, onProgress);
    isClean = round.problems.length + round.surprises.length === 0;
    return isClean ? round : { ...round, log: join(dir, "workers.log") };
  } finally {
    await crew.close();
    await world.close();
    closeSync(log);
    if (isClean) rmSync(dir, { recursive: true });
  }
}

async function play(
  plan: Plan,
  world: World,
  crew: Crew,
  reads: ReadBack,
  onProgress: RoundOptions["onProgress"],
): Promise<Round> {
  const { identifiers } = plan;
  await crew.ready();
  const app = startApp(world);
  const redisLosses: Loss[] = [];
  const scene = { world, crew, identifiers, onLoss: (loss: Loss) => void redisLosses.push(loss) };
  const started = performance.now();
  const stormed = await storm({
    plan,
    enqueue: (run) => app.enqueue(run),
    inject: (fault) => FAULTS[fault.kind](scene, fault),
    backlog: () => unfinished(world),
    onPause: async (injected, enqueued) => {
      onProgress(`${injected} of ${plan.faults.length} faults, ${enqueued} of ${plan.runs.length} runs enqueued`);
      await reads.snapshot();
    },
  });
  const calm = performance.now();
  world.scalekit.faults.clear();
  const stuck = await drained(world, onProgress);
  // What never ends is never told.
  if (!stuck) await app.settled();
  await crew.stop();
  const drainedAt = performance.now();

  const runs = await reads.all();
  const recorded = {
    enqueues: app.enqueues,
    runs,
    ledger: ledgerOf(world),
    snapshots: reads.snapshots,
    results: app.results,
    losses: redisLosses,
    leftovers: stuck ? [] : await reads.leftovers(),
    cap: CAP,
    app: `${hostname()}:${process.pid}`,
  };
  const { problems, counts } = check(recorded);
  const broken = new Set(problems.map(({ run }) => run));
  return {
    problems,
    counts: {
      ...counts,
      ...grouped("app", app.counts),
      ...grouped("workers", crew.counts),
      "app: repliesLost": world.enqueues.lost,
    },
    injected: stormed.injected,
    surprises: [...stormed.failed, ...app.surprises, ...crew.surprises],
    journals: runs.filter(({ id }) => broken.has(id)).map(told),
    seconds: { storm: (calm - started) / 1_000, drain: (drainedAt - calm) / 1_000 },
    redisLosses,
  };
}

function grouped(group: string, counts: object): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${group}: ${name}`, Number(count)]));
}

/** Waits as long as anything moves. Answers whether some run is stuck. */
async function drained(world: World, onProgress: RoundOptions["onProgress"]): Promise<boolean> {
  let [left, since] = [Infinity, performance.now()];
  for (;;) {
    const now = await unfinished(world);
    if (now === 0) return false;
    if (now < left) [left, since] = [now, performance.now()];
    if (performance.now() - since > NOTHING_ENDS_MS) return true;
    onProgress(`all faults are over; ${now} runs have not ended`);
    await after(100);
  }
}
