/**
 * When a cron fires, against another implementation of the same rule: every wall-clock minute of a stretch of days, taken by Temporal from
 * a zone's own calendar, and compared with the cron's fields as they are written. And where BullMQ's own answer differs, and why ours does.
 */
import assert from "node:assert/strict";
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { getNextMillis } from "bullmq";
import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { createCronTimes } from "../../src/queue/cron.ts";

const cronTimes = createCronTimes();

test("the parser is the very file that BullMQ loads", () => {
  const [ours, bullmq] = [
    createRequire(import.meta.url),
    createRequire(createRequire(import.meta.url).resolve("bullmq")),
  ];
  assert.equal(realpathSync(ours.resolve("cron-parser")), realpathSync(bullmq.resolve("cron-parser")));
});

const ZONES = [
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Africa/Casablanca",
] as const;

/** A cron as sets of numbers, and as text. */
interface Cron {
  readonly text: string;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number> | undefined;
  readonly months: ReadonlySet<number> | undefined;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number> | undefined;
}

/** The moments of a local day, by the rule of core/schedule/zone.ts, from Temporal alone. */
function momentsOfDay(cron: Cron, day: Temporal.PlainDate, zone: string): number[] {
  const { days, weekdays } = cron;
  const [byDay, byWeekday] = [days?.has(day.day), weekdays?.has(day.dayOfWeek % 7)];
  const either =
    days !== undefined && weekdays !== undefined
      ? byDay === true || byWeekday === true
      : byDay !== false && byWeekday !== false;
  if (cron.months?.has(day.month) === false || !either) return [];
  const moments: number[] = [];
  for (const hour of cron.hours)
    for (const minute of cron.minutes) {
      const wall = day.toPlainDateTime({ hour, minute });
      // "compatible": a skipped time moves on by the gap; of two equal ones, the earlier.
      const first = wall.toZonedDateTime(zone, { disambiguation: "compatible" });
      moments.push(first.epochMilliseconds);
      const second = wall.toZonedDateTime(zone, { disambiguation: "later" });
      if (cron.hours.size === 24 && second.toPlainDateTime().equals(wall)) moments.push(second.epochMilliseconds);
    }
  return moments;
}

function oracle(cron: Cron, zone: string, from: Temporal.PlainDate, days: number): number[] {
  const all = Array.from({ length: days }, (_, i) => momentsOfDay(cron, from.add({ days: i }), zone)).flat();
  return [...new Set(all)].sort((a, b) => a - b);
}

function ours(cron: Cron, zone: string, from: Temporal.PlainDate, days: number): number[] {
  const start = from.toZonedDateTime(zone).epochMilliseconds;
  const end = from.add({ days }).toZonedDateTime(zone).epochMilliseconds;
  const times: number[] = [];
  for (
    let at = cronTimes(cron.text, zone, start - 1);
    at !== undefined && at < end;
    at = cronTimes(cron.text, zone, at)
  )
    times.push(at);
  return times;
}

const some = (min: number, max: number, most: number): fc.Arbitrary<readonly number[]> =>
  fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: most });
const field = (min: number, max: number, most: number): fc.Arbitrary<readonly number[] | undefined> =>
  fc.option(some(min, max, most), { nil: undefined, freq: 2 });
const text = (values: readonly number[] | undefined): string => values?.toSorted((a, b) => a - b).join(",") ?? "*";
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

const crons: fc.Arbitrary<Cron> = fc
  .record({
    minutes: some(0, 59, 4),
    hours: fc.oneof(some(0, 4, 3), some(0, 23, 5), fc.constant(undefined)),
    days: field(1, 28, 3),
    months: field(1, 12, 6),
    weekdays: field(0, 6, 3),
  })
  .map(({ minutes, hours, days, months, weekdays }) => ({
    text: `${text(minutes)} ${text(hours)} ${text(days)} ${text(months)} ${text(weekdays)}`,
    minutes: new Set(minutes),
    hours: new Set(hours ?? range(0, 23)),
    days: days && new Set(days),
    months: months && new Set(months),
    weekdays: weekdays && new Set(weekdays),
  }));

/** Days on which the zone's clocks are changed, and any others. */
function interestingDay(zone: string, year: number, nth: number): Temporal.PlainDate {
  let at = Temporal.PlainDate.from({ year, month: 1, day: 1 }).toZonedDateTime(zone);
  for (let i = 0; i <= nth; i++) at = at.getTimeZoneTransition("next") ?? at;
  return at.toPlainDate();
}

