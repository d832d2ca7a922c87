/** One link at a time for each user and connection: clicks share it while it works, and no dead one is shown for long. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { connect } from "../../src/queue/connect.ts";
import { redisStates } from "../../src/queue/states.ts";
import { DEFAULT_STORE, openStore } from "../../src/queue/store.ts";
import { connectUrl, createAuthorization } from "../../src/scalekit/callback.ts";
import { redisUrl } from "../support/store.ts";
import { back, BASE, out, pageOf, statusOf, type World, world } from "./app.ts";

/** Half of a link's life in the emulator, and then some. */
const OLD_MS = 5 * 60_000 + 1;
/** Later than a double click. */
const LATER_MS = 6_000;

const linksOf = ({ emulator }: World): number => emulator.links.length;

/** Another process of the app, with connections of its own, on the same Redis. */
function anotherProcess(t: TestContext, on: World): (url: string) => Promise<Response> {
  const connection = connect(redisUrl(), false);
  t.after(() => connection.close());
  const name = /^\{(.*):0\}:$/.exec(on.store.prefix)?.[1] ?? "";
  const handler = createAuthorization({
    accounts: on.accounts,
    states: redisStates(openStore(connection.redis, name, DEFAULT_STORE), () => on.clock.now()),
    baseUrl: BASE,
    getUser: () => "ada",
    onReturn: () => undefined,
    clock: on.clock,
  });
  return (url) => handler(new Request(url));
}

test("a second click does not end what the first began, where a new link would (tutti #2364)", async (t) => {
  const on = await world(t, { newLinkEndsFormer: true });
  const first = await out(on);
  on.clock.advance(LATER_MS);
  const second = await out(on);
  assert.equal(second, first);
  const callback = await on.emulator.approve(first);
  await pageOf(await on.get(callback), 200, true);
  assert.deepEqual([statusOf(on), linksOf(on)], ["ACTIVE", 1]);
  // The second tab: its link is used, and a new click leads on.
  await assert.rejects(on.emulator.approve(second), /410/);
  assert.notEqual(await out(on), first);
});

test("twenty clicks at once, in two processes: one link", async (t) => {
  const on = await world(t, { newLinkEndsFormer: true });
  const other = anotherProcess(t, on);
  on.emulator.faults.add({ method: "GetMagicLinkForConnectedAccount", delayMs: 150, when: "after" });
  const url = connectUrl(BASE, "gmail");
  const all = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? on.get(url) : other(url))));
  assert.deepEqual(new Set(all.map((response) => response.status)), new Set([302]));
  const targets = new Set(all.map((response) => response.headers.get("location")));
  assert.deepEqual([targets.size, linksOf(on)], [1, 1]);
  await pageOf(await on.get(await on.emulator.approve([...targets][0] ?? "")), 200, true);
});

test("an expired link is not shown again (convos #1367)", async (t) => {
  const on = await world(t, { linkTtlMs: 60_000 });
  const first = await out(on);
  on.clock.advance(60_001);
  await assert.rejects(on.emulator.approve(first), /410/);
  await pageOf(await on.get((await back(on)).href), 200, true);
  assert.equal(statusOf(on), "ACTIVE");
});

test("a shared link leaves at least half of its life to consent; after that there is a new one", async (t) => {
  const on = await world(t);
  const first = await out(on);
  on.clock.advance(OLD_MS);
  const second = await out(on);
  assert.notEqual(second, first);
  // The old one's state is good until its own end.
  await pageOf(await on.get(await on.emulator.approve(first)), 200, true);
});

test("a link that leads nowhere is given out three times, and then there is a new one", async (t) => {
  const on = await world(t);
  const seen: string[] = [];
  for (let click = 0; click < 4; click++) {
    seen.push(await out(on), await out(on));
    on.clock.advance(LATER_MS);
  }
  assert.deepEqual([new Set(seen.slice(0, 6)).size, new Set(seen).size, linksOf(on)], [1, 2, 2]);
});

