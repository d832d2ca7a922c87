/**
 * Wall-clock times as moments. The rule for days on which clocks are changed:
 *
 * - a time that clocks skip is taken as if they had not been changed yet: 02:30 becomes 03:30;
 * - a time that comes twice is taken the first time, but for a cron of every hour, which goes on through both;
 * - two times that fall on one moment are one.
 *
 * cron-parser 5.10 alone loses the skipped times of some lists (`0,45 1,2 * * *` in Europe/Berlin), those of Australia/Lord_Howe, whose
 * clocks are changed by half an hour, and finds no time at all there on the day when they are set back (test/queue/cron.test.ts). So it
 * finds wall times, for which no clock is ever changed, and this file makes moments of them.
 */

/** The next wall time after one, as if it were UTC; ms. None: never again. */
export type WallTimes = (after: number) => number | undefined;

export interface Walls {
  readonly next: WallTimes;
  /** Its hour field allows every hour. */
  readonly everyHour: boolean;
}

/** How far the zone's clocks are ahead of UTC at a moment, ms. */
export type OffsetAt = (moment: number) => number;

/** Farther than clocks were ever changed by at once (a day, at the date line), and wall times from UTC. */
const NEAR_MS = 26 * 3_600_000;

/** The first moment after `after` that the wall times fall on. */
export function nextMoment({ next, everyHour }: Walls, offsetAt: OffsetAt, after: number): number | undefined {
  const least = Math.min(...around(after, offsetAt));
  let best: number | undefined;
  let most = 0;
  for (let wall = next(after + least); wall !== undefined; wall = next(wall)) {
    for (const moment of momentsOf(wall, offsetAt, everyHour)) {
      if (moment <= after || (best !== undefined && moment >= best)) continue;
      best = moment;
      most = Math.max(...around(best, offsetAt));
    }
    // A later wall time may fall before it only where clocks are changed.
    if (best !== undefined && wall >= best + most) break;
  }
  return best;
}

function around(moment: number, offsetAt: OffsetAt): number[] {
  return [offsetAt(moment - NEAR_MS), offsetAt(moment), offsetAt(moment + NEAR_MS)];
}

/** One moment; two for a wall time that comes twice, if both are wanted. */
function momentsOf(wall: number, offsetAt: OffsetAt, both: boolean): number[] {
  const [early, late] = [offsetAt(wall - NEAR_MS), offsetAt(wall + NEAR_MS)];
  if (early === late) return [wall - early];
  const found = [wall - Math.max(early, late), wall - Math.min(early, late)].filter(
    (moment) => moment + offsetAt(moment) === wall,
  );
  const [first] = found;
  // Skipped: as if clocks had not been changed yet.
  if (first === undefined) return [wall - early];
  return both ? found : [first];
}
