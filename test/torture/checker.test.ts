/** The checker can fail: a sound record passes, and each planted lie is found, by the invariant that it breaks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision } from "../../src/core/journal.ts";
import { check } from "./checker.ts";
import type { Invariant } from "./findings.ts";
import type { Executed, FinalRun, Recorded } from "./recorded.ts";
import { soundRecord } from "./sound-record.ts";

test("a sound record has no problems, and is counted", () => {
  const { problems, counts } = check(soundRecord());
  assert.deepEqual(problems, []);
  assert.equal(counts["acked"], 2);
  assert.equal(counts["unsafe: ok"], 4);
  assert.equal(counts["executions"], 6);
});

type Lie = readonly [what: string, finds: `${Invariant} ${string}`, tell: (record: Recorded) => Partial<Recorded>];

const LIES: readonly Lie[] = [
  ["an acknowledged run is gone", "I1 lost", ({ runs }) => ({ runs: runs.slice(1), snapshots: [] })],
  [
    "a run never ends",
    "I1 stuck",
    run1((run) => ({ ...run, status: "parked", decisions: run.decisions.slice(0, -1) })),
  ],
  ["a run of another agent", "I1 changed", enqueue1({ agent: "reader" })],
  ["two runs for one key", "I2 duplicated", ({ runs: [a, b] }) => ({ runs: some(a, b, copyOf(a, "run-3")) })],
  ["a run that was made twice", "I2 duplicated", decisions1((all) => [...all.slice(0, 1), ...all])],
  ["two answers for one key", "I2 duplicated", enqueue1({ ids: ["run-1", "run-9"] })],
  ["a run that nobody wanted", "I2 unexpected", ({ enqueues }) => ({ enqueues: enqueues.slice(1) })],
  ["two ends", "I2 ended", decisions1((all) => [...all, ...all.slice(-1)])],
  ["an entry behind the end", "I2 ended", decisions1((all) => [...all, ...all.slice(1, 2)])],
  [
    "another end than the app was told",
    "I2 unstable",
    ({ results }) => ({ results: results.map((r) => ({ ...r, output: "" })) }),
  ],
  ["a cancel that nobody asked for", "I2 ended", ended1("cancelled")],
  ["a run that failed", "I9 failed", ended1("failed")],
  ["an answer that does not tell what was shown", "I2 output", edit1("ended", { output: "done k1: ok ok unknown" })],
  ["an unsafe call executed twice", "I5 unannounced", executed1("t1c0", (one) => [one, one])],
  ["an unsafe call made again", "I3 again", again1("t1c0", { evidence: false, afterMs: 20_000 })],
  [
    "an unsafe call made again, and executed",
    "I3 repeated",
    (record) =>
      merged(
        record,
        again1("t1c0", { evidence: false, afterMs: 20_000 }),
        executed1("t1c0", (one) => [one, one]),
      ),
  ],
  ["ok, and never executed", "I3 phantom", executed1("t1c0", () => [])],
  ["a known result made again", "I7 again", again1("t0c0", { evidence: true, afterMs: 20_000 })],
  ["a call made again before its deadline", "I4 early", again1("t1c0", { evidence: false, afterMs: 100 })],
  [
    "executed without an intent",
    "I5 unannounced",
    decisions1((all) => all.filter((d) => d.kind !== "call-claimed" || d.call !== "t1c0")),
  ],
  ["executed, and never planned", "I5 unannounced", executed1("t1c0", (one) => [one, { ...one, call: "t7c0" }])],
  ["executed for no run", "I5 unannounced", executed1("t1c0", (one) => [one, { ...one, run: "run-9" }])],
  ["executed with other arguments", "I5 changed", executed1("t1c0", (one) => [{ ...one, args: {} }])],
  ["executed for somebody else", "I11 foreign", executed1("t1c0", (one) => [{ ...one, identifier: "eve" }])],
  ["planned what the model did not ask for", "I5 plan", edit1("turn-committed", { plan: [] })],
  [
    "an epoch that goes back",
    "I6 epoch",
    decisions1((all) => all.map((d) => (d.kind === "leased" ? { ...d, epoch: 0 } : d))),
  ],
  [
    "a zombie writes",
    "I6 zombie",
    decisions1((all) => [...all.slice(0, 3), { kind: "leased", worker: "w:2", epoch: 2, at: 1_025 }, ...all.slice(3)]),
  ],
  ["a journal was rewritten", "I7 rewritten", edit1("prepared", { accounts: { torture: "other" } })],
  [
    "evidence was replaced",
    "I7 rewritten",
    run1((run) => ({ ...run, evidence: run.evidence.map((e) => ({ ...e, tookMs: 9 })) })),
  ],
  [
    "a run that was seen is gone",
    "I7 gone",
    ({ enqueues, runs }) => ({ runs: runs.slice(1), enqueues: enqueues.slice(1), ledger: [] }),
  ],
  ["a turn is missing", "I7 turn", decisions1((all) => all.filter((d) => d.kind !== "turn-committed" || d.turn !== 3))],
  ["a call without an answer", "I12 answered", edit1("turn-requested", { shown: [] }, 1)],
  [
    "a call with two answers",
    "I12 answered",
    edit1(
      "turn-requested",
      {
        shown: [
          { call: "t0c0", as: "unknown" },
          { call: "t0c0", as: "unknown" },
        ],
      },
      1,
    ),
  ],
  ["keys are left behind", "I13 left", () => ({ leftovers: ["live:default:ada holds 1 runs"] })],
  [
    "more at once than the cap",
    "cap cap",
    ({ runs: [a, b] }) => ({
      runs: some(a, b && { ...b, decisions: b.decisions.map((d) => ({ ...d, at: d.at - 19_000 })) }),
      snapshots: [],
    }),
  ],
];

for (const [what, finds, tell] of LIES)
  test(`found: ${what}`, () => {
    const record = soundRecord();
    const { problems } = check({ ...record, ...tell(record) });
    const found = problems.map(({ invariant, what: word }) => `${invariant} ${word}`);
    assert.ok(found.includes(finds), `expected ${finds}, found ${found.join(", ") || "nothing"}`);
  });

test("what Redis itself lost is counted, and excuses nothing else", () => {
  const record = soundRecord();
  const losses = [{ from: 900, to: 1_100, writes: 3 }];
  const [hit, other] = [0, 1].map((lost) =>
    check({
      ...record,
      losses,
      snapshots: [],
      results: [],
      ledger: [],
      runs: record.runs.filter((_, i) => i !== lost),
    }),
  );
  const lost = hit?.problems.filter(({ run }) => run === "run-1");
  assert.deepEqual(lost, []);
  assert.equal(hit?.counts["excused by what redis lost"], 1);
  assert.equal(
    other?.problems.some(({ what, run }) => what === "lost" && run === "run-2"),
    true,
  );
});

type Tell = (record: Recorded) => Partial<Recorded>;

function some<T>(...list: readonly (T | undefined)[]): T[] {
  return list.filter((one) => one !== undefined);
}

function copyOf(run: FinalRun | undefined, id: string): FinalRun | undefined {
  return run && { ...run, id };
}

function merged(record: Recorded, first: Tell, second: Tell): Partial<Recorded> {
  const told = first(record);
  return { ...told, ...second({ ...record, ...told }) };
}

function run1(change: (run: FinalRun) => FinalRun): Tell {
  return ({ runs }) => ({ runs: runs.map((run) => (run.id === "run-1" ? change(run) : run)) });
}

function decisions1(change: (all: readonly Decision[]) => readonly Decision[]): Tell {
  return run1((run) => ({ ...run, decisions: change(run.decisions) }));
}

/** The `nth` entry of its kind says something else. */
function edit1(kind: Decision["kind"], fields: object, nth = 0): Tell {
  return decisions1((all) => {
    const at = all.filter((d) => d.kind === kind)[nth];
    return all.map((d) => (d === at ? ({ ...d, ...fields } as Decision) : d));
  });
}

