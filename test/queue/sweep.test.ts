/** Rounds of the sweep: what they cost at Scalekit, how far apart they are, and that nobody else waits for them. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { accountGate } from "../../src/core/gate.ts";
import type { Entry } from "../../src/core/journal.ts";
import { roundsApart } from "../../src/core/sweep.ts";
import { createGatekeeper } from "../../src/queue/gatekeeper.ts";
import { DUE } from "../../src/queue/scripts/due.ts";
import { SWEEP } from "../../src/queue/scripts/sweep.ts";
import { createWaker, type Waker } from "../../src/queue/waker.ts";
import { start, type Started } from "../scalekit/start.ts";
import { noteAgent, quiet, type TestStore, testStore } from "../support/store.ts";

const FAR = 4e12;
const PARKED: Entry = { kind: "parked", reason: "account" };

/** A run of this user waits for the account. */
async function parkRun(s: TestStore, identifier: string, connection = "gmail"): Promise<string> {
  const run = await s.producer.create(noteAgent, { identifier, input: { n: 1 } });
  const claim = await s.journal.claim(run, { nonce: run, worker: "w" });
  if (claim.answer !== "claimed") throw new Error(claim.answer);
  const gate = accountGate(identifier, connection);
  const move = { to: "gate", gate, version: await s.gates.version(gate), until: FAR } as const;
  const { epoch, decisions } = claim;
  await s.journal.commit({ run, epoch, length: decisions.length, nonce: `p${run}`, entries: [PARKED], move });
  return run;
}

async function parkAll(s: TestStore, users: readonly string[], runsEach: number): Promise<void> {
  for (let i = 0; i < users.length; i += 50)
    await Promise.all(
      users.slice(i, i + 50).flatMap((user) => Array.from({ length: runsEach }, () => parkRun(s, user))),
    );
}

const users = (count: number): string[] => Array.from({ length: count }, (_, i) => `user_${i}`);

interface Swept extends Started {
  readonly store: TestStore;
  readonly waker: Waker;
  /** The next round is due, as if its time had come; answers when it is over. */
  round(connection?: string): Promise<void>;
}

async function started(t: TestContext, options: Parameters<typeof start>[1] = {}): Promise<Swept> {
  const scalekit = await start(t, options);
  const store = testStore(t, { perIdentifier: 10 });
  const gatekeeper = createGatekeeper(store.gates, scalekit.accounts, quiet);
  const make = (): Waker => createWaker(store.store, store.tickets, gatekeeper, quiet, 100);
  const due = (connection: string) => store.store.redis.zadd(`${store.store.prefix}looks`, 0, `sweep:${connection}`);
  return {
    ...scalekit,
    store,
    waker: make(),
    round: async (connection = "gmail") => {
      const { redis, prefix } = store.store;
      const gates = await redis.zrange(`${prefix}sweep:${connection}`, "0", "-1");
      for (const gate of gates) await redis.zadd(`${prefix}sweep:${connection}`, 0, gate);
      await due(connection);
      const one = make();
      await one.pass();
      await one.idle();
      await one.close();
    },
  };
}

const place = (s: TestStore, run: string): Promise<string | null> =>
  s.store.redis.hget(`${s.store.prefix}run:${run}`, "place");

for (const runsEach of [1, 4])
  test(`300 users with ${runsEach} runs each: one round is three calls, whatever the number of runs`, async (t) => {
    const s = await started(t);
    for (const user of users(300)) s.emulator.setStatus(user, "gmail", "PENDING_AUTH");
    await parkAll(s.store, users(300), runsEach);
    await s.round();
    assert.equal(s.emulator.calls.count("ListConnectedAccounts"), 3);
    await s.round();
    assert.equal(s.emulator.calls.count("ListConnectedAccounts"), 6);
    for (const user of users(300)) s.emulator.connect(user, "gmail");
    await s.round();
    assert.equal(s.emulator.calls.count("ListConnectedAccounts"), 9);
    const { redis, prefix } = s.store.store;
    assert.equal(await redis.zcard(`${prefix}runs:status:queued`), 300 * runsEach, "all go on");
    await s.round();
    assert.equal(s.emulator.calls.count("ListConnectedAccounts"), 9, "nobody waits");
    assert.equal(await redis.zscore(`${prefix}looks`, "sweep:gmail"), null, "no round without gates");
  });

