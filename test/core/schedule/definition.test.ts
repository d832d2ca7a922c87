/** What is refused of a schedule, and with which words: what was expected, what came, an example. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrandError } from "../../../src/core/errors.ts";
import { checkDefinition, checkScheduleId, type ScheduleOptions } from "../../../src/core/schedule/definition.ts";
import { inputOf, inputTemplate, tickOf } from "../../../src/core/schedule/input.ts";
import { delayOf } from "../../../src/core/schedule/timing.ts";
import { parseCron } from "../../../src/queue/cron.ts";

const known = {
  parseCron,
  isZone: (name: string) => name === "UTC" || name === "Europe/Berlin",
  zones: () => ["Europe/Berlin", "America/New_York"],
  keepMs: 7 * 86_400_000,
};
const check = (options: object): unknown =>
  checkDefinition("d", "digest", { identifier: "ada", cron: "0 8 * * *", ...options } as ScheduleOptions, known);

const REFUSED: readonly [what: string, options: object, message: RegExp][] = [
  ["30 February", { cron: "0 8 30 2 *" }, /cron: expected five fields .* such as "0 8 \* \* 1-5", got "0 8 30 2 \*": /],
  ["six fields", { cron: "0 0 8 * * *" }, /got six: there are no seconds\. Write "0 8 \* \* \*"/],
  ["a macro", { cron: "@daily" }, /got "@daily"\. Write "0 0 \* \* \*"/],
  ["an unknown macro", { cron: "@fortnightly" }, /got "@fortnightly"\.$/],
  ["three fields", { cron: "8 * *" }, /got 3\./],
  ["an empty cron", { cron: "" }, /got none\./],
  ["a minute too large", { cron: "61 * * * *" }, /0-59/],
  ["a hash", { cron: "H 8 * * *" }, /jitter/],
  [
    "an unknown zone",
    { timezone: "Europe/Berlinn" },
    /IANA name .* got "Europe\/Berlinn"\. Did you mean "Europe\/Berlin"/,
  ],
  ["an offset", { timezone: "+02:00" }, /IANA name/],
  ["every below the floor", { cron: undefined, every: 59_999 }, /at least 60000 ms .* got 59999/],
  ["every above ten years", { cron: undefined, every: Number.MAX_SAFE_INTEGER }, /at most 316224000000 \(ten years\)/],
  ["a step that is never taken", { cron: "*/99 * * * *" }, /a step of 99 in a field that counts to 59/],
  ["a step of a list", { cron: "0 0,1-23/25 * * *" }, /a step of 25 in a field that counts to 23/],
  ["both", { every: 60_000 }, /either cron, .* or every, .* got both/],
  ["neither", { cron: undefined }, /got neither/],
  ["an end before the start", { startAt: 2_000, endAt: 1_000 }, /endAt: expected a time after startAt/],
  ["no date", { startAt: new Date(NaN) }, /startAt: expected a Date.*Invalid Date/],
  ["a negative jitter", { jitter: -1 }, /jitter: expected 0 to 86400000/],
  ["an unknown policy", { overlap: "skipp" }, /overlap: expected one of .* Did you mean "skip"/],
  [
    "a catch-up longer than memory",
    { catchUp: { policy: "all", within: 8 * 86_400_000 } },
    /within: expected 60000 to 604800000/,
  ],
  ["an unknown option", { timeZone: "UTC" }, /there is no "timeZone"\. Did you mean "timezone"/],
  ["an unknown value of the tick", { input: { a: { $tick: "sinc" } } }, /one of schedule, identifier, nominal/],
  [
    "a function that fails",
    {
      input: () => {
        throw new TypeError("no profile");
      },
    },
    /input: the function failed: no profile/,
  ],
  [
    "computing with the tick",
    { input: (tick: { since: number }) => ({ since: tick.since - 1 }) },
    /tick\.since is not known yet/,
  ],
];

for (const [what, options, message] of REFUSED)
  test(`refused: ${what}`, () => {
    assert.throws(
      () => check(options),
      (error) => error instanceof ErrandError && error.code === "schedule-invalid" && message.test(error.message),
    );
  });

for (const id of ["a:b", "x".repeat(10_240), "", "a b", "ä", 7])
  test(`refused: the id ${String(id).slice(0, 10)}`, () => {
    assert.throws(
      () => checkScheduleId(id),
      /expected 1 to 200 printable ASCII characters .* such as "digest\/user_123"/,
    );
  });

test("a function says where the tick's values go; they are there in each run", () => {
  const template = inputTemplate((tick: { since: number; untilIso: string }) => ({
    window: [tick.since, { until: tick.untilIso }],
    n: 1,
  }));
  assert.deepEqual(template, { window: [{ $tick: "since" }, { until: { $tick: "untilIso" } }], n: 1 });
  const input = inputOf(template, tickOf("d", "ada", 86_400_000, 5));
  assert.deepEqual(input, { window: [5, { until: "1970-01-02T00:00:00.000Z" }], n: 1 });
});

test("jitter: late only, the same each time, and evenly spread over users with numbers", () => {
  const buckets = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 100_000; i++) {
    const delay = delayOf(`digest/user_${i}`, 599_999);
    assert.equal(delay >= 0 && delay < 600_000, true);
    const bucket = Math.floor(delay / 60_000);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  assert.equal(
    buckets.every((n) => Math.abs(n - 10_000) < 500),
    true,
    buckets.join(" "),
  );
  assert.equal(delayOf("digest/user_1", 599_999), delayOf("digest/user_1", 599_999));
  assert.equal(delayOf("d"), 0);
});
