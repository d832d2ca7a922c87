/** What the guarantee costs a run, and each further tool call: time and Redis commands, against a job without any checkpoint. */
import type { Redis } from "ioredis";
import { median } from "../floor/figures.ts";
import { aloneRound } from "../floor/rounds.ts";
import type { Stage } from "../floor/stage.ts";

export interface Cost {
  readonly ms: number;
  /** All that Redis executed, also inside scripts. */
  readonly commands: number;
  /** Of these, scripts: each is one round trip. */
  readonly scripts: number;
}

export interface Costs {
  /** Medians over the rounds. */
  readonly ours: Cost;
  readonly floor: Cost;
  /** Median over the rounds of ours without the floor's of the same round, and of its time by the floor's. */
  readonly more: Cost;
  readonly msRatio: number;
}

interface Pair {
  readonly ours: Cost;
  readonly floor: Cost;
}

/** Tool calls of the two shapes; what lies between them is the cost of one. */
export const SHAPES = [1, 7] as const;

/** One run after another, each from enqueueing to its result in the hands of who asked for it; the sides take turns. */
export async function costs(
  stage: Stage,
  { rounds, runs }: { readonly rounds: number; readonly runs: number },
): Promise<{ readonly run: Costs; readonly call: Costs }> {
  const [run, call]: [Pair[], Pair[]] = [[], []];
  // The first one warms up.
  for (let round = 0; round <= rounds; round++) {
    const small = await bothSides(stage, SHAPES[0], round === 0 ? 2 : runs, round % 2 === 0);
    const large = await bothSides(stage, SHAPES[1], round === 0 ? 2 : runs, round % 2 === 0);
    await stage.scalekit.order("forget");
    if (round === 0) continue;
    run.push(large);
    const one = (a: number, b: number): number => (a - b) / (SHAPES[1] - SHAPES[0]);
    call.push({ ours: both(large.ours, small.ours, one), floor: both(large.floor, small.floor, one) });
  }
  return { run: summary(run), call: summary(call) };
}

async function bothSides(stage: Stage, calls: number, runs: number, oursFirst: boolean): Promise<Pair> {
  await stage.model.order("calls", calls);
  const early = await oneSide(stage, oursFirst ? "ours" : "floor", runs);
  const late = await oneSide(stage, oursFirst ? "floor" : "ours", runs);
  return oursFirst ? { ours: early, floor: late } : { ours: late, floor: early };
}

async function oneSide(stage: Stage, side: "ours" | "floor", runs: number): Promise<Cost> {
  const before = await countCommands(stage.redis);
  const took = await aloneRound(stage, side, runs);
  const after = await countCommands(stage.redis);
  return {
    ms: median(took),
    commands: (after.commands - before.commands) / runs,
    scripts: (after.scripts - before.scripts) / runs,
  };
}

/** So far. A client's greeting and our own looks are nobody's cost. */
async function countCommands(redis: Redis): Promise<Omit<Cost, "ms">> {
  const nobodys = ["info", "client", "hello", "ping"];
  const lines = (await redis.info("commandstats")).matchAll(/^cmdstat_([^:|]+)[^:]*:calls=(\d+)/gm);
  const counts = { commands: 0, scripts: 0 };
  for (const [, name = "", calls] of lines) {
    if (!nobodys.includes(name)) counts.commands += Number(calls);
    if (name === "evalsha" || name === "eval") counts.scripts += Number(calls);
  }
  return counts;
}

function summary(rounds: readonly Pair[]): Costs {
  const middle = (of: (round: Pair) => Cost): Cost => {
    const each = rounds.map(of);
    const one = (name: keyof Cost): number => median(each.map((cost) => cost[name]));
    return { ms: one("ms"), commands: one("commands"), scripts: one("scripts") };
  };
  return {
    ours: middle(({ ours }) => ours),
    floor: middle(({ floor }) => floor),
    more: middle(({ ours, floor }) => both(ours, floor, (a, b) => a - b)),
    msRatio: median(rounds.map(({ ours, floor }) => ours.ms / floor.ms)),
  };
}

function both(a: Cost, b: Cost, how: (a: number, b: number) => number): Cost {
  return { ms: how(a.ms, b.ms), commands: how(a.commands, b.commands), scripts: how(a.scripts, b.scripts) };
}
