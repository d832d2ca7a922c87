/** A run that waits, and webhooks: the real ones wake it, and whatever others say, only the account's own status lets it go on. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { createErrand, type Errand, nodeListener, type RunHandle } from "../../src/index.ts";
import { message, type EventOptions, SECRET } from "../scalekit/webhook-support.ts";
import {
  connectAs,
  type Digest,
  giveMail,
  inboxDigest,
  testWorld,
  untilEvent,
  type World,
  type WorldOptions,
} from "../support/world.ts";
import { pino } from "pino";

const input = { query: "is:unread" };
/** Never, as far as these tests are concerned: what wakes a run is not the sweep. */
const NO_SWEEP = { sweepMs: 86_400_000 };

async function serve(t: TestContext, handler: (request: Request) => Promise<Response>): Promise<string> {
  const listener = nodeListener(handler);
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/errand/webhook`;
}

interface Parked extends World {
  readonly run: RunHandle<Digest>;
  /** Sends an event of bob's gmail, as well signed as Scalekit's own. */
  tell(event: EventOptions): Promise<number>;
  /** Resolves when a worker has asked for the account's status. */
  looked(): Promise<unknown>;
  readonly handler: (request: Request) => Promise<Response>;
}

/** Bob's run waits for his gmail, and a worker would look at it if somebody asked. */
async function parked(t: TestContext, options: WorldOptions = {}): Promise<Parked> {
  const world = await testWorld(t, { ...options, errand: { ...NO_SWEEP, webhook: { secrets: [SECRET] } } });
  await giveMail(world, "bob");
  world.errand.worker({ wakeEveryMs: 50 });
  const run = await world.errand.enqueue(inboxDigest, { identifier: "bob", input });
  await untilEvent(run, "run.parked");
  const handler = world.errand.webhookHandler();
  const url = "https://app.example.com/errand/webhook";
  return {
    ...world,
    run,
    handler,
    tell: async (event) => {
      const { headers, body } = message({ ...event, data: { identifier: "bob", ...event.data } });
      return (await handler(new Request(url, { method: "POST", headers: { ...headers }, body }))).status;
    },
    looked: () =>
      world.scalekit.waitFor("call", (call) => call.method === "ListConnectedAccounts" && call.authenticated),
  };
}

/** A look that came to nothing leaves no trace in the store: the next one starts only after it. */
async function stillParked(on: Parked, event: EventOptions): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const looked = on.looked();
    assert.equal(await on.tell(event), 200);
    await looked;
  }
  assert.equal((await on.run.get()).status, "parked");
}

test("over the wire: the user connects somewhere else, Scalekit's webhook wakes the run", async (t) => {
  const on = await parked(t);
  const url = await serve(t, on.handler);
  on.scalekit.webhooks.add({ url, secrets: [SECRET] });
  const delivered = on.scalekit.waitFor("webhook", ({ type }) => type === "connected_account.created");
  on.scalekit.connect("bob", "gmail");
  assert.equal((await delivered).status, 200);
  await on.run.result({ timeoutMs: 60_000 });
});

test("PENDING_VERIFICATION: the user has consented, all webhooks have come, and the run waits until the user is verified", async (t) => {
  const on = await parked(t);
  on.scalekit.webhooks.add({ url: await serve(t, on.handler), secrets: [SECRET] });
  on.signIn("bob");
  const consent = (await on.visit(on.errand.connectUrl("gmail"))).headers.get("location") ?? "";
  const looked = on.looked();
  const back = await on.scalekit.approve(consent);
  await on.scalekit.webhooks.drained();
  await looked;
  await stillParked(on, { data: { status: "ACTIVE" } });
  assert.equal(on.scalekit.account("bob", "gmail")?.status, "PENDING_VERIFICATION");
  on.signIn("mallory");
  assert.equal((await on.visit(back)).status, 403);
  assert.equal((await on.run.get()).status, "parked");

  const closing = await connectAs(on, "bob");
  assert.equal(closing.status, 200);
  await on.run.result({ timeoutMs: 60_000 });
});

test("well signed, and a lie: ACTIVE, says the event, and the run stays where it is", async (t) => {
  const on = await parked(t);
  on.scalekit.setStatus("bob", "gmail", "PENDING_AUTH");
  for (const type of ["status_updated", "oauth_succeeded", "created"])
    await stillParked(on, { type: `connected_account.${type}`, data: { status: "ACTIVE" } });
  await stillParked(on, { type: "connected_account.deleted", data: { status: "ACTIVE" } });
  on.scalekit.connect("bob", "gmail");
  await on.tell({ data: { status: "ACTIVE" } });
  await on.run.result({ timeoutMs: 60_000 });
});

test("events out of order and late: the account's status of now decides, whatever they carry", async (t) => {
  const on = await parked(t);
  on.scalekit.setStatus("bob", "gmail", "EXPIRED");
  // The ACTIVE of an hour ago, delivered at last.
  await stillParked(on, {
    envelope: { occurred_at: new Date(0).toISOString() },
    data: { status: "ACTIVE" },
  });
  on.scalekit.connect("bob", "gmail");
  // And of the last two events the older one, which overtook.
  assert.equal(await on.tell({ data: { old_status: "ACTIVE", status: "EXPIRED" } }), 200);
  await on.run.result({ timeoutMs: 60_000 });
});

test("a thousand webhooks of one account are a few looks", async (t) => {
  const on = await parked(t);
  on.scalekit.setStatus("bob", "gmail", "PENDING_AUTH");
  const before = on.scalekit.calls.count("ListConnectedAccounts");
  const from = performance.now();
  const looked = on.looked();
  const answers = await Promise.all(Array.from({ length: 1_000 }, () => on.tell({ data: { status: "ACTIVE" } })));
  await looked;
  assert.deepEqual(new Set(answers), new Set([200]));
  // The last of them may be told of by a look that is still to come.
  on.scalekit.connect("bob", "gmail");
  await on.tell({});
  await on.run.result({ timeoutMs: 60_000 });
  const seconds = (performance.now() - from) / 1_000;
  const looks = on.scalekit.calls.count("ListConnectedAccounts") - before;
  t.diagnostic(`${looks} looks in ${seconds.toFixed(1)} s`);
  // Two a second, one at each end, and those that the run itself takes as it goes on.
  assert.equal(looks <= 2 * seconds + 6, true, `${looks} looks in ${seconds} s`);
});

test("Redis cannot be reached: 503, and Scalekit sends it again", async (t) => {
  const errand = errandWith({ redis: "redis://127.0.0.1:1", webhook: { secrets: [SECRET] } });
  t.after(() => errand.close());
  const { headers, body } = message();
  const request = new Request("http://127.0.0.1/", { method: "POST", headers: { ...headers }, body });
  const response = await errand.webhookHandler()(request);
  assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "5"]);
});

test("secrets are given to createErrand or to the handler, and without one there is no handler", async (t) => {
  const bare = errandWith({});
  const bad = errandWith({ webhook: { secrets: ["whsec_"] } });
  t.after(() => Promise.all([bare.close(), bad.close()]));
  assert.throws(() => bare.webhookHandler(), { code: "config-missing" });
  assert.throws(() => bad.webhookHandler(), { code: "config-invalid" });
  assert.equal(typeof bad.webhookHandler({ secrets: [SECRET] }), "function");
});

function errandWith(options: Partial<Parameters<typeof createErrand>[0]>): Errand {
  return createErrand({ redis: "redis://127.0.0.1:1", agents: [], logger: pino({ level: "silent" }), ...options });
}

test("an event without a connection's name: the accounts that this user's runs wait for are looked at, at once", async (t) => {
  const on = await parked(t);
  await stillParked(on, { data: { connection_name: undefined } });
  assert.equal(await on.tell({ data: { connection_name: "", identifier: "nobody" } }), 200);
  on.scalekit.connect("bob", "gmail");
  assert.equal(await on.tell({ data: { connection_name: undefined } }), 200);
  await on.run.result({ timeoutMs: 60_000 });
});
