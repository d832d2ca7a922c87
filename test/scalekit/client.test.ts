/** Tokens, wrong credentials, dead connections and bounds: what is the same for all questions and calls. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { createAccounts } from "../../src/scalekit/accounts.ts";
import { createScalekit, type ScalekitOptions } from "../../src/scalekit/client.ts";
import { createToolbox } from "../../src/scalekit/tools.ts";
import { createChecker } from "../../src/tools/check.ts";
import { startRaw, startRelay } from "./raw.ts";
import { send, start, testClock, why, word } from "./start.ts";

test("50 parallel first tool calls fetch one token", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => send(toolbox)));
  assert.deepEqual(new Set(outcomes.map(word)), new Set(["ok"]));
  assert.deepEqual(
    [emulator.calls.count("oauth/token"), emulator.calls.count("ExecuteTool"), emulator.calls.unauthenticated],
    [1, 50, 0],
  );
});

test("50 parallel first questions fetch one token, though the SDK alone would fetch 50", async (t) => {
  const { emulator, accounts } = await start(t);
  emulator.connect("ada", "gmail");
  const looks = await Promise.all(Array.from({ length: 50 }, () => accounts.look("ada", ["gmail"])));
  assert.deepEqual(new Set(looks.map(why)), new Set(["ok"]));
  assert.deepEqual([emulator.calls.count("oauth/token"), emulator.calls.count("ListConnectedAccounts")], [1, 50]);
});

test("a token is renewed before its end: no call is refused for it", async (t) => {
  const { emulator, toolbox, accounts, clock } = await start(t, { tokenTtlMs: 3_600_000 });
  emulator.connect("ada", "gmail");
  const asked = async (): Promise<unknown> => {
    assert.equal(word(await send(toolbox)), "ok");
    assert.equal(why(await accounts.look("ada", ["gmail"])), "ok");
    const { calls } = emulator;
    return [calls.count("oauth/token"), calls.count("ListAppConnections"), calls.unauthenticated];
  };
  // The SDK's client sends its very first question without a token.
  assert.deepEqual(await asked(), [2, 1, 1]);
  clock.advance(3_600_000 - 70_000);
  assert.deepEqual(await asked(), [2, 1, 1]);
  clock.advance(30_000);
  assert.deepEqual(await asked(), [3, 1, 1], "ours is renewed within its last minute");
  clock.advance(40_000);
  assert.deepEqual(await asked(), [4, 2, 2], "the SDK has a new client");
});

test("a token that is refused meanwhile: one new one, and every call is executed once", async (t) => {
  const { emulator, toolbox, accounts } = await start(t);
  emulator.connect("ada", "gmail");
  await send(toolbox);
  emulator.expireTokens();
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, () => send(toolbox, { tool: "gmail_create_label", args: { name: "x" } })),
  );
  assert.deepEqual(new Set(outcomes.map(word)), new Set(["ok", "error"]));
  assert.equal(emulator.calls.count("ExecuteTool"), 21);
  assert.equal(emulator.calls.count("oauth/token"), 2);
  await accounts.look("ada", ["gmail"]);
  emulator.expireTokens();
  assert.equal(why(await accounts.look("ada", ["gmail"])), "ok");
});

test("Scalekit refuses even a fresh token: our credentials, after two attempts that were not executed", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  const fault = emulator.faults.add({ method: "ExecuteTool", code: "Unauthenticated", times: Infinity });
  const outcome = await send(toolbox);
  assert.equal(word(outcome), "credentials");
  assert.deepEqual([fault.hits, emulator.ledger.length], [2, 0]);
});

test("a wrong secret: the operator's matter, told without the secret", async (t) => {
  const { emulator, toolbox, accounts } = await start(t, { secret: "not-the-secret" });
  const outcome = await send(toolbox);
  assert.equal(word(outcome), "credentials");
  const answers = [
    await accounts.look("ada", ["gmail"]),
    await accounts.connections(),
    await accounts.link("ada", "gmail", { state: "s", userVerifyUrl: "http://127.0.0.1/callback" }),
    await accounts.verify("request", "ada"),
    await toolbox.names(),
    await toolbox.list({ identifier: "ada", connections: ["gmail"], tools: [{ name: "gmail_get_profile" }] }),
  ];
  for (const answer of answers) assert.equal(why(answer), "credentials");
  assert.doesNotMatch(JSON.stringify([outcome, answers]), /not-the-secret/);
  assert.equal(emulator.calls.count("ExecuteTool") + emulator.calls.count("ListConnectedAccounts"), 0);
});

test("a token endpoint in trouble is an outage and not a refusal; then it goes on", async (t) => {
  const { emulator, toolbox, accounts } = await start(t, { timeoutMs: 500 });
  emulator.connect("ada", "gmail");
  for (const fault of [{ httpStatus: 429 }, { httpStatus: 503 }, { reset: true }, { blackHole: true }]) {
    const added = emulator.faults.add({ method: "oauth/token", times: Infinity, ...fault });
    const outcome = await send(toolbox);
    const isLimit = "httpStatus" in fault && fault.httpStatus === 429;
    assert.equal(word(outcome), isLimit ? "rate-limit" : "unavailable", JSON.stringify(fault));
    const looked = await accounts.look("ada", ["gmail"]);
    assert.equal(why(looked), "unavailable", JSON.stringify(fault));
    assert.equal(!looked.ok && looked.limited !== undefined, isLimit, JSON.stringify(fault));
    added.remove();
  }
  assert.equal((await send(toolbox)).kind, "ok");
  assert.equal(why(await accounts.look("ada", ["gmail"])), "ok");
  assert.equal(emulator.ledger.length, 1);
});

test("a token answer that is none", async (t) => {
  for (const body of ["", "{}", '{"access_token":7}', "<html>"]) {
    const envUrl = await startRaw(t, (stream) => stream.close(), { body });
    const scalekit = createScalekit({ envUrl, clientId: "c", clientSecret: "s" });
    t.after(() => scalekit.close());
    const outcome = await send(createToolbox(scalekit, { check: createChecker(), clock: testClock() }));
    assert.equal(word(outcome), "unavailable");
  }
});

test("the secret does not follow a redirect", async (t) => {
  const { emulator } = await start(t);
  const location = `${emulator.url}/oauth/token`;
  const envUrl = await startRaw(t, (stream) => stream.close(), { status: 307, location });
  const { clientId, clientSecret } = emulator;
  const scalekit = createScalekit({ envUrl, clientId, clientSecret });
  t.after(() => scalekit.close());
  const outcome = await send(createToolbox(scalekit, { check: createChecker(), clock: testClock() }));
  assert.deepEqual([word(outcome), emulator.calls.count("oauth/token")], ["unavailable", 0]);
});

test("Scalekit is in trouble: an outage within the bound, and the next question is answered", async (t) => {
  const { emulator, accounts } = await start(t, { timeoutMs: 500 });
  emulator.connect("ada", "gmail");
  assert.equal(why(await accounts.look("ada", ["gmail"])), "ok");
  for (const fault of [{ code: "Internal" }, { httpStatus: 500 }, { blackHole: true }, { reset: true }] as const) {
    emulator.faults.add({ method: "ListConnectedAccounts", ...fault });
    const looked = await accounts.look("ada", ["gmail"]);
    assert.equal(why(looked), "unavailable", JSON.stringify(fault));
    assert.equal(why(await accounts.look("ada", ["gmail"])), "ok", JSON.stringify(fault));
  }
});

test("the SDK repeats a question for seconds: whoever asked has an answer before that", async (t) => {
  const { emulator, accounts } = await start(t, { timeoutMs: 500 });
  assert.equal(why(await accounts.look("ada", ["gmail"])), "ok");
  const fault = emulator.faults.add({ method: "ListConnectedAccounts", code: "Unavailable", times: Infinity });
  const looked = await accounts.look("ada", ["gmail"]);
  assert.deepEqual(
    [why(looked), !looked.ok && looked.message],
    ["unavailable", "Scalekit could not look at the user's accounts (Unavailable): no answer within 1000 ms"],
  );
  fault.remove();
  await emulator.waitFor("call", (call) => call.method === "ListConnectedAccounts");
});

test("questions into a black hole: the SDK's client is replaced after three deadlines", async (t) => {
  const { emulator, clock } = await start(t);
  const relay = await startRelay(t, emulator.url);
  const { clientId, clientSecret } = emulator;
  const scalekit = createScalekit({ envUrl: relay.url, clientId, clientSecret, timeoutMs: 300 }, clock);
  t.after(() => scalekit.close());
  const accounts = createAccounts(scalekit);
  const look = async (): Promise<string> => why(await accounts.look("ada", ["gmail"]));
  const lookUntilOk = async (most: number): Promise<boolean> =>
    (await look()) === "ok" || (most > 1 && lookUntilOk(most - 1));
  assert.equal(await lookUntilOk(10), true);
  relay.swallow();
  for (let i = 0; i < 3; i++) assert.equal(await look(), "unavailable");
  // The new client's token request may meet a connection of the old one that was kept alive, and ends it by its time-out.
  assert.equal(await lookUntilOk(10), true);
});

test("closing: idempotent, and what comes after is refused unsent", async (t) => {
  const { emulator, scalekit, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  emulator.faults.add({ method: "ExecuteTool", when: "after", blackHole: true });
  const arrived = emulator.waitFor("execute");
  const under = send(toolbox);
  await arrived;
  await Promise.all([scalekit.close(), scalekit.close()]);
  assert.equal((await under).kind, "unknown");
  const after = await send(toolbox);
  assert.equal(word(after), "unavailable");
  assert.equal(emulator.ledger.length, 1);
});

test("whoever prints the client prints no secret", async (t) => {
  const { scalekit, toolbox, accounts } = await start(t, { secret: "s3cr3t-value" });
  const printed =
    inspect([scalekit, toolbox, accounts], { depth: 10, showHidden: true }) + JSON.stringify([scalekit, toolbox]);
  assert.doesNotMatch(printed, /s3cr3t/);
});

const GOOD: ScalekitOptions = { envUrl: "https://acme.scalekit.cloud", clientId: "skc_1", clientSecret: "test_1" };

for (const [name, wrong, says] of [
  ["no URL", { envUrl: "acme.scalekit.cloud" }, /envUrl: expected the URL/],
  ["another scheme", { envUrl: "ftp://acme.scalekit.cloud" }, /envUrl/],
  ["clear text over the net", { envUrl: "http://acme.scalekit.cloud" }, /expected https for acme\.scalekit\.cloud/],
  ["clear text to a name like loopback", { envUrl: "http://127.0.0.1.evil.example" }, /expected https/],
  ["a user in the URL", { envUrl: "https://u:p@acme.scalekit.cloud" }, /envUrl/],
  ["an empty id", { clientId: "" }, /clientId/],
  ["a copied newline", { clientSecret: "test_1\n" }, /clientSecret: .*without spaces/],
  ["no time", { timeoutMs: 0 }, /timeoutMs: expected a positive number/],
] as const)
  test(`wrong options are refused at once: ${name}`, () => {
    assert.throws(
      () => createScalekit({ ...GOOD, ...wrong }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "config-invalid");
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, /test_1/);
        return true;
      },
    );
  });

test("an emulator next door may speak clear text", () => {
  for (const envUrl of ["http://127.0.0.1:1234", "http://localhost:1234/", "http://scalekit:8080", "http://[::1]:1"])
    createScalekit({ ...GOOD, envUrl });
});
