import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectorStatus } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/connected_accounts/connected_accounts_pb.js";
import { mail, start } from "./start.ts";

const VERIFY_URL = "http://127.0.0.1:1/callback?tenant=a";

test("create, link, consent, verify, ACTIVE, tools in pages, execute: the whole way with the real SDK", async (t) => {
  const { scalekit, client } = await start(t);
  const { actions, tools } = client;
  const account = { connectionName: "gmail", identifier: "user_123" };

  const created = await actions.getOrCreateConnectedAccount(account);
  assert.equal(created.connectedAccount?.status, ConnectorStatus.PENDING_AUTH);

  const linkMade = scalekit.waitFor("link");
  const { link, expiry } = await actions.getAuthorizationLink({ ...account, state: "st-1", userVerifyUrl: VERIFY_URL });
  assert.ok(link);
  assert.ok(Number(expiry?.seconds) * 1000 > Date.now());
  assert.equal((await linkMade).link, link);

  const callback = new URL(await scalekit.approve(link));
  assert.equal(callback.origin + callback.pathname, "http://127.0.0.1:1/callback");
  assert.equal(callback.searchParams.get("tenant"), "a");
  assert.equal(callback.searchParams.get("state"), "st-1");
  assert.equal(scalekit.account("user_123", "gmail")?.status, "PENDING_VERIFICATION");

  const authRequestId = callback.searchParams.get("auth_request_id") ?? "";
  const verified = await actions.verifyConnectedAccountUser({ authRequestId, identifier: "user_123" });
  assert.equal(verified.postUserVerifyRedirectUrl, `${scalekit.url}/connect/success`);
  assert.equal((await actions.getConnectedAccount(account)).connectedAccount?.status, ConnectorStatus.ACTIVE);

  const first = await tools.listScopedTools("user_123", { filter: { connectionNames: ["gmail"] } });
  assert.ok(first.tools.some(({ tool }) => tool?.definition?.["name"] === "gmail_fetch_mails"));

  scalekit.mailbox("user_123").load([await mail("one"), await mail("two")]);
  const { data, executionId } = await actions.executeTool({
    toolName: "gmail_fetch_mails",
    toolInput: { query: "is:unread", max_results: 1 },
    identifier: "user_123",
    connector: "gmail",
  });
  const { messages, nextPageToken } = data as { messages: { id: string; threadId: string }[]; nextPageToken: string };
  assert.equal(messages.length, 1);
  assert.ok(nextPageToken);
  assert.deepEqual(
    scalekit.ledger.map((entry) => [entry.tool, entry.identifier, entry.connection, entry.input, entry.executionId]),
    [["gmail_fetch_mails", "user_123", "gmail", { query: "is:unread", max_results: 1 }, executionId]],
  );
  assert.equal(scalekit.calls.count("ExecuteTool"), 1);
  assert.equal(scalekit.calls.count("oauth/token"), 1);
});
