/** The port Accounts over the wire: statuses, pages, links, verification. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  ConnectorStatus,
  GetMagicLinkForConnectedAccountResponseSchema as MagicLink,
  ListConnectedAccountsResponseSchema as AccountList,
} from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/connected_accounts/connected_accounts_pb.js";
import { ListScopedToolsResponseSchema as ToolList } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/tools/tools_pb.js";
import { createAccounts, statusName } from "../../src/scalekit/accounts.ts";
import { createScalekit, type Scalekit } from "../../src/scalekit/client.ts";
import { createToolbox } from "../../src/scalekit/tools.ts";
import { createChecker } from "../../src/tools/check.ts";
import type { Accounts, AuthorizationLink } from "../../src/ports/accounts.ts";
import { answer, envelope, startRaw } from "./raw.ts";
import { start, testClock, why } from "./start.ts";

const CALLBACK = "http://127.0.0.1:1/errand/callback";
/** RPCs whose answers carry a user's tokens. */
const WITH_TOKENS = ["GetConnectedAccountAuth", "GetConnectedAccount", "UpdateConnectedAccount"];

async function linkOf(accounts: Accounts, identifier = "ada", connection = "gmail"): Promise<AuthorizationLink> {
  const link = await accounts.link(identifier, connection, { state: "st", userVerifyUrl: CALLBACK });
  assert.ok(link.ok, JSON.stringify(link));
  return link;
}

test("all statuses, in the order asked, and none where there is no account; nothing is created", async (t) => {
  const names = ["a", "b", "c", "d", "e", "f", "g"];
  const { emulator, accounts, clock } = await start(t, {
    connections: names.map((name) => ({ name, connector: "gmail" })),
  });
  const statuses = [
    "ACTIVE",
    "EXPIRED",
    "PENDING_AUTH",
    "PENDING_VERIFICATION",
    "DISCONNECTED",
    "CONNECTION_STATUS_UNSPECIFIED",
  ] as const;
  for (const [i, status] of statuses.entries()) emulator.setStatus("ada", names[i] ?? "", status);
  emulator.setStatus("eve", "g", "ACTIVE");
  const looked = await accounts.look("ada", names.toReversed());
  assert.ok(looked.ok, JSON.stringify(looked));
  assert.deepEqual(
    looked.accounts.map(({ connection, status }) => [connection, status]),
    [
      ["g", "NONE"],
      ["f", "UNSPECIFIED"],
      ["e", "DISCONNECTED"],
      ["d", "PENDING_VERIFICATION"],
      ["c", "PENDING_AUTH"],
      ["b", "EXPIRED"],
      ["a", "ACTIVE"],
    ],
  );
  const active = looked.accounts.at(-1);
  assert.equal(active?.accountId, emulator.account("ada", "a")?.id);
  assert.equal(Math.abs((active?.updatedAt ?? 0) - clock.now()) < 60_000, true);
  assert.equal(looked.accounts[0]?.accountId, "");
  assert.equal(emulator.accounts.length, 7);
});

test("a status that this SDK does not know is not ACTIVE", () => {
  for (const number of [-1, 0, 6, 7, 99, Number.NaN]) assert.equal(statusName(number), "UNSPECIFIED");
});

test("more connections than Scalekit takes at once, and no other user's account among them", async (t) => {
  const names = Array.from({ length: 45 }, (_, i) => `c${i}`);
  const { emulator, accounts } = await start(t, { connections: names.map((name) => ({ name, connector: "gmail" })) });
  for (const name of names)
    for (const who of ["ada", "ada2", "Ada"]) emulator.setStatus(who, name, who === "ada" ? "ACTIVE" : "EXPIRED");
  const looked = await accounts.look("ada", names);
  assert.ok(looked.ok, JSON.stringify(looked));
  assert.deepEqual(
    looked.accounts.map((one) => [one.connection, one.status]),
    names.map((name) => [name, "ACTIVE"]),
  );
  assert.equal(emulator.calls.count("ListConnectedAccounts"), 3);
  assert.deepEqual(await accounts.look("ada", []), { ok: true, accounts: [] });
});

