/** Where a call stands: every effect, every outcome, every order of claims, evidence and parks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallStanding, standing } from "../../src/core/calls.ts";
import { type Effect, EFFECTS, resolve } from "../../src/core/effects.ts";
import type { Entry } from "../../src/core/journal.ts";
import type { Evidence, Outcome } from "../../src/core/outcome.ts";
import * as b from "./build.ts";

type Expected = (effect: Effect) => Partial<CallStanding>;
const ATTEMPTS = 3;

// created 1 s, leased 2 s, prepared 3 s, turn 4 s, and then the row's entries from 5 s on.
interface Row {
  readonly name: string;
  readonly after?: (call: ReturnType<typeof b.call>) => readonly (Entry & { readonly at?: number })[];
  readonly evidence?: (call: ReturnType<typeof b.call>) => readonly Evidence[];
  readonly now?: number;
  readonly is: Expected;
}

const looked = (effect: Effect): boolean => effect === "staged" || effect === "verifiable";
const repeatable = (effect: Effect): boolean => effect === "read" || effect === "idempotent" || effect === "keyed";
const open =
  (attempt: number): Expected =>
  () => ({ is: "open", attempt });
/** Nobody will know: to be written down, but for a read, which nobody has to find out about. */
const unknown: Expected = (effect) => ({ is: effect === "read" ? "unknown" : "unrecorded" });
const doubtful: Expected = (effect) => ({ is: looked(effect) ? "unlooked" : "unrecorded" });
/** One claim at 5 s, and this outcome of it at 6 s. */
const once = (outcome: Outcome): Pick<Row, "after" | "evidence"> => ({
  after: (c) => [b.claim(c)],
  evidence: (c) => [b.evidence(c, 1, outcome, 6_000)],
});

