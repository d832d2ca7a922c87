/** What users are told, and when their runs go on: over the wire, with everything an app has. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { z } from "zod";
import { type Agent, agent, type AuthorizationEvent, type AuthorizationSettings } from "../../src/index.ts";
import { say } from "../../src/testing/index.ts";
import { connect } from "../../src/queue/connect.ts";
import { redisUrl } from "../support/store.ts";
import { BASE_URL, connectAs, testWorld, untilEvent, type World } from "../support/world.ts";

type Event = AuthorizationEvent;

const both = (options: { expiresAfterMs?: number } = {}): Agent =>
  agent({
    name: "both",
    model: "openai/scripted",
    instructions: "Answer.",
    connections: ["gmail", "slack"],
    input: z.object({}),
    ...options,
  });

interface Stage extends World {
  /** Resolves with the nth event of this type. */
  told<T extends Event["type"]>(type: T, nth?: number): Promise<Extract<Event, { type: T }>>;
  readonly events: readonly Event[];
}

async function stage(t: TestContext, one: Agent, settings: Partial<AuthorizationSettings> = {}): Promise<Stage> {
  const events: Event[] = [];
  let heard: (() => void)[] = [];
  const onEvent = (event: Event): void => {
    events.push(event);
    for (const wake of heard.splice(0)) wake();
  };
  const world = await testWorld(t, {
    scalekit: { connections: ["gmail", "slack"] },
    script: () => say("done"),
    errand: { agents: [one], authorization: { baseUrl: BASE_URL, onEvent, ...settings } },
  });
  world.errand.worker({ wakeEveryMs: 20 });
  return {
    ...world,
    events,
    told: async (type, nth = 1) => {
      for (;;) {
        const found = events.filter((event) => event.type === type)[nth - 1];
        if (found !== undefined) return found as Extract<Event, { type: typeof type }>;
        await new Promise<void>((resolve) => heard.push(resolve));
      }
    },
  };
}

for (const order of [
  ["gmail", "slack"],
  ["slack", "gmail"],
] as const)
  test(`gmail and slack are missing: one event names both, and the run is woken once, after ${order.join(" and ")}`, async (t) => {
    const world = await stage(t, both());
    const run = await world.errand.enqueue("both", { identifier: "ada", input: {} });
    const { id, at, needs, ...required } = await world.told("authorization.required");
    assert.deepEqual(required, { type: "authorization.required", identifier: "ada", run: run.id, agent: "both" });
    assert.match(id, /^\d+-\d+$/);
    assert.ok(at > 0, "it has a time");
    assert.deepEqual(
      needs.map(({ connection, reason, action, url }) => [connection, reason, action, url]),
      [
        ["gmail", "not-connected", "connect", `${BASE_URL}/connect/gmail`],
        ["slack", "not-connected", "connect", `${BASE_URL}/connect/slack`],
      ],
    );
    assert.match(needs[0]?.text ?? "", /connect gmail/);

    await connectAs(world, "ada", order[0]);
    assert.equal((await world.told("authorization.granted")).connection, order[0]);
    const view = await run.get();
    assert.equal(view.status, "parked");
    assert.deepEqual(
      view.parked?.needs.map(({ connection }) => connection),
      [order[1]],
      "it waits for the other one",
    );
    const { authorizations } = await world.errand.parked({ identifier: "ada" });
    assert.deepEqual(
      authorizations.map(({ connection, runs }) => [connection, runs]),
      [[order[1], 1]],
    );

    await connectAs(world, "ada", order[1]);
    await run.result({ timeoutMs: 60_000 });
    assert.equal((await world.told("authorization.granted", 2)).connection, order[1]);
    const seen: string[] = [];
    for await (const event of run.events()) seen.push(event.type);
    assert.equal(seen.filter((type) => type === "run.started").length, 2, "first, and once after both");
    assert.equal(seen.filter((type) => type === "run.parked").length, 1);
    assert.deepEqual(await world.errand.parked(), { authorizations: [] });
    assert.equal(world.events.filter(({ type }) => type === "authorization.required").length, 1);
  });