test("random crons, zones and years: on days when clocks are changed, and around", () => {
  fc.assert(
    fc.property(
      crons,
      fc.constantFrom(...ZONES),
      fc.integer({ min: 2024, max: 2036 }),
      fc.nat(2),
      (cron, zone, year, nth) => {
        const from = interestingDay(zone, year, nth).subtract({ days: 2 });
        assert.deepEqual(
          ours(cron, zone, from, 5),
          oracle(cron, zone, from, 5),
          `${cron.text} ${zone} ${String(from)}`,
        );
      },
    ),
    { numRuns: Number(process.env["CRON_RUNS"] ?? 60) },
  );
});

const fixed = (minute: number, hour: number): Cron => ({
  text: `${minute} ${hour} * * *`,
  minutes: new Set([minute]),
  hours: new Set([hour]),
  days: undefined,
  months: undefined,
  weekdays: undefined,
});

test("a year of each zone, half an hour after two", () => {
  for (const zone of ZONES) {
    const from = Temporal.PlainDate.from("2027-01-01");
    const times = ours(fixed(30, 2), zone, from, 365);
    assert.deepEqual(times, oracle(fixed(30, 2), zone, from, 365), zone);
    assert.equal(times.length, 365, `${zone}: each day once`);
  }
});

const iso = (ms: number | undefined): string => (ms === undefined ? "never" : new Date(ms).toISOString().slice(0, 16));

/** Written by hand, from the zones' own tables. */
const KNOWN: readonly [cron: string, zone: string, after: string, expected: readonly string[]][] = [
  ["30 2 * * *", "Europe/Berlin", "2027-03-27T12:00Z", ["2027-03-28T01:30", "2027-03-29T00:30"]],
  ["30 2 * * *", "Europe/Berlin", "2027-10-30T12:00Z", ["2027-10-31T00:30", "2027-11-01T01:30"]],
  ["0 * * * *", "Europe/Berlin", "2027-10-31T00:00Z", ["2027-10-31T01:00", "2027-10-31T02:00"]],
  ["30 2 * * *", "America/New_York", "2027-03-13T12:00Z", ["2027-03-14T07:30", "2027-03-15T06:30"]],
  ["15 2 * * *", "Australia/Lord_Howe", "2027-10-02T00:00Z", ["2027-10-02T15:45", "2027-10-03T15:15"]],
  ["45 1 * * *", "Australia/Lord_Howe", "2027-04-03T00:00Z", ["2027-04-03T14:45", "2027-04-04T15:15"]],
  ["0 8 * * *", "Asia/Kathmandu", "2027-01-01T00:00Z", ["2027-01-01T02:15", "2027-01-02T02:15"]],
  ["30 2 * * *", "Africa/Casablanca", "2027-02-06T12:00Z", ["2027-02-07T01:30", "2027-02-08T02:30"]],
  ["0 8 29 2 *", "Europe/Berlin", "2027-01-01T00:00Z", ["2028-02-29T07:00", "2032-02-29T07:00"]],
  ["59 23 31 12 *", "America/New_York", "2027-01-01T12:00Z", ["2028-01-01T04:59", "2029-01-01T04:59"]],
  ["0 0 1 1 *", "Australia/Lord_Howe", "2027-01-01T12:00Z", ["2027-12-31T13:00", "2028-12-31T13:00"]],
];

for (const [cron, zone, after, expected] of KNOWN)
  test(`${cron} in ${zone} after ${after}`, () => {
    const first = cronTimes(cron, zone, Date.parse(after));
    assert.deepEqual([iso(first), iso(cronTimes(cron, zone, first ?? 0))], expected);
  });

test("what BullMQ's own answer loses on such days, and this one does not", () => {
  const bullmq = (pattern: string, tz: string, after: string): string => {
    const next = getNextMillis(Date.parse(after), { pattern, tz } as Parameters<typeof getNextMillis>[1]);
    return iso(next);
  };
  const here = (pattern: string, tz: string, after: string): string => iso(cronTimes(pattern, tz, Date.parse(after)));
  const set = ["0 3 * * *", "Australia/Lord_Howe", "2027-04-03T00:00Z"] as const;
  assert.deepEqual([bullmq(...set), here(...set)], ["never", "2027-04-03T16:30"], "a job scheduler would end for ever");
  const gap = ["0,45 1,2 * * *", "Europe/Berlin", "2027-03-28T01:00Z"] as const;
  assert.deepEqual([bullmq(...gap), here(...gap)], ["2027-03-28T23:00", "2027-03-28T01:45"]);
});
