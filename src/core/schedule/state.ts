/** How far a schedule has come, and what became of its times. */
import { type CronTimes, delayOf, timeAfter, timeBefore, type Timing } from "./timing.ts";

/** `waits`: parked for an account, without a committed turn: another run may take its place. `busy`: any other that has not ended. */
export interface LiveRun {
  readonly id: string;
  /** Where its window begins. */
  readonly since: number;
  readonly is: "waits" | "busy";
}

/** A rule that was in force until a moment, for nominal times that are not accounted for yet. */
export interface Past {
  readonly until: number;
  readonly timing: Timing;
  readonly paused: boolean;
}

export interface ScheduleState {
  /** Nominal times up to here are accounted for. It only ever grows, so that none is twice. */
  readonly cursor: number;
  /** Where the window of the next run begins. */
  readonly since: number;
  readonly paused: boolean;
  /** What was in force after the cursor, in order; the definition's own timing is in force after the last of them. */
  readonly past: readonly Past[];
  /** Nominal times of ticks that wait for a run to end, and where their windows begin. */
  readonly buffer: readonly Buffered[];
  /** Runs of this schedule that have not ended, oldest first. */
  readonly runs: readonly LiveRun[];
}

export interface Buffered {
  readonly nominal: number;
  readonly since: number;
  /** It was coalesced and may cover the time of others: it may be coalesced again, whatever the schedule says by now, but not skipped. */
  readonly covers?: boolean;
}

/** Why a tick was skipped: the overlap policy that said so, `catch-up` (missed), `paused`, or `budget` (no more runs for its user or tenant). */
export type SkipPolicy = "skip" | "buffer-one" | "buffer-all" | "cancel-other" | "catch-up" | "paused" | "budget";

/**
 * What became of a nominal time, or of `count` that follow each other: all from `first` to `nominal`. `coalesced`: into the tick whose
 * nominal time is `into`. `triggered`: a run that somebody asked for; it is no tick.
 */
export type Outcome = { readonly nominal: number; readonly first?: number; readonly count?: number } & (
  | { readonly outcome: "enqueued" | "triggered"; readonly run: string }
  | { readonly outcome: "skipped"; readonly policy: SkipPolicy }
  | { readonly outcome: "coalesced"; readonly into: number }
);

export interface DueTick {
  readonly nominal: number;
  /** When it fires: later than its nominal time by the jitter. */
  readonly due: number;
  readonly paused: boolean;
}

/** The first tick after `cursor` that is not accounted for. While the schedule is paused there is none in time to come. */
export function tickAfter(
  id: string,
  timing: Timing,
  { past, paused }: Pick<ScheduleState, "past" | "paused">,
  cronTimes: CronTimes,
  cursor: number,
): DueTick | undefined {
  let after = cursor;
  for (const rule of past) {
    if (rule.until <= after) continue;
    const nominal = timeAfter(rule.timing, cronTimes, after);
    if (nominal !== undefined && nominal <= rule.until) return tick(id, rule.timing, nominal, rule.paused);
    after = rule.until;
  }
  if (paused) return undefined;
  const nominal = timeAfter(timing, cronTimes, after);
  return nominal === undefined ? undefined : tick(id, timing, nominal, false);
}

function tick(id: string, timing: Timing, nominal: number, paused: boolean): DueTick {
  return { nominal, due: nominal + (paused ? 0 : delayOf(id, timing.jitter)), paused };
}

/** A new schedule: nothing before now is its. The first run covers the time since the nominal time before its own. */
export function firstState(timing: Timing, cronTimes: CronTimes, now: number, paused: boolean): ScheduleState {
  const first = timeAfter(timing, cronTimes, now);
  const since = first === undefined ? now : timeBefore(timing, cronTimes, first);
  return { cursor: now, since, paused, past: [], buffer: [], runs: [] };
}

/**
 * From `now` on another timing is in force, or the schedule is paused or not. What was in force stays so for the times before, of which
 * some may not be accounted for: nothing ticked, or their jitter is not over.
 */
export function changed(
  id: string,
  before: Timing,
  after: Timing,
  state: ScheduleState,
  paused: boolean,
  now: number,
  cronTimes: CronTimes,
): ScheduleState {
  if (paused === state.paused && JSON.stringify(before) === JSON.stringify(after)) return state;
  const next = tickAfter(id, before, { past: state.past, paused: false }, cronTimes, state.cursor);
  const open = next !== undefined && next.nominal <= now;
  const past: Past[] = [...state.past, { until: now, timing: before, paused: state.paused }];
  return { ...state, paused, past: open ? past : [], cursor: open ? state.cursor : Math.max(state.cursor, now) };
}