test("a second run that needs the same account asks nobody again; both go on", async (t) => {
  const world = await stage(t, both());
  world.scalekit.connect("ada", "slack");
  const one = await world.errand.enqueue("both", { identifier: "ada", input: {} });
  await world.told("authorization.required");
  const two = await world.errand.enqueue("both", { identifier: "ada", input: {} });
  await untilEvent(two, "run.parked");
  await connectAs(world, "ada", "gmail");
  await Promise.all([one.result({ timeoutMs: 60_000 }), two.result({ timeoutMs: 60_000 })]);
  await world.told("authorization.granted");
  assert.deepEqual(
    world.events.map(({ type }) => type),
    ["authorization.required", "authorization.granted"],
  );
});

test("nobody connects: reminded once by the policy and once by hand, then the run expires and says for what", async (t) => {
  const world = await stage(t, both({ expiresAfterMs: 2_000 }), { remindAfter: [100] });
  world.scalekit.connect("ada", "slack");
  const run = await world.errand.enqueue("both", { identifier: "ada", input: {} });
  const reminder = await world.told("authorization.reminded");
  assert.deepEqual([reminder.number, reminder.manual, reminder.needs[0]?.connection], [1, false, "gmail"]);
  assert.deepEqual(await world.errand.authorizations.remind({ identifier: "ada" }), { reminded: 1 });
  const again = await world.told("authorization.reminded", 2);
  assert.deepEqual([again.number, again.manual], [2, true]);
  const expired = await world.told("authorization.expired");
  assert.deepEqual([expired.connection, expired.run, expired.identifier], ["gmail", run.id, "ada"]);
  const view = await run.get();
  assert.equal(view.status, "expired");
  assert.match(view.failure?.message ?? "", /gmail \(not-connected\)/);
  assert.deepEqual(await world.errand.parked(), { authorizations: [] });
});

test("expiry counts from the first park: waking in between does not begin it anew", async (t) => {
  const world = await stage(t, both({ expiresAfterMs: 1_500 }));
  const run = await world.errand.enqueue("both", { identifier: "ada", input: {} });
  const parked = await untilEvent(run, "run.parked");
  world.scalekit.connect("ada", "gmail");
  assert.equal(await world.errand.checkAccount("ada", "gmail"), true);
  world.scalekit.revoke("ada", "gmail", { expire: "now" });
  world.scalekit.connect("ada", "slack");
  assert.equal(await world.errand.checkAccount("ada", "slack"), true);
  const again = await untilEvent(run, "run.parked", 2);
  assert.ok(again.at >= parked.at, "it has looked again, and gmail was gone");
  const connection = connect(redisUrl(), true);
  t.after(() => connection.close());
  assert.equal(await connection.redis.zscore(`{${world.prefix}:0}:looks`, `run:${run.id}`), String(parked.at + 1_500));
  await assert.rejects(run.result({ timeoutMs: 60_000 }), { code: "run-expired" });
});

test("an operator cancels all that wait for one connection; nobody is told that it expired", async (t) => {
  const world = await stage(t, both());
  const [ada, bob] = [
    await world.errand.enqueue("both", { identifier: "ada", input: {} }),
    await world.errand.enqueue("both", { identifier: "bob", input: {} }),
  ];
  await world.told("authorization.required", 2);
  assert.deepEqual(await world.errand.authorizations.cancel({ connection: "gmail" }), { cancelled: 2 });
  await Promise.all([untilEvent(ada, "run.cancelled"), untilEvent(bob, "run.cancelled")]);
  assert.deepEqual(await world.errand.parked(), { authorizations: [] });
  assert.ok(world.events.every(({ type }) => type === "authorization.required"));
});