function ended1(status: "cancelled" | "failed"): Tell {
  return run1((run) => ({
    ...run,
    status,
    decisions: run.decisions.map((d) => (d.kind === "ended" ? { ...d, status } : d)),
  }));
}

function enqueue1(fields: object): Tell {
  return ({ enqueues: [first, ...rest] }) => ({ enqueues: some(first && { ...first, ...fields }, ...rest) });
}

function executed1(call: string, change: (one: Executed) => readonly Executed[]): Tell {
  return ({ ledger }) => ({
    ledger: ledger.flatMap((one) => (one.run === "run-1" && one.call === call ? change(one) : [one])),
  });
}

/** A second intent for the call right behind the first, with or without evidence for the first. */
function again1(call: string, { evidence, afterMs }: { evidence: boolean; afterMs: number }): Tell {
  return run1((run) => {
    const at = run.decisions.findIndex((d) => d.kind === "call-claimed" && d.call === call);
    const first = run.decisions[at];
    if (first?.kind !== "call-claimed") return run;
    const second = { ...first, intent: "again", attempt: 2, at: first.at + afterMs };
    return {
      ...run,
      decisions: run.decisions.toSpliced(at + 1, 0, second),
      evidence: run.evidence.filter((e) => evidence || e.nonce !== first.intent),
    };
  });
}
