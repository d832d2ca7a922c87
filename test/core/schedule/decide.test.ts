/** What becomes of ticks: rules that hold in every history, and what each policy says of the simplest one. Pure; a tick each hour. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Decision, decide, LATE_MS } from "../../../src/core/schedule/decide.ts";
import { CATCH_UPS, type Definition, OVERLAPS } from "../../../src/core/schedule/definition.ts";
import type { DueTick, LiveRun, ScheduleState } from "../../../src/core/schedule/state.ts";

const HOUR = 3_600_000;

function schedule(options: Partial<Definition> = {}): Definition {
  return {
    agent: "digest",
    identifier: "ada",
    input: {},
    timing: { every: HOUR, jitter: 0, zone: "UTC" } as unknown as Definition["timing"],
    overlap: "skip",
    catchUp: { policy: "all", within: 24 * HOUR },
    coalesce: true,
    ...options,
  };
}

function state(options: Partial<ScheduleState> = {}): ScheduleState {
  return { cursor: 0, since: 0, paused: false, past: [], buffer: [], runs: [], ...options };
}

const tick = (hour: number, paused = false): DueTick => ({ nominal: hour * HOUR, due: hour * HOUR, paused });
const busy: LiveRun = { id: "r1", since: 0, is: "busy" };
const waits: LiveRun = { id: "r1", since: 0, is: "waits" };

/** In hours, to be read. */
function brief({ makes, outcomes, cancels, state: { buffer } }: Decision): string {
  const hours = (ms: number): number => ms / HOUR;
  return [
    ...makes.map(
      (it) => `run ${hours(it.since)}-${hours(it.nominal)}${it.supersedes.map((id) => ` for ${id}`).join("")}`,
    ),
    ...outcomes.map(
      (it) =>
        `${hours(it.nominal)} ${it.outcome === "skipped" ? `skipped ${it.policy}` : `into ${hours(it.into)}`}${it.count === undefined ? "" : ` ×${it.count}`}`,
    ),
    ...cancels.map((id) => `cancel ${id}`),
    ...buffer.map((it) => `waits ${hours(it.since)}-${hours(it.nominal)}`),
  ].join(", ");
}

const rows: readonly [name: string, options: Partial<Definition>, state: Partial<ScheduleState>, expected: string][] = [
  ["nothing runs, and the first one does then", {}, {}, "run 0-1, 2 skipped skip"],
  ["latest is made up", { catchUp: { policy: "latest", within: 24 * HOUR } }, {}, "run 0-2, 1 into 2"],
  [
    "latest, each run its own time",
    { catchUp: { policy: "latest", within: 24 * HOUR }, coalesce: false },
    {},
    "run 1-2, 1 skipped catch-up",
  ],
  ["none is made up", { catchUp: { policy: "none", within: 0 } }, {}, "run 1-2, 1 skipped catch-up"],
  ["skip", {}, { runs: [busy] }, "2 skipped skip ×2"],
  ["buffer one", { overlap: "buffer-one" }, { runs: [busy] }, "2 skipped buffer-one, waits 0-1"],
  ["buffer all", { overlap: "buffer-all" }, { runs: [busy] }, "waits 0-1, waits 1-2"],
  ["cancel other", { overlap: "cancel-other" }, { runs: [busy] }, "1 into 2, cancel r1, waits 0-2"],
  ["allow all", { overlap: "allow-all" }, { runs: [busy] }, "run 0-1, run 1-2"],
  ["a run waits for an account: its place is taken", {}, { runs: [waits] }, "run 0-1 for r1, 2 skipped skip"],
  ["it waits, and is a run like any other", { coalesce: false }, { runs: [waits] }, "2 skipped skip ×2"],
  [
    "one was kept, and the run before has ended",
    { overlap: "buffer-one" },
    { cursor: HOUR, since: HOUR, buffer: [{ nominal: HOUR, since: 0 }] },
    "run 0-1, waits 1-2",
  ],
];

