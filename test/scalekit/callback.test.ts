/** The user's return, and everybody else's who tries it: the twelve cases of facts/reliability.md 3.6. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { connectUrl } from "../../src/scalekit/callback.ts";
import type { Fault } from "../../src/testing/scalekit/index.ts";
import { back, BASE, out, pageOf, statusOf, world } from "./app.ts";

test("out and back: connected, told to whom it matters, and the tab can be closed", async (t) => {
  const on = await world(t);
  const consent = await out(on);
  assert.equal(consent.startsWith(on.emulator.url), true);
  const [state] = await on.kept();
  const hash = state?.hash ?? "";
  assert.match(hash, /^[0-9a-f]{64}$/);
  const link = on.emulator.links[0];
  assert.deepEqual(state, { hash, identifier: "ada", connection: "gmail", expires: link?.expiresAt });
  // 256 bits, kept only as their hash.
  assert.match(link?.state ?? "", /^[\w-]{43}$/);
  assert.equal(
    createHash("sha256")
      .update(link?.state ?? "")
      .digest("hex"),
    hash,
  );
  assert.equal(link?.userVerifyUrl, `${BASE}/callback`);

  const callback = await on.emulator.approve(consent);
  assert.match(await pageOf(await on.get(callback), 200, true), /Your gmail account is connected\..*close this tab/);
  assert.deepEqual(
    [statusOf(on), on.returned, (await on.kept()).length],
    ["ACTIVE", [{ identifier: "ada", connection: "gmail" }], 0],
  );
});

test("1 no state", async (t) => {
  const on = await world(t);
  const callback = await back(on);
  callback.searchParams.delete("state");
  await pageOf(await on.get(callback.href), 404);
  assert.deepEqual([statusOf(on), on.returned], ["PENDING_VERIFICATION", []]);
});

test("2 a wrong state, two of them, or an endless one", async (t) => {
  const on = await world(t);
  const callback = await back(on);
  const state = callback.searchParams.get("state") ?? "";
  for (const query of [
    "state=",
    "state=x",
    `state=${state}x`,
    `state=${state}&state=${state}`,
    `state=${"x".repeat(9_000)}`,
  ])
    await pageOf(
      await on.get(`${BASE}/callback?auth_request_id=${callback.searchParams.get("auth_request_id")}&${query}`),
      404,
    );
  assert.deepEqual([statusOf(on), on.emulator.calls.count("VerifyConnectedAccountUser")], ["PENDING_VERIFICATION", 0]);
  // The hash is no state either.
  await pageOf(await on.get(`${BASE}/callback?auth_request_id=x&state=${(await on.kept())[0]?.hash}`), 404);
});

test("3 an expired state", async (t) => {
  const on = await world(t, { linkTtlMs: 60_000 });
  const callback = await back(on);
  on.clock.advance(60_001);
  await pageOf(await on.get(callback.href), 404);
  assert.deepEqual([statusOf(on), on.returned], ["PENDING_VERIFICATION", []]);
});

test("4 a state used again", async (t) => {
  const on = await world(t);
  const callback = await back(on);
  await pageOf(await on.get(callback.href), 200, true);
  // A reload of the closing page, say: kind words, and a way on for this user.
  assert.match(await pageOf(await on.get(callback.href), 404), /all is well.*\n.*href="[^"]*\/connect\/gmail"/);
  on.signIn("bob");
  assert.doesNotMatch(await pageOf(await on.get(callback.href), 403), /gmail/);
  on.signIn("ada");
  const other = await back(on);
  other.searchParams.set("state", callback.searchParams.get("state") ?? "");
  await pageOf(await on.get(other.href), 404);
  assert.equal(on.returned.length, 1);
});

test("5 another user's session: Mallory's link in the victim's browser connects nothing to Mallory", async (t) => {
  const on = await world(t);
  on.signIn("mallory");
  const consent = await out(on);
  on.signIn("victim");
  const callback = await on.emulator.approve(consent);
  assert.match(await pageOf(await on.get(callback), 403), /belongs to somebody else/);
  assert.deepEqual(
    [statusOf(on, "mallory"), statusOf(on, "victim"), on.returned],
    ["PENDING_VERIFICATION", undefined, []],
  );
  // Not for Mallory afterwards either: the state is used up.
  on.signIn("mallory");
  await pageOf(await on.get(callback), 404);
  assert.equal(on.emulator.calls.count("VerifyConnectedAccountUser"), 0);
});

test("6 no session: nothing is used up, and after signing in the same address works", async (t) => {
  const on = await world(t);
  const callback = await back(on);
  on.signIn(null);
  assert.match(await pageOf(await on.get(callback.href), 401), /sign in/i);
  await pageOf(await on.get(connectUrl(BASE, "gmail")), 401);
  assert.equal(on.emulator.links.length, 1);
  on.signIn("ada");
  await pageOf(await on.get(callback.href), 200, true);
});

test("7 Scalekit knows the request as another user's", async (t) => {
  const on = await world(t);
  on.signIn("bob");
  const bobs = await back(on);
  on.signIn("ada");
  const callback = await back(on);
  callback.searchParams.set("auth_request_id", bobs.searchParams.get("auth_request_id") ?? "");
  await pageOf(await on.get(callback.href), 403);
  assert.deepEqual(
    [statusOf(on), statusOf(on, "bob"), on.returned],
    ["PENDING_VERIFICATION", "PENDING_VERIFICATION", []],
  );
});

test("8 the request was consumed", async (t) => {
  const on = await world(t);
  const callback = await back(on);
  await on.accounts.verify(callback.searchParams.get("auth_request_id") ?? "", "ada");
  await pageOf(await on.get(callback.href), 404);
  assert.deepEqual(on.returned, []);
});

test("9 the verification's answer is lost: the account's status knows", async (t) => {
  const lost: readonly Omit<Fault, "method">[] = [{ code: "Unavailable" }, { reset: true }, { httpStatus: 502 }];
  const on = await world(t);
  for (const fault of lost) {
    const callback = await back(on);
    on.emulator.faults.add({ method: "VerifyConnectedAccountUser", when: "after", ...fault });
    await pageOf(await on.get(callback.href), 200, true);
  }
  assert.equal(on.returned.length, lost.length);
  const callback = await back(on);
  on.emulator.faults.add({ method: "VerifyConnectedAccountUser", code: "Unavailable" });
  const response = await on.get(callback.href);
  assert.equal(response.headers.get("retry-after"), "30");
  assert.match(await pageOf(response, 503), /href="https:\/\/app\.example\.com\/errand\/connect\/gmail"/);
  assert.deepEqual([statusOf(on), on.returned.length], ["PENDING_VERIFICATION", lost.length]);
});

test("10 the request of another connection: what is told is what the state says, and the truth is read anyway", async (t) => {
  const on = await world(t, { connections: ["gmail", "slack"] });
  const slack = await back(on, "slack");
  const gmail = await back(on);
  gmail.searchParams.set("auth_request_id", slack.searchParams.get("auth_request_id") ?? "");
  await on.get(gmail.href);
  assert.deepEqual(on.returned, [{ identifier: "ada", connection: "gmail" }]);
  assert.equal(statusOf(on), "PENDING_VERIFICATION");
});

test("11 a forged request", async (t) => {
  const on = await world(t);
  for (const forged of ["", "x", "'; DROP", "x".repeat(999), "x".repeat(5_000)]) {
    const callback = await back(on);
    callback.searchParams.set("auth_request_id", forged);
    await pageOf(await on.get(callback.href), 404);
  }
  assert.deepEqual([statusOf(on), on.returned], ["PENDING_VERIFICATION", []]);
});

test("12 no open redirect: not by our query, not by theirs", async (t) => {
  const theirs = await world(t, { postVerifyUrl: "https://evil.example/x" });
  const callback = await back(theirs);
  for (const name of ["redirect", "redirect_uri", "next", "returnTo", "url"])
    callback.searchParams.set(name, "https://evil.example");
  const text = await pageOf(await theirs.get(callback.href), 200, true);
  assert.doesNotMatch(text, /evil/);

  for (const [postVerifyUrl, to] of [
    ["https://app.example.com/done?x=1", "https://app.example.com/done?x=1"],
    ["https://app.example.com.evil.example/", null],
    ["https://app.example.com@evil.example/", null],
    ["//evil.example", null],
    ["javascript:alert(1)", null],
    ["", null],
  ] as const) {
    const on = await world(t, { postVerifyUrl });
    const response = await on.get((await back(on)).href);
    assert.deepEqual([response.headers.get("location"), response.status], [to, to === null ? 200 : 302], postVerifyUrl);
  }
});

test("redirectTo: where the app wants its users to be, whatever Scalekit says", async (t) => {
  for (const [redirectTo, to] of [
    ["/settings?tab=accounts", "https://app.example.com/settings?tab=accounts"],
    ["https://www.example.com/done", "https://www.example.com/done"],
  ] as const) {
    const on = await world(t, { postVerifyUrl: "https://app.example.com/theirs", app: { redirectTo } });
    const response = await on.get((await back(on)).href);
    assert.deepEqual([response.status, response.headers.get("location")], [302, to]);
    assert.equal(response.headers.get("referrer-policy"), "no-referrer");
  }
});
