/**
 * `npm run bench:schedules -- [--schedules N] [--storm N] [--bullmq N]`: what many schedules of one agent cost. Upserts a second, Redis
 * bytes each, how late ticks are that are spread over 20 s, how many a second when all are due at once, and what one BullMQ job scheduler
 * for each would cost instead. On a Redis of its own; the last line is JSON.
 */
import { parseArgs } from "node:util";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { z } from "zod";
import { agent, createErrand, type Errand } from "../../src/index.ts";
import { startRedis } from "../../src/testing/index.ts";

const { values } = parseArgs({
  options: {
    schedules: { type: "string", default: "10000" },
    storm: { type: "string", default: "2000" },
    bullmq: { type: "string", default: "2000" },
  },
});
const [schedules, storm, bullmq] = [Number(values.schedules), Number(values.storm), Number(values.bullmq)];
const SPREAD_MS = 20_000;
const digest = agent({
  name: "inbox-digest",
  model: "openai/none",
  instructions: "Digest.",
  input: z.object({ since: z.number(), until: z.number() }),
});

const window = (tick: { since: number; until: number }): { since: number; until: number } => ({
  since: tick.since,
  until: tick.until,
});

const own = await startRedis();
const redis = new Redis(own.url);
const errand = createErrand({ redis: own.url, agents: [digest] });
const figures: Record<string, number> = { schedules, storm, bullmq };
try {
  await upserts(errand);
  await aScheduler();
  await spread(errand);
  await atOnce(errand);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await errand.close();
  redis.disconnect();
  await own.stop();
}

function tell(name: string, value: number): void {
  figures[name] = Math.round(value * 10) / 10;
  process.stdout.write(`${name}: ${figures[name]}\n`);
}

async function bytes(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}

async function upserts({ schedules: all }: Errand): Promise<void> {
  function* users() {
    for (let i = 0; i < schedules; i++)
      yield {
        id: `digest/user_${i}`,
        identifier: `user_${i}`,
        cron: "0 8 * * *",
        timezone: "Europe/Berlin",
        jitter: 600_000,
        input: window,
      };
  }
  const before = await bytes();
  tell("upserts_per_second", schedules / (await took(() => all.upsertMany(digest, users()))));
  tell("bytes_per_schedule", ((await bytes()) - before) / schedules);
  tell("unchanged_per_second", schedules / (await took(() => all.upsertMany(digest, users()))));
}

/** The same number of facts, each as a job scheduler of BullMQ: the other way to build it. */
async function aScheduler(): Promise<void> {
  const queue = new Queue("each", { connection: redis });
  const before = await bytes();
  const ids = Array.from({ length: bullmq }, (_, i) => `digest/user_${i}`);
  const seconds = await took(async () => {
    for (let i = 0; i < ids.length; i += 500)
      await Promise.all(
        ids
          .slice(i, i + 500)
          .map((id) =>
            queue.upsertJobScheduler(
              id,
              { pattern: "0 8 * * *", tz: "Europe/Berlin" },
              { name: "tick", data: { identifier: id } },
            ),
          ),
      );
  });
  tell("bullmq_upserts_per_second", bullmq / seconds);
  tell("bullmq_bytes_per_scheduler", ((await bytes()) - before) / bullmq);
  await queue.obliterate({ force: true });
  await queue.close();
}

/** Each at a millisecond of its own. */
async function spread(one: Errand): Promise<void> {
  const start = Date.now() + 15_000;
  const lateness = await fire(one, "spread", (i) => start + Math.floor((i * SPREAD_MS) / storm));
  const at = (share: number): number =>
    lateness[Math.min(lateness.length - 1, Math.floor(lateness.length * share))] ?? NaN;
  tell("tick_late_p50_ms", at(0.5));
  tell("tick_late_p99_ms", at(0.99));
}

async function atOnce(one: Errand): Promise<void> {
  const start = Date.now() + 15_000;
  const lateness = await fire(one, "storm", () => start);
  tell("ticks_per_second_at_once", storm / ((lateness.at(-1) ?? NaN) / 1_000));
}

/** @returns by how many ms each run was created later than its time, ascending */
async function fire(one: Errand, name: string, at: (i: number) => number): Promise<number[]> {
  function* all() {
    for (let i = 0; i < storm; i++)
      yield { id: `${name}/${i}`, identifier: `${name}_${i}`, every: 3_600_000, startAt: at(i), input: window };
  }
  await one.schedules.upsertMany(digest, all());
  const worker = one.worker({ queues: [], wake: false });
  const counted = async (): Promise<number> => redis.zcard("{errand:0}:runs:agent:inbox-digest");
  const before = await counted();
  while ((await counted()) < before + storm) await new Promise((resolve) => setTimeout(resolve, 100));
  await worker.close();
  const late: number[] = [];
  for (const run of await redis.zrange("{errand:0}:runs:agent:inbox-digest", String(before), "-1")) {
    const [created, first] = [
      await redis.hget(`{errand:0}:run:${run}`, "created"),
      await redis.lindex(`{errand:0}:run:${run}:j`, 0),
    ];
    const { tick } = JSON.parse((first ?? "").slice((first ?? "").indexOf("\n"))) as {
      readonly tick: { readonly nominal: number };
    };
    late.push(Number(created) - tick.nominal);
  }
  return late.sort((a, b) => a - b);
}