const rows: readonly Row[] = [
  { name: "not claimed", is: open(1) },
  { name: "ok", ...once(b.OK), is: () => ({ is: "settled" }) },
  { name: "error", ...once(b.ERROR), is: () => ({ is: "settled" }) },
  {
    name: "no evidence, in its window",
    after: (c) => [b.claim(c)],
    now: 14_999,
    is: (effect) => (effect === "read" ? { is: "open", attempt: 2 } : { is: "settling", until: 15_000 }),
  },
  {
    name: "no evidence, after its window",
    after: (c) => [b.claim(c)],
    now: 15_000,
    is: (effect) => (repeatable(effect) ? { is: "open", attempt: 2 } : doubtful(effect)),
  },
  {
    name: "no evidence, last attempt, after its window",
    after: (c) => [b.claim(c, 1), b.claim(c, 2), b.claim(c, 3)],
    now: 99_000,
    is: unknown,
  },
  {
    name: "no evidence of the second attempt, but late evidence of the first",
    after: (c) => [b.claim(c, 1), b.claim(c, 2)],
    evidence: (c) => [b.evidence(c, 1, b.OK, 9_000)],
    is: () => ({ is: "settled" }),
  },
  {
    name: "unknown outcome",
    ...once(b.UNKNOWN),
    is: (effect) =>
      repeatable(effect)
        ? { is: "retry", failed: 1, why: "unavailable", message: "timed out", retryAfterMs: 0 }
        : doubtful(effect),
  },
  {
    name: "unknown outcome, waited",
    after: (c) => [b.claim(c), b.at(7_000, b.parked("retry", c.id))],
    evidence: (c) => [b.evidence(c, 1, b.UNKNOWN, 6_000)],
    is: (effect) => (repeatable(effect) ? { is: "open", attempt: 2 } : doubtful(effect)),
  },
  {
    name: "unknown outcome of the last attempt",
    after: (c) => [b.claim(c, 1), b.claim(c, 2), b.claim(c, 3)],
    evidence: (c) => [b.evidence(c, 3, b.UNKNOWN, 9_000)],
    is: unknown,
  },
  {
    name: "rate limited",
    ...once(b.refused("rate-limit", 700)),
    is: () => ({ is: "retry", failed: 1, why: "rate-limit", message: "refused: rate-limit", retryAfterMs: 700 }),
  },
  {
    name: "rate limited, waited",
    after: (c) => [b.claim(c), b.at(7_000, b.parked("retry", c.id))],
    evidence: (c) => [b.evidence(c, 1, b.refused("rate-limit"), 6_000)],
    is: open(2),
  },
  {
    name: "rate limited, waited for another call",
    after: (c) => [b.claim(c), b.at(7_000, b.parked("retry", "t0c9"))],
    evidence: (c) => [b.evidence(c, 1, b.refused("rate-limit"), 6_000)],
    is: open(2),
  },
  {
    name: "rate limited, waited for another call as long as this one's provider asked for",
    after: (c) => [b.claim(c), b.at(7_000, { ...b.parked("retry", "t0c9"), until: 9_000 })],
    evidence: (c) => [b.evidence(c, 1, b.refused("rate-limit", 3_000), 6_000)],
    is: open(2),
  },
  {
    name: "rate limited, waited for another call, but not that long",
    after: (c) => [b.claim(c), b.at(7_000, { ...b.parked("retry", "t0c9"), until: 8_999 })],
    evidence: (c) => [b.evidence(c, 1, b.refused("rate-limit", 3_000), 6_000)],
    is: () => ({ is: "retry", failed: 1 }),
  },
  {
    name: "our credentials refused, waited for the provider of another call",
    after: (c) => [b.claim(c), b.at(7_000, b.parked("retry", "t0c9"))],
    evidence: (c) => [b.evidence(c, 1, b.refused("credentials"), 6_000)],
    is: () => ({ is: "retry", failed: 1, why: "credentials" }),
  },
  {
    name: "our credentials refused, waited for the operator for another call",
    after: (c) => [b.claim(c), b.at(7_000, b.parked("outage", "t0c9"))],
    evidence: (c) => [b.evidence(c, 1, b.refused("credentials"), 6_000)],
    is: open(2),
  },
  {
    name: "too few replicas had its intent: no attempt is used up",
    after: (c) => [b.claim(c, 1), b.claim(c, 2), b.claim(c, 3)],
    evidence: (c) => [1, 2, 3].map((n) => b.evidence(c, n, b.refused("store"), 6_000)),
    is: () => ({ is: "retry", failed: 3, why: "store" }),
  },
  {
    name: "rate limited, waited only before",
    after: (c) => [b.at(5_000, b.parked("retry", c.id)), b.claim(c)],
    evidence: (c) => [b.evidence(c, 1, b.refused("rate-limit"), 6_500)],
    is: () => ({ is: "retry", failed: 1 }),
  },
  {
    name: "rate limited on the last attempt: the model is told",
    after: (c) => [b.claim(c, 1), b.claim(c, 2), b.claim(c, 3)],
    evidence: (c) => [1, 2, 3].map((n) => b.evidence(c, n, b.refused("rate-limit"), 9_000)),
    is: () => ({ is: "settled" }),
  },
  {
    name: "unavailable on the last attempt: the model is told",
    after: (c) => [b.claim(c, 3)],
    evidence: (c) => [b.evidence(c, 3, b.refused("unavailable"), 9_000)],
    is: () => ({ is: "settled" }),
  },
  {
    name: "our credentials refused on the last attempt: no fault of the run, it waits on",
    after: (c) => [b.claim(c, 3)],
    evidence: (c) => [b.evidence(c, 3, b.refused("credentials"), 9_000)],
    is: () => ({ is: "retry", failed: 3, why: "credentials" }),
  },
  { name: "account refused", ...once(b.refused("account")), is: () => ({ is: "blocked", why: "account" }) },
  { name: "scope refused", ...once(b.refused("scope")), is: () => ({ is: "blocked", why: "scope" }) },
  {
    name: "account refused on the last attempt: still no fault of the run",
    after: (c) => [b.claim(c, 3)],
    evidence: (c) => [b.evidence(c, 3, b.refused("account"), 9_000)],
    is: () => ({ is: "blocked", why: "account" }),
  },
  {
    name: "account refused, then seen ACTIVE",
    after: (c) => [b.claim(c), b.at(7_000, b.AGAIN)],
    evidence: (c) => [b.evidence(c, 1, b.refused("account"), 6_000)],
    is: open(2),
  },
  {
    name: "account refused again after it was seen ACTIVE",
    after: (c) => [b.claim(c), b.at(7_000, b.AGAIN), b.claim(c, 2)],
    evidence: (c) => [b.evidence(c, 1, b.refused("account"), 6_000), b.evidence(c, 2, b.refused("account"), 8_500)],
    is: () => ({ is: "blocked", why: "account" }),
  },
  {
    name: "evidence without its intent, equal tool and arguments: the store lost the claim, but the call was sent",
    evidence: (c) => [b.evidence(b.call("t0c7", c.effect), 1, b.OK, 6_000)],
    is: (effect) =>
      effect === "read" || effect === "idempotent"
        ? { is: "open", attempt: 1 }
        : { is: looked(effect) ? "unlooked" : "unrecorded", intent: "t0c7#1" },
  },
  {
    name: "evidence without its intent, of this very call: a key makes it safe to repeat",
    evidence: (c) => [{ ...b.evidence(c, 1, b.OK, 6_000), nonce: "lost" }],
    is: (effect) =>
      repeatable(effect)
        ? { is: "open", attempt: 1 }
        : { is: looked(effect) ? "unlooked" : "unrecorded", intent: "lost" },
  },
  {
    name: "evidence without its intent, other arguments",
    evidence: (c) => [b.evidence(b.call("t0c7", c.effect, { n: 2 }), 1, b.OK, 6_000)],
    is: open(1),
  },
  {
    name: "evidence without its intent, another tool",
    evidence: (c) => [b.evidence({ ...c, id: "t0c7", name: "other" }, 1, b.OK, 6_000)],
    is: open(1),
  },
  {
    name: "equal evidence that belongs to the intent of another call",
    after: (c) => [b.claim(b.call("t0c7", c.effect))],
    evidence: (c) => [b.evidence(b.call("t0c7", c.effect), 1, b.OK, 6_000)],
    is: open(1),
  },
  {
    name: "such evidence beside a claim that may still be settled: that one is waited for",
    after: (c) => [b.claim(c)],
    evidence: (c) => [b.evidence(b.call("t0c7", c.effect), 1, b.OK, 6_000)],
    now: 9_000,
    is: (effect) => (effect === "read" ? { is: "open", attempt: 2 } : { is: "settling", until: 15_000 }),
  },
  {
    name: "first attempt rate limited and waited for; evidence of a second one whose intent the store lost",
    after: (c) => [b.claim(c), b.at(7_000, b.parked("retry", c.id))],
    evidence: (c) => [b.evidence(c, 1, b.refused("rate-limit"), 6_000), b.evidence(c, 2, b.OK, 8_000)],
    is: (effect) => (repeatable(effect) ? { is: "open", attempt: 2 } : doubtful(effect)),
  },
];

