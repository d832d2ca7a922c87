/** Seeds in several processes, one for each processor. */
import { spawn } from "node:child_process";
import { compiled } from "../support/compiled.ts";
import type { Explored, ExploreOptions } from "./explore.ts";

/**
 * Measured on 2026-11-21 (docs/reliability.md, "Speed"): as many worlds as there are seeds are made and thrown away, so that the default
 * flushes what V8 has compiled, and copies many young objects; and the other processors have seeds of their own.
 */
const FLAGS = [
  "--single-threaded-gc",
  "--min-semi-space-size=64",
  "--max-semi-space-size=64",
  "--no-flush-bytecode",
  "--sparkplug",
];

export interface JobsOptions extends Omit<ExploreOptions, "onProgress"> {
  readonly jobs: number;
  /** What the processes tell on the way. */
  readonly onLine?: ((line: string) => void) | undefined;
}

export async function exploreInJobs({ first, seeds, jobs, ...rest }: JobsOptions): Promise<Explored> {
  const share = Math.ceil(seeds / jobs);
  const shares = Array.from({ length: jobs }, (_, i) => first + i * share).filter((from) => from < first + seeds);
  const { onLine, ...options } = rest;
  const all = await Promise.all(
    shares.map((from) => job([{ first: from, seeds: Math.min(share, first + seeds - from), ...options }], onLine)),
  );
  return merged(first, all.flat());
}

/** Each mutant's first seeds, until one breaks an invariant. @returns mutant → what was found */
export async function exploreMutants(
  mutants: readonly string[],
  { first, seeds, jobs }: Pick<JobsOptions, "first" | "seeds" | "jobs">,
): Promise<ReadonlyMap<string, Explored>> {
  const shares = Array.from({ length: jobs }, (_, i) => mutants.filter((_name, at) => at % jobs === i));
  const found = await Promise.all(
    shares.map(async (share) => {
      const all = await job(share.map((mutant) => ({ first, seeds, mutant })));
      return share.map((mutant, i) => [mutant, all[i]] as const);
    }),
  );
  return new Map(found.flat().flatMap(([mutant, one]) => (one === undefined ? [] : [[mutant, one]])));
}

/** @param onLine told what is no result */
async function job(options: readonly ExploreOptions[], onLine?: (line: string) => void): Promise<Explored[]> {
  const program = await compiled(new URL("job.ts", import.meta.url));
  const args = [...FLAGS, program, JSON.stringify(options)];
  // Not as a part of the test that may have started this: its own lines are the result.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], env });
  let text = "";
  const found: Explored[] = [];
  child.stdout.setEncoding("utf8");
  for await (const part of child.stdout) {
    text += String(part);
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines)
      if (line.startsWith("{")) found.push(JSON.parse(line) as Explored);
      else onLine?.(line);
  }
  if (found.length === options.length) return found;
  const why = child.signalCode ?? child.exitCode ?? "its output ended";
  throw new Error(`a process for the seeds from ${options[0]?.first} on ended without a result: ${why}`);
}

function merged(first: number, all: readonly Explored[]): Explored {
  const sum = (of: (one: Explored) => number): number => all.reduce((total, one) => total + of(one), 0);
  const counts: Record<string, number> = {};
  for (const one of all)
    for (const [what, count] of Object.entries(one.counts)) counts[what] = (counts[what] ?? 0) + count;
  const broken = all.flatMap((one) => one.broken ?? []).toSorted((a, b) => a.seed - b.seed)[0];
  return {
    seeds: sum((one) => one.seeds),
    first,
    steps: sum((one) => one.steps),
    marks: sum((one) => one.marks) % 2 ** 32,
    seconds: Math.max(...all.map((one) => one.seconds)),
    perSecond: sum((one) => one.perSecond),
    perCpuSecond: Math.round(sum((one) => one.perCpuSecond) / all.length),
    counts,
    ...(broken !== undefined && { broken }),
  };
}
