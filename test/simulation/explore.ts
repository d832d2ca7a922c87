/** Many seeds: several worlds side by side, so that they share the cost of letting promises go on. */
import { type Result, simulate } from "./simulation.ts";

export interface Explored {
  readonly seeds: number;
  readonly first: number;
  readonly steps: number;
  /** Of all stories, in any order: equal before and after a change that is none of what is simulated. */
  readonly marks: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** By the time of the processor, which others on the machine do not spoil. */
  readonly perCpuSecond: number;
  readonly counts: Readonly<Record<string, number>>;
  /** The lowest seed that broke an invariant, of those that ran. */
  readonly broken?: { readonly seed: number; readonly invariant: string; readonly message: string };
}

export interface ExploreOptions {
  readonly first: number;
  readonly seeds: number;
  readonly mutant?: string | undefined;
  /** No seed is begun after so many ms; default: all of them. */
  readonly withinMs?: number | undefined;
  readonly onProgress?: (done: number, perSecond: number) => void;
}

const SIDE_BY_SIDE = 1;
const PROGRESS_EVERY = 10_000;

export async function explore({
  first,
  seeds,
  mutant,
  withinMs = Infinity,
  onProgress,
}: ExploreOptions): Promise<Explored> {
  const mutants = new Set(mutant === undefined ? [] : [mutant]);
  const started = performance.now();
  const cpu = process.cpuUsage();
  const counts = new Map<string, number>();
  let next = first;
  let done = 0;
  let steps = 0;
  let marks = 0;
  const found: (Result & Required<Pick<Result, "broken">>)[] = [];
  const rate = (): number => Math.round((done / (performance.now() - started)) * 1_000);
  const lane = async (): Promise<void> => {
    while (next < first + seeds && found.length === 0 && performance.now() - started < withinMs) {
      const result = await simulate(next++, { mutants });
      done++;
      steps += result.steps;
      marks = (marks + result.mark) % 2 ** 32;
      for (const [what, count] of result.counts) counts.set(what, (counts.get(what) ?? 0) + count);
      const { broken } = result;
      if (broken !== undefined) found.push({ ...result, broken });
      if (done % PROGRESS_EVERY === 0) onProgress?.(done, rate());
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
  const used = process.cpuUsage(cpu);
  const lowest = found.toSorted((a, b) => a.seed - b.seed)[0];
  return {
    seeds: done,
    first,
    steps,
    marks,
    seconds: Math.round(performance.now() - started) / 1_000,
    perSecond: rate(),
    perCpuSecond: Math.round((done / (used.user + used.system)) * 1_000_000),
    counts: Object.fromEntries(counts),
    ...(lowest !== undefined && { broken: { seed: lowest.seed, ...lowest.broken } }),
  };
}

/** What happened in one seed, line by line. */
export async function traceOf(seed: number, mutant?: string): Promise<readonly string[]> {
  const lines: string[] = [];
  await simulate(seed, {
    mutants: new Set(mutant === undefined ? [] : [mutant]),
    onTrace: (line) => lines.push(line),
  });
  return lines;
}
