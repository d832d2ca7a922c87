import assert from "node:assert/strict";
import { test } from "node:test";
import { ScalekitClient, ScalekitGatewayTimeoutException, ScalekitTooManyRequestsException } from "@scalekit-sdk/node";
import { ConnectorStatus } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/connected_accounts/connected_accounts_pb.js";
import { newClient, start } from "./start.ts";

const profile = (client: ScalekitClient, identifier = "user_1") =>
  client.actions.executeTool({ toolName: "gmail_get_profile", toolInput: {}, identifier, connector: "gmail" });

test("a wrong secret is refused at the token endpoint (401), which the SDK passes on as it is", async (t) => {
  const { scalekit } = await start(t);
  const client = new ScalekitClient(scalekit.url, scalekit.clientId, "wrong");
  await assert.rejects(client.actions.listConnectedAccounts({}), (error: unknown) => {
    assert.equal((error as { response?: { status?: number } }).response?.status, 401);
    return true;
  });
  assert.equal(scalekit.calls.count("ListConnectedAccounts"), 0);
});

test("an expired token: the SDK fetches another and goes on", async (t) => {
  let now = Date.now();
  const { scalekit, client } = await start(t, { now: () => now, tokenTtlMs: 60_000 });
  await client.actions.listConnectedAccounts({});
  now += 60_000;
  await client.actions.listConnectedAccounts({});
  scalekit.expireTokens();
  await client.actions.listConnectedAccounts({});
  assert.deepEqual([scalekit.calls.count("oauth/token"), scalekit.calls.count("ListConnectedAccounts")], [3, 3]);
  assert.equal(scalekit.calls.unauthenticated, 3);
});

test("before the side effect: refused and not in the ledger; then as usual", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.connect("user_1", "gmail");
  const fault = scalekit.faults.add({ method: "ExecuteTool", code: "ResourceExhausted", errorCode: "RATE_LIMITED" });
  await assert.rejects(profile(client), ScalekitTooManyRequestsException);
  assert.deepEqual([scalekit.ledger.length, fault.hits], [0, 1]);
  await profile(client);
  assert.equal(scalekit.ledger.length, 1);
});

test("after the side effect: refused although it is done; and the SDK's own retry does it twice", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.connect("user_1", "gmail");
  scalekit.faults.add({ method: "ExecuteTool", when: "after", code: "DeadlineExceeded" });
  await assert.rejects(profile(client), ScalekitGatewayTimeoutException);
  assert.equal(scalekit.ledger.length, 1);
  scalekit.faults.add({ method: "ExecuteTool", when: "after", code: "Unavailable" });
  await profile(client);
  assert.equal(scalekit.ledger.length, 3);
});

test("a tool error by status: 401, 403, 429 have classes of their own", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.connect("user_1", "gmail");
  for (const [status, name] of [
    [401, "ScalekitToolUnauthorizedException"],
    [403, "ScalekitToolForbiddenException"],
    [429, "ScalekitToolRateLimitException"],
    [500, "ScalekitToolException"],
  ] as const) {
    scalekit.faults.add({ method: "ExecuteTool", toolError: { status, code: "X", message: "no" } });
    await assert.rejects(profile(client), { name, toolErrorCode: "X", toolErrorMessage: "no" });
  }
  assert.equal(scalekit.ledger.length, 0);
});

test("a fault hits only the tool, identifier and connection it names, and as often as it says", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.connect("user_1", "gmail");
  scalekit.connect("user_2", "gmail");
  const fault = scalekit.faults.add({
    method: "ExecuteTool",
    identifier: "user_2",
    tool: "gmail_get_profile",
    connection: "gmail",
    code: "Internal",
    times: 2,
  });
  await profile(client, "user_1");
  await client.actions.executeTool({
    toolName: "gmail_list_labels",
    toolInput: {},
    identifier: "user_2",
    connector: "gmail",
  });
  await assert.rejects(profile(client, "user_2"));
  await assert.rejects(profile(client, "user_2"));
  await profile(client, "user_2");
  assert.equal(fault.hits, 2);
  const forever = scalekit.faults.add({ method: "*", code: "Internal", times: Infinity });
  await assert.rejects(profile(client));
  await assert.rejects(profile(client));
  forever.remove();
  await profile(client);
});

test("not ACTIVE yet: refused once although the status says ACTIVE; the code is an option", async (t) => {
  const { scalekit, client } = await start(t, { notActive: { code: "PermissionDenied", errorCode: "NOT_ACTIVE" } });
  scalekit.connect("user_1", "gmail");
  scalekit.faults.add({ method: "ExecuteTool", notActive: true });
  await assert.rejects(profile(client), { name: "ScalekitForbiddenException", errorCode: "NOT_ACTIVE" });
  await profile(client);
});

