import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ScalekitBadRequestException,
  ScalekitConflictException,
  ScalekitForbiddenException,
  ScalekitNotFoundException,
  type ScalekitClient,
} from "@scalekit-sdk/node";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  ConnectedAccountService,
  ConnectorStatus,
} from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/connected_accounts/connected_accounts_pb.js";
import type { AccountStatus } from "../../../src/testing/scalekit/accounts.ts";
import type { ScalekitEmulator } from "../../../src/testing/scalekit/emulator.ts";
import { newClient, start } from "./start.ts";

const VERIFY_URL = "http://127.0.0.1:1/callback";
const USER = { connectionName: "gmail", identifier: "user_1" };

async function generated(scalekit: ScalekitEmulator, client: ScalekitClient) {
  const { accessToken } = { accessToken: await client.generateClientToken(scalekit.clientId, scalekit.clientSecret) };
  const transport = createGrpcTransport({
    baseUrl: scalekit.url,
    interceptors: [
      (next) => async (request) => {
        request.header.set("authorization", `Bearer ${accessToken}`);
        return await next(request);
      },
    ],
  });
  return createClient(ConnectedAccountService, transport);
}

async function consented(scalekit: ScalekitEmulator, client: ScalekitClient): Promise<URL> {
  await client.actions.getOrCreateConnectedAccount(USER);
  const { link } = await client.actions.getAuthorizationLink({ ...USER, state: "s", userVerifyUrl: VERIFY_URL });
  return new URL(await scalekit.approve(link));
}

for (const status of [
  "ACTIVE",
  "EXPIRED",
  "PENDING_AUTH",
  "PENDING_VERIFICATION",
  "DISCONNECTED",
  "CONNECTION_STATUS_UNSPECIFIED",
] satisfies AccountStatus[]) {
  test(`status ${status}: lists and details say so, and only ACTIVE runs tools and has them listed`, async (t) => {
    const { scalekit, client } = await start(t);
    const changed = scalekit.waitFor("status", (event) => event.status === status);
    scalekit.setStatus("user_1", "gmail", status);
    assert.equal((await changed).identifier, "user_1");
    const { connectedAccounts } = await client.actions.listConnectedAccounts({ identifier: "user_1" });
    assert.deepEqual(
      connectedAccounts.map((account) => account.status),
      [ConnectorStatus[status]],
    );
    const details = await (
      await generated(scalekit, client)
    ).getConnectedAccountDetails({ connector: "gmail", identifier: "user_1" });
    assert.equal(details.connectedAccount?.status, ConnectorStatus[status]);
    assert.equal(details.connectedAccount.authorizationDetails, undefined);
    const execute = client.actions.executeTool({
      toolName: "gmail_get_profile",
      toolInput: {},
      identifier: "user_1",
      connector: "gmail",
    });
    if (status === "ACTIVE") assert.equal((await execute).data?.["emailAddress"], "user_1@example.com");
    else await assert.rejects(execute, ScalekitBadRequestException);
    const { totalSize } = await client.tools.listScopedTools("user_1", { filter: {} });
    assert.equal(totalSize > 0, status === "ACTIVE");
  });
}

test("get-or-create is idempotent one after the other; at once, all but one hit AlreadyExists", async (t) => {
  const { scalekit, client } = await start(t);
  const first = await client.actions.getOrCreateConnectedAccount(USER);
  const again = await client.actions.getOrCreateConnectedAccount(USER);
  assert.equal(again.connectedAccount?.id, first.connectedAccount?.id);
  const other = { connectionName: "gmail", identifier: "user_2" };
  const atOnce = await Promise.allSettled([1, 2, 3].map(() => client.actions.getOrCreateConnectedAccount(other)));
  const refused = atOnce.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  assert.ok(refused.every((reason) => reason instanceof ScalekitConflictException));
  assert.equal(scalekit.accounts.length, 2);
});

test("an unknown connection, and an account that is not there, are NotFound", async (t) => {
  const { client } = await start(t);
  await assert.rejects(
    client.actions.getOrCreateConnectedAccount({ ...USER, connectionName: "gmial" }),
    ScalekitNotFoundException,
  );
  await assert.rejects(client.actions.getConnectedAccount(USER), ScalekitNotFoundException);
  await assert.rejects(client.actions.getAuthorizationLink(USER), ScalekitNotFoundException);
});

test("verification refuses another user (403) without using the request up, and a second time (404)", async (t) => {
  const { scalekit, client } = await start(t);
  const authRequestId = (await consented(scalekit, client)).searchParams.get("auth_request_id") ?? "";
  const verify = async (identifier: string) =>
    await client.actions.verifyConnectedAccountUser({ authRequestId, identifier });
  await assert.rejects(verify("mallory"), ScalekitForbiddenException);
  assert.equal(scalekit.account("user_1", "gmail")?.status, "PENDING_VERIFICATION");
  await verify("user_1");
  assert.equal(scalekit.account("user_1", "gmail")?.status, "ACTIVE");
  await assert.rejects(verify("user_1"), (error: unknown) => {
    assert.ok(error instanceof ScalekitNotFoundException);
    assert.match(error.message, /auth request not found or no longer valid/);
    return true;
  });
});

