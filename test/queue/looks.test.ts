/** Wishes for a look: each is followed by one look or one more try to park, and a flood of them by few. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { accountGate } from "../../src/core/gate.ts";
import { createGatekeeper } from "../../src/queue/gatekeeper.ts";
import { redisLooks } from "../../src/queue/looks.ts";
import { DUE } from "../../src/queue/scripts/due.ts";
import { createWaker } from "../../src/queue/waker.ts";
import { start } from "../scalekit/start.ts";
import { noteAgent, quiet, type TestStore, testStore } from "../support/store.ts";

const GATE = accountGate("ada", "gmail");
const ADA = { identifier: "ada", connection: "gmail" };

const askedOf = async ({ store }: TestStore): Promise<string> => String((await store.run(DUE, 100))[2]);

/** A run that is about to park, and then does: what it has seen is the gate's version. */
async function parking(s: TestStore, seen?: number): Promise<{ run: string; park: () => Promise<string> }> {
  const run = await s.producer.create(noteAgent, { identifier: "ada", input: { n: 1 } });
  const ticket = (await s.store.redis.hget(`${s.store.prefix}run:${run}`, "ticket")) ?? "";
  const claim = await s.journal.claim(run, { ticket, nonce: `claim-${run}`, worker: "w" });
  if (claim.answer !== "claimed") throw new Error(claim.answer);
  const version = seen ?? (await s.gates.version(GATE));
  const park = async (): Promise<string> => {
    const reply = await s.journal.commit({
      run,
      epoch: claim.epoch,
      length: claim.decisions.length,
      nonce: `park-${run}`,
      entries: [{ kind: "parked", reason: "account", needs: [] }],
      move: { to: "gate", gate: GATE, version, until: Date.now() + 60_000 },
    });
    return reply.answer;
  };
  return { run, park };
}

test("somebody waits: the gate is handed out, once", async (t) => {
  const s = testStore(t);
  assert.equal(await (await parking(s)).park(), "ok");
  assert.equal(await askedOf(s), "", "nobody has asked");
  assert.equal(await redisLooks(s.store).ask(ADA, "m1"), true);
  assert.deepEqual([await askedOf(s), await askedOf(s)], [GATE, ""]);
});

test("nobody waits yet: a run that looked before the message came cannot park, and looks again", async (t) => {
  const s = testStore(t);
  const early = await parking(s);
  await redisLooks(s.store).ask(ADA, "m1");
  assert.equal(await askedOf(s), "", "there is nobody to look for");
  assert.equal(await early.park(), "gate-moved");
  assert.equal(await (await parking(s)).park(), "ok", "with what it sees now");
});

test("the message comes first, then the run parks, then the worker takes the wish: it is looked at", async (t) => {
  const s = testStore(t);
  const early = await parking(s);
  await redisLooks(s.store).ask(ADA, "m1");
  assert.equal(await early.park(), "ok");
  assert.equal(await askedOf(s), GATE);
});

test("a message is heard once; a thousand of them at once are two looks: now, and a moment later", async (t) => {
  const s = testStore(t);
  await (await parking(s)).park();
  const looks = redisLooks(s.store);
  assert.deepEqual([await looks.ask(ADA, "m"), await looks.ask(ADA, "m")], [true, false]);
  const first = Number(await s.store.redis.get(`${s.store.prefix}asked:${GATE}`));
  assert.equal(await askedOf(s), GATE);
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => looks.ask(ADA, `m${i}`)));
  const members = await s.store.redis.zrange(`${s.store.prefix}looks`, "0", "-1");
  assert.equal(members.filter((member) => member === `gate:${GATE}`).length, 1);
  const [seconds, micros] = await s.store.redis.time();
  const at = Number(await s.store.redis.zscore(`${s.store.prefix}looks`, `gate:${GATE}`));
  assert.equal(at >= first + 500, true, "not at once again");
  assert.equal(at <= Number(seconds) * 1_000 + Number(micros) / 1_000 + 500, true, "not put off again and again");
});

test("of an account without runs nothing stays", async (t) => {
  const s = testStore(t);
  await redisLooks(s.store).ask(ADA, "m1");
  await askedOf(s);
  const keys = await s.store.redis.keys(`${s.store.prefix}*`);
  const lasting: string[] = [];
  for (const key of keys) if ((await s.store.redis.pttl(key)) < 0) lasting.push(key.slice(s.store.prefix.length));
  assert.deepEqual(lasting, []);
  assert.equal(keys.length > 0, true);
  // Until a run parks there: what the gate then knows is needed for as long as it waits.
  assert.equal(await (await parking(s)).park(), "ok");
  assert.equal(await s.store.redis.pttl(`${s.store.prefix}gate:${GATE}`), -1);
});

test("a sweep that hangs does not hold up a wish", async (t) => {
  const s = testStore(t);
  const { emulator, accounts } = await start(t);
  const { run, park } = await parking(s);
  await park();
  let opened: () => void = () => undefined;
  const opening = new Promise<void>((resolve) => (opened = resolve));
  const log = { ...quiet, info: (event: string) => void (event === "gate.opened" && opened()) };
  const waker = createWaker(s.store, s.tickets, createGatekeeper(s.gates, accounts, log), quiet, 500);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  emulator.faults.add({ method: "ListConnectedAccounts", until: held });
  await s.store.redis.zadd(`${s.store.prefix}looks`, 1, "sweep:gmail");
  await s.store.redis.zadd(`${s.store.prefix}sweep:gmail`, 1, GATE);
  const hanging = emulator.waitFor("call", (call) => call.method === "ListConnectedAccounts" && call.authenticated);
  await waker.pass();
  await hanging;

  emulator.connect("ada", "gmail");
  await redisLooks(s.store).ask(ADA, "m1");
  const place = (): Promise<string | null> => s.store.redis.hget(`${s.store.prefix}run:${run}`, "place");
  assert.equal(await place(), "gate");
  await waker.pass();
  await opening;
  assert.notEqual(await place(), "gate");
  release();
  await waker.close();
});

test(
  "a worker that sleeps until a far pass hears wishes: at once, and those that are to come a moment later",
  { timeout: 30_000 },
  async (t) => {
    const s = testStore(t);
    const { redis, prefix } = s.store;
    const { emulator, accounts } = await start(t);
    emulator.connect("ada", "gmail");
    let opened: () => void = () => undefined;
    const log = { ...quiet, info: (event: string) => void (event === "gate.opened" && opened()) };
    const waker = createWaker(s.store, s.tickets, createGatekeeper(s.gates, accounts, log), quiet, 3_600_000);
    t.after(() => waker.close());
    waker.start();
    const listeners = async (): Promise<number> => Number((await redis.pubsub("NUMSUB", `${prefix}looks`))[1]);
    while ((await listeners()) === 0);
    for (const message of ["m1", "m2", "m3"]) {
      const { run, park } = await parking(s);
      assert.equal(await park(), "ok");
      const opening = new Promise<void>((resolve) => (opened = resolve));
      await redisLooks(s.store).ask(ADA, message);
      await opening;
      assert.notEqual(await redis.hget(`${prefix}run:${run}`, "place"), "gate");
    }
  },
);
