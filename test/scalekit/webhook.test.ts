/** The receiver of webhooks: who is heard, what is done about it, and what Scalekit is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { message, OLD_SECRET, receiver, SECRET, signed, URL_OF_IT } from "./webhook-support.ts";

test("an event of an account: heard once, and its gate is looked at; told again, it is as if it were the first time", async (t) => {
  const on = receiver(t);
  const sent = message();
  assert.equal(await (await on.post(sent)).text(), "heard\n");
  for (let i = 0; i < 3; i++) {
    const again = await on.post(sent);
    assert.deepEqual([again.status, await again.text()], [200, "heard before\n"]);
  }
  assert.deepEqual([await on.heard(), await on.asked()], [1, ["gate:account/ada/gmail"]]);
});

test("two secrets while one is changed, in either order and with either signature; a third is nobody's", async (t) => {
  const on = receiver(t, { secrets: [SECRET, OLD_SECRET] });
  const third = `whsec_${Buffer.from("x".repeat(32)).toString("base64")}`;
  const statuses: number[] = [];
  for (const secrets of [[SECRET], [OLD_SECRET], [SECRET, OLD_SECRET], [third, OLD_SECRET], [third], [third, third]])
    statuses.push((await on.post(message({ secrets }))).status);
  assert.deepEqual(statuses, [200, 200, 200, 200, 401, 401]);
});

test("five minutes before and after our time, to the second", async (t) => {
  const on = receiver(t);
  on.clock.advance(10 * 60_000);
  const second = 1_000;
  const now = Math.floor(on.clock.now() / second) * second + second / 2;
  const statuses: number[] = [];
  for (const away of [-301, -300, -299, 0, 299, 300, 301]) {
    on.clock.advance(now - on.clock.now());
    statuses.push((await on.post(message({ at: now + away * second }))).status);
  }
  assert.deepEqual(statuses, [401, 200, 200, 200, 200, 200, 401]);
});

test("a delivery that is repeated a day later is too old; signed anew for a late attempt, it is one more hint", async (t) => {
  const on = receiver(t);
  const sent = message({ id: "evt_late" });
  await on.post(sent);
  on.clock.advance(86_400_000);
  assert.equal((await on.post(sent)).status, 401);
  assert.equal((await on.post(message({ id: "evt_late", at: on.clock.now() }))).status, 200);
});

test("headers to the letter: missing, twice, with a tail, or in another form they are none", async (t) => {
  const on = receiver(t);
  const { headers, body } = message();
  const [id = "", timestamp = "", signature = ""] = ["id", "timestamp", "signature"].map(
    (n) => headers[`webhook-${n}`],
  );
  const hex = Buffer.from(signature.slice(3), "base64").toString("hex");
  const wrong: readonly Record<string, string>[] = [
    { "webhook-id": "" },
    { "webhook-id": `${id}, ${id}` },
    { "webhook-id": `${id}.1` },
    { "webhook-timestamp": "" },
    { "webhook-timestamp": `${timestamp}, ${timestamp}` },
    { "webhook-timestamp": `${timestamp}x` },
    { "webhook-timestamp": `${timestamp}.0` },
    { "webhook-timestamp": `0${timestamp}` },
    { "webhook-timestamp": `+${timestamp}` },
    { "webhook-timestamp": "NaN" },
    { "webhook-signature": "" },
    { "webhook-signature": `${signature}, ${signature}` },
    { "webhook-signature": signature.slice(3) },
    { "webhook-signature": signature.replace("v1", "v2") },
    { "webhook-signature": `${signature}=` },
    { "webhook-signature": `v1,${hex}` },
    { "webhook-signature": `t=${timestamp},v1=${hex}` },
    { "webhook-signature": `v1,${signature.slice(3).replace("=", "")}` },
    { "webhook-signature": Array.from({ length: 100 }, () => signature).join(" ") },
  ];
  for (const one of wrong)
    assert.equal((await on.post({ headers: { ...headers, ...one }, body })).status, 401, JSON.stringify(one));
  for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
    const doubled = new Headers(headers);
    doubled.append(name, headers[name] ?? "");
    const request = new Request(URL_OF_IT, { method: "POST", headers: doubled, body });
    assert.equal((await on.handler(request)).status, 401, name);
  }
  assert.equal(await on.heard(), 0);
  // Beside one of another kind, or a wrong one, the right one counts.
  const among = `v2,abc v1,AAAA v1,${"A".repeat(43)}= ${signature}`;
  assert.equal((await on.post({ headers: { ...headers, "webhook-signature": among }, body })).status, 200);
});

test("the very bytes are signed: a space, another encoding or a cut body is another body", async (t) => {
  const on = receiver(t);
  const { headers, body } = message();
  const text = String(body);
  const pretty = JSON.stringify(JSON.parse(text), undefined, 2);
  for (const other of [`${text} `, text.slice(0, -1), pretty, "", "{}", Buffer.from(text, "utf16le")])
    assert.equal((await on.post({ headers, body: other })).status, 401);
  assert.equal((await on.post({ headers, body })).status, 200);
});

test("ten megabytes are not read: neither announced, nor under a false length, nor as a stream without end", async (t) => {
  const on = receiver(t);
  const big = signed(`"${"x".repeat(10 * 1024 * 1024)}"`);
  assert.equal((await on.post(big)).status, 413);
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      pulled += 64 * 1024;
      controller.enqueue(new Uint8Array(64 * 1024));
    },
  });
  const init = {
    method: "POST",
    headers: { ...message().headers, "content-length": "10" },
    body: endless,
    duplex: "half" as const,
  };
  assert.equal((await on.handler(new Request(URL_OF_IT, init))).status, 413);
  assert.equal(pulled < 512 * 1024, true, `${pulled} bytes were pulled`);
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) });
  assert.equal((await on.handler(new Request(URL_OF_IT, { ...init, body: broken }))).status, 408);
  assert.equal(await on.heard(), 0);
});

test("a body that the app has parsed already is the app's mistake, and the log says so", async (t) => {
  const on = receiver(t);
  const { headers, body } = message();
  const request = new Request(URL_OF_IT, { method: "POST", headers: { ...headers }, body });
  await request.json();
  assert.equal((await on.handler(request)).status, 500);
  assert.deepEqual(on.logged, ['webhook.refused {"why":"body-was-read","before":0}']);
});

test("well signed, and no event: 400, and nothing of it in the log", async (t) => {
  const on = receiver(t);
  for (const body of ["", "{", "null", "[]", '"s3cr3t"', '{"type":7}', '{"s3cr3t":1}', "[".repeat(100_000), "\u0000"])
    assert.equal((await on.post(signed(body))).status, 400, body.slice(0, 20));
  assert.equal(await on.heard(), 0);
  assert.deepEqual(on.logged, ['webhook.refused {"why":"malformed","before":0}']);
});

test("what is none of our business is answered with 200: other events, and accounts that Errand cannot have", async (t) => {
  const on = receiver(t);
  const types = [
    "user.created",
    "connected_account.magic_link_generated",
    "connected_account.token_refresh_failed",
    "",
    "x",
  ];
  for (const type of types) assert.equal((await on.post(message({ type }))).status, 200);
  const accounts = [
    { identifier: undefined },
    { identifier: 7 },
    { identifier: "ada lovelace" },
    { identifier: "x".repeat(101) },
    { identifier: "" },
    { connection_name: undefined },
    { connection_name: "" },
    { connection_name: "gmail/../slack" },
    { connection_name: ["gmail"] },
  ];
  for (const data of accounts) assert.equal((await on.post(message({ data }))).status, 200);
  for (const data of [undefined, null, "ada", ["ada"]])
    assert.equal((await on.post(message({ envelope: { data } }))).status, 200);
  assert.deepEqual([await on.heard(), await on.asked()], [0, []]);
  assert.doesNotMatch(on.logged.join("\n"), /lovelace|slack/);
});

for (const type of ["created", "updated", "status_updated", "oauth_succeeded", "deleted"])
  test(`connected_account.${type} asks for a look, whatever status it carries`, async (t) => {
    const on = receiver(t);
    for (const status of ["ACTIVE", "EXPIRED", "", 7, undefined])
      assert.equal((await on.post(message({ type: `connected_account.${type}`, data: { status } }))).status, 200);
    assert.deepEqual([await on.heard(), await on.asked()], [5, ["gate:account/ada/gmail"]]);
  });

test("an event of another environment is refused, where one is expected", async (t) => {
  const on = receiver(t, { environmentId: "env_1" });
  assert.equal((await on.post(message())).status, 200);
  for (const environment_id of ["env_2", "", undefined, 1])
    assert.equal((await on.post(message({ envelope: { environment_id } }))).status, 403);
  assert.equal(await on.heard(), 1);
});

test("Redis is away: 503, so that Scalekit sends it again, and the next delivery is heard", async (t) => {
  let away = true;
  const on = receiver(t, {
    looks: { ask: async () => (away ? Promise.reject(new Error("redis://user:s3cr3t@host")) : true) },
  });
  const sent = message();
  const lost = await on.post(sent);
  assert.deepEqual([lost.status, lost.headers.get("retry-after")], [503, "5"]);
  away = false;
  assert.equal((await on.post(sent)).status, 200);
  assert.doesNotMatch(on.logged.join("\n"), /s3cr3t/);
  assert.match(on.logged[0] ?? "", /^webhook\.lost /);
});

test("POST only", async (t) => {
  const on = receiver(t);
  for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const response = await on.handler(new Request(URL_OF_IT, { method }));
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST"]);
  }
});

test("a thousand refusals are a few lines, and the next line tells how many there were", async (t) => {
  const on = receiver(t);
  for (let i = 0; i < 1_000; i++) await on.post(message({ secrets: [OLD_SECRET] }));
  on.clock.advance(10_001);
  await on.post(message({ secrets: [OLD_SECRET], at: on.clock.now() }));
  assert.deepEqual(on.logged, [
    'webhook.refused {"why":"signature","before":0}',
    'webhook.refused {"why":"signature","before":999}',
  ]);
});

const key = Buffer.from("x".repeat(24)).toString("base64");
for (const [name, secrets, code] of [
  ["none", [], "config-missing"],
  ["the empty one that the SDK would take", ["whsec_"], "config-invalid"],
  ["an empty text", [""], "config-invalid"],
  ["no prefix", [key], "config-invalid"],
  ["a key that can be guessed", [`whsec_${Buffer.from("x".repeat(15)).toString("base64")}`], "config-invalid"],
  ["no base64", ["whsec_%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%"], "config-invalid"],
  ["two parts, of which the SDK would see one", [`whsec_${key}_${key}`], "config-invalid"],
  ["a good one and a bad one", [SECRET, "whsec_"], "config-invalid"],
  ["three", [SECRET, SECRET, SECRET], "config-invalid"],
] as const)
  test(`secrets are refused at boot, and not shown: ${name}`, (t) => {
    assert.throws(
      () => receiver(t, { secrets }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, code);
        assert.equal(
          secrets.some((secret) => secret.length > 6 && error.message.includes(secret)),
          false,
        );
        return true;
      },
    );
  });
