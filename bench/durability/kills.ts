/**
 * Real worker processes, killed with SIGKILL while they wait for a model or a tool: how long until another one has claimed their
 * runs, and until it has done its first step with them. A survivor of one kill is the victim of the next.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as after } from "node:timers/promises";
import { createErrand, type Errand, type RunHandle } from "../../src/index.ts";
import { removeKeys } from "../../src/testing/index.ts";
import { type Child, startChild } from "../floor/child.ts";
import { median, quantile } from "../floor/figures.ts";
import { deskAgent, person } from "../floor/scene.ts";
import type { Stage } from "../floor/stage.ts";

export interface Recovery {
  readonly leaseMs: number;
  /** Runs that were in the hands of a killed worker. */
  readonly runs: number;
  /** ms from the kill to the next worker's claim, and from there to the first thing that it writes down. */
  readonly claimed: Spread;
  readonly firstStep: Spread;
  /** The median claim by the lease. */
  readonly byLease: number;
}

interface Spread {
  readonly p50: number;
  readonly p95: number;
}

interface Kills {
  readonly leaseMs: number;
  readonly kills: number;
  /** In the victim's hands at each kill. */
  readonly runs: number;
}

type Phase = "model" | "scalekit";

export async function recoveries(stage: Stage, { leaseMs, kills, runs }: Kills): Promise<Recovery> {
  const options = { ...stage.options, prefix: `bench-${randomUUID().slice(0, 8)}`, leaseMs };
  const errand = createErrand({ ...options, agents: [deskAgent] });
  const worker = async (): Promise<Child> => {
    const child = startChild("./worker-ours.ts");
    await child.order("start", { options, concurrency: 2 * runs });
    return child;
  };
  await stage.model.order("calls", 1);
  let alive = await worker();
  const [claimed, firstStep]: [number[], number[]] = [[], []];
  try {
    for (let kill = 0; kill < kills; kill++) {
      const phase: Phase = kill % 2 === 0 ? "model" : "scalekit";
      const held = await holdRuns(stage, errand, phase, { runs, leaseMs });
      const next = await worker();
      const at = await redisNow(stage);
      await alive.kill();
      alive = next;
      await stage[phase].order("release");
      for (const run of held) {
        await run.result({ timeoutMs: 20 * leaseMs });
        const [claim, step] = await momentsAfter(run, at);
        claimed.push(claim - at);
        firstStep.push(step - claim);
      }
    }
  } finally {
    await alive.stop();
    await errand.close();
    await removeKeys(stage.url, options.prefix);
  }
  const spread = (numbers: readonly number[]): Spread => ({ p50: median(numbers), p95: quantile(numbers, 0.95) });
  const byLease = median(claimed) / leaseMs;
  return { leaseMs, runs: claimed.length, claimed: spread(claimed), firstStep: spread(firstStep), byLease };
}

/** They start one after another within a renewal's time, so that the kill meets each at another moment of its lease. */
async function holdRuns(
  stage: Stage,
  errand: Errand,
  phase: Phase,
  { runs, leaseMs }: Omit<Kills, "kills">,
): Promise<RunHandle<string>[]> {
  await stage[phase].order("hold");
  const handles: RunHandle<string>[] = [];
  for (let i = 0; i < runs; i++) {
    handles.push(await errand.enqueue(deskAgent, { identifier: person(i), input: { query: "is:open" } }));
    await after(leaseMs / 3 / runs);
  }
  while ((await stage[phase].order<number>("held")) < runs) await after(5);
  return handles;
}

/** Both by Redis' clock: the first claim after `at`, and what follows it. */
async function momentsAfter(run: RunHandle<string>, at: number): Promise<readonly [number, number]> {
  let claim: number | undefined;
  for await (const event of run.events({ follow: false })) {
    if (event.at < at) continue;
    if (claim !== undefined) return [claim, event.at];
    if (event.type === "run.started") claim = event.at;
  }
  throw new Error(`run ${run.id} was not claimed by another worker`);
}

async function redisNow({ redis }: Stage): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1_000 + Number(micros) / 1_000;
}
