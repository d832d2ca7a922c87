/** The main job, from enqueue through a parked account to a result: the test to read first. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hang } from "../../src/testing/index.ts";
import { connectAs, giveMail, inboxDigest, testWorld, untilEvent } from "../support/world.ts";

const input = { query: "is:unread" };

test("an ACTIVE account: the digest is made from the user's mail", async (t) => {
  const world = await testWorld(t);
  await giveMail(world, "ada");
  world.scalekit.connect("ada", "gmail");
  world.errand.worker();
  const run = await world.errand.enqueue(inboxDigest, { identifier: "ada", input });
  const digest = await run.result({ timeoutMs: 60_000 });
  assert.ok(digest.unread > 0);
  assert.ok(digest.highlights.length > 0);
  const view = await run.get();
  assert.equal(view.status, "completed");
  assert.ok(view.turns >= 2 && view.toolCalls >= 2 && view.usage.input > 0);
  assert.deepEqual(new Set(world.scalekit.ledger.map((execution) => execution.identifier)), new Set(["ada"]));
  const roles = (await run.transcript()).map((message) => message.role);
  assert.deepEqual(roles.slice(0, 3), ["user", "assistant", "tool"]);
  assert.equal(roles.at(-1), "assistant", "the answer is the last word");
});

test("not connected: the run parks before a token is bought, holds nothing, and goes on when the user returns", async (t) => {
  const world = await testWorld(t);
  await giveMail(world, "bob");
  world.errand.worker();
  const run = await world.errand.enqueue(inboxDigest, { identifier: "bob", input });
  const parked = await untilEvent(run, "run.parked");
  assert.deepEqual(parked.needs, [{ connection: "gmail", reason: "not-connected" }]);
  assert.equal((await run.get()).status, "parked");
  assert.equal(world.model.requests.length, 0);

  const closing = await connectAs(world, "bob");
  assert.equal(closing.status, 200);
  assert.match(await closing.text(), /close this/i);
  await run.result({ timeoutMs: 60_000 });
  const view = await run.get();
  assert.deepEqual(
    view.waits.map((wait) => [wait.reason, wait.connections, wait.to !== undefined]),
    [["account", ["gmail"], true]],
  );
});

test("lost in the middle: the run parks at that turn, settled calls are not made again, the refused one is", async (t) => {
  const world = await testWorld(t);
  await giveMail(world, "carol");
  world.scalekit.connect("carol", "gmail");
  const stop = world.scalekit.on("execute", () => {
    stop();
    world.scalekit.revoke("carol", "gmail", { expire: "refused" });
  });
  world.errand.worker();
  const run = await world.errand.enqueue(inboxDigest, { identifier: "carol", input });
  const parked = await untilEvent(run, "run.parked");
  assert.deepEqual(parked.needs, [{ connection: "gmail", reason: "expired" }]);
  const turnsBefore = (await run.get()).turns;
  assert.equal(turnsBefore, 2);

  await connectAs(world, "carol");
  await run.result({ timeoutMs: 60_000 });
  const listings = world.scalekit.ledger.filter((execution) => execution.tool === "gmail_fetch_mails");
  assert.equal(
    new Set(listings.map((e) => JSON.stringify(e.input))).size,
    listings.length,
    "no listing was made twice",
  );
  const prompts = world.model.requests.filter((request) => request.turn === 0);
  assert.equal(prompts.length, 1, "the first turn was bought once");
});

test("an account connected elsewhere is found by the sweep alone", async (t) => {
  const world = await testWorld(t, { errand: { sweepMs: 200 } });
  await giveMail(world, "dora");
  world.errand.worker({ wakeEveryMs: 100 });
  const run = await world.errand.enqueue(inboxDigest, { identifier: "dora", input });
  await untilEvent(run, "run.parked");
  world.scalekit.connect("dora", "gmail");
  await run.result({ timeoutMs: 60_000 });
});

test("cancel: parked, waiting in line and running alike end as cancelled; a final run says no", async (t) => {
  const world = await testWorld(t, { errand: { perIdentifier: 1 } });
  const waiting = await world.errand.enqueue(inboxDigest, { identifier: "eve", input });
  assert.equal(await waiting.cancel(), true);
  assert.equal((await waiting.get()).status, "cancelled");
  await assert.rejects(waiting.result(), { code: "run-cancelled" });
  assert.equal(await waiting.cancel(), false);

  world.errand.worker();
  const parked = await world.errand.enqueue(inboxDigest, { identifier: "eve", input });
  await untilEvent(parked, "run.parked");
  await parked.cancel();
  await assert.rejects(parked.result({ timeoutMs: 5_000 }), { code: "run-cancelled" });
});

test("cancel during a model call: the call is given up at the next renewal, and the run ends as cancelled", async (t) => {
  const world = await testWorld(t, { script: () => hang(), errand: { leaseMs: 600 } });
  world.scalekit.connect("fay", "gmail");
  world.errand.worker();
  const run = await world.errand.enqueue(inboxDigest, { identifier: "fay", input });
  const asked = await world.model.waitFor(() => true);
  assert.equal(asked.turn, 0);
  assert.equal(await run.cancel(), true);
  await assert.rejects(run.result({ timeoutMs: 60_000 }), { code: "run-cancelled" });
  await world.model.waitFor((request) => request.outcome === "aborted");
});

test("a worker that closes hands its runs back, and another goes on with them", async (t) => {
  const world = await testWorld(t);
  await giveMail(world, "gus");
  world.scalekit.connect("gus", "gmail");
  const first = world.errand.worker();
  const run = await world.errand.enqueue(inboxDigest, { identifier: "gus", input });
  await untilEvent(run, "tool.settled");
  await first.close();
  assert.notEqual((await run.get()).status, "running");
  world.errand.worker();
  await run.result({ timeoutMs: 60_000 });
});
