/** `--plain`: the same storm over plain BullMQ workers, and the ledger's word on what became of their calls. It promises nothing here. */
import { closeSync, openSync } from "node:fs";
import { setTimeout as after } from "node:timers/promises";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { ROWS } from "./agents.ts";
import { compiled } from "../support/compiled.ts";
import { startCrew } from "./crew.ts";
import { FAULTS } from "./faults.ts";
import { indexed } from "./findings.ts";
import { PLAIN_OPTIONS, PLAIN_QUEUE, plainJob } from "./plain-job.ts";
import { drawPlan, type Kind, type Plan } from "./plan.ts";
import { storm } from "./storm.ts";
import { CONCURRENCY, LEASE_MS, type Tortured, type TortureOptions } from "./torture.ts";
import { type Args, TOOL_EFFECTS } from "./tools.ts";
import { openWorld, type World } from "./world.ts";

/** Its queue is its only store, so nobody deletes it; and no lost accounts, which it has no answer to. */
const KINDS: readonly Kind[] = [
  "kill",
  "pause",
  "terminate",
  "cut",
  "lose-replies",
  "slow",
  "refuse",
  "kill-redis",
  "flush-scripts",
  "lose-tool-reply",
];
const WORKER = new URL("plain-worker.ts", import.meta.url);
const NOTHING_ENDS_MS = 90_000;
const RESEND_AFTER_MS = 100;

export async function torturePlain({ faults, runs, seed, workers, onProgress }: TortureOptions): Promise<Tortured> {
  const plan = drawPlan({ seed, faults, runs, kinds: KINDS });
  const { identifiers } = plan;
  const world = await openWorld({ identifiers, leaseMs: LEASE_MS, concurrency: CONCURRENCY });
  const { redis, prefix } = world.surroundings;
  const log = openSync("/dev/null", "a");
  const crew = startCrew(await compiled(WORKER), world.surroundings, workers, log);
  const connection = new Redis(redis, { maxRetriesPerRequest: 2 });
  connection.on("error", () => undefined);
  const queue = new Queue(PLAIN_QUEUE, { connection, prefix, defaultJobOptions: PLAIN_OPTIONS });
  const direct = new Queue(PLAIN_QUEUE, { connection: world.direct.redis, prefix });
  for (const one of [queue, direct]) one.on("error", () => undefined);
  try {
    await crew.ready();
    const started = performance.now();
    const scene = { world, crew, identifiers, onLoss: () => undefined };
    const { injected } = await storm({
      plan,
      enqueue: (run) => insist(() => queue.add("run", plainJob(run), { jobId: run.key })),
      inject: (fault) => FAULTS[fault.kind](scene, fault),
      backlog: () => unfinished(direct),
      onPause: async (at) => onProgress(`${at} of ${faults} faults`),
    });
    world.scalekit.faults.clear();
    const stuck = await drained(direct, onProgress);
    const seconds = Math.round((performance.now() - started) / 10) / 100;
    const summary = { plain: true, seed, workers, leaseMs: LEASE_MS, injected, seconds, stuck };
    return { ok: true, lines: [], summary: { ...summary, ...(await reckoned(plan, world, direct)) } };
  } finally {
    await crew.close();
    closeSync(log);
    await Promise.all([queue.close(), direct.close()]);
    connection.disconnect();
    await world.close();
  }
}

async function insist(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      return void (await work());
    } catch {
      await after(RESEND_AFTER_MS);
    }
  }
}

async function unfinished(queue: Queue): Promise<number> {
  const counts = await queue.getJobCounts("waiting", "active", "delayed", "prioritized");
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Answers how many jobs are left when nothing moves any more. */
async function drained(queue: Queue, onProgress: TortureOptions["onProgress"]): Promise<number> {
  let [left, since] = [Infinity, performance.now()];
  for (;;) {
    const now = await unfinished(queue);
    if (now < left) [left, since] = [now, performance.now()];
    if (now === 0 || performance.now() - since > NOTHING_ENDS_MS) return now;
    onProgress(`all faults are over; ${now} jobs have not ended`);
    await after(100);
  }
}

/** All jobs were acknowledged. For each effect: its calls, and how often they were executed. */
async function reckoned(plan: Plan, { scalekit }: World, queue: Queue): Promise<Record<string, unknown>> {
  const executions = indexed(scalekit.ledger, ({ input }) => {
    const { of, place } = input as unknown as Args;
    return `${of} ${place}`;
  });
  const ends: Record<string, number> = {};
  const calls: Record<string, { calls: number; executions: number; never: number; once: number; repeated: number }> =
    {};
  for (const { key, agent } of plan.runs) {
    const state = await queue.getJobState(key);
    ends[state] = (ends[state] ?? 0) + 1;
    for (const [turn, tools] of (ROWS.find(({ name }) => name === agent)?.turns ?? []).entries())
      for (const [i, tool] of tools.entries()) {
        const times = executions.get(`${key} t${turn}c${i}`)?.length ?? 0;
        const of = (calls[TOOL_EFFECTS.get(tool) ?? ""] ??= {
          calls: 0,
          executions: 0,
          never: 0,
          once: 0,
          repeated: 0,
        });
        of.calls += 1;
        of.executions += times;
        of[times === 0 ? "never" : times === 1 ? "once" : "repeated"] += 1;
      }
  }
  const { unknown: lost = 0, ...ended } = ends;
  return { acked: plan.runs.length, lost, ...ended, calls };
}
