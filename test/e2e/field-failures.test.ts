/**
 * Failures of waiting for an account that others have seen in the field (facts/peers.md §10), each as a test over the wire. Those that
 * have one elsewhere:
 *
 * | seen in the field                                            | tested in                                                        |
 * |--------------------------------------------------------------|------------------------------------------------------------------|
 * | an expired link is shown again (convos-ios #1367)            | scalekit/links "an expired link is not shown again"              |
 * | a second click ends the first (tutti #2364)                  | scalekit/links "a second click does not end what the first began" |
 * | refusals for a while after the consent (openhuman #1688)     | e2e/outage "for a short while"; how long: below                  |
 * | dies at minute 15 (withone #50)                              | e2e/digest "lost in the middle"; preflight: below                |
 * | an outage is read as revoked (scale-agentex #416)            | e2e/outage, e2e/mass-loss                                        |
 * | an approval is consumed, the answer lost (agent-framework)   | scalekit/callback 9, simulation "answer-unread"; worse: below    |
 * | resume fails after kill -9                                   | crash/matrix; after a deploy: below                              |
 * | an event before the wait is lost (Inngest #1433)             | races/races, queue/looks; over the wire: below                   |
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { createErrand, type RunHandle } from "../../src/index.ts";
import { message, SECRET } from "../scalekit/webhook-support.ts";
import { redisUrl } from "../support/store.ts";
import { connectAs, untilEvent } from "../support/world.ts";
import { eachPark, NEVER_MS, READS, simpleAgent, stage, startWorker } from "./field-stage.ts";

const profile = simpleAgent();

async function parked(run: RunHandle<unknown>): Promise<string> {
  const view = await run.get();
  return `${view.status} ${view.parked?.needs.map((need) => `${need.connection} ${need.reason}`).join() ?? ""}`;
}

test("ACTIVE at Scalekit, and no webhook comes: a round does not skip what it has seen pending (alfred #72)", async (t) => {
  const on = await stage(t, profile);
  startWorker(on);
  const run = await on.errand.enqueue(profile, { identifier: "ada", input: {} });
  await untilEvent(run, "run.parked");
  on.scalekit.setStatus("ada", "gmail", "PENDING_AUTH");
  for (let i = 0; i < 3; i++) await on.round();
  on.scalekit.setStatus("ada", "gmail", "PENDING_VERIFICATION");
  await on.round();
  const { authorizations } = await on.errand.parked({ identifier: "ada" });
  assert.deepEqual(
    authorizations.map(({ connection, reason }) => [connection, reason]),
    [["gmail", "pending-verification"]],
    "what was seen last",
  );
  on.scalekit.connect("ada", "gmail");
  await on.round();
  assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
  assert.equal(on.scalekit.links.length, 0);
});

test("ACTIVE, and calls are refused for a minute: the call is made again for that long, whatever chance says (openhuman #1688)", async (t) => {
  const on = await stage(t, profile);
  on.scalekit.connect("ada", "gmail");
  const refusal = { status: 401, code: "UNAUTHENTICATED", message: "Invalid Credentials" } as const;
  on.scalekit.faults.add({ method: "ExecuteTool", toolError: refusal, times: 5 });
  startWorker(on);
  const run = await on.errand.enqueue(profile, { identifier: "ada", input: {} });
  const parks = await eachPark(run, async () => {
    await on.momentCame(run);
    return true;
  });
  assert.equal(await run.result(), "done");
  assert.deepEqual(new Set(parks.map(({ reason }) => reason)), new Set(["probe"]));
  const waited = parks.reduce((sum, { at, until = at }) => sum + until - at, 0);
  assert.ok(waited > 60_000, `${waited} ms`);
  assert.equal(on.events.length, 0, "the user never hears of it");
});

test("a call hangs where the account is not authorized: it is given up in time, and the status decides (openhuman #4756)", async (t) => {
  const hasty = simpleAgent({ toolTimeoutMs: 300 });
  const on = await stage(t, hasty);
  on.scalekit.connect("ada", "gmail");
  const hang = on.scalekit.faults.add({ method: "ExecuteTool", blackHole: true, times: Infinity });
  const stop = on.scalekit.on("call", ({ method }) => {
    if (method !== "ExecuteTool") return;
    stop();
    on.scalekit.setStatus("ada", "gmail", "EXPIRED");
  });
  startWorker(on);
  const run = await on.errand.enqueue(hasty, { identifier: "ada", input: {} });
  const settled = await untilEvent(run, "tool.settled");
  assert.ok(settled.tookMs < 5_000, `${settled.tookMs} ms`);
  const parks = await eachPark(run, async ({ reason }) => {
    if (reason === "account") return false;
    await on.momentCame(run);
    return true;
  });
  assert.deepEqual(
    parks.map(({ reason, needs }) => [reason, needs]),
    [
      ["retry", []],
      ["account", [{ connection: "gmail", reason: "expired" }]],
    ],
  );
  assert.equal(on.scalekit.calls.count("ExecuteTool"), 1, "not made again for an account that is lost");
  hang.remove();
  await connectAs(on, "ada");
  assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
  assert.equal(on.scalekit.calls.count("ExecuteTool"), 2);
});

test("a refresh token is dead: nothing is tried again while hours pass, and the user is told and reminded (twenty #23427)", async (t) => {
  const on = await stage(t, profile);
  on.scalekit.connect("ada", "gmail");
  on.scalekit.revoke("ada", "gmail", { expire: "refused" });
  startWorker(on);
  const run = await on.errand.enqueue(profile, { identifier: "ada", input: {} });
  await untilEvent(run, "run.parked");
  const required = await on.told("authorization.required");
  assert.deepEqual(
    required.needs.map(({ connection, reason, action }) => [connection, reason, action]),
    [["gmail", "expired", "reconnect"]],
  );
  on.scalekit.calls.clear();
  const asked = on.model.requests.length;
  for (let hours = 0; hours < 4; hours++) await on.round();
  await on.reminderCame("ada");
  const reminded = await on.told("authorization.reminded");
  assert.deepEqual([reminded.number, reminded.needs[0]?.reason], [1, "expired"]);
  assert.equal(await parked(run), "parked gmail expired");
  assert.deepEqual(Object.keys(on.scalekit.calls.byMethod), ["ListConnectedAccounts"], "only looks");
  assert.equal(on.model.requests.length, asked);
  await connectAs(on, "ada");
  assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
});

test("one of two accounts is silently dead: found before a token is bought (withone #50)", async (t) => {
  const both = simpleAgent({ name: "both", connections: ["gmail", "slack"] });
  const on = await stage(t, both, { scalekit: { connections: ["gmail", "slack"] } });
  on.scalekit.connect("ada", "gmail");
  on.scalekit.setStatus("ada", "slack", "EXPIRED");
  startWorker(on);
  const run = await on.errand.enqueue(both, { identifier: "ada", input: {} });
  const park = await untilEvent(run, "run.parked");
  assert.deepEqual(park.needs, [{ connection: "slack", reason: "expired" }]);
  assert.equal(on.model.requests.length, 0);
  await connectAs(on, "ada", "slack");
  assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
});

test("ten users of one tenant are stuck: another user's run goes through two places, which nobody holds (dam #3530)", async (t) => {
  const on = await stage(t, profile);
  startWorker(on, 2);
  const stuck: RunHandle<string>[] = [];
  for (let i = 0; i < 10; i++)
    stuck.push(await on.errand.enqueue(profile, { identifier: `stuck_${i}`, tenant: "acme", input: {} }));
  await Promise.all(stuck.map((run) => untilEvent(run, "run.parked")));
  on.scalekit.connect("bob", "gmail");
  for (let i = 0; i < 3; i++) {
    const run = await on.errand.enqueue(profile, { identifier: "bob", input: {} });
    assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
  }
  assert.deepEqual(new Set(await Promise.all(stuck.map(parked))), new Set(["parked gmail not-connected"]));
});

test("a look changes nothing: no account is refreshed, made or moved by asking how it stands (Composio #1914)", async (t) => {
  const on = await stage(t, profile);
  startWorker(on);
  const run = await on.errand.enqueue(profile, { identifier: "ada", input: {} });
  await untilEvent(run, "run.parked");
  assert.equal(on.scalekit.account("ada", "gmail"), undefined, "parking makes no account");
  for (const status of ["PENDING_AUTH", "EXPIRED", "DISCONNECTED", "PENDING_VERIFICATION"] as const) {
    const before = on.scalekit.setStatus("ada", "gmail", status);
    await on.round();
    assert.equal((await on.errand.account("ada", "gmail")).status, status);
    assert.equal(await on.errand.checkAccount("ada", "gmail"), false);
    assert.deepEqual(on.scalekit.account("ada", "gmail"), before);
  }
  const active = on.scalekit.connect("ada", "gmail");
  assert.equal((await on.errand.account("ada", "gmail")).status, "ACTIVE");
  assert.deepEqual(on.scalekit.account("ada", "gmail"), active);
  const others = Object.keys(on.scalekit.calls.byMethod).filter((method) => !READS.includes(method));
  assert.deepEqual(others, []);
  assert.equal(await on.errand.checkAccount("ada", "gmail"), true);
  assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
});

test("the consent is consumed, its answer lost, and nobody can look: the next round knows (agent-framework #7458)", async (t) => {
  const on = await stage(t, profile, { timeoutMs: 800 });
  startWorker(on);
  const run = await on.errand.enqueue(profile, { identifier: "ada", input: {} });
  await untilEvent(run, "run.parked");
  on.signIn("ada");
  const link = (await on.visit(on.errand.connectUrl("gmail"))).headers.get("location") ?? "";
  const back = await on.scalekit.approve(link);
  on.scalekit.faults.add({ method: "VerifyConnectedAccountUser", when: "after", reset: true });
  const away = on.scalekit.faults.add({ method: "ListConnectedAccounts", code: "Unavailable", times: Infinity });
  assert.equal((await on.visit(back)).status, 503);
  assert.equal(on.scalekit.account("ada", "gmail")?.status, "ACTIVE");
  assert.equal(await parked(run), "parked gmail not-connected");
  away.remove();
  assert.equal((await on.visit(back)).status, 404, "used up: the page says what to do");
  assert.equal((await run.get()).status, "parked");
  await on.round();
  assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
});

test("parked at its second turn, then a deploy: the new processes go on with what was bought before (Mastra #18031)", async (t) => {
  const on = await stage(t, profile);
  on.scalekit.connect("ada", "gmail");
  on.scalekit.revoke("ada", "gmail", { expire: "refused" });
  startWorker(on);
  const { id, ...before } = await on.errand.enqueue(profile, { identifier: "ada", input: {} });
  await untilEvent({ id, ...before }, "run.parked");
  await on.errand.close();

  const deployed = createErrand({
    redis: redisUrl(),
    prefix: on.prefix,
    scalekit: { envUrl: on.scalekit.url, clientId: on.scalekit.clientId, clientSecret: on.scalekit.clientSecret },
    models: { openai: { apiKey: on.model.apiKey, baseURL: on.model.url } },
    agents: [{ ...profile, instructions: () => "Something else." }],
    sweepMs: NEVER_MS,
    logger: pino({ level: "silent" }),
  });
  t.after(() => deployed.close());
  deployed.worker({ wakeEveryMs: 20 });
  on.scalekit.connect("ada", "gmail");
  assert.equal(await deployed.checkAccount("ada", "gmail"), true);
  assert.equal(await deployed.run(id).result({ timeoutMs: 60_000 }), "done");
  const turns = on.model.requests.map(({ turn }) => turn);
  assert.deepEqual(turns, [0, 1], "no turn is bought twice");
  const systems = on.model.requests.map(({ messages }) => JSON.stringify(messages[0]));
  assert.equal(systems[0], systems[1], "its instructions are those that it began with");
});

test("the webhook comes while the run looks, and its look is behind: the run does not park for it (Inngest #1433)", async (t) => {
  const on = await stage(t, profile, {
    errand: { agents: [profile], sweepMs: NEVER_MS, webhook: { secrets: [SECRET] } },
  });
  let answer = (): void => undefined;
  const until = new Promise<void>((resolve) => (answer = resolve));
  on.scalekit.setStatus("ada", "gmail", "PENDING_AUTH");
  on.scalekit.faults.add({ method: "ListConnectedAccounts", showStatus: "PENDING_AUTH", until });
  const looks = on.scalekit.waitFor("call", (it) => it.method === "ListConnectedAccounts" && it.authenticated);
  startWorker(on);
  const run = await on.errand.enqueue(profile, { identifier: "ada", input: {} });
  await looks;
  on.scalekit.connect("ada", "gmail");
  const { headers, body } = message();
  const request = new Request("https://app.example.com/", { method: "POST", headers: { ...headers }, body });
  assert.equal((await on.errand.webhookHandler()(request)).status, 200);
  // Until a worker has taken it up.
  while ((await on.redis.zscore(`{${on.prefix}:0}:looks`, "gate:account/ada/gmail")) !== null);
  answer();
  assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
  assert.deepEqual((await run.get()).waits, []);
});
