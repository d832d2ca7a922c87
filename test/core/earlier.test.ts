/** Calls whose last attempt was refused, while an earlier one may have been executed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallStanding, standing } from "../../src/core/calls.ts";
import type { Entry } from "../../src/core/journal.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import * as b from "./build.ts";

const ATTEMPTS = 3;
const HOUR = 3_600_000;

test("a keyed call whose refusal was waited for longer than its key is known is not made again", () => {
  const pay = b.call("t0c0", "keyed");
  const [waited, refused] = [b.at(9 * HOUR, b.AGAIN), b.evidence(pay, 2, b.refused("account"), 18_000)];
  const at = (evidence: readonly Evidence[], ...made: readonly Entry[]): CallStanding =>
    standing(b.run([...b.READY, b.turn(0, [pay]), ...made], evidence), pay, ATTEMPTS, 9 * HOUR);
  const twice = [b.claim(pay, 1), b.at(16_000, b.claim(pay, 2))] as const;
  assert.deepEqual(at([refused], ...twice, waited), { is: "unrecorded", intent: "t0c0#1" });
  const soon = standing(
    b.run([...b.READY, b.turn(0, [pay]), ...twice, b.at(20_000, b.AGAIN)], [refused]),
    pay,
    ATTEMPTS,
    20_000,
  );
  assert.deepEqual(soon, { is: "open", attempt: 3 }, "within the window it is");
  const all = [b.evidence(pay, 1, b.refused("rate-limit"), 6_000), refused];
  assert.deepEqual(at(all, ...twice, waited), { is: "open", attempt: 3 }, "so is one that never was in doubt");
  const said = [b.answered(pay, "not-executed", 20_000), refused];
  assert.deepEqual(
    at(said, ...twice, b.unknown(pay), waited),
    { is: "open", attempt: 3 },
    "or of which a person knows",
  );
});

test("refused on the last attempt, with an earlier one in doubt: nobody may say that it was not executed", () => {
  for (const effect of ["idempotent", "keyed"] as const) {
    const call = b.call("t0c0", effect);
    const entries = [b.claim(call, 1), b.at(16_000, b.claim(call, 2)), b.at(17_000, b.claim(call, 3))];
    const evidence = [2, 3].map((n) => b.evidence(call, n, b.refused("unavailable"), 17_500));
    const state = b.run([...b.READY, b.turn(0, [call]), ...entries], evidence);
    assert.deepEqual(standing(state, call, ATTEMPTS, 50_000), { is: "unrecorded", intent: "t0c0#1" }, effect);
  }
});

test("what somebody said has happened is not made again, whatever became of the attempts beside it", () => {
  for (const effect of ["idempotent", "keyed"] as const) {
    const call = b.call("t0c0", effect);
    const made = [b.claim(call, 1), b.at(16_000, b.claim(call, 2)), b.at(17_000, b.claim(call, 3))];
    const asked = [...made, b.unknown(call), b.at(60_000, b.parked("review", call.id)), b.at(70_000, b.LEASED)];
    const refused = [2, 3].map((n) => b.evidence(call, n, b.refused("unavailable"), 17_500));
    const at = (says: "happened" | "stop"): CallStanding =>
      standing(
        b.run([...b.READY, b.turn(0, [call]), ...asked], [...refused, b.answered(call, says, 65_000)]),
        call,
        ATTEMPTS,
        70_000,
      );
    assert.deepEqual(at("happened"), { is: "happened" }, effect);
    assert.deepEqual(at("stop"), { is: "stopped" }, effect);
  }
});
