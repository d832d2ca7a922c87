/**
 * `node --import tsx test/simulation/simulate.ts [--seeds N] [--seed S] [--mutant name] [--jobs J]`: runs N seeds from S on in J
 * processes; prints progress, and one JSON line last. Leaves with 1 and a readable trace when an invariant breaks.
 * `--mutants`: every mutant must be caught within N seeds. `--trace`: prints what happens in seed S.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Explored, explore, traceOf } from "./explore.ts";
import { MUTANTS } from "./mutants.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: String(availableParallelism()) },
    mutant: { type: "string" },
    mutants: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
  },
});
const first = whole("seed", values.seed);
const seeds = whole("seeds", values.seeds);
const jobs = Math.min(whole("jobs", values.jobs), seeds);
const { mutant } = values;
if (mutant !== undefined && !Object.hasOwn(MUTANTS, mutant))
  throw new Error(`--mutant: expected one of ${Object.keys(MUTANTS).join(", ")}; got ${mutant}`);

if (values.trace) for (const line of await traceOf(first, mutant)) print(line);
else if (values.mutants) await allMutants();
else if (jobs === 1) await told(await explore({ first, seeds, mutant, onProgress: progress }));
else await told(merged(await Promise.all(Array.from({ length: jobs }, (_, i) => job(i)))), false);

function whole(name: string, given: string): number {
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`--${name}: expected a whole number from 1 on, got ${given}`);
  return number;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function progress(done: number, perSecond: number): void {
  print(`from ${first}: ${done} of ${seeds} seeds, ${perSecond} seeds/s`);
}

async function told(found: Explored, withTrace = true): Promise<void> {
  if (found.broken !== undefined) {
    if (withTrace) for (const line of await traceOf(found.broken.seed, mutant)) print(line);
    print(`seed ${found.broken.seed}: ${found.broken.message}`);
    process.exitCode = 1;
  }
  print(JSON.stringify(found));
}

async function allMutants(): Promise<void> {
  const missed: string[] = [];
  for (const [name, rule] of Object.entries(MUTANTS)) {
    const { broken } = await explore({ first, seeds, mutant: name });
    if (broken === undefined) missed.push(name);
    print(
      `${name.padEnd(22)} ${broken === undefined ? `NOT CAUGHT: ${rule}` : `seed ${broken.seed}: ${broken.message}`}`,
    );
  }
  print(JSON.stringify({ mutants: Object.keys(MUTANTS).length, seeds, missed }));
  process.exitCode = missed.length === 0 ? 0 : 1;
}

/** One process with its share of the seeds. All of its lines are passed on but the last, which is its result. */
async function job(number: number): Promise<Explored> {
  const share = Math.ceil(seeds / jobs);
  const from = first + number * share;
  const count = Math.max(1, Math.min(share, first + seeds - from));
  const args = ["--seed", String(from), "--seeds", String(count), "--jobs", "1"];
  if (mutant !== undefined) args.push("--mutant", mutant);
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8");
  for await (const part of child.stdout) {
    text += String(part);
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines)
      if (line.startsWith("{")) return JSON.parse(line) as Explored;
      else print(line);
  }
  throw new Error(`the process for the seeds from ${from} on ended without a result`);
}

function merged(all: readonly Explored[]): Explored {
  const sum = (of: (one: Explored) => number): number => all.reduce((total, one) => total + of(one), 0);
  const counts: Record<string, number> = {};
  for (const one of all)
    for (const [what, count] of Object.entries(one.counts)) counts[what] = (counts[what] ?? 0) + count;
  const broken = all.flatMap((one) => one.broken ?? []).toSorted((a, b) => a.seed - b.seed)[0];
  return {
    seeds: sum((one) => one.seeds),
    first,
    steps: sum((one) => one.steps),
    seconds: Math.max(...all.map((one) => one.seconds)),
    perSecond: sum((one) => one.perSecond),
    perCpuSecond: Math.round(sum((one) => one.perCpuSecond) / all.length),
    counts,
    ...(broken !== undefined && { broken }),
  };
}
