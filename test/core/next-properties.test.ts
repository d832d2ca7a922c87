/** What holds of the next step for any journal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EFFECTS } from "../../src/core/effects.ts";
import type { Entry } from "../../src/core/journal.ts";
import { next, type Step } from "../../src/core/next.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import * as b from "./build.ts";

const r0 = b.call("t0c0");
const w1 = b.call("t0c1", "unsafe");

function step(entries: readonly (Entry & { readonly at?: number })[], evidence: readonly Evidence[] = []): Step {
  return next(b.run(entries, evidence), { now: 50_000, cancelled: false });
}

test("N3: nothing is sent unless the accounts were seen since the last park for one, for any order of entries", () => {
  const entry = fc.constantFrom<Entry>(
    b.LEASED,
    b.AGAIN,
    b.parked("account"),
    b.parked("probe", "t0c0"),
    b.parked("retry", "t0"),
    b.YIELDED,
    b.turn(0, [r0, w1]),
    b.claim(r0),
    b.requested(0),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(entry, fc.integer({ min: 1, max: 9 })), { maxLength: 12 }), (given) => {
      const entries = [...b.READY, ...given.map(([one, second]) => b.at(second * 1_000, one))];
      const made = step(entries);
      const lastPark = entries.findLastIndex(
        (e) => e.kind === "parked" && (e.reason === "account" || e.reason === "probe"),
      );
      const seen = entries.findLastIndex((e) => e.kind === "prepared") > lastPark;
      if (!seen) assert.ok(made.do === "prepare" || made.do === "end", made.do);
    }),
  );
});

test("N4, and at most one effect at a time: for any plan and any evidence", () => {
  const outcome = fc.constantFrom(b.OK, b.ERROR, b.UNKNOWN, b.refused("rate-limit"), b.refused("account"), undefined);
  const planned = fc.tuple(fc.constantFrom(...EFFECTS), fc.boolean(), outcome);
  fc.assert(
    fc.property(fc.array(planned, { maxLength: 6 }), (given) => {
      const plan = given.map(([effect], i) => b.call(`t0c${i}`, effect, { n: i }));
      const claims = plan.filter((_, i) => given[i]?.[1]).map((call) => b.claim(call));
      const seen = plan.flatMap((call, i) => {
        const [, claimed, happened] = given[i] ?? [];
        return claimed === true && happened !== undefined ? [b.evidence(call, 1, happened, 40_000)] : [];
      });
      const entries = [...b.READY, b.turn(0, plan), ...claims];
      const made = step(entries, seen);
      if (made.do === "call") {
        const effects = made.calls.map(({ call }) => call.effect);
        assert.ok(effects.length === 1 || effects.every((effect) => effect === "read"), effects.join(" "));
        // Whatever stands before a call that is no read has been settled.
        const first = made.calls[0]?.call;
        if (first !== undefined && first.effect !== "read") {
          const before = plan
            .slice(
              0,
              plan.findIndex((call) => call.id === first.id),
            )
            .map((call) => call.id);
          const rest = [
            ...b.READY,
            b.turn(0, plan.slice(0, before.length)),
            ...claims.filter((c) => before.includes(c.call)),
          ];
          assert.equal(
            step(
              rest,
              seen.filter((e) => before.includes(e.call)),
            ).do,
            "think",
          );
        }
      }
      if (made.do === "think") {
        assert.deepEqual(
          made.shown.map((s) => s.call),
          plan.map((call) => call.id),
        );
      }
    }),
    { numRuns: 300 },
  );
});