test("a link: the account is made when there is none, and comes with state and the way back", async (t) => {
  const { emulator, accounts, clock } = await start(t, { linkTtlMs: 120_000 });
  const link = await linkOf(accounts);
  assert.equal(Math.abs(link.expiresAt - clock.now() - 120_000) < 10_000, true);
  assert.equal(emulator.account("ada", "gmail")?.status, "PENDING_AUTH");
  assert.deepEqual(
    emulator.links.map((one) => [one.link, one.state, one.userVerifyUrl]),
    [[link.url, "st", CALLBACK]],
  );
  await linkOf(accounts);
  assert.equal(emulator.accounts.length, 1);
  for (const method of WITH_TOKENS) assert.equal(emulator.calls.count(method), 0, method);
});

test("parallel links for a user without an account: all of them work, on one account", async (t) => {
  const { emulator, accounts } = await start(t);
  const links = await Promise.all(Array.from({ length: 8 }, () => linkOf(accounts)));
  assert.equal(new Set(links.map((link) => link.url)).size, 8);
  assert.equal(emulator.accounts.length, 1);
});

test("a link again for an account that was lost", async (t) => {
  const { emulator, accounts } = await start(t);
  for (const status of ["EXPIRED", "DISCONNECTED", "PENDING_VERIFICATION", "ACTIVE"] as const) {
    emulator.setStatus("ada", "gmail", status);
    await linkOf(accounts);
  }
  assert.equal(emulator.calls.count("CreateConnectedAccount"), 0);
});

test("a link on a connection that is not there creates nothing", async (t) => {
  const { emulator, accounts } = await start(t);
  assert.equal(why(await accounts.link("ada", "gmial", { state: "s", userVerifyUrl: CALLBACK })), "unavailable");
  assert.equal(emulator.accounts.length, 0);
});

test("a link without an expiry is taken to be good for ten minutes", async (t) => {
  const url = "http://127.0.0.1:1/magicLink/x";
  const message = envelope(toBinary(MagicLink, create(MagicLink, { link: url })));
  const scalekit = await rawScalekit(t, (method) => (method.startsWith("GetMagicLink") ? message : undefined));
  assert.deepEqual(
    await createAccounts(scalekit, () => 1_000).link("ada", "gmail", { state: "s", userVerifyUrl: CALLBACK }),
    { ok: true, url, expiresAt: 601_000 },
  );
});

test("a Scalekit that does not filter shows us nobody else's accounts and tools", async (t) => {
  const row = { connector: "gmail", id: "ca_1", status: ConnectorStatus.ACTIVE };
  const accounts = [
    { ...row, identifier: "eve" },
    { ...row, identifier: "Ada" },
    { ...row, identifier: "ada", connector: "slack" },
  ];
  const tool = { identifier: "eve", connectedAccountId: "ca_1", tool: { definition: { name: "gmail_get_profile" } } };
  const answers: Readonly<Record<string, Buffer>> = {
    ListConnectedAccounts: envelope(toBinary(AccountList, create(AccountList, { connectedAccounts: accounts }))),
    ListScopedTools: envelope(toBinary(ToolList, create(ToolList, { tools: [tool] }))),
  };
  const scalekit = await rawScalekit(t, (method) => answers[method]);
  assert.deepEqual(await createAccounts(scalekit).look("ada", ["gmail"]), {
    ok: true,
    accounts: [{ connection: "gmail", status: "NONE", accountId: "" }],
  });
  const toolbox = createToolbox(scalekit, { check: createChecker(), clock: testClock() });
  const query = { identifier: "ada", connections: ["gmail"], tools: [{ name: "gmail_get_profile" }] };
  assert.equal(why(await toolbox.list(query)), "unavailable");
  assert.equal(why(await toolbox.list({ ...query, identifier: "eve" })), "ok");
});

