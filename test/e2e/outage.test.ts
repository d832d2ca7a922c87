/** Whatever keeps us from asking Scalekit, and an account that is ACTIVE and refuses: no user is asked to connect before it is his matter. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Redis } from "ioredis";
import { z } from "zod";
import { agent, type RunEvent, type RunHandle, type TypedAgent } from "../../src/index.ts";
import { call, type Fault, say } from "../../src/testing/index.ts";
import { redisUrl } from "../support/store.ts";
import { connectAs, testWorld, type World } from "../support/world.ts";

const profile: TypedAgent<object, object, string> = agent({
  name: "profile",
  model: "openai/scripted",
  instructions: "Say whose mailbox it is.",
  connections: ["gmail"],
  tools: ["gmail_get_profile"],
  input: z.object({}),
});
const script = [call("gmail_get_profile"), say("done")];
const WAKE_MS = 50;

/** As if the moment had come that the run waits for. */
async function momentCame(t: TestContext, { prefix }: World, run: string): Promise<void> {
  const redis = new Redis(redisUrl());
  t.after(() => redis.disconnect());
  await redis.zadd(`{${prefix}:0}:looks`, "XX", 0, `run:${run}`);
}

type Parked = Extract<RunEvent, { type: "run.parked" }>;

/** Each park, until the run ends or the callback says that it is enough. */
async function eachPark(run: RunHandle<unknown>, then: (park: Parked) => Promise<boolean>): Promise<Parked[]> {
  const parks: Parked[] = [];
  for await (const event of run.events()) {
    if (event.type !== "run.parked") continue;
    parks.push(event);
    if (!(await then(event))) break;
  }
  return parks;
}

interface Trouble {
  readonly what: string;
  readonly faults: readonly Fault[];
  readonly timeoutMs?: number;
  readonly message: RegExp;
  readonly reason?: "rate-limit";
}

const reads = { method: "ListConnectedAccounts", times: Infinity } as const;

const troubles: readonly Trouble[] = [
  { what: "HTTP 502 of something in between", faults: [{ ...reads, httpStatus: 502 }], message: /could not look/ },
  { what: "HTTP 500", faults: [{ ...reads, httpStatus: 500 }], message: /could not look/ },
  { what: "gRPC Internal", faults: [{ ...reads, code: "Internal" }], message: /Internal/ },
  { what: "gRPC Unavailable", faults: [{ ...reads, code: "Unavailable" }], message: /could not look/ },
  {
    what: "Scalekit's rate limit",
    faults: [{ ...reads, code: "ResourceExhausted" }],
    // The second one when its moment is made to come while the cool-down is still under way.
    message: /ResourceExhausted|a cool-down of scalekit/,
    reason: "rate-limit",
  },
  { what: "no answer", faults: [{ ...reads, blackHole: true }], timeoutMs: 300, message: /could not look/ },
  { what: "a connection that breaks", faults: [{ ...reads, reset: true }], message: /could not look/ },
  {
    what: "a wrong secret from now on: 401 of the token endpoint",
    faults: [{ method: "oauth/token", httpStatus: 401, times: Infinity }],
    message: /refused us \(401\).*clientSecret/,
  },
  {
    what: "our token is refused",
    faults: [{ ...reads, code: "Unauthenticated" }],
    message: /refused us \(Unauthenticated\)/,
  },
  {
    what: "we may not ask",
    faults: [{ ...reads, code: "PermissionDenied" }],
    message: /refused us \(PermissionDenied\)/,
  },
];

for (const { what, faults, timeoutMs = 800, message, reason = "outage" } of troubles)
  test(`${what}: the run parks as ${reason}, nobody is asked to connect, and it goes on by itself`, async (t) => {
    const outside = await testWorld(t, { script, errand: { agents: [profile] }, timeoutMs });
    outside.scalekit.connect("ada", "gmail");
    await outside.errand.worker({ wakeEveryMs: WAKE_MS }).ready();
    const added = faults.map((fault) => outside.scalekit.faults.add(fault));
    outside.scalekit.expireTokens();
    const run = await outside.errand.enqueue(profile, { identifier: "ada", input: {} });
    const parks = await eachPark(run, async (park) => {
      assert.match(park.message ?? "", message);
      for (const one of added) one.remove();
      await momentCame(t, outside, run.id);
      return true;
    });
    assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
    assert.deepEqual(new Set(parks.map((park) => park.reason)), new Set([reason]));
    assert.equal(outside.scalekit.links.length, 0);
  });

test("ACTIVE and refusing: five probes and no link, then the user is asked, and what he connects is used", async (t) => {
  const outside = await testWorld(t, { script, errand: { agents: [profile] } });
  outside.scalekit.connect("ada", "gmail");
  outside.scalekit.revoke("ada", "gmail");
  outside.errand.worker({ wakeEveryMs: WAKE_MS });
  const run = await outside.errand.enqueue(profile, { identifier: "ada", input: {} });
  const parks = await eachPark(run, async ({ reason }) => {
    if (reason !== "probe") return false;
    await momentCame(t, outside, run.id);
    return true;
  });
  assert.deepEqual(
    parks.map(({ reason, needs }) => [reason, needs]),
    [...Array.from({ length: 5 }, () => ["probe", []]), ["account", [{ connection: "gmail", reason: "refused" }]]],
  );
  assert.equal(outside.scalekit.links.length, 0, "no link before he asks for one");
  assert.equal(outside.scalekit.calls.count("ExecuteTool"), 6);
  assert.equal(await outside.errand.checkAccount("ada", "gmail"), true);
  assert.equal((await run.get()).status, "parked", "ACTIVE is not enough: it has not changed");
  await connectAs(outside, "ada");
  assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
  assert.equal(outside.scalekit.calls.count("ExecuteTool"), 7);
});

test("ACTIVE and refusing for a short while: the call is made again, and the user never hears of it", async (t) => {
  const outside = await testWorld(t, { script, errand: { agents: [profile] } });
  outside.scalekit.connect("ada", "gmail");
  outside.scalekit.revoke("ada", "gmail");
  outside.errand.worker({ wakeEveryMs: WAKE_MS });
  const run = await outside.errand.enqueue(profile, { identifier: "ada", input: {} });
  let probes = 0;
  const parks = await eachPark(run, async () => {
    // The token of a fresh account is good at the provider a while later.
    if (++probes === 3) outside.scalekit.connect("ada", "gmail");
    await momentCame(t, outside, run.id);
    return true;
  });
  assert.deepEqual(new Set(parks.map(({ reason }) => reason)), new Set(["probe"]));
  assert.equal(parks.length, 3);
  assert.equal(await run.result(), "done");
  assert.equal(outside.scalekit.links.length, 0);
});
