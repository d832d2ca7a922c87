/**
 * Times of crons, by the parser that BullMQ itself uses, in exactly its version: what is shown is what fires, because both ask here. It
 * finds wall times; which moments they are in a zone is core/schedule/zone.ts's rule.
 */
import { type CronExpression, CronExpressionParser } from "cron-parser";
import { nextMoment, type OffsetAt, type Walls } from "../core/schedule/zone.ts";
import type { CronTimes } from "../core/schedule/timing.ts";

const EXPRESSIONS_KEPT = 1_000;
const ANSWERS_KEPT = 10_000;

/** Parsed once, asked often: 100,000 users share few crons, zones and mornings. */
export function createCronTimes(): CronTimes {
  const walls = new Map<string, Walls>();
  const answers = new Map<string, number | undefined>();
  return (cron, timezone, after) => {
    const key = `${cron}\n${timezone}\n${after}`;
    if (answers.has(key)) return answers.get(key);
    const found = nextMoment(
      remember(walls, EXPRESSIONS_KEPT, cron, () => wallsOf(parseCron(cron))),
      offsetOf(timezone),
      after,
    );
    return remember(answers, ANSWERS_KEPT, key, () => found);
  };
}

/** @throws Error of the parser's own words, on what is no cron */
export function parseCron(cron: string): CronExpression {
  return CronExpressionParser.parse(cron, { tz: "UTC", currentDate: new Date(0) });
}

function wallsOf(expression: CronExpression): Walls {
  return {
    next: (after) => {
      expression.reset(new Date(after));
      try {
        return expression.next().getTime();
      } catch {
        // It gives up after 10,000 steps, which are centuries of days that do not fit.
        return undefined;
      }
    },
    everyHour: expression.fields.hour.values.length === 24,
  };
}

const zones = new Map<string, OffsetAt>();

/** @throws RangeError on a name that Intl does not know */
export function offsetOf(timezone: string): OffsetAt {
  return remember(zones, EXPRESSIONS_KEPT, timezone, () => {
    const parts = new Intl.DateTimeFormat("en-US", {
      timeZone: timezone,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    return (moment) => {
      const whole = Math.floor(moment / 1_000) * 1_000;
      const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] = (
        parts.format(whole).match(/\d+/g) ?? []
      ).map(Number);
      return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
    };
  });
}

function remember<K, V>(known: Map<K, V>, most: number, key: K, make: () => V): V {
  const old = known.get(key);
  if (old !== undefined) return old;
  const made = make();
  // The oldest makes room: of a round of schedules, what was asked first is asked no more.
  if (known.size >= most)
    for (const first of known.keys()) {
      known.delete(first);
      break;
    }
  known.set(key, made);
  return made;
}