test("a load balancer's HTML page is an outage, for one user and for many, and no page gets into its message", async (t) => {
  const page = "<html><body><h1>502 Bad Gateway</h1></body></html>";
  const envUrl = await startRaw(t, (stream) => {
    stream.respond({ ":status": 502, "content-type": "text/html" });
    stream.end(page);
  });
  const scalekit = createScalekit({ envUrl, clientId: "c", clientSecret: "s", timeoutMs: 300 });
  t.after(() => scalekit.close());
  const accounts = createAccounts(scalekit);
  const looked = await accounts.look("ada", ["gmail"]);
  assert.equal(why(looked), "unavailable");
  assert.doesNotMatch(JSON.stringify(looked), /<html|Bad Gateway/);
  const surveyed: string[] = [];
  for await (const some of accounts.survey("gmail", ["ada", "bob"])) surveyed.push(why(some));
  assert.deepEqual(surveyed, ["unavailable"]);
});

test("a list that never ends is an outage", async (t) => {
  const endless = envelope(toBinary(AccountList, create(AccountList, { nextPageToken: "again" })));
  const scalekit = await rawScalekit(t, (method) => (method === "ListConnectedAccounts" ? endless : undefined));
  assert.equal(why(await createAccounts(scalekit).look("ada", ["gmail"])), "unavailable");
});

/** Answers each method with these bytes, or with an empty message. */
async function rawScalekit(t: TestContext, bytes: (method: string) => Buffer | undefined): Promise<Scalekit> {
  const empty = envelope(new Uint8Array());
  const envUrl = await startRaw(t, (stream, method) => answer(stream, bytes(method) ?? empty));
  const scalekit = createScalekit({ envUrl, clientId: "c", clientSecret: "s" });
  t.after(() => scalekit.close());
  return scalekit;
}

test("the user's return: another identifier is a mismatch, a second time is gone", async (t) => {
  const { emulator, accounts } = await start(t, { postVerifyUrl: "https://app.example.com/done" });
  const back = new URL(await emulator.approve((await linkOf(accounts)).url));
  const request = back.searchParams.get("auth_request_id") ?? "";
  assert.equal(why(await accounts.verify(request, "mallory")), "mismatch");
  assert.equal(emulator.account("ada", "gmail")?.status, "PENDING_VERIFICATION");
  assert.deepEqual(await accounts.verify(request, "ada"), { ok: true, redirectUrl: "https://app.example.com/done" });
  assert.equal(emulator.account("ada", "gmail")?.status, "ACTIVE");
  assert.equal(why(await accounts.verify(request, "ada")), "gone");
  for (const forged of ["forged", "x".repeat(5_000), ""])
    assert.equal(why(await accounts.verify(forged, "ada")), "gone");
});

test("verification is sent once: its answer was lost, and a repeat would say gone", async (t) => {
  const { emulator, accounts } = await start(t);
  for (const fault of [{ code: "Unavailable" }, { httpStatus: 503 }, { httpStatus: 403 }, { reset: true }] as const) {
    const back = new URL(await emulator.approve((await linkOf(accounts)).url));
    const before = emulator.calls.count("VerifyConnectedAccountUser");
    emulator.faults.add({ method: "VerifyConnectedAccountUser", when: "after", ...fault });
    const answer = await accounts.verify(back.searchParams.get("auth_request_id") ?? "", "ada");
    assert.match(why(answer), /^(unavailable|credentials)$/, JSON.stringify(fault));
    assert.equal(emulator.calls.count("VerifyConnectedAccountUser") - before, 1);
    assert.equal(emulator.account("ada", "gmail")?.status, "ACTIVE");
  }
});

test("all connections, beyond a page", async (t) => {
  const names = Array.from({ length: 65 }, (_, i) => `c${i}`);
  const { accounts } = await start(t, { connections: names.map((name) => ({ name, connector: "gmail" })) });
  assert.deepEqual(await accounts.connections(), { ok: true, names });
});

test("no answer of ours holds a token", async (t) => {
  const { emulator, accounts } = await start(t);
  emulator.connect("ada", "gmail");
  const answers = [await accounts.look("ada", ["gmail"]), await accounts.connections(), await linkOf(accounts)];
  assert.doesNotMatch(JSON.stringify(answers), /ya29|1\/\/|emu_/);
});
