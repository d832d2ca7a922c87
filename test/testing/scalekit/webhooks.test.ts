import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { WebhookVerificationError } from "@scalekit-sdk/node";
import { newClient, start } from "./start.ts";

const SECRET = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;
const NEXT_SECRET = `whsec_${Buffer.from("fedcba9876543210fedcba9876543210").toString("base64")}`;

interface Hook {
  readonly headers: Record<string, string>;
  readonly body: string;
}

async function receiver(t: TestContext, answers: readonly number[] = []): Promise<{ url: string; hooks: Hook[] }> {
  const hooks: Hook[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      hooks.push({ headers: request.headers as Record<string, string>, body });
      response.writeHead(answers[hooks.length - 1] ?? 201).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, hooks };
}

test("every change is sent, in order, signed so that the SDK accepts it with either secret", async (t) => {
  const { url, hooks } = await receiver(t);
  const { scalekit, client } = await start(t, { webhooks: [{ url, secrets: [SECRET, NEXT_SECRET] }] });
  const account = { connectionName: "gmail", identifier: "user_1" };
  await client.actions.getOrCreateConnectedAccount(account);
  const { link } = await client.actions.getAuthorizationLink({ ...account, userVerifyUrl: "http://127.0.0.1:1/cb" });
  const authRequestId = new URL(await scalekit.approve(link)).searchParams.get("auth_request_id") ?? "";
  await client.actions.verifyConnectedAccountUser({ authRequestId, identifier: "user_1" });
  await scalekit.webhooks.drained();

  const events = hooks.map(({ body }) => JSON.parse(body) as { type: string; data: Record<string, string> });
  assert.deepEqual(
    events.map(({ type, data }) => `${type} ${data["old_status"] ?? "-"} ${data["status"]}`),
    [
      "connected_account.created - PENDING_AUTH",
      "connected_account.magic_link_generated - PENDING_AUTH",
      "connected_account.oauth_succeeded - PENDING_AUTH",
      "connected_account.oauth_tokens_fetched - PENDING_AUTH",
      "connected_account.status_updated PENDING_AUTH PENDING_VERIFICATION",
      "connected_account.status_updated PENDING_VERIFICATION ACTIVE",
    ],
  );
  assert.deepEqual(events[5]?.data["connection_name"], "gmail");
  for (const { headers, body } of hooks) {
    assert.equal(client.verifyWebhookPayload(SECRET, headers, body), true);
    assert.equal(client.verifyWebhookPayload(NEXT_SECRET, headers, body), true);
    assert.throws(() => client.verifyWebhookPayload(SECRET, headers, `${body} `), WebhookVerificationError);
  }
});

test("a refused delivery is tried again under the same id; one type only; duplicates on demand; an end", async (t) => {
  const { url, hooks } = await receiver(t, [500, 503]);
  const { scalekit } = await start(t);
  const remove = scalekit.webhooks.add({
    url,
    secrets: [SECRET],
    types: ["connected_account.status_updated"],
    attempts: 3,
  });
  const delivered = scalekit.waitFor("webhook", ({ status }) => status === 201);
  scalekit.connect("user_1", "gmail");
  scalekit.setStatus("user_1", "gmail", "EXPIRED");
  assert.equal((await delivered).attempt, 3);
  const [first] = hooks;
  assert.equal(new Set(hooks.map(({ headers }) => headers["webhook-id"])).size, 1);
  const event = scalekit.webhooks.log.find(({ id }) => id === first?.headers["webhook-id"]);
  assert.ok(event);
  await scalekit.webhooks.send(event);
  assert.equal(hooks.length, 4);
  remove();
  scalekit.connect("user_1", "gmail");
  await scalekit.webhooks.drained();
  assert.equal(hooks.length, 4);
});

test("nobody listens: the delivery is reported and nothing else stops", async (t) => {
  const { scalekit, client } = await start(t, { webhooks: [{ url: "http://127.0.0.1:1/hook", secrets: [SECRET] }] });
  const failed = scalekit.waitFor("webhook");
  scalekit.connect("user_1", "gmail");
  assert.equal((await failed).status, undefined);
  await client.actions.listConnectedAccounts({});
});

test("events are listed newest first, by type and account, in pages", async (t) => {
  const { scalekit } = await start(t);
  const client = newClient(scalekit);
  const { id } = scalekit.connect("user_1", "gmail");
  scalekit.connect("user_2", "gmail");
  for (let round = 0; round < 6; round++) {
    scalekit.setStatus("user_1", "gmail", "EXPIRED");
    scalekit.connect("user_1", "gmail");
  }
  const filter = { eventTypes: ["connected_account.status_updated"], connectedAccountId: id };
  const first = await client.events.listEventsPaginated(10, "", filter);
  assert.deepEqual([first.events.length, first.events[0]?.data?.["status"]], [10, "ACTIVE"]);
  const second = await client.events.listEventsPaginated(10, first.nextPageToken, filter);
  assert.deepEqual([second.events.length, second.nextPageToken], [2, ""]);
  const since = await client.events.listEventsPaginated(100, "", { startTime: { seconds: 32_503_680_000n, nanos: 0 } });
  assert.equal(since.events.length, 0);
});
