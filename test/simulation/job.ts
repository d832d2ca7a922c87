/** One process of a simulation (jobs.ts): `job.mjs '<a list of options as JSON>'` explores one after the other, a line of JSON for each. */
import { explore, type ExploreOptions } from "./explore.ts";

// Lost stores and leases are errors that nobody reads. `--trace --seed S` runs a seed that broke once more, with all of them.
Error.stackTraceLimit = 0;
const options = JSON.parse(process.argv[2] ?? "[]") as readonly ExploreOptions[];
const onProgress = (done: number, perSecond: number): void => {
  const { first, seeds } = options[0] ?? { first: 0, seeds: 0 };
  process.stdout.write(`from ${first}: ${done} of ${seeds} seeds, ${perSecond} seeds/s\n`);
};
for (const one of options) process.stdout.write(`${JSON.stringify(await explore({ ...one, onProgress }))}\n`);