test("a connection's gates come due together, however far apart their runs parked; each connection has its own rounds", async (t) => {
  const s = testStore(t, { sweepMs: 60_000 });
  const { redis, prefix } = s.store;
  await parkRun(s, "ann");
  const first = Number(await redis.zscore(`${prefix}looks`, "sweep:gmail"));
  await parkRun(s, "bob");
  await parkRun(s, "ann", "slack");
  assert.equal(Number(await redis.zscore(`${prefix}looks`, "sweep:gmail")), first, "bob joins ann's round");
  assert.equal(await redis.zcard(`${prefix}sweep:gmail`), 2);
  assert.equal((await s.store.run(DUE, 100))[1], "");
  await redis.zadd(`${prefix}looks`, 0, "sweep:gmail");
  assert.equal((await s.store.run(DUE, 100))[1], "gmail");
  assert.equal((await s.store.run(DUE, 100))[1], "", "a round is handed out once");
  const next = Number(await redis.zscore(`${prefix}looks`, "sweep:gmail"));
  assert.ok(next - first <= 60_000 && next >= first, "the next one is sweepMs later");
  assert.deepEqual((await s.store.run(SWEEP, "gmail", 100, "")).slice(1), [
    2,
    accountGate("ann", "gmail"),
    accountGate("bob", "gmail"),
  ]);
});

test("a round is taken in slices, each gate once", async (t) => {
  const s = testStore(t, { sweepMs: 1 });
  await parkAll(s, users(25), 1);
  const gates: unknown[] = [];
  let moment = "";
  for (let read = 10; read === 10;) {
    const [at, count, ...names] = await s.store.run(SWEEP, "gmail", 10, moment);
    moment = String(at);
    read = Number(count);
    gates.push(...names);
  }
  assert.equal(gates.length, 25);
  assert.equal(new Set(gates).size, 25);
});

test("the script's back-off is the table's, and starts anew when somebody new waits", async (t) => {
  const sweepMs = 60_000;
  const s = testStore(t, { sweepMs });
  const { redis, prefix } = s.store;
  await parkRun(s, "ann");
  const gate = accountGate("ann", "gmail");
  const due = async (): Promise<number> => Number(await redis.zscore(`${prefix}sweep:gmail`, gate));
  for (const hours of [0, 0.99, 1, 1.5, 2.01, 5, 9.5, 10, 500]) {
    await redis.zadd(`${prefix}sweep:gmail`, 0, gate);
    await redis.hset(`${prefix}gate:${gate}`, "parked", String(Date.now() - hours * 3_600_000));
    const [moment] = await s.store.run(SWEEP, "gmail", 100, "");
    assert.equal((await due()) - Number(moment), (roundsApart(hours * 3_600_000) - 0.5) * sweepMs, `${hours} h`);
  }
  await parkRun(s, "ann");
  assert.ok((await due()) <= Date.now(), "in the next round");
});

test("a gate that nobody waits at any more leaves the sweep", async (t) => {
  const s = testStore(t);
  const { redis, prefix } = s.store;
  await parkRun(s, "ann");
  await s.gates.open(accountGate("ann", "gmail"));
  assert.deepEqual((await s.store.run(SWEEP, "gmail", 100, "")).slice(1), [1]);
  assert.equal(await redis.exists(`${prefix}sweep:gmail`), 0);
  assert.equal(await redis.zscore(`${prefix}looks`, "sweep:gmail"), null);
});

test("runs that are due do not wait for a Scalekit that does not answer, and closing ends the sweep", async (t) => {
  const s = await started(t, { timeoutMs: 400 });
  const { redis, prefix } = s.store.store;
  await parkAll(s.store, users(40), 1);
  s.emulator.faults.add({ method: "ListConnectedAccounts", blackHole: true, times: Infinity });
  const asked = s.emulator.waitFor("call", (call) => call.method === "ListConnectedAccounts");
  await redis.zadd(`${prefix}looks`, 0, "sweep:gmail");
  await s.waker.pass();
  await asked;
  const [run] = await redis.zrange(`${prefix}gate:${accountGate("user_0", "gmail")}:w`, "0", "0");
  await redis.zadd(`${prefix}looks`, 0, `run:${run}`);
  await s.waker.pass();
  assert.equal(await place(s.store, run ?? ""), "live", "its expiry came, and it goes on");
  await redis.zadd(`${prefix}looks`, 0, "sweep:gmail");
  await s.waker.pass();
  await s.waker.close();
  assert.ok(s.emulator.calls.count("ListConnectedAccounts") <= 10, "no more was asked");
});

test("an account that refused while ACTIVE: the sweep lets its waiter go only when it has changed since", async (t) => {
  const s = await started(t);
  s.emulator.connect("ann", "gmail");
  const seen = s.emulator.account("ann", "gmail")?.updatedAt ?? 0;
  const run = await parkRun(s.store, "ann");
  await s.store.store.redis.hset(`${s.store.store.prefix}run:${run}`, "after", String(seen + 1));
  await s.round();
  assert.equal(await place(s.store, run), "gate");
  s.clock.advance(1_000);
  s.emulator.connect("ann", "gmail");
  await s.round();
  assert.equal(await place(s.store, run), "live");
});
