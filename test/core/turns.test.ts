/** Whose turn it is: random arrivals and ends under nested caps; the rules T1 to T4 are checked at every moment, by other means than the model's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ALL, type Caps, createTurns, type Path, pathOf, type Turns } from "../../src/core/turns.ts";

const PEOPLE = ["ann", "bob", "cay", "dan", "eve", "fox"] as const;
/** The first three are one organization, the next two another; the last one has none. */
const TENANTS: Readonly<Record<string, string>> = { ann: "acme", bob: "acme", cay: "acme", dan: "bolt", eve: "bolt" };
const AGENTS = ["note", "task", "bulk"] as const;

type Op =
  | { readonly do: "add"; readonly who: string; readonly agent: string; readonly rank: number }
  | { readonly do: "end"; readonly which: number }
  | { readonly do: "leave"; readonly which: number }
  | { readonly do: "switch"; readonly what: string };

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("add" as const),
      who: fc.constantFrom(...PEOPLE, "ann", "ann"),
      agent: fc.constantFrom(...AGENTS, "note", "note"),
      rank: fc.nat(2),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("end" as const), which: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), which: fc.nat(99) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("switch" as const),
      what: fc.constantFrom("agent:note", "identifier:ann", "tenant:acme", "tenant:bolt"),
    }),
  },
);

const caps: fc.Arbitrary<Caps> = fc.record({
  identifier: fc.constantFrom(1, 2, 3),
  tenant: fc.constantFrom(1, 2, 4, Infinity),
  total: fc.constantFrom(1, 3, 5, Infinity),
  agents: fc.constantFrom(new Map<string, number>(), new Map([["bulk", 1]]), new Map([["bulk", 4]])),
});

/** Turns in each round. */
const weights: fc.Arbitrary<ReadonlyMap<string, number>> = fc.constantFrom(
  new Map<string, number>(),
  new Map([["tenant:acme", 3]]),
  new Map([
    ["tenant:bolt", 2],
    ["identifier:ann", 4],
    ["identifier:fox", 2],
  ]),
);

interface Run {
  readonly id: string;
  readonly path: Path;
  readonly agent: string;
  readonly who: string;
  readonly rank: number;
}

/** Keeps its own books. */
class Watch {
  readonly waiting: Run[] = [];
  readonly live: Run[] = [];
  readonly off: Set<string> = new Set();
  readonly caps: Caps;
  readonly weights: ReadonlyMap<string, number>;
  /** Child of a node → how often each other child was served since it could go and did not. */
  readonly overtaken: Map<string, Map<string, number>> = new Map();

  constructor(given: Caps, weighed: ReadonlyMap<string, number>) {
    this.caps = given;
    this.weights = weighed;
  }

  /** Of a node, by other means than the model's own. */
  weight(node: string): number {
    const [, kind = "", name = ""] = /^([it]):(\S+)/.exec(node) ?? [];
    return this.weights.get(`${kind === "t" ? "tenant" : "identifier"}:${name}`) ?? 1;
  }

  count(of: (run: Run) => boolean): number {
    return this.live.filter(of).length;
  }

  stopped({ who, agent }: Run): boolean {
    const tenant = TENANTS[who];
    const names = [`agent:${agent}`, `identifier:${who}`, ...(tenant === undefined ? [] : [`tenant:${tenant}`])];
    return names.some((name) => this.off.has(name));
  }

  /** Whether it could have a slot now: nothing that holds it is full. */
  mayGo(run: Run): boolean {
    const { caps: c } = this;
    const own = c.agents.get(run.agent);
    const beside = (it: Run): boolean => (c.agents.get(it.agent) ?? 0) > c.identifier;
    const isFull = [
      this.live.length >= c.total,
      this.count((it) => it.path.parent === run.path.parent) >= c.tenant && run.path.parent !== ALL,
      beside(run) ? false : this.count((it) => it.who === run.who && !beside(it)) >= c.identifier,
      own !== undefined && this.count((it) => it.who === run.who && it.agent === run.agent) >= own,
    ];
    return !isFull.includes(true) && !this.stopped(run);
  }

  serve(run: Run): void {
    assert.ok(this.mayGo(run), `T1: ${run.id} got a slot that it may not have`);
    const better = this.waiting.find((it) => it.path.node === run.path.node && it.rank < run.rank && this.mayGo(it));
    assert.equal(better, undefined, `T4: ${better?.id ?? ""} has the better rank`);
    for (const [parent, child] of [
      [run.path.parent, run.path.node],
      [ALL, run.path.parent === ALL ? run.path.node : run.path.parent],
    ] as const) {
      const others = this.waiting.filter((it) => this.mayGo(it) && it !== run);
      const siblings = others.flatMap(({ path }) =>
        path.parent === parent ? [path.node] : parent === ALL && path.parent !== ALL ? [path.parent] : [],
      );
      for (const sibling of new Set(siblings)) {
        if (sibling === child) continue;
        const counts = this.overtaken.get(sibling) ?? new Map<string, number>();
        this.overtaken.set(sibling, counts);
        counts.set(child, (counts.get(child) ?? 0) + 1);
        const most = 2 * this.weight(child);
        assert.ok((counts.get(child) ?? 0) <= most, `T3: ${child} was served again and again before ${sibling}`);
      }
      this.overtaken.delete(child);
    }
    this.waiting.splice(this.waiting.indexOf(run), 1);
    this.live.push(run);
  }

  settled(): void {
    const idle = this.waiting.find((run) => this.mayGo(run));
    assert.equal(idle, undefined, `T2: ${idle?.id ?? ""} waits and could go`);
  }
}

