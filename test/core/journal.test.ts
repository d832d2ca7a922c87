/** The fold that makes a run's state of its journal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Entry } from "../../src/core/journal.ts";
import { byKey } from "../../src/core/records.ts";
import { apply, applyEvidence, crashes, foldRun, type RunState } from "../../src/core/state.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import * as b from "./build.ts";

const r0 = b.call("t0c0");
const r1 = b.call("t0c1");

test("a journal that does not start with `created` is no journal", () => {
  assert.throws(
    () => foldRun("r1", [], []),
    /^Error: run r1: its journal does not start with "created" but with "nothing"$/,
  );
  assert.throws(() => foldRun("r1", b.decisions([b.LEASED]), []), /but with "leased"$/);
  assert.throws(() => foldRun("r1", b.decisions([b.CREATED, b.LEASED, b.CREATED]), []), /run r1: created twice/);
});

test("just created", () => {
  assert.deepEqual(b.run([]), {
    id: "r1",
    created: { ...b.CREATED, at: 1_000, epoch: 0 },
    covers: undefined,
    epoch: 0,
    context: undefined,
    prepared: undefined,
    accountsSeen: false,
    turns: [],
    requested: undefined,
    accepted: undefined,
    failures: [],
    rested: false,
    compactions: [],
    claims: byKey(),
    unknowns: byKey(),
    looks: byKey(),
    looked: byKey(),
    subs: byKey(),
    approvals: byKey(),
    parks: [],
    budgetMet: undefined,
    leases: [],
    evidence: byKey(),
    spending: { spent: { tokens: 0 } },
    activity: { ms: 0, last: 1_000 },
    raised: {},
    raisedAt: 0,
    ended: undefined,
  });
});

test("a whole run, entry by entry", () => {
  const shown = [{ call: "t0c0", evidence: "t0c0#2" }] as const;
  const ended: Entry = { kind: "ended", status: "completed", output: "Done" };
  const entries = [
    b.LEASED,
    b.prepared(),
    b.requested(0),
    b.turn(0, [r0]),
    b.claim(r0, 1),
    b.LEASED,
    b.claim(r0, 2),
    b.requested(1, shown),
    b.turn(1, [], { leadsTo: "finish" }),
    ended,
  ];
  const state = b.run(entries, [b.evidence(r0, 2, b.OK, 8_500)]);
  assert.equal(state.epoch, 2);
  assert.deepEqual(state.context, b.context());
  assert.deepEqual(
    state.turns.map((turn) => [turn.turn, turn.at, turn.epoch, turn.shown]),
    [
      [0, 5_000, 1, shown],
      [1, 10_000, 2, undefined],
    ],
  );
  assert.deepEqual(
    state.claims["t0c0"]?.map((claim) => [claim.intent, claim.at, claim.epoch]),
    [
      ["t0c0#1", 6_000, 1],
      ["t0c0#2", 8_000, 2],
    ],
  );
  assert.deepEqual(state.requested, { ...b.requested(1, shown), at: 9_000, epoch: 2 });
  assert.equal(state.evidence["t0c0#2"]?.outcome, b.OK);
  assert.deepEqual(state.ended, { ...ended, at: 11_000, epoch: 2 });
});

test("the context is frozen by the first preparation; later ones only say when accounts were seen, and which", () => {
  const second = { ...b.prepared({ turns: 1 }), accounts: { gmail: "ca_2" } };
  const state = b.run([b.LEASED, b.prepared({ turns: 5 }), b.parked("account"), b.LEASED, second]);
  assert.equal(state.context?.limits.turns, 5);
  assert.deepEqual([state.prepared?.at, state.prepared?.accounts], [6_000, { gmail: "ca_2" }]);
});

test("what a request shows belongs to the turn before it, and the last request counts", () => {
  const first = [{ call: "t0c0", as: "unknown" }] as const;
  const second = [{ call: "t0c0", evidence: "t0c0#1" }] as const;
  const turns = (...entries: readonly Entry[]): unknown =>
    b.run([...b.READY, b.turn(0, [r0]), ...entries]).turns.map((turn) => turn.shown);
  assert.deepEqual(turns(), [undefined]);
  assert.deepEqual(turns(b.requested(1, first)), [first]);
  assert.deepEqual(turns(b.requested(1, first), b.requested(1, second)), [second]);
  assert.deepEqual(turns(b.requested(1, first), b.turn(1, [r1]), b.requested(2, second)), [first, second]);
  assert.deepEqual(b.run([...b.READY, b.requested(0, first)]).turns, []);
});

test("accounts are seen from a preparation until a park for one, by order alone", () => {
  const seen = (...entries: readonly Entry[]): boolean => b.run(entries).accountsSeen;
  assert.equal(seen(b.LEASED), false);
  assert.equal(seen(b.LEASED, b.prepared()), true);
  for (const reason of ["account", "probe"] as const) {
    assert.equal(seen(b.LEASED, b.prepared(), b.parked(reason)), false, reason);
    assert.equal(seen(b.LEASED, b.prepared(), b.parked(reason), b.LEASED, b.AGAIN), true, reason);
  }
  for (const reason of ["retry", "settling", "outage", "budget"] as const) {
    assert.equal(seen(b.LEASED, b.prepared(), b.parked(reason)), true, reason);
    assert.equal(seen(b.LEASED, b.parked(reason)), false, reason);
  }
  // The retry of a turn has nothing to do with accounts, that of a call may have.
  assert.equal(seen(b.LEASED, b.prepared(), b.parked("retry", "t12")), true);
  assert.equal(seen(b.LEASED, b.prepared(), b.parked("retry", "t12c3")), false);
  assert.equal(seen(b.LEASED, b.prepared(), b.parked("retry", "t12c3v1")), false, "a look is a call");
});

test("evidence: the first write wins", () => {
  const state = b.run(
    [...b.READY, b.turn(0, [r0])],
    [b.evidence(r0, 1, b.OK, 6_000), b.evidence(r0, 1, b.ERROR, 7_000)],
  );
  assert.equal(state.evidence["t0c0#1"]?.outcome, b.OK);
});

// Leases at 2 s and 4 s, then the row's entries from 5 s on.
const counts: readonly (readonly [string, readonly (Entry & { readonly at?: number })[], readonly number[], number])[] =
  [
    ["one death", [], [], 1],
    ["two", [b.LEASED], [], 2],
    ["a claim is no progress", [b.claim(r0), b.LEASED], [], 2],
    ["a request is none", [b.requested(0), b.LEASED], [], 2],
    ["a look at the accounts is none", [b.AGAIN, b.LEASED], [], 2],
    ["a turn is", [b.turn(0, [r0])], [], 0],
    ["deaths after a turn", [b.turn(0, [r0]), b.LEASED, b.LEASED], [], 2],
    ["a park is", [b.parked("retry", "t0"), b.LEASED], [], 0],
    ["a park for an account is", [b.parked("account"), b.LEASED, b.LEASED], [], 1],
    ["handing back is", [b.YIELDED, b.LEASED], [], 0],
    ["evidence of the last worker", [b.LEASED], [5_500], 0],
    ["evidence of the one before", [b.LEASED], [4_500], 1],
    ["evidence of the first", [b.LEASED], [2_500], 2],
    ["the latest evidence counts, in any order", [b.LEASED], [5_500, 2_500], 0],
    ["the latest evidence counts, in this order, too", [b.LEASED], [2_500, 4_500], 1],
    ["late evidence from before a turn changes nothing", [b.turn(0, [r0]), b.LEASED], [2_500], 1],
    ["late evidence from before a park changes nothing", [b.parked("retry", "t0"), b.LEASED, b.LEASED], [2_500], 1],
  ];

test("workers that died since the last progress", () => {
  for (const [name, entries, times, expected] of counts) {
    const evidence = times.map((at, i) => b.evidence(b.call(`t0c${i}`), 1, b.OK, at));
    assert.equal(crashes(b.run([b.LEASED, b.prepared(), b.LEASED, ...entries], evidence)), expected, name);
  }
  assert.equal(crashes(b.run([])), 0);
  assert.equal(crashes(b.run([b.LEASED])), 0);
});

const entry = fc.constantFrom<Entry>(
  b.LEASED,
  b.prepared(),
  b.AGAIN,
  b.requested(0),
  b.requested(1, [{ call: "t0c0", evidence: "t0c0#1" }]),
  b.turn(0, [r0, r1]),
  b.turn(1, []),
  b.claim(r0, 1),
  b.claim(r0, 2),
  b.claim(r1, 1),
  b.parked("account"),
  b.parked("retry", "t0c0"),
  b.YIELDED,
  { kind: "ended", status: "failed" },
);

/** Evidence in order of time, with a moment of its own for each: entries have whole seconds. */
const evidence = fc
  .uniqueArray(fc.integer({ min: 1, max: 16 }), { maxLength: 4 })
  .map((seconds) =>
    seconds
      .toSorted((x, y) => x - y)
      .map((s, i): Evidence => b.evidence(i % 2 === 0 ? r0 : r1, i + 1, b.OK, s * 1_000 + 500)),
  );

