/** Turns on Redis: the same as the model says (core/turns.ts), whatever comes; what changes in a deploy; and what is left when all is idle. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { type Caps, createTurns, type Path, pathOf } from "../../src/core/turns.ts";
import { decodeTickets, type Ticket } from "../../src/queue/codec.ts";
import { createRefill } from "../../src/queue/refill.ts";
import { CLAIM } from "../../src/queue/scripts/claim.ts";
import { COMMIT } from "../../src/queue/scripts/commit.ts";
import { CREATE } from "../../src/queue/scripts/create.ts";
import { DUE } from "../../src/queue/scripts/due.ts";
import { OPEN } from "../../src/queue/scripts/open.ts";
import { openStore, type Store, type StoreOptions } from "../../src/queue/store.ts";
import { WEIGH } from "../../src/queue/scripts/weights.ts";
import { quiet, type TestStore, testStore } from "../support/store.ts";

const ENDED = JSON.stringify({ kind: "ended", status: "completed" });

interface Who {
  readonly identifier: string;
  readonly agent?: string;
  readonly tenant?: string;
  readonly priority?: number;
}

/** @returns the tickets that the scripts made: who got a slot */
async function enqueue(store: Store, run: string, who: Who, own: number | "" = ""): Promise<Ticket[]> {
  const { identifier, agent = "note", tenant = "", priority = 0 } = who;
  const created = JSON.stringify({ kind: "created", agent, identifier, input: {} });
  const rest = [tenant, "default", priority, "", "h", created, "all", "", own] as const;
  const reply = await store.run(CREATE, run, run, agent, identifier, ...rest);
  assert.equal(reply[0], "ok");
  return decodeTickets(reply.slice(2));
}

async function end(store: Store, run: string): Promise<Ticket[]> {
  const ticket = (await store.redis.hget(`${store.prefix}run:${run}`, "ticket")) ?? "";
  const claim = await store.run(CLAIM, run, ticket, `claim-${run}`, JSON.stringify({ kind: "leased", worker: "w" }));
  assert.equal(claim[0], "claimed");
  const move = JSON.stringify({ to: "end", status: "completed" });
  const reply = await store.run(COMMIT, run, String(claim[1]), 2, `end-${run}`, move, ENDED);
  assert.equal(reply[0], "ok");
  return decodeTickets(reply.slice(3));
}

const ids = (tickets: readonly Ticket[]): string[] => tickets.map(({ run }) => run);

/** Keys of turns, but for the number of the last one and what is recorded for ever. */
async function left({ redis, prefix }: Store): Promise<string[]> {
  const keys = await redis.keys(`${prefix.replaceAll(/[[\]*?]/g, "\\$&")}*`);
  return keys
    .map((key) => key.slice(prefix.length))
    .filter((key) => /^((line|live|busy|waits|ready|stopped):|used$)/.test(key));
}

const TENANTS: Readonly<Record<string, string>> = { ann: "acme", bob: "acme", cay: "acme", dan: "bolt" };