function perform(turns: Turns, watch: Watch, it: Op, step: number): void {
  switch (it.do) {
    case "add": {
      const { who, agent } = it;
      const path = pathOf({ queue: "q", identifier: who, agent, ends: false }, watch.caps, TENANTS[who]);
      // Ranks differ: first come.
      const run: Run = { id: `run${step}`, path, who, agent, rank: it.rank * 1_000 + step };
      watch.waiting.push(run);
      turns.enter(run.id, path, run.rank);
      break;
    }
    case "end": {
      const [run] = watch.live.splice(it.which % Math.max(1, watch.live.length), 1);
      if (run === undefined) break;
      turns.unseat(run.id, run.path);
      turns.touch(run.path);
      break;
    }
    case "leave": {
      const [run] = watch.waiting.splice(it.which % Math.max(1, watch.waiting.length), 1);
      if (run === undefined) break;
      turns.leave(run.id, run.path);
      break;
    }
    case "switch":
      if (!watch.off.delete(it.what)) watch.off.add(it.what);
      break;
  }
  for (const id of turns.fill()) {
    const run = watch.waiting.find((one) => one.id === id);
    assert.notEqual(run, undefined, `${id} waits`);
    if (run !== undefined) watch.serve(run);
  }
  watch.settled();
}

test("no cap is exceeded, no slot stays free, nobody is overtaken twice, best rank first", () => {
  fc.assert(
    fc.property(caps, weights, fc.array(op, { minLength: 30, maxLength: 150 }), (given, weighed, ops) => {
      const watch = new Watch(given, weighed);
      const turns = createTurns(
        given,
        (name) => watch.off.has(name),
        (name) => weighed.get(name) ?? 1,
      );
      for (const [step, it] of ops.entries()) perform(turns, watch, it, step);
      // Nothing is forgotten: with everything on, all come to their end.
      watch.off.clear();
      for (let step = ops.length; watch.live.length + watch.waiting.length > 0; step++)
        perform(turns, watch, { do: "end", which: step }, step);
      const left = [
        ...turns.waits.keys(),
        ...turns.used.keys(),
        ...Array.from(turns.busy).flatMap(([node, runs]) => (runs.size > 0 ? [node] : [])),
      ];
      assert.deepEqual(left, [], "who waits for nothing leaves nothing behind");
    }),
    { numRuns: 120, seed: 6 },
  );
});

test("one tenant with a thousand identifiers gets the share of one", () => {
  const given: Caps = { identifier: 5, tenant: Infinity, total: 10, agents: new Map() };
  const turns = createTurns(given, () => false);
  const of = (identifier: string, tenant: string): Path =>
    pathOf({ queue: "q", identifier, agent: "a", ends: false }, given, tenant);
  const paths = new Map<string, Path>();
  const add = (run: string, path: Path, rank: number): void => {
    paths.set(run, path);
    turns.enter(run, path, rank);
  };
  for (let i = 0; i < 1_000; i++) add(`many ${i}`, of(`m${i}`, "many"), i);
  const live = [...turns.fill()];
  for (let i = 0; i < 20; i++) add(`small ${i}`, of("s", "small"), i);
  const served: string[] = [];
  for (let i = 0; i < 30; i++) {
    const ended = live.shift() ?? "";
    const path = paths.get(ended);
    if (path === undefined) throw new Error(`${ended} is live`);
    turns.unseat(ended, path);
    turns.touch(path);
    const next = turns.fill();
    live.push(...next);
    served.push(...next);
  }
  const small = served.filter((run) => run.startsWith("small")).length;
  assert.ok(small >= 14, `of 30 slots the small tenant got ${small}: by turns, but for its own cap`);
});

test("where all have work, each gets its weight of the slots, and none waits longer than two rounds for what is its share", () => {
  const share = fc.record({ weight: fc.integer({ min: 1, max: 7 }), identifiers: fc.integer({ min: 1, max: 3 }) });
  fc.assert(
    fc.property(fc.array(share, { minLength: 2, maxLength: 6 }), fc.integer({ min: 1, max: 5 }), (tenants, slots) => {
      const given: Caps = { identifier: 50, tenant: Infinity, total: slots, agents: new Map() };
      const turns = createTurns(
        given,
        () => false,
        (name) => (name.startsWith("tenant:") ? (tenants[Number(name.slice("tenant:".length))]?.weight ?? 1) : 1),
      );
      const paths = new Map<string, Path>();
      let came = 0;
      const add = (tenant: number, who: number): void => {
        const claimant = { queue: "q", identifier: `${tenant}-${who}`, agent: "a", ends: false };
        const [run, path] = [`${tenant} ${came}`, pathOf(claimant, given, `${tenant}`)];
        paths.set(run, path);
        turns.enter(run, path, came++);
      };
      // More than is served, of each of its users: all have work all the time.
      const round = tenants.reduce((sum, { weight }) => sum + weight, 0);
      for (const [i, { identifiers }] of tenants.entries()) for (let n = 0; n < 8 * round; n++) add(i, n % identifiers);
      const served: number[] = [];
      const live: string[] = [];
      const note = (): void => {
        for (const run of turns.fill()) {
          live.push(run);
          served.push(Number(run.split(" ")[0]));
        }
      };
      note();
      while (served.length < 6 * round) {
        const ended = live.shift() ?? "";
        const path = paths.get(ended);
        if (path === undefined) throw new Error(`${ended} is live`);
        turns.unseat(ended, path);
        turns.touch(path);
        note();
      }
      for (let from = 0; from + 2 * round <= 6 * round; from++)
        for (const [i, { weight }] of tenants.entries()) {
          const count = served.slice(from, from + round).filter((it) => it === i).length;
          assert.equal(count, weight, `tenant ${i} in the round from ${from}: ${served.join(" ")}`);
        }
    }),
    { numRuns: 60, seed: 9 },
  );
});
