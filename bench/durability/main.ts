/**
 * `npm run bench:durability`: what the guarantee costs, and how soon a run goes on after its worker was killed. Everything is compared
 * within one run, so that a noisy machine disturbs both sides: trust the ratios. What it found: docs/figures.md.
 */
import { parseArgs } from "node:util";
import { rounded, short, table } from "../floor/figures.ts";
import { openStage } from "../floor/stage.ts";
import { type Append, appends } from "./appends.ts";
import { type Blob, blobs } from "./blobs.ts";
import { type Costs, costs, SHAPES } from "./cost.ts";
import { type Recovery, recoveries } from "./kills.ts";

const { values } = parseArgs({
  options: {
    /** Of cost and blobs. */
    rounds: { type: "string", default: "4" },
    /** Runs of one side and shape in a round. */
    runs: { type: "string", default: "6" },
    /** Kills for each lease, model and tool in turns, and runs in the hands of each victim. */
    kills: { type: "string", default: "3" },
    held: { type: "string", default: "10" },
    /** ms. */
    lease: { type: "string", multiple: true, default: ["1000", "3000"] },
    /** Of each size. */
    appends: { type: "string", default: "60" },
    only: { type: "string", multiple: true, default: ["cost", "kills", "appends", "blobs"] },
  },
});
const [rounds, runs, kills, held, count] = [values.rounds, values.runs, values.kills, values.held, values.appends].map(
  Number,
) as [number, number, number, number, number];

function showCosts(what: string, { ours, floor, more, msRatio }: Costs): void {
  const row = (name: string, of: Costs["ours"], ratio = NaN): string[] => [
    name,
    short(of.ms),
    short(ratio),
    short(of.commands),
    short(of.scripts),
  ];
  const rows = [row("ours", ours, msRatio), row("floor", floor), row("ours − floor", more)];
  console.log(`\n${table([[what, "ms", "ours/floor", "commands", "scripts"], ...rows])}`);
}

function showRecoveries(found: readonly Recovery[]): void {
  const rows = found.map(({ leaseMs, runs: n, claimed, firstStep, byLease }) =>
    [leaseMs, n, claimed.p50, claimed.p95, byLease, firstStep.p50, firstStep.p95].map(short),
  );
  const head = ["lease ms", "runs", "claim p50", "p95", "p50/lease", "first step p50", "p95"];
  console.log(`\nms after a kill -9\n${table([head, ...rows])}`);
}

function showAppends(found: readonly Append[]): void {
  const rows = found.map(({ bytes, p50, p95, plainP50, ratio, inRedis }) =>
    [bytes, p50, p95, plainP50, ratio, inRedis].map(short),
  );
  console.log(`\n${table([["result bytes", "ms p50", "p95", "plain p50", "ours/plain", "bytes in Redis"], ...rows])}`);
}

function showBlobs(found: readonly Blob[]): void {
  const rows = found.map(({ bytes, pieces, single, idleWorstPing, ratio }) =>
    [bytes, pieces.worstPing, single.worstPing, ratio, idleWorstPing, pieces.took, single.took].map(short),
  );
  const head = ["blob bytes", "worst PING: pieces", "one value", "one/pieces", "idle", "took: pieces", "one value"];
  console.log(`\n${table([head, ...rows])}`);
}

/** Digits that nobody measured are left out. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, it: unknown) => (typeof it === "number" ? rounded(it) : it));
}

const started = performance.now();
const stage = await openStage({
  redisUrl: process.env["REDIS_URL"], // oxlint-disable-line node/no-process-env -- a plain script
  concurrency: 50,
  people: Math.max(runs, held, 5),
});
const result: Record<string, unknown> = {};
const wants = (part: string): boolean => values.only.includes(part);
try {
  if (wants("cost")) {
    const { run, call } = await costs(stage, { rounds, runs });
    showCosts(`a run of ${SHAPES[1]} tool calls`, run);
    showCosts("each tool call of it", call);
    result["cost"] = { run, call };
  }
  if (wants("appends")) showAppends((result["appends"] = await appends(stage.url, count)) as Append[]);
  if (wants("blobs")) showBlobs((result["blobs"] = await blobs(stage.url, rounds)) as Blob[]);
  if (wants("kills")) {
    const found: Recovery[] = [];
    for (const leaseMs of values.lease.map(Number)) found.push(await recoveries(stage, { leaseMs, kills, runs: held }));
    showRecoveries(found);
    result["recoveries"] = found;
  }
  console.log(`\n${short((performance.now() - started) / 1_000)} s`);
  const settings = { rounds, runs, kills, held, node: process.version, redis: await stage.version() };
  console.log(JSON.stringify({ ...settings, ...(plain(result) as object) }));
} finally {
  await stage.close();
}
