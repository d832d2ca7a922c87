import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ScalekitForbiddenException,
  ScalekitNotFoundException,
  ScalekitUnauthorizedException,
} from "@scalekit-sdk/node";
import { mail, newClient, start } from "./start.ts";

const REQUEST = { connectionName: "gmail", identifier: "user_1", path: "/gmail/v1/users/me/messages" };

test("the proxy is off unless it is switched on for the connector", async (t) => {
  const { scalekit, client } = await start(t, { connections: ["gmail", "slack"], proxy: ["slack"] });
  scalekit.connect("user_1", "gmail");
  await client.actions.listConnectedAccounts({});
  await assert.rejects(client.actions.request(REQUEST), ScalekitForbiddenException);
});

test("the proxy hands method, path and query on to the provider; the SDK fetches no token for it", async (t) => {
  const { scalekit } = await start(t, { proxy: true });
  scalekit.connect("user_1", "gmail");
  const [message] = scalekit.mailbox("user_1").load([await mail("one"), await mail("two")]);
  const client = newClient(scalekit);
  await assert.rejects(client.actions.request(REQUEST), ScalekitUnauthorizedException);
  await client.actions.listConnectedAccounts({});
  const list = await client.actions.request({ ...REQUEST, queryParams: { q: "subject:one" } });
  assert.deepEqual(list.data, { messages: [{ id: message?.id, threadId: message?.threadId }], resultSizeEstimate: 1 });
  const one = await client.actions.request({
    ...REQUEST,
    path: `${REQUEST.path}/${message?.id}`,
    queryParams: { format: "minimal" },
  });
  assert.equal((one.data as { snippet: string }).snippet, "Hello");
  await assert.rejects(client.actions.request({ ...REQUEST, identifier: "user_2" }), ScalekitNotFoundException);
  assert.equal(scalekit.calls.count("proxy", { identifier: "user_1" }), 2);
});

test("the proxy for an account that is lost, and with faults", async (t) => {
  const { scalekit, client } = await start(t, { proxy: true });
  scalekit.connect("user_1", "gmail");
  await client.actions.listConnectedAccounts({});
  scalekit.faults.add({ method: "proxy", httpStatus: 429 });
  await assert.rejects(client.actions.request(REQUEST), { name: "ScalekitTooManyRequestsException" });
  scalekit.faults.add({ method: "proxy", blackHole: true });
  await assert.rejects(client.actions.request({ ...REQUEST, timeoutMs: 100 }), {
    name: "ScalekitGatewayTimeoutException",
  });
  await client.actions.request(REQUEST);
  scalekit.revoke("user_1", "gmail");
  await assert.rejects(client.actions.request(REQUEST), ScalekitUnauthorizedException);
  scalekit.setStatus("user_1", "gmail", "EXPIRED");
  await assert.rejects(client.actions.request(REQUEST), { name: "ScalekitBadRequestException" });
});