test("accounts are listed by connection, identifier and provider, in pages of 10", async (t) => {
  const { scalekit, client } = await start(t, { connections: ["gmail", { name: "gmail-two", connector: "gmail" }] });
  for (let user = 0; user < 23; user++) scalekit.connect(`user_${user}`, "gmail");
  scalekit.connect("user_1", "gmail-two");
  const sizes: number[] = [];
  const seen = new Set<string>();
  let pageToken = "";
  do {
    const page = await client.actions.listConnectedAccounts({
      connectionName: "gmail",
      ...(pageToken === "" ? {} : { pageToken }),
    });
    sizes.push(page.connectedAccounts.length);
    for (const { identifier } of page.connectedAccounts) seen.add(identifier);
    assert.equal(page.totalSize, 23);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  assert.deepEqual([sizes, seen.size], [[10, 10, 3], 23]);
  const mine = await client.actions.listConnectedAccounts({ identifier: "user_1" });
  assert.deepEqual(mine.connectedAccounts.map(({ connector }) => connector).toSorted(), ["gmail", "gmail-two"]);
  const two = await client.actions.listConnectedAccounts({
    connectionNames: ["gmail-two"],
    provider: "GMAIL",
    pageSize: 100,
  });
  assert.equal(two.totalSize, 1);
  assert.equal((await client.actions.listConnectedAccounts({ provider: "SLACK" })).totalSize, 0);
});

test("limits: identifier, page size and token, connector's pattern, user_verify_url", async (t) => {
  const { client } = await start(t);
  const { actions } = client;
  await actions.getOrCreateConnectedAccount(USER);
  const bad: readonly Promise<unknown>[] = [
    actions.getOrCreateConnectedAccount({ ...USER, identifier: "x".repeat(101) }),
    actions.getOrCreateConnectedAccount({ ...USER, connectionName: "gmail/../x" }),
    actions.listConnectedAccounts({ pageSize: 101 }),
    actions.listConnectedAccounts({ pageToken: "nonsense" }),
    actions.getAuthorizationLink({ ...USER, userVerifyUrl: "javascript:alert(1)" }),
    actions.getAuthorizationLink({ ...USER, state: "s".repeat(513) }),
  ];
  for (const promise of bad) await assert.rejects(promise, ScalekitBadRequestException);
});

test("disconnect and delete: the account is DISCONNECTED, then gone; the mailbox outlives both", async (t) => {
  const { scalekit, client } = await start(t);
  const { id } = scalekit.connect("user_1", "gmail");
  const accounts = await generated(scalekit, client);
  await accounts.disconnectConnectedAccount({ id });
  assert.equal(scalekit.account("user_1", "gmail")?.status, "DISCONNECTED");
  await client.actions.deleteConnectedAccount(USER);
  assert.equal(scalekit.account("user_1", "gmail"), undefined);
  await scalekit.mailbox("user_1").send({ to: "a@x.example", subject: "s", body: "b" });
  scalekit.connect("user_1", "gmail");
  assert.equal(scalekit.mailbox("user_1").messages.length, 1);
});

test("a revoked account: refused while ACTIVE, EXPIRED with the first refusal, or EXPIRED at once; connecting again mends it", async (t) => {
  const { scalekit } = await start(t);
  const client = newClient(scalekit);
  const profile = async () =>
    await client.actions.executeTool({
      toolName: "gmail_get_profile",
      toolInput: {},
      identifier: "user_1",
      connector: "gmail",
    });
  for (const [expire, after] of [
    ["never", "ACTIVE"],
    ["refused", "EXPIRED"],
  ] as const) {
    scalekit.connect("user_1", "gmail");
    await profile();
    assert.equal(scalekit.revoke("user_1", "gmail", { expire }).status, "ACTIVE");
    await assert.rejects(profile(), { name: "ScalekitToolUnauthorizedException" });
    assert.equal(scalekit.account("user_1", "gmail")?.status, after);
  }
  scalekit.connect("user_1", "gmail");
  assert.equal(scalekit.revoke("user_1", "gmail", { expire: "now" }).status, "EXPIRED");
  await assert.rejects(profile(), ScalekitBadRequestException);
  const { link } = await client.actions.getAuthorizationLink({ ...USER, userVerifyUrl: VERIFY_URL });
  const authRequestId = new URL(await scalekit.approve(link)).searchParams.get("auth_request_id") ?? "";
  await client.actions.verifyConnectedAccountUser({ authRequestId, identifier: "user_1" });
  await profile();
  assert.equal(scalekit.ledger.length, 3);
});
