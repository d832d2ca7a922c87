/**
 * `npm run fuzz:models -- [--count N] [--seed S] [--protocol P]`: N generated answers for each protocol, one after the other in one
 * process; a million takes about two and a half minutes of CPU for each. The last line is one JSON line.
 */
import { parseArgs } from "node:util";
import { PROTOCOLS } from "../lab.ts";
import { fuzz, type Fuzzed } from "./fuzz.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    protocol: { type: "string" },
  },
});
const count = whole("count", values.count);
const seed = whole("seed", values.seed);
const protocols = PROTOCOLS.filter((one) => values.protocol === undefined || one === values.protocol);
if (protocols.length === 0)
  throw new Error(`--protocol: expected one of ${PROTOCOLS.join(", ")}, got ${values.protocol}`);

const results: (Fuzzed & { readonly seconds: number; readonly cpuSeconds: number })[] = [];
for (const protocol of protocols) {
  const started = performance.now();
  const before = process.cpuUsage();
  const done = fuzz(protocol, count, seed);
  const { user, system } = process.cpuUsage(before);
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  results.push({ ...done, seconds, cpuSeconds: Math.round((user + system) / 100_000) / 10 });
  process.stdout.write(
    `${protocol}: ${done.responses} answers in ${seconds} s, ${done.runs} calls to make, none outside policy\n`,
  );
}
process.stdout.write(`${JSON.stringify({ fuzz: "models", seed, results })}\n`);

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name}: expected a whole number of at least 1, got ${text}`);
  return value;
}
