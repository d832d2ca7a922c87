/** As many rounds as it takes: each has a world of its own, so memory stays flat and a seed stays short. Their counts are added up. */
import { type Kind, drawPlan, WEIGHTS } from "./plan.ts";
import { playRound, type Round } from "./round.ts";

export interface TortureOptions {
  readonly faults: number;
  readonly runs: number;
  readonly seed: number;
  readonly workers: number;
  readonly onProgress: (line: string) => void;
}

export interface Tortured {
  readonly ok: boolean;
  /** What is wrong, for a person. */
  readonly lines: readonly string[];
  readonly summary: Readonly<Record<string, unknown>>;
}

/** Short enough to lose to a busy worker's death in a moment, long enough for a crowded machine. */
export const LEASE_MS = 1_500;
/** Runs that one worker has in hand. */
export const CONCURRENCY = 6;
const RUNS_A_ROUND = 1_000;
const KINDS = Object.keys(WEIGHTS) as Kind[];

export async function torture({ faults, runs, seed, workers, onProgress }: TortureOptions): Promise<Tortured> {
  const rounds = Math.ceil(runs / RUNS_A_ROUND);
  const played: Round[] = [];
  const started = performance.now();
  for (let round = 0; round < rounds && played.every(isClean); round++) {
    const share = (all: number): number =>
      Math.floor((all * (round + 1)) / rounds) - Math.floor((all * round) / rounds);
    const plan = drawPlan({ seed: seed + round, faults: share(faults), runs: share(runs), kinds: KINDS });
    const where = rounds === 1 ? "" : `round ${round + 1} of ${rounds}, seed ${seed + round}: `;
    played.push(
      await playRound({
        plan,
        workers,
        leaseMs: LEASE_MS,
        concurrency: CONCURRENCY,
        onProgress: (line) => onProgress(`${where}${line}`),
      }),
    );
  }
  const lines = played.flatMap((round, i) => problemsOf(round, seed + i)).concat(idle(played, faults));
  const seconds = (performance.now() - started) / 1_000;
  return { ok: lines.length === 0, lines, summary: summed(played, { seed, workers, seconds, lines }) };
}

function isClean({ problems, surprises }: Round): boolean {
  return problems.length + surprises.length === 0;
}

function problemsOf(round: Round, seed: number): string[] {
  if (isClean(round)) return [];
  const told = round.problems.map(({ invariant, what, run, text }) => `${invariant} ${what} ${run ?? ""}: ${text}`);
  return [
    `seed ${seed}:`,
    ...told,
    ...round.surprises,
    ...round.journals.slice(0, 10),
    `The workers' log is ${round.log ?? "gone"}`,
  ];
}

/** A torture that did nothing proves nothing: all kinds were injected, workers died with runs in their hands, runs completed. */
function idle(played: readonly Round[], faults: number): string[] {
  const injected = added(played.map((round) => round.injected));
  const counts = added(played.map((round) => round.counts));
  const missing = faults < KINDS.length ? [] : KINDS.filter((kind) => (injected[kind] ?? 0) === 0);
  return [
    ...missing.map((kind) => `no ${kind} was injected`),
    ...((counts["app: repliesLost"] ?? 0) > 0 || missing.length > 0 || faults < KINDS.length
      ? []
      : ["no reply to an enqueue was lost"]),
    ...((counts["completed"] ?? 0) * 2 > (counts["acked"] ?? 0) ? [] : ["less than half of the runs completed"]),
    ...((counts["crashes"] ?? 0) > 0 || faults < 2 * KINDS.length ? [] : ["no worker died with a run in its hands"]),
    ...((counts["executions"] ?? 0) > 0 ? [] : ["no tool was executed"]),
  ];
}

function summed(
  played: readonly Round[],
  { seed, workers, seconds, lines }: { seed: number; workers: number; seconds: number; lines: readonly string[] },
): Record<string, unknown> {
  const injected = added(played.map((round) => round.injected));
  const counts = added(played.map((round) => round.counts));
  const faults = Object.values(injected).reduce((sum, count) => sum + count, 0);
  const stormy = played.reduce((sum, round) => sum + round.seconds.storm, 0);
  const problems = played.flatMap((round) => round.problems);
  const of = (what: string): number => problems.filter((problem) => problem.what === what).length;
  return {
    seed,
    rounds: played.length,
    workers,
    leaseMs: LEASE_MS,
    faults,
    injected,
    acked: counts["acked"] ?? 0,
    lost: of("lost") + of("stuck"),
    duplicated: of("duplicated"),
    recovered: counts["recovered"] ?? 0,
    unexpected: of("unexpected"),
    ...nested(counts),
    redisLostWrites: played.flatMap((round) => round.redisLosses).reduce((sum, { writes }) => sum + writes, 0),
    seconds: rounded(seconds),
    stormSeconds: rounded(stormy),
    drainSeconds: rounded(played.reduce((sum, round) => sum + round.seconds.drain, 0)),
    faultsPerSecond: rounded(faults / stormy),
    runsPerSecond: rounded(((counts["completed"] ?? 0) + (counts["cancelled"] ?? 0)) / seconds),
    problems: lines.length === 0 ? 0 : Math.max(problems.length, 1),
  };
}

export function added(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const one of all) for (const [what, count] of Object.entries(one)) sums[what] = (sums[what] ?? 0) + count;
  return sums;
}

/** `unsafe: ok` becomes a field of `unsafe`. */
function nested(counts: Readonly<Record<string, number>>): Record<string, unknown> {
  const groups: Record<string, number | Record<string, number>> = {};
  for (const [what, count] of Object.entries(counts).toSorted(([a], [b]) => a.localeCompare(b))) {
    const [group = "", name] = what.split(": ");
    if (name === undefined) groups[group] = count;
    else groups[group] = { ...(typeof groups[group] === "object" && groups[group]), [name]: count };
  }
  return groups;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