test("Redis gives slots in the order that the model says", async (t) => {
  const op = fc.oneof(
    fc.record({
      identifier: fc.constantFrom("ann", "ann", "bob", "cay", "dan", "eve"),
      agent: fc.constantFrom("note", "note", "bulk"),
      priority: fc.constantFrom(0, 0, -5),
    }),
    fc.record({ end: fc.nat(99) }),
    fc.record({
      weigh: fc.constantFrom("tenant:acme", "tenant:bolt", "identifier:ann", "identifier:eve"),
      weight: fc.constantFrom(1, 2, 3),
    }),
  );
  const all: fc.Arbitrary<Partial<StoreOptions>> = fc.record({
    perIdentifier: fc.constantFrom(1, 2),
    perTenant: fc.constantFrom(1, 3, 1_000),
    maxLive: fc.constantFrom(2, 4, 1_000),
    agentCaps: fc.constantFrom(new Map([["bulk", 1]]), new Map([["bulk", 3]]), new Map<string, number>()),
  });
  const base = testStore(t).store;
  let worlds = 0;
  await fc.assert(
    fc.asyncProperty(all, fc.array(op, { minLength: 30, maxLength: 80 }), async (options, ops) => {
      const name = `${base.prefix.slice(1, -4)}w${worlds++}`;
      const store = openStore(base.redis, name, { ...base.options, ...options });
      const {
        perIdentifier = 5,
        perTenant = Infinity,
        maxLive = Infinity,
        agentCaps = new Map<string, number>(),
      } = options;
      const caps: Caps = { identifier: perIdentifier, tenant: perTenant, total: maxLive, agents: agentCaps };
      const weights = new Map<string, number>();
      const model = createTurns(
        caps,
        () => false,
        (of) => weights.get(of) ?? 1,
      );
      const paths = new Map<string, Path>();
      const live: string[] = [];
      await createRefill(store, { add: async () => undefined, close: async () => undefined }, quiet).start(["bulk"]);
      for (const [step, it] of ops.entries()) {
        let got: Ticket[];
        if ("weigh" in it) {
          weights.set(it.weigh, it.weight);
          if (it.weight === 1) model.evenOut(it.weigh);
          await store.run(WEIGH, it.weigh, it.weight);
          continue;
        }
        if ("end" in it) {
          const [run] = live.splice(it.end % Math.max(1, live.length), 1);
          if (run === undefined) continue;
          const path = paths.get(run);
          if (path === undefined) throw new Error(`${run} has a path`);
          model.unseat(run, path);
          model.touch(path);
          got = await end(store, run);
        } else {
          const run = `run${step}`;
          const tenant = TENANTS[it.identifier];
          const path = pathOf({ queue: "default", ...it, ends: false }, caps, tenant);
          paths.set(run, path);
          model.enter(run, path, (it.priority + 1_000) * 2 ** 40 + step);
          got = await enqueue(
            store,
            run,
            { ...it, ...(tenant !== undefined && { tenant }) },
            agentCaps.get(it.agent) ?? "",
          );
        }
        const expected = model.fill();
        assert.deepEqual(ids(got), expected, `step ${step}: ${JSON.stringify(it)}`);
        live.push(...expected);
      }
      while (live.length > 0) live.push(...ids(await end(store, live.shift() ?? "")));
      assert.deepEqual(await left(store), [], "who waits for nothing leaves nothing behind");
    }),
    { numRuns: 12, seed: 3 },
  );
});

async function started(t: TestContext, options: Partial<StoreOptions>): Promise<TestStore> {
  return testStore(t, options);
}

/** The same keys with other options, as another process has them. */
function other({ store }: TestStore, options: Partial<StoreOptions>): Store {
  return openStore(store.redis, store.prefix.slice(1, -4), { ...store.options, ...options });
}

async function lives({ redis, prefix }: Store): Promise<number> {
  return redis.zcard(`${prefix}busy:all`);
}

test("a cap that a deploy changes holds at once: raised, lines go on; lowered, nobody new goes", async (t) => {
  const s = await started(t, { perIdentifier: 2, perTenant: 3 });
  await createRefill(s.store, s.tickets, quiet).start(["note"]);
  for (let i = 0; i < 20; i++)
    await enqueue(s.store, `run${i}`, { identifier: i % 2 === 0 ? "ann" : "bob", tenant: "acme" });
  assert.equal(await lives(s.store), 3);
  const raised = other(s, { perIdentifier: 4, perTenant: 7 });
  const refill = createRefill(raised, s.tickets, quiet);
  await refill.start(["note"]);
  // What was begun is let go through in this test: close would stop it half-way.
  for (let i = 0; i < 200 && (await lives(s.store)) < 7; i++) await new Promise((resolve) => setImmediate(resolve));
  await refill.close();
  assert.equal(await lives(s.store), 7);
  assert.equal((await s.store.redis.zcard(`${s.store.prefix}busy:i:ann`)) <= 4, true);
  // A process that was started before goes by what holds now.
  const old = other(s, { perIdentifier: 1, perTenant: 1 });
  const served = await end(old, "run0");
  assert.equal(served.length, 1, "its own options do not hold");
  await createRefill(old, s.tickets, quiet).start(["note"]);
  assert.deepEqual(await end(raised, "run1"), []);
});

