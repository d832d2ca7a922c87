/**
 * `node --import tsx test/simulation/simulate.ts [--seeds N] [--seed S] [--mutant name | --mutants]`
 * Runs N seeds from S on; prints progress, and one JSON line last. Leaves with 1 and a readable trace when an invariant breaks.
 */
import { parseArgs } from "node:util";
import { MUTANTS } from "./mutants.ts";
import { explore, traceOf } from "./explore.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    mutant: { type: "string" },
    mutants: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
  },
});
const first = Number(values.seed);
const seeds = Number(values.seeds);
if (!Number.isInteger(first) || !Number.isInteger(seeds) || seeds < 1)
  throw new Error("--seed and --seeds: expected whole numbers");
if (values.mutant !== undefined && !(values.mutant in MUTANTS))
  throw new Error(`--mutant: expected one of ${Object.keys(MUTANTS).join(", ")}`);

if (values.trace) {
  for await (const line of await traceOf(first, values.mutant)) console.log(line);
} else if (values.mutants) {
  let missed = 0;
  for (const mutant of Object.keys(MUTANTS)) {
    const found = await explore({ first, seeds, mutant });
    if (found.broken === undefined) missed++;
    console.log(
      `${mutant.padEnd(24)} ${found.broken === undefined ? "NOT CAUGHT" : `seed ${found.broken.seed}: ${found.broken.message}`}`,
    );
  }
  console.log(JSON.stringify({ mutants: Object.keys(MUTANTS).length, missed }));
  process.exitCode = missed === 0 ? 0 : 1;
} else {
  const found = await explore({
    first,
    seeds,
    ...(values.mutant !== undefined && { mutant: values.mutant }),
    onProgress: (done, perSecond) => console.log(`${done} seeds, ${perSecond} seeds/s`),
  });
  if (found.broken !== undefined) {
    for (const line of await traceOf(found.broken.seed, values.mutant)) console.log(line);
    console.log(`seed ${found.broken.seed}: ${found.broken.message}`);
    process.exitCode = 1;
  }
  console.log(JSON.stringify(found));
}
