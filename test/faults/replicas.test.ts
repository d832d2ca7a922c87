/** `durability`: no tool is called until replicas have its intent, and a failover loses no intent that was followed by a send. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createErrand, type ErrandError, type ErrandOptions } from "../../src/index.ts";
import { untilEvent } from "../support/world.ts";
import { assertDelivered, assertHonest, faultLab, type FaultLab, type FaultLabOptions } from "./lab.ts";
import { PRIMARY, replicated, type Replica, startReplica } from "./replica.ts";

const durability = { replicas: 1, timeoutMs: 200 };

async function pair(
  t: TestContext,
  errand: FaultLabOptions["errand"] = { durability },
): Promise<{ lab: FaultLab; replica: Replica }> {
  const lab = await faultLab(t, { redis: PRIMARY, errand });
  return { lab, replica: await startReplica(t, lab.server) };
}

test("a replica that confirms: the run is as always", async (t) => {
  const { lab } = await pair(t);
  lab.work();
  await assertDelivered(lab, await lab.send("ada"), "ada");
});

test("a replica that stands still: no tool is called, the attempt says so; when it is back the run completes", async (t) => {
  const { lab, replica } = await pair(t);
  lab.work();
  await replica.server.kill("SIGSTOP");
  const run = await lab.send("ada");
  const parked = await untilEvent(run, "run.parked");
  assert.equal(parked.reason, "outage");
  assert.equal(lab.scalekit.ledger.length, 0, "not even a read");
  const evidence = Object.values(await lab.direct.hgetall(`{errand:0}:run:${run.id}:e`));
  assert.match(evidence.join(), /"kind":"not-executed","why":"store".*replicas/);
  await replica.server.kill("SIGCONT");
  await assertDelivered(lab, run, "ada");
});

test("a replica that dies between two mails: the second waits for it", async (t) => {
  const { lab, replica } = await pair(t);
  lab.work();
  const hold = lab.hold(["done", 1]);
  const run = await lab.send("ada");
  await hold.there;
  await replica.server.kill();
  hold.release();
  await untilEvent(run, "run.parked");
  assert.deepEqual(lab.sent("ada"), ["first"]);
  await replica.server.restart();
  await replica.direct.replicaof("127.0.0.1", replica.link.port);
  await assertDelivered(lab, run, "ada");
});

test("cut while replicas are waited for: the intent is asked about again, and its call made once", async (t) => {
  const { lab, replica } = await pair(t, { leaseMs: 8_000, durability: { replicas: 1, timeoutMs: 2_000 } });
  lab.work();
  const hold = lab.hold(["model", 1]);
  const run = await lab.send("ada");
  await hold.there;
  await replica.server.kill("SIGSTOP");
  hold.release();
  const waiting = await waitingClient(lab);
  lab.proxy.cut();
  await waitingClient(lab, waiting);
  assert.deepEqual(lab.sent("ada"), []);
  await replica.server.kill("SIGCONT");
  await assertDelivered(lab, run, "ada");
  assert.equal((await run.get()).waits.length, 0, "it never parked");
});

/** @returns the id of a client of the primary, other than `but`, that is blocked by WAIT */
async function waitingClient({ direct }: FaultLab, but?: string): Promise<string> {
  for (;;) {
    const clients = String(await direct.client("LIST")).split("\n");
    const id = clients
      .find((line) => line.includes(" cmd=wait ") && !line.startsWith(`id=${but} `))
      ?.split(" ")[0]
      ?.slice(3);
    if (id !== undefined) return id;
  }
}

test("failover to a replica that is behind: each mail that was sent has its intent there, and none is sent again", async (t) => {
  const { lab, replica } = await pair(t);
  lab.work();
  const people = Array.from({ length: 12 }, (_, i) => `user-${i}`);
  const runs = await Promise.all(people.map((who) => lab.send(who)));
  await replicated(lab.direct);
  replica.link.delay(60);
  await new Promise<void>((resolve) => {
    const stop = lab.scalekit.on("execute", () => {
      if (lab.scalekit.ledger.length < 18) return;
      stop();
      resolve();
    });
  });
  // What is on its way to the replica is lost as well.
  replica.link.refuse();
  await lab.server.kill();
  await replica.promote();
  const journals = await Promise.all(runs.map((run) => replica.direct.lrange(`{errand:0}:run:${run.id}:j`, 0, -1)));
  for (const { agentRunId = "", tool } of lab.scalekit.ledger) {
    const [run, call] = agentRunId.split(":");
    const journal = journals[runs.findIndex(({ id }) => id === run)] ?? [];
    assert.ok(
      journal.some((entry) => entry.includes('"call-claimed"') && entry.includes(`"call":"${call}"`)),
      `${tool} ${agentRunId} was executed, and its intent is lost`,
    );
  }
  await startReplica(t, replica.server);
  lab.target.port = replica.server.port;
  lab.proxy.cut();
  await Promise.all(runs.map((run, i) => assertHonest(lab, run, people[i] ?? "")));
});

test("without the option a failover has a mail sent twice: what the option is for, and that this test can see it", async (t) => {
  const { lab, replica } = await pair(t, {});
  lab.work();
  const hold = lab.hold(["model", 1]);
  const run = await lab.send("ada");
  await hold.there;
  await replicated(lab.direct);
  replica.link.refuse();
  hold.release();
  const later = lab.hold(["model", 2]);
  await later.there;
  await lab.server.kill();
  await replica.promote();
  lab.target.port = replica.server.port;
  lab.proxy.cut();
  later.release();
  await run.result({ timeoutMs: 60_000 });
  assert.deepEqual(lab.sent("ada"), ["first", "first", "second"]);
});

test("what cannot be waited for is refused when it is configured", () => {
  const create = (given: unknown): unknown =>
    createErrand({ redis: "redis://127.0.0.1:1", agents: [], durability: given } as ErrandOptions);
  for (const [given, told] of [
    [{ replicas: 0 }, /durability: replicas: expected a whole number of at least 1, got 0/],
    [{ replicas: 1.5 }, /replicas: expected a whole number/],
    [{ timeoutMs: 100 }, /replicas: expected a whole number of at least 1, got undefined/],
    [{ replicas: 1, timeoutMs: 0 }, /timeoutMs: expected a whole number of at least 1, got 0/],
    [{ replicas: 1, timeoutMs: 7_501 }, /timeoutMs: expected at most 7500, a quarter of leaseMs \(30000\), got 7501/],
    [{ replica: 1 }, /durability: there is no "replica"\. Did you mean "replicas"/],
  ] as const)
    assert.throws(
      () => create(given),
      (error: ErrandError) => error.code === "config-invalid" && told.test(error.message),
      JSON.stringify(given),
    );
});