test("an agent's own cap, less than its user's: her other agents are not hidden by it", async (t) => {
  const s = await started(t, { perIdentifier: 3, agentCaps: new Map([["bulk", 1]]) });
  for (let i = 0; i < 5; i++) await enqueue(s.store, `bulk${i}`, { identifier: "ann", agent: "bulk" }, 1);
  assert.equal(await lives(s.store), 1);
  const got = await enqueue(s.store, "note", { identifier: "ann" }, "");
  assert.deepEqual(ids(got), ["note"]);
  assert.deepEqual(ids(await end(s.store, "bulk0")), ["bulk1"]);
});

test("an agent's own cap, more than its user's: places of its own", async (t) => {
  const s = await started(t, { perIdentifier: 1, agentCaps: new Map([["bulk", 3]]) });
  for (let i = 0; i < 5; i++) await enqueue(s.store, `bulk${i}`, { identifier: "ann", agent: "bulk" }, 3);
  assert.equal(await lives(s.store), 3);
  assert.deepEqual(ids(await enqueue(s.store, "note", { identifier: "ann" }, "")), ["note"]);
  assert.deepEqual(ids(await enqueue(s.store, "note2", { identifier: "ann" }, "")), []);
});

test("identifiers that differ by case are different users: each has its own line and cap", async (t) => {
  const s = await started(t, { perIdentifier: 1 });
  for (const [i, identifier] of ["ann", "Ann", "ANN"].entries())
    assert.equal((await enqueue(s.store, `run${i}`, { identifier })).length, 1);
});

test("a tenant that is recorded while its user waits: she waits for its cap from then on", async (t) => {
  const s = await started(t, { perIdentifier: 1, perTenant: 1 });
  await enqueue(s.store, "a0", { identifier: "ann" });
  await enqueue(s.store, "a1", { identifier: "ann" });
  await enqueue(s.store, "b0", { identifier: "bob", tenant: "acme" });
  await enqueue(s.store, "a2", { identifier: "ann", tenant: "acme" });
  assert.deepEqual(ids(await end(s.store, "a0")), [], "acme is full");
  assert.deepEqual(ids(await end(s.store, "b0")), ["a1"]);
  assert.deepEqual(ids(await end(s.store, "a1")), ["a2"]);
  await end(s.store, "a2");
  assert.deepEqual(await left(s.store), []);
});

test("a slot that an older Errand let go without our lists is found by the next looks", async (t) => {
  const s = await started(t, { perIdentifier: 1 });
  const { redis, prefix } = s.store;
  await enqueue(s.store, "a0", { identifier: "ann" });
  await enqueue(s.store, "a1", { identifier: "ann" });
  await redis.hset(`${prefix}run:a0`, "place", "none", "status", "completed");
  await redis.zrem(`${prefix}live:default:ann note`, "a0");
  await redis.zadd(`${prefix}busy:all`, 1, "a0");
  const made = decodeTickets((await s.store.run(DUE, 100)).slice(3));
  assert.deepEqual(ids(made), ["a1"]);
});

