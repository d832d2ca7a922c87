/** What must be true of a schedule's life: found out from its rules and the clock alone, and compared with what stands in its history. */
import type { Timing } from "../../src/core/schedule/timing.ts";
import type { HistoryLine, KeptSchedule } from "../../src/queue/schedule-store.ts";

export interface Life {
  /** What was in force from when. */
  readonly rules: { from: number; timing: Timing; paused: boolean }[];
  /** Nominal time → the run that was created for it. */
  readonly made: Map<number, string>;
}

/** @returns how many nominal times there were @throws Error on the first that is not as it must be */
export function check(
  id: string,
  life: Life,
  kept: KeptSchedule,
  history: readonly string[],
  now: number,
  next: (timing: Timing, after: number) => number | undefined,
): number {
  const wrong = (what: string): never => {
    throw new Error(`${id} (${JSON.stringify(kept.definition)}): ${what}`);
  };
  const times = new Map<number, { paused: boolean }>();
  for (const [i, { from, timing, paused }] of life.rules.entries()) {
    const until = life.rules[i + 1]?.from ?? now;
    for (let at = next(timing, from); at !== undefined && at <= until; at = next(timing, at)) times.set(at, { paused });
  }
  const waiting = new Set(kept.state.buffer.map((one) => one.nominal));
  const lines = history.map((text) => JSON.parse(text) as HistoryLine);
  const told = new Map<number, HistoryLine>();
  const sorted = [...times.keys()].toSorted((a, b) => a - b);
  for (const line of lines) {
    if (line.outcome === "triggered") continue;
    const covered = sorted.filter((at) => at >= (line.first ?? line.nominal) && at <= line.nominal);
    if (covered.length !== (line.count ?? 1))
      wrong(`a line says ${line.count ?? 1} times, there are ${covered.length}: ${JSON.stringify(line)}`);
    for (const at of covered) {
      const other = told.get(at);
      if (other !== undefined)
        wrong(`${new Date(at).toISOString()} is accounted for twice: ${JSON.stringify([other, line])}`);
      told.set(at, line);
    }
  }
  for (const [at, { paused }] of times) {
    const line = told.get(at);
    const name = new Date(at).toISOString();
    if (at > kept.state.cursor) {
      // While it is paused, and while its jitter is not over, its times are not accounted for yet.
      if (line !== undefined) wrong(`${name} is after the cursor and accounted for`);
      if (!kept.state.paused && now - at > (kept.definition.timing.jitter ?? 0) + 3 * 3_600_000)
        wrong(`${name} is overdue`);
      continue;
    }
    if ((line === undefined) !== waiting.has(at))
      wrong(`${name} is ${line === undefined ? "lost" : "told, and still waits"}`);
    if (line === undefined) continue;
    if (paused !== (line.outcome === "skipped" && line.policy === "paused"))
      wrong(`${name} was ${paused ? "" : "not "}paused: ${JSON.stringify(line)}`);
    if (line.outcome === "enqueued" && life.made.get(at) !== line.run) wrong(`${name}: ${line.run} is not its run`);
    if (line.outcome === "skipped" && life.made.has(at)) wrong(`${name} was skipped, and has a run`);
    if (line.outcome === "coalesced") endsInRun(line, told, waiting, wrong);
  }
  for (const at of life.made.keys())
    if (!told.has(at)) wrong(`${new Date(at).toISOString()} has a run, and nothing is told of it`);
  return times.size;
}

/** From one to the next, until one that was enqueued, or waits to be. */
function endsInRun(
  line: HistoryLine,
  told: ReadonlyMap<number, HistoryLine>,
  waiting: ReadonlySet<number>,
  wrong: (what: string) => never,
): void {
  for (let at: HistoryLine = line; at.outcome === "coalesced";) {
    if (waiting.has(at.into)) return;
    const into = told.get(at.into);
    if (into === undefined || into.nominal <= at.nominal || into.outcome === "skipped")
      return wrong(`coalesced into nothing: ${JSON.stringify([at, into])}`);
    at = into;
  }
}