test("who has come back, or said no, gets a new link", async (t) => {
  const on = await world(t);
  const first = await out(on);
  await on.get(await on.emulator.deny(first));
  const second = await out(on);
  const callback = new URL(await on.emulator.approve(second));
  callback.searchParams.set("auth_request_id", "forged");
  await pageOf(await on.get(callback.href), 404);
  const third = await out(on);
  assert.equal(new Set([first, second, third]).size, 3);
});

test("each user, connection and return address has its own link", async (t) => {
  const on = await world(t, { connections: ["gmail", "slack"] });
  const elsewhere = createAuthorization({
    accounts: on.accounts,
    states: redisStates(on.store, () => on.clock.now()),
    baseUrl: "http://127.0.0.1:9/laptop",
    getUser: () => "ada",
    onReturn: () => undefined,
    clock: on.clock,
  });
  const links = [await out(on), await out(on, "slack")];
  links.push((await elsewhere(new Request("http://127.0.0.1:9/laptop/connect/gmail"))).headers.get("location") ?? "");
  on.signIn("bob");
  links.push(await out(on));
  assert.equal(new Set(links).size, 4);
  assert.deepEqual(
    on.emulator.links.map((link) => `${link.identifier} ${link.connection} ${link.userVerifyUrl}`),
    [
      `ada gmail ${BASE}/callback`,
      `ada slack ${BASE}/callback`,
      "ada gmail http://127.0.0.1:9/laptop/callback",
      `bob gmail ${BASE}/callback`,
    ],
  );
});

test("who makes the link fails: the next click makes it; who dies over it has lost its turn after 15 s", async (t) => {
  const on = await world(t);
  on.emulator.faults.add({ method: "GetMagicLinkForConnectedAccount", code: "Internal" });
  await pageOf(await on.get(connectUrl(BASE, "gmail")), 503);
  await out(on);
  assert.equal(linksOf(on), 1);

  const states = redisStates(on.store, () => on.clock.now());
  const request = { identifier: "bob", connection: "gmail", returnTo: `${BASE}/callback` };
  assert.deepEqual(await states.begin(request, "dies"), { kind: "make" });
  assert.deepEqual(await states.begin(request, "dies"), { kind: "make" }, "sent twice");
  assert.deepEqual(await states.begin(request, "next"), { kind: "busy" });
  await states.giveUp(request, "next");
  assert.deepEqual(await states.begin(request, "next"), { kind: "busy" }, "only its own turn is given up");
  on.clock.advance(15_000);
  assert.deepEqual(await states.begin(request, "next"), { kind: "make" });
});

test("in Redis: the state only as a hash, the link for half of its life, and neither after the return", async (t) => {
  const on = await world(t, { linkTtlMs: 60_000 });
  const consent = await out(on);
  const { redis, prefix } = on.store;
  const [link = ""] = await redis.keys(`${prefix}link:*`);
  const [state = ""] = await redis.keys(`${prefix}state:*`);
  const [linkLeft, stateLeft] = [await redis.pttl(link), await redis.pttl(state)];
  assert.equal(linkLeft > 20_000 && linkLeft <= 30_000, true, String(linkLeft));
  assert.equal(stateLeft > 50_000 && stateLeft <= 60_000, true, String(stateLeft));
  const stored = JSON.stringify([link, state, await redis.hgetall(link), await redis.hgetall(state)]);
  assert.equal(stored.includes(on.emulator.links[0]?.state ?? "-"), false, "the state is not there");

  await on.get(await on.emulator.approve(consent));
  assert.deepEqual(await redis.keys(`${prefix}link:*`), []);
});

test("taking a state is safe to send twice: a lost reply does not lose the user's return", async (t) => {
  const on = await world(t);
  await out(on);
  const states = redisStates(on.store, () => on.clock.now());
  const hash = (await on.kept())[0]?.hash ?? "";
  const fresh = { identifier: "ada", connection: "gmail", used: false };
  assert.deepEqual([await states.take(hash, "a"), await states.take(hash, "a")], [fresh, fresh]);
  assert.deepEqual(await states.take(hash, "b"), { ...fresh, used: true });
  const racers = await Promise.all(Array.from({ length: 50 }, (_, i) => states.take(hash, `r${i}`)));
  assert.equal(
    racers.every((taken) => taken?.used === true),
    true,
  );
});