test("foldRun is a left fold: a prefix of the journal, and then each entry in turn", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 14 }), evidence, fc.nat(), (entries, seen, at) => {
      const decisions = b.decisions([b.CREATED, ...entries]);
      const cut = 1 + (at % decisions.length);
      const prefix = decisions
        .slice(0, cut)
        .reduce<RunState | undefined>(
          (state, decision) => (state === undefined ? foldRun("r1", [decision], []) : apply(state, decision)),
          undefined,
        );
      assert.ok(prefix !== undefined, "there is at least `created`");
      assert.deepEqual(prefix, foldRun("r1", decisions.slice(0, cut), []));
      const whole = seen.reduce(applyEvidence, decisions.slice(cut).reduce(apply, prefix));
      assert.deepEqual(whole, foldRun("r1", decisions, seen));
    }),
  );
});

test("evidence may be folded when it came or at the end: the state is the same, crashes included", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 14 }), evidence, (entries, seen) => {
      const [created, ...rest] = b.decisions([b.CREATED, ...entries]);
      assert.ok(created !== undefined, "there is at least `created`");
      const timeline = [...rest, ...seen].toSorted((x, y) => x.at - y.at);
      const asItCame = timeline.reduce<RunState>(
        (state, one) => ("kind" in one ? apply(state, one) : applyEvidence(state, one)),
        foldRun("r1", [created], []),
      );
      assert.deepEqual(foldRun("r1", [created, ...rest], seen), asItCame);
    }),
  );
});

test("evidence of any order gives the same state", () => {
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 14 }),
      evidence.chain((seen) => fc.tuple(fc.constant(seen), fc.shuffledSubarray(seen, { minLength: seen.length }))),
      (entries, [seen, shuffled]) => {
        assert.deepEqual(b.run(entries, shuffled), b.run(entries, seen));
      },
    ),
  );
});
