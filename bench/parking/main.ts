/**
 * `npm run bench:parking`: what waiting costs. What it found: docs/figures.md.
 *
 * rates    bytes of a parked run, parks and wakes a second, by scripts on a Redis of their own; `--runs` of them at once
 * loop     parks and wakes through a whole worker process
 * latency  from "the account is ACTIVE" to the first step of its run: told by webhook, by the user's return, or by nobody
 * calls    what one round of the sweep asks of Scalekit
 * wake     the keys that a wake of one account touches; the benchmark fails if one is another account's
 */
import { parseArgs } from "node:util";
import { rounded, short, table } from "../floor/figures.ts";
import { type Round, rounds } from "./calls.ts";
import { byCallback, bySweep, byWebhook, type Latency, type SweepLatency } from "./latency.ts";
import { type LoopRates, loopRates } from "./loop-rates.ts";
import { type OneWake, oneWake } from "./one-wake.ts";
import { type Rates, rates } from "./rates.ts";
import { openWorld } from "./world.ts";

const { values } = parseArgs({
  options: {
    /** Parked at once, by scripts. */
    runs: { type: "string", default: "1000" },
    /** At one gate; at most `--runs`. */
    "one-gate": { type: "string", default: "20000" },
    /** Through a worker. */
    loop: { type: "string", default: "100" },
    /** By webhook, and as many by callback. */
    wakes: { type: "string", default: "50" },
    /** By the sweep, and ms between its rounds. */
    swept: { type: "string", default: "20" },
    sweep: { type: "string", default: "2000" },
    /** Accounts that the sweep looks at, runs of each, and other accounts of the environment for each of them. */
    accounts: { type: "string", default: "200" },
    each: { type: "string", multiple: true, default: ["1", "4", "16"] },
    strangers: { type: "string", default: "9" },
    /** Other accounts while one wakes. */
    neighbours: { type: "string", multiple: true, default: ["10", "1000"] },
    only: { type: "string", multiple: true, default: ["rates", "loop", "latency", "calls", "wake"] },
  },
});
const number = (name: "runs" | "one-gate" | "loop" | "wakes" | "swept" | "sweep" | "accounts" | "strangers"): number =>
  Number(values[name]);
const wants = (part: string): boolean => values.only.includes(part);

async function allRates(): Promise<Rates[]> {
  const runs = number("runs");
  const tens = Math.ceil(runs / 10);
  const found = [
    await rates(runs, runs),
    await rates(tens * 10, tens),
    await rates(Math.min(runs, number("one-gate")), 1),
  ];
  const weights = found.map(({ runs: n, accounts, bytes: { all, run, account, shared } }) =>
    [n, accounts, all, run, account, shared].map(short),
  );
  const head = ["parked runs", "accounts", "bytes each", "its own", "its account's", "shared"];
  console.log(`\n${table([head, ...weights])}`);
  const speeds = found.map(({ runs: n, accounts, create, park, wake }) =>
    [n, accounts, create.perSecond, create.redisCpuUs, park.perSecond, park.redisCpuUs, wake.runs, wake.tickets]
      .concat([wake.perSecond, wake.redisCpuUs])
      .map(short),
  );
  const each = ["created/s", "Redis µs", "parked/s", "Redis µs", "woken", "tickets", "woken/s", "Redis µs"];
  console.log(`\n${table([["parked runs", "accounts", ...each], ...speeds])}`);
  return found;
}

function showLoop({ runs, parkPerSecond, wakePerSecond, donePerSecond }: LoopRates): void {
  const row = [runs, parkPerSecond, wakePerSecond, donePerSecond].map(short);
  console.log(`\n${table([["through a worker: runs", "parked/s", "woken/s", "completed/s"], row])}`);
}

function showLatency(found: Readonly<Record<string, Latency>>): void {
  const rows = Object.entries(found).map(([by, { wakes, claim, step }]) => [
    by,
    ...[wakes, claim.p50, claim.p99, claim.max, step.p50, step.p99, step.max].map(short),
  ]);
  const head = ["ms from ACTIVE", "wakes", "claim p50", "p99", "max", "first step p50", "p99", "max"];
  console.log(`\n${table([head, ...rows])}`);
}

function showCalls(found: readonly Round[]): void {
  const rows = found.map(({ accounts, runs, environment, calls, perHundred, took }) =>
    [accounts, runs, environment, calls, perHundred, took].map(short),
  );
  const head = ["accounts waited for", "runs", "accounts in all", "calls a round", "calls / (accounts / 100)", "ms"];
  console.log(`\n${table([head, ...rows])}`);
}

function showWake(found: readonly OneWake[]): void {
  const rows = found.map(({ by, neighbours, commands, keys, foreign }) => [
    by,
    ...[neighbours, commands, keys.length, foreign.length].map(short),
  ]);
  console.log(`\n${table([["one wake by", "others that wait", "commands", "keys", "of others"], ...rows])}`);
}

/** Nobody's sweep and no other wake comes between: what wakes a run is what is measured. */
async function inOneWorld(): Promise<object> {
  const world = await openWorld({ sweepMs: 86_400_000 });
  try {
    const loop = await loopRates(world, number("loop"));
    if (wants("loop")) showLoop(loop);
    if (!wants("latency")) return { loop };
    const latency: Record<string, Latency> = {
      webhook: await byWebhook(world, number("wakes")),
      callback: await byCallback(world, number("wakes")),
    };
    const swept: SweepLatency = await bySweep(number("sweep"), number("swept"));
    latency["sweep"] = swept;
    showLatency(latency);
    console.log(
      `the longest wait for the sweep to bring a claim: sweepMs (${swept.sweepMs}) and ${short(swept.beyond)} ms`,
    );
    return { ...(wants("loop") && { loop }), latency };
  } finally {
    await world.close();
  }
}

/** Digits that nobody measured are left out. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, it: unknown) => (typeof it === "number" ? rounded(it) : it));
}

const started = performance.now();
const result: Record<string, unknown> = { runs: number("runs"), node: process.version };
if (wants("rates")) result["rates"] = await allRates();
if (wants("loop") || wants("latency")) Object.assign(result, await inOneWorld());
if (wants("calls")) {
  const found = await rounds(number("accounts"), values.each.map(Number), number("strangers"));
  showCalls(found);
  result["calls"] = found;
}
if (wants("wake")) {
  const found: OneWake[] = [];
  for (const neighbours of values.neighbours.map(Number)) found.push(...(await oneWake(neighbours)));
  showWake(found);
  const strange = found.flatMap((one) => one.foreign);
  if (strange.length > 0) {
    console.error(`keys of other accounts: ${[...new Set(strange)].join(", ")}`);
    process.exitCode = 1;
  }
  result["wake"] = found.map(({ keys, ...others }) => ({ ...others, keys: keys.length }));
}
console.log(`\n${short((performance.now() - started) / 1_000)} s`);
console.log(JSON.stringify(plain(result)));