test("each policy, two ticks that are due", () => {
  for (const [name, options, given, expected] of rows) {
    const ticks = [tick(1), tick(2)].filter(({ nominal }) => nominal > (given.cursor ?? 0));
    assert.equal(brief(decide(schedule(options), state(given), ticks, false, 2 * HOUR)), expected, name);
  }
});

test("a run between two pauses parts them: no line says of it that it was skipped", () => {
  const ticks = [tick(1, true), tick(2), tick(3, true)];
  const decision = decide(schedule({ overlap: "allow-all" }), state(), ticks, false, 3 * HOUR);
  assert.equal(brief(decision), "run 1-2, 1 skipped paused, 3 skipped paused");
});

interface Move {
  /** Hours that pass, and how many of their ticks one step takes at most. */
  readonly hours: number;
  readonly most: number;
  readonly paused: boolean;
  /** From now on. */
  readonly overlap: (typeof OVERLAPS)[number];
  readonly coalesce: boolean;
  /** What becomes of the runs meanwhile. */
  readonly runs: "end" | "wait" | "stay";
}

const move: fc.Arbitrary<Move> = fc.record({
  hours: fc.integer({ min: 0, max: 30 }),
  most: fc.integer({ min: 1, max: 7 }),
  paused: fc.boolean(),
  overlap: fc.constantFrom(...OVERLAPS),
  coalesce: fc.boolean(),
  runs: fc.constantFrom("end", "wait", "stay"),
});

test("in every history each time ends once, windows leave no gap, and runs overlap only where that is wanted", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(undefined, ...OVERLAPS),
      fc.constantFrom(...CATCH_UPS),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(undefined, true, false),
      fc.array(move, { maxLength: 25 }),
      (always, policy, within, coalesce, drawn) => {
        const given = schedule({ catchUp: { policy, within: within * HOUR } });
        const moves = coalesce === undefined ? drawn : drawn.map((one) => ({ ...one, coalesce }));
        play(given, always === undefined ? moves : moves.map((one) => ({ ...one, overlap: always })));
      },
    ),
    { numRuns: 400 },
  );
});

