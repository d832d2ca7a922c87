/** The handler around the way out and back: refusals, outages, paths, options, and what is never logged. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connectUrl } from "../../src/scalekit/callback.ts";
import { page } from "../../src/scalekit/page.ts";
import { back, BASE, out, pageOf, statusOf, world } from "./app.ts";

test("the user says no: kind words, a way to think again, and nothing is verified", async (t) => {
  const on = await world(t);
  const denied = await on.emulator.deny(await out(on));
  assert.match(await pageOf(await on.get(denied), 200), /did not allow.*\n.*connect\/gmail/);
  assert.deepEqual([on.returned, await on.kept(), on.emulator.calls.count("VerifyConnectedAccountUser")], [[], [], 0]);
  await pageOf(await on.get(denied), 404);
});

test("an error of the provider, even beside a good request id, verifies nothing and is not shown", async (t) => {
  const on = await world(t);
  const callback = await back(on);
  callback.searchParams.set("error", "<b>server_error</b>");
  callback.searchParams.set("error_description", "<script>alert(1)</script>");
  const text = await pageOf(await on.get(callback.href), 502);
  assert.doesNotMatch(text, /server_error|alert/);
  assert.equal(statusOf(on), "PENDING_VERIFICATION");
});

const HOSTILE = [
  "gmial",
  "..%2F..%2Fadmin",
  "%00",
  "%E0%A4%A",
  "<script>",
  "a".repeat(500),
  "gmail%0d%0aX: y",
  "constructor",
  "%20",
];

test("a connection that is not there: no page for it, no account, no question asked again and again", async (t) => {
  const on = await world(t);
  for (const name of HOSTILE) {
    const text = await pageOf(await on.get(`${BASE}/connect/${name}`), 404);
    assert.doesNotMatch(text, /gmial|admin|<script/);
  }
  assert.deepEqual([on.emulator.accounts.length, on.emulator.links.length], [0, 0]);
  // One warms up the SDK's client.
  assert.equal(on.emulator.calls.count("ListAppConnections"), 2);
  on.clock.advance(5_001);
  await pageOf(await on.get(connectUrl(BASE, "gmial")), 404);
  assert.equal(on.emulator.calls.count("ListAppConnections"), 3);
});

test("Scalekit is away: a page to try again, no link, and the next click works", async (t) => {
  const on = await world(t);
  for (const method of ["ListAppConnections", "GetMagicLinkForConnectedAccount"]) {
    const fault = on.emulator.faults.add({ method, code: "Internal", times: Infinity });
    const response = await on.get(connectUrl(BASE, "gmail"));
    assert.equal(response.headers.get("location"), null);
    await pageOf(response, 503);
    fault.remove();
    on.clock.advance(61_000);
  }
  assert.deepEqual(await on.kept(), []);
  await out(on);
});

test("other paths and methods", async (t) => {
  const on = await world(t);
  const paths = ["", "/", "/connect", "/connect/", "/connect/gmail/x", "/callback/x", "/../callback", "/Callback"];
  for (const path of paths) await pageOf(await on.get(BASE + path), 404);
  for (const method of ["POST", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
    const response = await on.get(connectUrl(BASE, "gmail"), { method });
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET"]);
  }
  assert.equal(on.emulator.links.length, 0);
});

test("mounted by a router that cuts the path, at the root, or with a slash too many", async (t) => {
  const cut = await world(t);
  assert.equal((await cut.get("https://app.example.com/connect/gmail")).status, 302);
  const root = await world(t, { app: { baseUrl: "https://app.example.com/" } });
  assert.equal((await root.get("https://app.example.com/connect/gmail")).status, 302);
  assert.equal(root.emulator.links[0]?.userVerifyUrl, "https://app.example.com/callback");
  assert.equal(
    connectUrl("https://app.example.com/errand//", "a b/c"),
    "https://app.example.com/errand/connect/a%20b%2Fc",
  );
});

test("the app's session or the store fails: a page without particulars, and a log line without secrets", async (t) => {
  const failing = () => Promise.reject(new Error("redis://user:s3cr3t@host is down, state=abc"));
  const session = await world(t, { app: { getUser: failing } });
  const store = await world(t, { app: { states: { begin: failing, keep: failing, giveUp: failing, take: failing } } });
  const odd = await world(t, { app: { getUser: () => "ada lovelace" } });
  for (const on of [session, store, odd]) {
    for (const url of [connectUrl(BASE, "gmail"), `${BASE}/callback?state=abc&auth_request_id=def`])
      assert.doesNotMatch(await pageOf(await on.get(url), 500), /s3cr3t|redis|abc/);
    assert.doesNotMatch(on.logged.join("\n"), /s3cr3t|abc|def|lovelace/);
    assert.equal(on.logged.length, 2);
  }
  assert.match(odd.logged[0] ?? "", /identifier-invalid/);
});

test("nobody could be told of the return: it is connected all the same", async (t) => {
  const on = await world(t, { app: { onReturn: () => Promise.reject(new Error("state=abc")) } });
  await pageOf(await on.get((await back(on)).href), 200, true);
  assert.deepEqual(on.logged, ['authorization.return-unnoticed {"connection":"gmail","error":"Error"}']);
});

test("nothing of a whole way out and back is logged", async (t) => {
  const on = await world(t);
  await on.get((await back(on)).href);
  await on.get(await on.emulator.deny(await out(on)));
  assert.deepEqual(on.logged, []);
});

test("nothing on a page is not escaped", async () => {
  const hostile = `</title><script>"'&\u{D800}`;
  const response = page(200, { title: hostile, text: hostile, link: { href: hostile, text: hostile } });
  const html = await response.text();
  const escaped = "&lt;/title&gt;&lt;script&gt;&quot;&#39;&amp;\uFFFD";
  assert.deepEqual([html.split(escaped).length - 1, html.includes("<script"), html.isWellFormed()], [5, false, true]);
});

for (const [name, wrong] of [
  ["baseUrl without a scheme", { baseUrl: "app.example.com" }],
  ["baseUrl of another scheme", { baseUrl: "ftp://app.example.com" }],
  ["baseUrl with a query", { baseUrl: "https://app.example.com/?x=1" }],
  ["redirectTo that is a script", { redirectTo: "javascript:alert(1)" }],
] as const)
  test(`wrong options are refused at once: ${name}`, async (t) => {
    await assert.rejects(world(t, { app: wrong }), { code: "config-invalid" });
  });
