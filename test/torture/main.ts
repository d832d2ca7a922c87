/**
 * `npm run torture -- [--faults N] [--runs M] [--seed S] [--workers W] [--plain]`: real worker processes, a real Redis, and everything
 * that can be done to them. Ends with 1, the seed and the journals when an invariant breaks; prints one JSON line last.
 * `--plain`: the same on a plain BullMQ worker (plain-worker.ts), to see what it does there.
 */
import { parseArgs } from "node:util";
import { torture } from "./torture.ts";
import { torturePlain } from "./plain.ts";

const { values } = parseArgs({
  options: {
    faults: { type: "string", default: "60" },
    runs: { type: "string", default: "600" },
    seed: { type: "string", default: "1" },
    workers: { type: "string", default: "3" },
    plain: { type: "boolean", default: false },
  },
});
const options = {
  faults: whole("faults", values.faults),
  runs: whole("runs", values.runs),
  seed: whole("seed", values.seed),
  workers: whole("workers", values.workers),
  onProgress: slowly(5_000),
};
const { ok, lines, summary } = await (values.plain ? torturePlain(options) : torture(options));
for (const line of lines) process.stderr.write(`${line}\n`);
if (!ok) process.stderr.write(`seed ${options.seed}: broken\n`);
process.stdout.write(`${JSON.stringify(summary)}\n`);
process.exitCode = ok ? 0 : 1;

function whole(name: string, given: string): number {
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`--${name}: expected a whole number from 1 on, got ${given}`);
  return number;
}

/** At most one line in so many ms. */
function slowly(everyMs: number): (line: string) => void {
  let last = performance.now();
  return (line) => {
    if (performance.now() - last < everyMs) return;
    last = performance.now();
    process.stderr.write(`${line}\n`);
  };
}