/** Goes through the moves as a ticker would, and holds what was decided against the rules. */
function play(base: Definition, moves: readonly Move[]): void {
  let at = state();
  let hour = 0;
  let named = 0;
  const ended = new Map<number, string>();
  const end = (nominal: number, how: string): void => {
    assert.ok(!ended.has(nominal), `${nominal / HOUR} ended twice: ${ended.get(nominal)}, ${how}`);
    ended.set(nominal, how);
  };
  const pausedAt = new Set<number>();
  const into = new Set<number>();
  let [coveredTo, gaveUp] = [0, false];
  const nominals = new Map<string, number>();
  for (const { hours, most, paused, overlap, coalesce, runs } of moves) {
    const given = { ...base, overlap, coalesce };
    // Each run for itself: that time is given up on purpose.
    gaveUp ||= !coalesce;
    const left = runs === "end" ? [] : at.runs.map((run) => (runs === "wait" ? { ...run, is: "waits" as const } : run));
    for (let i = hour + 1; i <= hour + hours; i++) if (paused) pausedAt.add(i);
    hour += hours;
    at = { ...at, runs: left };
    for (let step = 0; step === 0 || at.cursor < hour * HOUR; step++) {
      const first = at.cursor / HOUR + 1;
      const due = Array.from({ length: Math.max(0, hour - first + 1) }, (_, i) =>
        tick(first + i, pausedAt.has(first + i)),
      );
      const ticks = due.slice(0, most);
      const now = hour * HOUR + LATE_MS;
      const before = at;
      const made = decide(given, at, ticks, due.length > most, now);
      assert.ok(made.state.cursor >= before.cursor, "the cursor only grows");
      assert.equal(made.state.cursor, ticks.at(-1)?.nominal ?? before.cursor, "all that was given is accounted for");
      gaveUp ||= made.outcomes.some((it) => it.outcome === "skipped" && ["paused", "catch-up"].includes(it.policy));
      for (const it of made.makes) {
        end(it.nominal, "run");
        assert.ok(it.since < it.nominal, "a window has a length");
        for (const run of it.supersedes)
          assert.ok((nominals.get(run) ?? 0) < it.nominal, "a run gives way to a later one");
        if (given.coalesce && !gaveUp) assert.ok(it.since <= coveredTo, "no time is left out");
        coveredTo = Math.max(coveredTo, it.nominal);
      }
      for (const it of made.outcomes) {
        const { nominal, first: from = nominal, count = 1 } = it;
        assert.equal((nominal - from) / HOUR + 1, count, "a line of several names all of them");
        for (let i = 0; i < count; i++) end(from + i * HOUR, it.outcome);
        if (it.outcome !== "coalesced") continue;
        assert.ok(it.into > nominal, "into a later one");
        into.add(it.into);
      }
      const alive = before.runs.filter((run) => !made.makes.some((it) => it.supersedes.includes(run.id)));
      const together = alive.length + made.makes.length;
      if (given.overlap !== "allow-all" && made.makes.length > 0)
        assert.equal(together, 1, `${given.overlap}: one after the other`);
      if (given.overlap === "buffer-one")
        assert.ok(made.state.buffer.length <= Math.max(1, before.buffer.length), "one is kept at most");
      if (given.overlap === "skip") assert.ok(made.state.buffer.length <= before.buffer.length, "none is kept");
      if (given.overlap === "allow-all") assert.equal(made.state.buffer.length, 0);
      const live = made.makes.map((it): LiveRun => {
        const id = `run-${named++}`;
        nominals.set(id, it.nominal);
        return { id, since: it.since, is: "busy" };
      });
      at = { ...made.state, runs: [...alive, ...live].filter(({ id }) => !made.cancels.includes(id)) };
      for (const cancelled of made.cancels)
        assert.ok(
          before.runs.some(({ id }) => id === cancelled),
          "of its own runs",
        );
      const idle = decide(given, at, [], false, now);
      if (at.buffer.length === 0) assert.deepEqual([idle.makes, idle.outcomes], [[], []], "nothing due, nothing done");
      at = { ...at };
    }
  }
  for (const nominal of into)
    assert.notEqual(ended.get(nominal), "skipped", `${nominal / HOUR}: others were coalesced into it`);
  const kept = new Set(at.buffer.map(({ nominal }) => nominal));
  for (let i = 1; i <= hour; i++)
    assert.notEqual(
      ended.has(i * HOUR),
      kept.has(i * HOUR),
      `${i}: it ends, or waits to; ${ended.get(i * HOUR) ?? "neither"}`,
    );
}

test("no room for more runs: their ticks are skipped by budget; one that stands for others waits, and a run that waits keeps its place", () => {
  const kept = { nominal: 0, since: -HOUR };
  const table: readonly (readonly [
    name: string,
    room: number,
    options: Partial<Definition>,
    state: Partial<ScheduleState>,
    expected: string,
  ])[] = [
    ["none at all", 0, {}, {}, "2 skipped budget ×2"],
    ["one of two", 1, { overlap: "allow-all" }, {}, "run 0-1, 2 skipped budget"],
    ["both", 2, { overlap: "allow-all" }, {}, "run 0-1, run 1-2"],
    ["a run waits for an account, and goes on waiting", 0, {}, { runs: [waits] }, "2 skipped budget ×2"],
    [
      "one was kept, and would start now",
      0,
      { coalesce: false },
      { buffer: [kept] },
      "0 skipped budget, 2 skipped budget ×2",
    ],
    [
      "it stands for others",
      0,
      { overlap: "buffer-all" },
      { buffer: [{ ...kept, covers: true }] },
      "waits -1-0, waits 0-1, waits 1-2",
    ],
  ];
  for (const [name, room, options, before, expected] of table) {
    const made = decide(schedule(options), state(before), [tick(1), tick(2)], false, 2 * HOUR, room);
    assert.equal(brief(made), expected, name);
    assert.ok(made.makes.length <= room, name);
  }
  const skipped = decide(schedule(), state(), [tick(1)], false, HOUR, 0);
  assert.equal(skipped.state.since, 0, "the next run covers its time");
});