test("each row, for each effect", () => {
  for (const row of rows)
    for (const effect of EFFECTS) {
      const call = b.call("t0c0", effect);
      const state = b.run([...b.READY, b.turn(0, [call]), ...(row.after?.(call) ?? [])], row.evidence?.(call));
      const got = standing(state, call, ATTEMPTS, row.now ?? 50_000);
      const expected = row.is(effect);
      assert.deepEqual(
        Object.fromEntries(Object.keys(expected).map((key) => [key, got[key as keyof CallStanding]])),
        expected,
        `${row.name}, ${effect}: ${JSON.stringify(got)}`,
      );
    }
});

test("a settled call names the first definite evidence, in the order of its claims", () => {
  const call = b.call("t0c0");
  const state = b.run(
    [...b.READY, b.turn(0, [call]), b.claim(call, 1), b.claim(call, 2)],
    [b.evidence(call, 2, b.ERROR, 8_000), b.evidence(call, 1, b.OK, 9_000)],
  );
  assert.deepEqual(standing(state, call, 3, 50_000), { is: "settled", evidence: state.evidence["t0c0#1"] });
});

test("a rejected call is never made, whatever evidence there is", () => {
  const state = b.run([...b.READY, b.turn(0, [b.rejected("t0c0")])]);
  assert.deepEqual(standing(state, b.rejected("t0c0"), 3, 50_000), { is: "rejected" });
});

const DOUBT = { first: 0, deadline: 10, finished: 10, windowMs: 3 };

test("resolve: reads at once; others after the deadline, and then again, after a look, or never", () => {
  for (const effect of EFFECTS) {
    const before = resolve({ effect }, { ...DOUBT, now: 9 });
    const after = resolve({ effect }, { ...DOUBT, now: 10 });
    assert.deepEqual(before, effect === "read" ? { do: "again" } : { do: "wait", until: 10 }, effect);
    assert.deepEqual(after, { do: repeatable(effect) ? "again" : looked(effect) ? "look" : "never" }, effect);
  }
});

test("resolve: a look waits until it can be trusted; an unsafe tool that can be verified is looked after", () => {
  const tool = { effect: "verifiable", settleMs: 5 } as const;
  assert.deepEqual(resolve(tool, { ...DOUBT, now: 14 }), { do: "wait", until: 15 });
  assert.deepEqual(resolve(tool, { ...DOUBT, now: 15 }), { do: "look" });
  assert.deepEqual(resolve({ effect: "unsafe", onUnknown: "verify" }, { ...DOUBT, now: 10 }), { do: "look" });
});

test("resolve: a broken connection says nothing of the provider: a look waits until it must be done, a repeat that is allowed does not", () => {
  const broken = { ...DOUBT, deadline: 1, finished: 10 };
  for (const effect of ["staged", "verifiable"] as const) {
    assert.deepEqual(resolve({ effect }, { ...broken, now: 9 }), { do: "wait", until: 10 }, effect);
    assert.deepEqual(resolve({ effect }, { ...broken, now: 10 }), { do: "look" }, effect);
  }
  assert.deepEqual(resolve({ effect: "idempotent" }, { ...broken, now: 2 }), { do: "again" });
  assert.deepEqual(resolve({ effect: "unsafe" }, { ...broken, now: 2 }), { do: "never" });
});

test("resolve: a keyed call is repeated only while the provider still knows its key", () => {
  const tool = { effect: "keyed", keyWindowMs: 20 } as const;
  assert.deepEqual(resolve(tool, { ...DOUBT, now: 16 }), { do: "again" });
  assert.deepEqual(resolve(tool, { ...DOUBT, now: 17 }), { do: "never" }, "it could arrive when the key is forgotten");
});