test("a load balancer's status on an RPC, before and after the side effect", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.connect("user_1", "gmail");
  scalekit.faults.add({ method: "ExecuteTool", httpStatus: 403 });
  await assert.rejects(profile(client), { name: "ScalekitForbiddenException" });
  assert.equal(scalekit.ledger.length, 0);
  scalekit.faults.add({ method: "ExecuteTool", when: "after", httpStatus: 500 });
  await assert.rejects(profile(client), { name: "ScalekitInternalServerException" });
  assert.equal(scalekit.ledger.length, 1);
  await profile(client);
});

test("the token endpoint fails, and the next call finds it mended", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.faults.add({ method: "oauth/token", httpStatus: 503 });
  await assert.rejects(client.actions.listConnectedAccounts({}), (error: unknown) => {
    assert.equal((error as { response?: { status?: number } }).response?.status, 503);
    return true;
  });
  await client.actions.listConnectedAccounts({});
});

test("a black hole: no answer before the client's deadline, and the connection goes on", async (t) => {
  const { scalekit } = await start(t);
  scalekit.connect("user_1", "gmail");
  const client = new ScalekitClient(scalekit.url, scalekit.clientId, scalekit.clientSecret, { toolTimeoutMs: 200 });
  await profile(client);
  for (const when of ["before", "after"] as const) {
    scalekit.faults.add({ method: "ExecuteTool", when, blackHole: true });
    await assert.rejects(profile(client), ScalekitGatewayTimeoutException);
  }
  assert.equal(scalekit.ledger.length, 2);
  await profile(client);
});

test("a reset, and a restart of the server: the call is cancelled, the next one works", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.connect("user_1", "gmail");
  await profile(client);
  scalekit.faults.add({ method: "ExecuteTool", when: "after", reset: true });
  await assert.rejects(profile(client), { name: "ScalekitCancelledException" });
  assert.equal(scalekit.ledger.length, 2);
  await profile(client);
  scalekit.dropConnections();
  // the client may not have seen yet that its connection is gone: then this call is the one that tells it
  await profile(client).catch(() => undefined);
  await profile(client);
});

test("a dead network path: the open connection answers nothing any more, a new one does", async (t) => {
  const { scalekit } = await start(t, { freezable: true });
  scalekit.connect("user_1", "gmail");
  const connect = () =>
    new ScalekitClient(scalekit.url, scalekit.clientId, scalekit.clientSecret, { toolTimeoutMs: 200 });
  const client = connect();
  await profile(client);
  scalekit.freezeConnections();
  await assert.rejects(profile(client), ScalekitGatewayTimeoutException);
  await assert.rejects(profile(client), ScalekitGatewayTimeoutException);
  await profile(connect());
  assert.equal(scalekit.ledger.length, 2);
});

test("a read that lags behind: the status is shown as it was", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.connect("user_1", "gmail");
  scalekit.faults.add({ method: "ListConnectedAccounts", showStatus: "PENDING_VERIFICATION" });
  const read = async () =>
    (await client.actions.listConnectedAccounts({ identifier: "user_1" })).connectedAccounts[0]?.status;
  assert.deepEqual([await read(), await read()], [ConnectorStatus.PENDING_VERIFICATION, ConnectorStatus.ACTIVE]);
});

test("a call that waits for the test: others pass it", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.connect("user_1", "gmail");
  let go = (): void => undefined;
  const until = new Promise<void>((resolve) => {
    go = resolve;
  });
  scalekit.faults.add({ method: "ExecuteTool", until });
  const arrived = scalekit.waitFor("call", (call) => call.method === "ExecuteTool" && call.authenticated);
  const held = profile(client);
  await arrived;
  await profile(client);
  assert.equal(scalekit.ledger.length, 1);
  go();
  await held;
  assert.equal(scalekit.ledger.length, 2);
});

test("a delay, and closing in the middle of it", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.connect("user_1", "gmail");
  scalekit.faults.add({ method: "ExecuteTool", delayMs: 30 });
  const begin = performance.now();
  await profile(client);
  assert.ok(performance.now() - begin >= 29);
  scalekit.faults.add({ method: "ExecuteTool", delayMs: 60_000 });
  const arrived = scalekit.waitFor("call", (call) => call.method === "ExecuteTool");
  const cut = assert.rejects(profile(newClient(scalekit)));
  await arrived;
  await scalekit.close();
  await scalekit.close();
  await cut;
});

test("waitFor says what it waited for", async (t) => {
  const { scalekit } = await start(t);
  await assert.rejects(
    scalekit.waitFor("link", () => true, 5),
    /no matching "link" event within 5 ms/,
  );
  const cut = assert.rejects(scalekit.waitFor("execute"), /closed while waiting for "execute"/);
  await scalekit.close();
  await cut;
});
