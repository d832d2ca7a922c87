import assert from "node:assert/strict";
import { test } from "node:test";
import type { ScalekitClient } from "@scalekit-sdk/node";
import { newClient, start } from "./start.ts";

const VERIFY_URL = "http://127.0.0.1:1/callback";

async function linkFor(
  client: ScalekitClient,
  identifier = "user_1",
  userVerifyUrl: string | undefined = VERIFY_URL,
): Promise<string> {
  const account = { connectionName: "gmail", identifier };
  await client.actions.getOrCreateConnectedAccount(account);
  const { link } = await client.actions.getAuthorizationLink({
    ...account,
    state: "st",
    ...(userVerifyUrl && { userVerifyUrl }),
  });
  return link;
}

test("the page says which app wants what for whom, and nothing from outside is markup", async (t) => {
  const { client } = await start(t, { appName: `Digest <script>alert("app")</script>` });
  const response = await fetch(await linkFor(client, `<img src=x onerror='alert(1)'>"&`));
  const html = await response.text();
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  assert.match(html, /Gmail/);
  assert.match(html, /gmail\.readonly/);
  assert.match(html, /&lt;img src=x onerror=&#39;alert\(1\)&#39;&gt;&quot;&amp;/);
  assert.doesNotMatch(html, /<script|<img/);
});

test("looking at the page uses nothing up; allowing does, and then the link is gone (410)", async (t) => {
  const { scalekit, client } = await start(t);
  const link = await linkFor(client);
  for (let look = 0; look < 3; look++) assert.equal((await fetch(link)).status, 200);
  assert.equal(scalekit.account("user_1", "gmail")?.status, "PENDING_AUTH");
  await scalekit.approve(link);
  assert.equal((await fetch(link)).status, 410);
  await assert.rejects(scalekit.approve(link), /410/);
  assert.equal((await fetch(`${scalekit.url}/magicLink/guess`)).status, 410);
});

test("an expired link is gone, and a new one works", async (t) => {
  let now = Date.now();
  const { scalekit, client } = await start(t, { now: () => now, linkTtlMs: 60_000 });
  const link = await linkFor(client);
  now += 59_999;
  assert.equal((await fetch(link)).status, 200);
  now += 1;
  assert.equal((await fetch(link)).status, 410);
  await scalekit.approve(await linkFor(client));
  assert.equal(scalekit.links.length, 2);
});

test("deny: back to the app with error and state, and the account stays as it was", async (t) => {
  const { scalekit, client } = await start(t);
  const back = new URL(await scalekit.deny(await linkFor(client)));
  assert.deepEqual([back.searchParams.get("error"), back.searchParams.get("state")], ["access_denied", "st"]);
  assert.equal(back.searchParams.get("auth_request_id"), null);
  assert.equal(scalekit.account("user_1", "gmail")?.status, "PENDING_AUTH");
});

test("no verification: ACTIVE at once, and a page that says so", async (t) => {
  const { scalekit, client } = await start(t, { verification: "none" });
  const end = await scalekit.approve(await linkFor(client));
  assert.equal(end, `${scalekit.url}/connect/success`);
  assert.match(await (await fetch(end)).text(), /connected/i);
  assert.equal(scalekit.account("user_1", "gmail")?.status, "ACTIVE");
});

test("custom verification without a userVerifyUrl ends in failed_to_exchange", async (t) => {
  const { scalekit, client } = await start(t);
  const account = { connectionName: "gmail", identifier: "user_1" };
  await client.actions.getOrCreateConnectedAccount(account);
  const { link } = await client.actions.getAuthorizationLink(account);
  await assert.rejects(scalekit.approve(link), /400/);
});

test("unverified behaviour is an option: a new link ends the former, and moves the account to PENDING_AUTH", async (t) => {
  const lenient = await start(t);
  const [one] = [await linkFor(lenient.client), await linkFor(lenient.client)];
  assert.equal((await fetch(one)).status, 200);
  const { scalekit, client } = await start(t, { newLinkEndsFormer: true, linkMovesToPendingAuth: true });
  scalekit.setStatus("user_1", "gmail", "EXPIRED");
  const [former, latter] = [await linkFor(client), await linkFor(client)];
  assert.deepEqual([(await fetch(former)).status, (await fetch(latter)).status], [410, 200]);
  assert.equal(scalekit.account("user_1", "gmail")?.status, "PENDING_AUTH");
});

test("the user may take scopes away; the account then has the rest", async (t) => {
  const { scalekit, client } = await start(t, { verification: "none" });
  await scalekit.approve(await linkFor(client), {
    scopes: ["https://www.googleapis.com/auth/gmail.readonly", "made-up"],
  });
  assert.deepEqual(scalekit.account("user_1", "gmail")?.scopes, ["https://www.googleapis.com/auth/gmail.readonly"]);
  const { connectedAccount } = await newClient(scalekit).actions.getConnectedAccount({
    connectionName: "gmail",
    identifier: "user_1",
  });
  const details = connectedAccount?.authorizationDetails?.details;
  assert.deepEqual(details?.case === "oauthToken" ? details.value.scopes : undefined, [
    "https://www.googleapis.com/auth/gmail.readonly",
  ]);
});
