/**
 * `npm run bench:floor`: Errand's loop against a plain BullMQ job that does the same four turns without any checkpoint, in turns, so
 * that a noisy machine disturbs both; ratios are of one round, and the median of the rounds counts. What it found: docs/figures.md.
 *
 * ours   an Errand worker with its defaults
 * floor  a plain job: account look and tool list through the same clients, then the same loop (see worker-floor.ts)
 * bare   the same job without account look and tool list; with `--bare`
 */
import { parseArgs } from "node:util";
import { median, rounded, short, table } from "./figures.ts";
import { type Commands, countCommands, weigh } from "./redis-cost.ts";
import { aloneRound, type Busy, busyRound } from "./rounds.ts";
import { openStage, type Side, type Stage } from "./stage.ts";

interface Rounds {
  readonly busy: readonly Busy[];
  /** ms; of runs that are alone. */
  readonly alone: readonly number[];
}
type Seen = ReadonlyMap<Side, Rounds>;

const { values } = parseArgs({
  options: {
    /** Rounds, and runs of one side in one of them. */
    rounds: { type: "string", default: "5" },
    runs: { type: "string", default: "100" },
    /** Runs one after another, in each round. */
    alone: { type: "string", default: "10" },
    concurrency: { type: "string", default: "100" },
    /** ms that the model takes. */
    latency: { type: "string", multiple: true, default: ["0", "50"] },
    bare: { type: "boolean", default: false },
    /** Runs in each state while Redis is weighed; 0 leaves it out. */
    kept: { type: "string", default: "100" },
    /** A folder for a CPU profile of each process. */
    profile: { type: "string" },
  },
});
const [rounds, runs, alone, concurrency, kept] = [
  values.rounds,
  values.runs,
  values.alone,
  values.concurrency,
  values.kept,
].map(Number) as [number, number, number, number, number];
const sides: readonly Side[] = values.bare ? ["ours", "floor", "bare"] : ["ours", "floor"];

async function measure(stage: Stage, latencyMs: number): Promise<Seen> {
  await stage.model.order("latency", latencyMs);
  const seen = new Map(sides.map((side) => [side, { busy: [] as Busy[], alone: [] as number[] }]));
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      seen.get(side)?.busy.push(await busyRound(stage, side, runs));
      if (latencyMs === 0) seen.get(side)?.alone.push(median(await aloneRound(stage, side, alone)));
    }
    await stage.scalekit.order("forget");
  }
  return seen;
}

/** Median over the rounds of: ours by the other's. */
function ratio(seen: Seen, to: Side, of: (busy: Busy) => number): number {
  const [ours, other] = [seen.get("ours")?.busy ?? [], seen.get(to)?.busy ?? []];
  return median(ours.map((busy, i) => of(busy) / of(other[i] ?? busy)));
}

function summary(seen: Seen): object {
  const others = sides.filter((side) => side !== "ours");
  const of = (what: (rounds: Rounds) => number) =>
    Object.fromEntries(Array.from(seen, ([side, found]) => [side, rounded(what(found))]));
  return {
    throughputRatio: Object.fromEntries(others.map((to) => [to, rounded(ratio(seen, to, (b) => b.runsPerSecond))])),
    workerCpuRatio: Object.fromEntries(others.map((to) => [to, rounded(ratio(seen, to, (b) => b.workerCpuMs))])),
    runsPerSecond: of(({ busy }) => median(busy.map((b) => b.runsPerSecond))),
    workerCpuMs: of(({ busy }) => median(busy.map((b) => b.workerCpuMs))),
    redisCpuMs: of(({ busy }) => median(busy.map((b) => b.redisCpuMs))),
    ...(seen.get("ours")?.alone.length && { aloneMs: of((found) => median(found.alone)) }),
  };
}

function show(latencyMs: number, seen: Seen): void {
  const row = (side: Side, { busy, alone: times }: Rounds): string[] => [
    side,
    short(median(busy.map((b) => b.runsPerSecond))),
    short(side === "ours" ? NaN : ratio(seen, side, (b) => b.runsPerSecond)),
    short(median(busy.map((b) => b.workerCpuMs))),
    short(median(busy.map((b) => b.redisCpuMs))),
    short(median(times)),
  ];
  const head = [`model ${latencyMs} ms`, "runs/s", "ours/this", "worker CPU ms", "Redis CPU ms", "alone ms"];
  console.log(`\n${table([head, ...Array.from(seen, ([side, found]) => row(side, found))])}`);
}

function showCommands(side: Side, { sent, inScripts }: Commands): void {
  const told = (what: Commands["sent"]): string => `${short(what.ours)} ours, ${short(what.bullmq)} BullMQ's`;
  console.log(`${side}: Redis commands per run: sent ${told(sent)}; inside scripts ${told(inScripts)}`);
}

const started = performance.now();
const stage = await openStage({
  redisUrl: process.env["REDIS_URL"], // oxlint-disable-line node/no-process-env -- a plain script
  concurrency,
  people: Math.max(runs, alone, kept),
});
try {
  for (const side of sides) await busyRound(stage, side, runs);
  for (const side of sides) await aloneRound(stage, side, 5);
  const result: Record<string, object> = {};
  for (const latency of values.latency.map(Number)) {
    const seen = await measure(stage, latency);
    show(latency, seen);
    result[`model${latency}ms`] = summary(seen);
  }
  await stage.model.order("latency", 0);
  if (kept > 0) {
    console.log();
    for (const side of ["ours", "floor"] as const) {
      const commands = await countCommands(stage, side, kept);
      showCommands(side, commands);
      result[`commands ${side}`] = commands;
    }
    await stage.worker("ours").stop();
    const bytes = await weigh(stage, kept);
    const rows = Object.entries(bytes).map(([state, { keys, all }]) => [state, short(keys), short(all)]);
    console.log(`\n${table([["bytes per run", "own keys", "all"], ...rows])}`);
    result["bytes"] = bytes;
  }
  console.log(`\n${short((performance.now() - started) / 1_000)} s`);
  console.log(
    JSON.stringify({ rounds, runs, concurrency, kept, node: process.version, redis: await stage.version(), ...result }),
  );
} finally {
  await stage.close();
}
