/** Days of budgets: where they begin and end, and which limits are refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Budgets, budgetName, checkBudgets, dayOf } from "../../src/core/days.ts";

const at = (text: string): number => Date.parse(text);

test("a day ends at midnight of its zone, also where clocks change", () => {
  const rows: readonly (readonly [string, string, string, string])[] = [
    ["2026-11-21T17:00:00Z", "UTC", "2026-11-21", "2026-11-22T00:00:00Z"],
    ["2026-11-21T23:59:59.999Z", "UTC", "2026-11-21", "2026-11-22T00:00:00Z"],
    ["2026-11-22T00:00:00Z", "UTC", "2026-11-22", "2026-11-23T00:00:00Z"],
    ["2026-11-21T17:00:00Z", "Asia/Tokyo", "2026-11-22", "2026-11-22T15:00:00Z"],
    ["2026-03-28T23:30:00Z", "Europe/Berlin", "2026-03-29", "2026-03-29T22:00:00Z"],
    ["2026-10-24T22:00:00Z", "Europe/Berlin", "2026-10-25", "2026-10-25T23:00:00Z"],
  ];
  for (const [now, zone, day, ends] of rows) assert.deepEqual(dayOf(at(now), zone), { day, endsAt: at(ends) }, now);
});

test("names do not run into each other", () => {
  assert.equal(budgetName("identifier", "a:b", "d"), "identifier:a%3Ab:d");
});

const refused: readonly (readonly [unknown, RegExp])[] = [
  [5, /budgets: expected \{ identifier, tenant, timeZone \}, got 5/],
  [{ user: {} }, /there is no "user". Known: identifier, tenant, timeZone/],
  [[], /budgets: expected \{ identifier, tenant, timeZone \}, got \[\]/],
  [{ identifier: { turns: "5" } }, /identifier\.turns: expected a whole number from 1 to 1000000000, got "5"\./],
  [{ timeZone: "Mars" }, /timeZone: expected an IANA name such as Europe\/Berlin, got "Mars"/],
  [
    { identifier: { token: 1 } },
    /identifier: there is no "token". Did you mean "tokens"\? Known: runs, tokens, costUsd, turns, toolCalls,/,
  ],
  [{ identifier: { tokens: 0 } }, /identifier.tokens: expected a whole number from 1 to 1000000000000, got 0/],
  [{ identifier: { runs: -1 } }, /identifier.runs: expected a whole number/],
  [{ tenant: { costUsd: Number.NaN } }, /tenant.costUsd: expected US dollars above 0 and up to 1000000, got NaN/],
  [{ tenant: { parked: 1.5 } }, /tenant.parked: expected a whole number/],
];

test("budgets that cannot be are refused", () => {
  for (const [given, message] of refused)
    assert.throws(() => checkBudgets(given as Budgets), { code: "config-invalid", message }, String(message));
  const fine: Budgets = { identifier: { costUsd: 0.5, tokens: 1 }, timeZone: "Asia/Tokyo" };
  assert.equal(checkBudgets(fine), fine);
});
