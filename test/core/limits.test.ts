/** Bad input of every limit that there is: 0, below, NaN, no number, a part of a whole, above the hard cap; and what is just allowed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkBudgets, type DayLimits } from "../../src/core/days.ts";
import { completeLimits, DEFAULT_LIMITS, HARD_CAPS, type Limits } from "../../src/core/limits.ts";

const NAMES = Object.keys(HARD_CAPS) as (keyof Limits)[];
/** They may be none, or a part of a whole. */
const NONE_IS_ALLOWED: ReadonlySet<string> = new Set(["repairs"]);
const PARTS_ARE_ALLOWED: ReadonlySet<string> = new Set(["costUsd"]);

const WRONG: readonly unknown[] = [-1, NaN, Infinity, -Infinity, "5", null, true, {}, 10n];

test("each limit of a run refuses what is none, and names itself, what is allowed and what came", () => {
  const refused = (name: keyof Limits, value: unknown): void =>
    assert.throws(() => completeLimits({ [name]: value } as Partial<Limits>, "agent x"), {
      code: "agent-invalid",
      message: new RegExp(`^agent x: limits\\.${name}: expected .*, got `),
    });
  for (const name of NAMES) {
    const cap = HARD_CAPS[name];
    for (const value of WRONG) refused(name, value);
    refused(name, cap + 1);
    if (!NONE_IS_ALLOWED.has(name)) refused(name, 0);
    if (!PARTS_ARE_ALLOWED.has(name)) refused(name, 1.5);
    for (const value of [1, cap]) assert.equal(completeLimits({ [name]: value }, "x")[name], value, name);
    assert.ok((DEFAULT_LIMITS[name] ?? 1) <= cap, name);
  }
  assert.equal(completeLimits({ repairs: 0 }, "x").repairs, 0);
  assert.throws(() => completeLimits({ turn: 5 } as never, "x"), /unknown limit "turn".*turns/);
});

test("each budget of a day refuses what is none, of an identifier and of a tenant", () => {
  for (const scope of ["identifier", "tenant"] as const)
    for (const name of ["runs", "tokens", "costUsd", "parked"] as const) {
      const of = (value: unknown): unknown => checkBudgets({ [scope]: { [name]: value } as DayLimits });
      for (const value of [...WRONG, 0, 1e15, ...(name === "costUsd" ? [] : [1.5])])
        assert.throws(() => of(value), {
          code: "config-invalid",
          message: new RegExp(`budgets: ${scope}\\.${name}: expected .*, got `),
        });
      assert.doesNotThrow(() => of(1));
    }
  for (const wrong of [7, null, "all", [1]]) {
    assert.throws(() => checkBudgets({ identifier: wrong } as never), { code: "config-invalid" });
    assert.throws(() => checkBudgets({ tenant: wrong } as never), { code: "config-invalid" });
    assert.throws(() => completeLimits(wrong as never, "agent x"), /^ErrandError: agent x: limits: expected names/);
  }
});

test("a number that came as a text is told as one", () => {
  assert.throws(() => completeLimits({ turns: "5" } as never, "agent x"), { message: /from 1 to 200, got "5"\.$/ });
});
