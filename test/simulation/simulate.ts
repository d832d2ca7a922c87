/**
 * `node --import tsx test/simulation/simulate.ts [--seeds N] [--seed S] [--mutant name] [--jobs J] [--within T]`: runs N seeds from S
 * on in J processes, or as many as it begins within T seconds; prints progress, and one JSON line last. Leaves with 1 and a readable trace when an invariant breaks.
 * `--mutants`: every mutant must be caught within N seeds. `--trace`: prints what happens in seed S.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type Explored, traceOf } from "./explore.ts";
import { exploreInJobs, exploreMutants } from "./jobs.ts";
import { MUTANTS } from "./mutants.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: String(availableParallelism()) },
    mutant: { type: "string" },
    within: { type: "string" },
    mutants: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
  },
});
const first = whole("seed", values.seed);
const seeds = whole("seeds", values.seeds);
const jobs = Math.min(whole("jobs", values.jobs), seeds);
const withinMs = values.within === undefined ? undefined : 1_000 * whole("within", values.within);
const { mutant } = values;
if (mutant !== undefined && !Object.hasOwn(MUTANTS, mutant))
  throw new Error(`--mutant: expected one of ${Object.keys(MUTANTS).join(", ")}; got ${mutant}`);

if (values.trace) for (const line of await traceOf(first, mutant)) print(line);
else if (values.mutants) await allMutants();
else await told(await exploreInJobs({ first, seeds, jobs, mutant, withinMs, onLine: print }));

function whole(name: string, given: string): number {
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`--${name}: expected a whole number from 1 on, got ${given}`);
  return number;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function told(found: Explored): Promise<void> {
  if (found.broken !== undefined) {
    for (const line of await traceOf(found.broken.seed, mutant)) print(line);
    print(`seed ${found.broken.seed}: ${found.broken.message}`);
    process.exitCode = 1;
  }
  print(JSON.stringify(found));
}

async function allMutants(): Promise<void> {
  const missed: string[] = [];
  const found = await exploreMutants(Object.keys(MUTANTS), { first, seeds, jobs });
  for (const [name, rule] of Object.entries(MUTANTS)) {
    const broken = found.get(name)?.broken;
    if (broken === undefined) missed.push(name);
    print(
      `${name.padEnd(22)} ${broken === undefined ? `NOT CAUGHT: ${rule}` : `seed ${broken.seed}: ${broken.message}`}`,
    );
  }
  print(JSON.stringify({ mutants: Object.keys(MUTANTS).length, seeds, missed }));
  process.exitCode = missed.length === 0 ? 0 : 1;
}