test("a thousand queued runs are cancelled while others wait: nobody else waits longer, and nothing is left", async (t) => {
  const s = await started(t, { perIdentifier: 2, maxLive: 4 });
  const { store } = s;
  const count = 1_000;
  for (let i = 0; i < count; i += 100)
    await Promise.all(Array.from({ length: 100 }, (_, j) => enqueue(store, `a${i + j}`, { identifier: "ann" })));
  for (let i = 0; i < 6; i++) await enqueue(store, `b${i}`, { identifier: `bob${i}` });
  const endFromLine = async (run: string): Promise<Ticket[]> => {
    const leased = JSON.stringify({ kind: "leased", worker: "w" });
    const claim = await store.run(CLAIM, run, "", `claim-${run}`, leased);
    assert.equal(claim[0], "claimed");
    const move = JSON.stringify({ to: "end", status: "cancelled" });
    return decodeTickets((await store.run(COMMIT, run, String(claim[1]), 2, `end-${run}`, move, ENDED)).slice(3));
  };
  const served: string[] = [];
  for (let i = count - 1; i >= 0; i -= 100)
    for (const made of await Promise.all(Array.from({ length: 100 }, (_, j) => endFromLine(`a${i - j}`))))
      served.push(...ids(made));
  const bobs = [0, 1, 2, 3, 4, 5].map((i) => `b${i}`);
  const live = await store.redis.zrange(`${store.prefix}busy:all`, "0", "-1");
  assert.deepEqual(live.filter((run) => run.startsWith("b")).length, 4);
  while ((await lives(store)) > 0)
    for (const run of await store.redis.zrange(`${store.prefix}busy:all`, "0", "-1"))
      served.push(...ids(await end(store, run)));
  for (const bob of bobs) assert.equal(served.includes(bob) || live.includes(bob), true, `${bob} had its turn`);
  assert.deepEqual(await left(store), []);
});

test("runs that are woken at once, and the worker dies between two slices: whoever opens again finds the rest, none is lost, ranks hold", async (t) => {
  const s = await started(t, { perIdentifier: 2 });
  const { store, journal, gates } = s;
  const { redis, prefix } = store;
  const gate = "account/ann/gmail";
  const runs = Array.from({ length: 40 }, (_, i) => `run${String(i).padStart(2, "0")}`);
  const needs = [{ gate, reason: "not-connected", version: 0 }] as const;
  for (const [i, run] of runs.entries()) {
    await enqueue(store, run, { identifier: i % 4 === 0 ? "bob" : "ann" });
    const claim = await journal.claim(run, { nonce: `c-${run}`, worker: "w" });
    if (claim.answer !== "claimed") throw new Error(claim.answer);
    const commit = { run, epoch: claim.epoch, length: claim.decisions.length, nonce: `p-${run}` };
    const move = { to: "accounts", needs, until: 4e12 } as const;
    await journal.commit({ ...commit, entries: [{ kind: "parked", reason: "account" }], move });
  }
  const first = await store.run(OPEN, gate, "", 7, "");
  const second = await store.run(OPEN, gate, String(first[0]), 7, "");
  assert.deepEqual([first[1], second[1]], [33, 26]);
  assert.equal(decodeTickets([...first.slice(2), ...second.slice(2)]).length, 4, "two of each");
  // Another worker sees the account later; what the first one moved is not moved again.
  await gates.open(gate);
  assert.equal(await redis.exists(`${prefix}gate:${gate}:w`), 0);
  assert.equal(await lives(store), 4);
  const waiting = [...(await redis.zrange(`${prefix}line:default:ann note`, "0", "-1"))];
  assert.deepEqual(waiting, runs.filter((_, i) => i % 4 !== 0).slice(2), "first come, as before they parked");
  assert.deepEqual(await redis.zcard(`${prefix}runs:status:queued`), runs.length);
  assert.equal(await redis.exists(`${prefix}runs:status:parked`), 0);
  for (let ended = 0; ended < runs.length; ended++) {
    const [run = ""] = await redis.zrange(`${prefix}busy:all`, "0", "0");
    const ticket = (await redis.hget(`${prefix}run:${run}`, "ticket")) ?? "";
    const claim = await journal.claim(run, { nonce: `e-${run}`, worker: "w", ticket });
    if (claim.answer !== "claimed") throw new Error(claim.answer);
    const commit = { run, epoch: claim.epoch, length: claim.decisions.length, nonce: `x-${run}` };
    const entries = [{ kind: "ended", status: "completed" } as const];
    await journal.commit({ ...commit, entries, move: { to: "end", status: "completed" } });
    assert.equal((await redis.zcard(`${prefix}busy:i:ann`)) <= 2, true);
  }
  assert.deepEqual(await left(store), []);
  assert.equal(await redis.zcard(`${prefix}runs:status:completed`), runs.length);
});
