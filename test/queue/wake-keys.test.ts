/** A wake of one account touches no other account's keys, however many wait: seen by MONITOR, inside scripts too. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { foreign, type Owner, touchedBy } from "../../bench/parking/neighbours.ts";
import { accountGate } from "../../src/core/gate.ts";
import type { Entry } from "../../src/core/journal.ts";
import { createGatekeeper, type Gatekeeper } from "../../src/queue/gatekeeper.ts";
import { redisLooks } from "../../src/queue/looks.ts";
import { createWaker } from "../../src/queue/waker.ts";
import { startRedis } from "../../src/testing/index.ts";
import { start, type Started } from "../scalekit/start.ts";
import { noteAgent, quiet, type TestStore, testStore } from "../support/store.ts";

const FAR = 4e12;
const RUNS = 7;
const PARKED: Entry = { kind: "parked", reason: "account", needs: [{ connection: "gmail", reason: "not-connected" }] };

async function parkRun({ producer, journal, gates }: TestStore, identifier: string): Promise<string> {
  const run = await producer.create(noteAgent, { identifier, input: { n: 1 } });
  const claim = await journal.claim(run, { nonce: run, worker: "w" });
  if (claim.answer !== "claimed") throw new Error(claim.answer);
  const gate = accountGate(identifier, "gmail");
  const needs = [{ gate, version: await gates.version(gate), reason: "not-connected" }] as const;
  const { epoch, decisions } = claim;
  const move = { to: "accounts", needs, until: FAR } as const;
  await journal.commit({ run, epoch, length: decisions.length, nonce: `p${run}`, entries: [PARKED], move });
  return run;
}

interface Street extends Started {
  readonly store: TestStore;
  readonly gatekeeper: Gatekeeper;
  /** Users and their runs. */
  readonly neighbours: readonly string[];
  /** Parks seven runs of a user, two more than may be live at once. */
  settle(identifier: string): Promise<Owner>;
  /** What a webhook leads to: a wish, and a pass that grants it. */
  webhook(identifier: string): Promise<void>;
}

async function street(t: TestContext, count: number): Promise<Street> {
  const scalekit = await start(t);
  // Quiet: ioredis takes what MONITOR shows of others in the moment when it begins for replies of its own, and gives up.
  const server = await startRedis();
  const store = testStore(t, {}, server.url);
  t.after(() => server.stop());
  const gatekeeper = createGatekeeper(store.gates, scalekit.accounts, quiet);
  const waker = createWaker(store.store, store.tickets, gatekeeper, quiet, 100);
  const names = Array.from({ length: count }, (_, i) => `neighbour_${i}`);
  const runs = await Promise.all(names.map((name) => parkRun(store, name)));
  return {
    ...scalekit,
    store,
    gatekeeper,
    neighbours: [...names, ...runs],
    settle: async (identifier) => ({
      gate: accountGate(identifier, "gmail"),
      identifier,
      agent: noteAgent.name,
      runs: await Promise.all(Array.from({ length: RUNS }, () => parkRun(store, identifier))),
    }),
    webhook: async (identifier) => {
      await redisLooks(store.store).ask({ identifier, connection: "gmail" }, `of ${identifier}`);
      await waker.pass();
      await waker.idle();
    },
  };
}

for (const by of ["callback", "webhook"] as const)
  test(`by ${by}: its own keys and everybody's, and as many commands with 5 neighbours as with 60`, async (t) => {
    const commands: number[] = [];
    for (const count of [5, 60]) {
      const s = await street(t, count);
      const { redis, prefix } = s.store.store;
      const wake = (who: string) => (by === "webhook" ? s.webhook(who) : s.gatekeeper.lookAt(who, "gmail", true));
      // So that no script is sent for the first time.
      await s.settle("zoe");
      s.emulator.connect("zoe", "gmail");
      await wake("zoe");
      const ann = await s.settle("ann");
      s.emulator.connect("ann", "gmail");
      const touched = await touchedBy(redis, prefix, () => wake("ann"));
      assert.deepEqual(foreign(touched, prefix, ann, [...s.neighbours, "zoe"]), []);
      for (const key of [`gate:${ann.gate}`, `auth:${ann.gate}`, ...ann.runs.map((run) => `run:${run}`)])
        assert.ok(touched.keys.includes(prefix + key), `${key} was seen`);
      assert.equal(await redis.zcard(`${prefix}live:default:ann note`), 5, "she goes on");
      assert.equal(await redis.zcard(`${prefix}runs:status:parked`), count, "nobody else does");
      commands.push(touched.commands);
    }
    assert.equal(commands[0], commands[1], `${commands[0]} and ${commands[1]} commands`);
  });

test("a look at a neighbour's gate, at his run, or at a key that nobody knows would be seen", async (t) => {
  const s = await street(t, 2);
  const { redis, prefix } = s.store.store;
  const ann = await s.settle("ann");
  const gate = accountGate("neighbour_0", "gmail");
  const seen = async (work: () => Promise<unknown>): Promise<readonly string[]> =>
    foreign(await touchedBy(redis, prefix, work), prefix, ann, s.neighbours);
  assert.deepEqual(await seen(() => redis.zcard(`${prefix}gate:${gate}:w`)), [`${prefix}gate:${gate}:w`]);
  assert.deepEqual(await seen(() => redis.zadd(`${prefix}looks`, 1, `run:${s.neighbours[2]}`)), [
    `run:${s.neighbours[2]}`,
  ]);
  assert.deepEqual(await seen(() => redis.get(`${prefix}whatever`)), [`${prefix}whatever`]);
  assert.notEqual((await seen(() => s.store.gates.open(gate))).length, 0, "inside a script");
});
