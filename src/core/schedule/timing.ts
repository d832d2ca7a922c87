/** When a schedule's times are, and how late each of its ticks is on purpose. */

/** Exactly one of `cron` and `every`. */
export interface Timing {
  /** Five fields, read in `timezone`. */
  readonly cron?: string;
  /** ms between two times, counted from `startAt`, or from 1970. */
  readonly every?: number;
  /** IANA name. */
  readonly timezone: string;
  /** ms since 1970; no time is before. */
  readonly startAt?: number;
  /** ms since 1970; no time is after. */
  readonly endAt?: number;
  /** ms by which ticks are late at most; which of them is in the schedule's id. */
  readonly jitter?: number;
}

/** The first time of a cron after a moment. None: never again. It knows BullMQ's parser; this folder does not. */
export type CronTimes = (cron: string, timezone: string, after: number) => number | undefined;

/** The schedule's first nominal time after a moment. */
export function timeAfter(timing: Timing, cronTimes: CronTimes, after: number): number | undefined {
  const { cron, every, timezone, startAt, endAt = Infinity } = timing;
  const from = startAt === undefined ? after : Math.max(after, startAt - 1);
  const anchor = startAt ?? 0;
  const next =
    every === undefined
      ? cronTimes(cron ?? "", timezone, from)
      : anchor + (Math.floor((from - anchor) / every) + 1) * every;
  return next === undefined || next > endAt ? undefined : next;
}

const HOUR_MS = 3_600_000;
/** Looked back through, one after the other, for the time before a first one: a day, a month, a year, and a leap year's worth. */
const BACK_MS = [25, 32 * 24, 367 * 24, 8 * 367 * 24].map((hours) => hours * HOUR_MS);

/** The nominal time before one, whatever `startAt` says: where the window of a first tick begins. */
export function timeBefore({ cron, every, timezone }: Timing, cronTimes: CronTimes, time: number): number {
  if (every !== undefined) return time - every;
  const timing = { ...(cron !== undefined && { cron }), timezone };
  for (const back of BACK_MS) {
    let last: number | undefined;
    for (let at = timeAfter(timing, cronTimes, time - back); at !== undefined && at < time;) {
      last = at;
      at = timeAfter(timing, cronTimes, at);
    }
    if (last !== undefined) return last;
  }
  return time;
}

/**
 * ms that every tick of this schedule is late, 0 to `jitter`: always the same, so that no tick overtakes another, and spread evenly over
 * schedules whose ids differ in a number only (FNV-1a, finished as MurmurHash3 is).
 */
export function delayOf(id: string, jitter = 0): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return Math.floor((((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000) * (jitter + 1));
}
