/** One process of a simulation (jobs.ts): `job.mjs '<options as JSON>'` explores its seeds, and its last line is what it found. */
import { explore, type ExploreOptions } from "./explore.ts";

// Lost stores and leases are errors that nobody reads. `--trace --seed S` runs a seed that broke once more, with all of them.
Error.stackTraceLimit = 0;
const options = JSON.parse(process.argv[2] ?? "{}") as ExploreOptions;
const found = await explore({
  ...options,
  onProgress: (done, perSecond) =>
    process.stdout.write(`from ${options.first}: ${done} of ${options.seeds} seeds, ${perSecond} seeds/s\n`),
});
process.stdout.write(`${JSON.stringify(found)}\n`);
