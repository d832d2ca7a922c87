/** Tool calls over the wire: each is executed at most once, and the outcome says no more than what is known. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createScalekit } from "../../src/scalekit/client.ts";
import { createToolbox } from "../../src/scalekit/tools.ts";
import type { Fault } from "../../src/testing/scalekit/index.ts";
import { createChecker } from "../../src/tools/check.ts";
import { answer, startRaw, startRelay } from "./raw.ts";
import { send, start, type Started, testClock, word } from "./start.ts";

test("a call: input, result, execution id, and whose call it was", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  const outcome = await send(toolbox, {
    tool: "gmail_fetch_mails",
    args: { max_results: 3 },
    run: "run_7",
    call: "t2c1",
  });
  const [execution] = emulator.ledger;
  assert.ok(outcome.kind === "ok" && execution !== undefined, JSON.stringify(outcome));
  assert.equal(outcome.executionId, execution.executionId);
  assert.deepEqual(Object.keys(outcome.data as object).includes("messages"), true);
  assert.deepEqual(
    [execution.identifier, execution.connection, execution.input, execution.agentRunId],
    ["ada", "gmail", { max_results: 3 }, "run_7:t2c1"],
  );
});

test("the account is the run's: no argument of a model's names another", async (t) => {
  const { emulator, toolbox } = await start(t, { connections: ["gmail", { name: "gmail-two", connector: "gmail" }] });
  const victim = emulator.connect("victim", "gmail");
  emulator.connect("ada", "gmail-two");
  emulator.connect("ada", "gmail");
  const args = {
    identifier: "victim",
    connector: "gmail-two",
    connected_account_id: victim.id,
    connectedAccountId: victim.id,
    user_id: "victim",
    organization_id: "org_1",
    toolName: "gmail_send_message",
    params: { identifier: "victim" },
  };
  assert.equal((await send(toolbox, { args })).kind, "ok");
  const [execution] = emulator.ledger;
  assert.deepEqual(
    [execution?.identifier, execution?.connection, execution?.tool, emulator.ledger.length],
    ["ada", "gmail", "gmail_get_profile", 1],
  );
  assert.equal(emulator.account("victim", "gmail")?.lastUsedAt, undefined);
});

test("a run id of any length is sent within the limit", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  assert.equal((await send(toolbox, { run: "r".repeat(400) })).kind, "ok");
  assert.equal(emulator.ledger[0]?.agentRunId?.length, 255);
});

test("arguments that are no object are never sent", async (t) => {
  const { emulator, toolbox } = await start(t);
  for (const args of [null, [], "x", 1]) assert.equal((await send(toolbox, { args })).kind, "error");
  assert.deepEqual(emulator.calls.byMethod, {});
});

/** What goes wrong, how often the tool is executed, and what may be said of it. */
type FaultCase = readonly [fault: Omit<Fault, "method">, executions: 0 | 1, outcome: string];

/** The same before and after the side effect: nobody can tell which it was. */
function unclear(fault: Omit<Fault, "method">): FaultCase[] {
  return [
    [fault, 0, "unknown"],
    [{ ...fault, when: "after" }, 1, "unknown"],
  ];
}

const BROKEN = ["Unavailable", "Internal", "Unknown", "DeadlineExceeded", "Canceled", "Aborted", "DataLoss"] as const;

const FAULTS: readonly FaultCase[] = [
  ...BROKEN.flatMap((code) => unclear({ code })),
  ...[500, 502, 503, 504, 403, 404].flatMap((httpStatus) => unclear({ httpStatus })),
  ...unclear({ reset: true }),
  ...unclear({ blackHole: true }),
  [{ code: "ResourceExhausted", errorCode: "RATE_LIMITED" }, 0, "rate-limit"],
  [{ code: "ResourceExhausted", when: "after" }, 1, "unknown"],
  [{ httpStatus: 429 }, 0, "rate-limit"],
  [{ code: "InvalidArgument", errorCode: "INVALID_REQUEST" }, 0, "error"],
  [{ code: "NotFound", message: "connected account not found" }, 0, "account"],
  [{ code: "NotFound", message: "tool gmail_get_profile not found" }, 0, "error"],
  [{ code: "PermissionDenied", errorCode: "FORBIDDEN" }, 0, "account"],
  [{ notActive: true }, 0, "account"],
  [{ toolError: { status: 400, code: "INVALID", message: "no" } }, 0, "error"],
  [{ toolError: { status: 401, code: "UNAUTHENTICATED", message: "no" } }, 0, "account"],
  [{ toolError: { status: 403, code: "insufficientPermissions", message: "no" } }, 0, "scope"],
  [{ toolError: { status: 403, code: "userRateLimitExceeded", message: "no" } }, 0, "rate-limit"],
  [{ toolError: { status: 404, code: "notFound", message: "no" } }, 0, "error"],
  [{ toolError: { status: 409, code: "conflict", message: "no" } }, 0, "error"],
  [{ toolError: { status: 429, code: "rateLimitExceeded", message: "no" } }, 0, "rate-limit"],
  [{ toolError: { status: 500, code: "backendError", message: "no" } }, 0, "unknown"],
  [{ toolError: { status: 503, code: "backendError", message: "no" } }, 0, "unknown"],
  [{ toolError: { status: 504, code: "timeout", message: "no" } }, 0, "unknown"],
];

test("each fault: asked once, executed at most once, and told as what it is", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  await send(toolbox);
  for (const [fault, executions, expected] of FAULTS) {
    const name = JSON.stringify(fault);
    const before = { executed: emulator.ledger.length, asked: emulator.calls.count("ExecuteTool") };
    const added = emulator.faults.add({ method: "ExecuteTool", times: Infinity, ...fault });
    const outcome = await send(toolbox, {}, { timeoutMs: fault.blackHole === true ? 300 : 5_000 });
    added.remove();
    assert.equal(word(outcome), expected, name);
    assert.equal(emulator.ledger.length - before.executed, executions, name);
    assert.equal(emulator.calls.count("ExecuteTool") - before.asked, 1, name);
    assert.equal((await send(toolbox)).kind, "ok", `the next call after ${name}`);
  }
});

test("an account that is not ACTIVE, whichever code Scalekit has for it", async (t) => {
  for (const code of ["FailedPrecondition", "PermissionDenied", "NotFound", "InvalidArgument", "Internal"] as const) {
    const { emulator, toolbox } = await start(t, { notActive: { code } });
    emulator.setStatus("ada", "gmail", "EXPIRED");
    assert.equal(word(await send(toolbox)), "account", code);
    assert.equal(emulator.ledger.length, 0);
  }
});

test("a revoked account, and one that never was", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  emulator.revoke("ada", "gmail");
  assert.equal(word(await send(toolbox)), "account");
  assert.equal(word(await send(toolbox, { identifier: "nobody" })), "account");
  assert.equal(emulator.ledger.length, 0);
});

test("nobody listens: certainly not executed", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  assert.equal((await send(toolbox)).kind, "ok");
  await emulator.close();
  // The end of the connection may still be on its way to us: then the first call is the one that meets it.
  assert.notEqual((await send(toolbox)).kind, "ok");
  const outcome = await send(toolbox);
  assert.deepEqual(
    [word(outcome), outcome.kind === "not-executed" && /ECONNREFUSED/.test(outcome.message)],
    ["unavailable", true],
  );
});

test("nobody listens from the start, and no such host: certainly not executed", async (t) => {
  const { emulator } = await start(t);
  await emulator.close();
  for (const envUrl of [emulator.url, "https://no-such-host.invalid"]) {
    const scalekit = createScalekit({ envUrl, clientId: "c", clientSecret: "s" });
    t.after(() => scalekit.close());
    const toolbox = createToolbox(scalekit, { check: createChecker(), clock: testClock() });
    assert.equal(word(await send(toolbox)), "unavailable", envUrl);
  }
});

test("a server's restart between two calls is no reason for an unknown outcome", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  await send(toolbox);
  const settled = new Promise((resolve) => setImmediate(resolve));
  emulator.dropConnections();
  await settled;
  const outcome = await send(toolbox);
  // The end of the connection may still be on its way to us: then this call is the one that meets it.
  assert.match(word(outcome), /^(ok|unknown)$/);
  assert.equal((await send(toolbox)).kind, "ok");
});

test("aborted before it is sent: not executed. Aborted on the way: unknown", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  const early = AbortSignal.abort();
  assert.equal(word(await send(toolbox, {}, { signal: early })), "unavailable");
  assert.equal(emulator.calls.count("ExecuteTool"), 0);

  const abort = new AbortController();
  emulator.faults.add({ method: "ExecuteTool", when: "after", blackHole: true });
  const arrived = emulator.waitFor("execute");
  const sent = send(toolbox, {}, { signal: abort.signal });
  await arrived;
  abort.abort();
  assert.equal(word(await sent), "unknown");
  assert.equal(emulator.ledger.length, 1);
});

test("64 calls under way: the next one waits unsent, and gives up unsent", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  await send(toolbox);
  let go = (): void => undefined;
  const until = new Promise<void>((resolve) => {
    go = resolve;
  });
  emulator.faults.add({ method: "ExecuteTool", until, times: 64 });
  const held = Array.from({ length: 64 }, () => send(toolbox));
  const late = await send(toolbox, { call: "late" }, { timeoutMs: 50 });
  assert.deepEqual([word(late), late.kind === "not-executed" && /64 calls/.test(late.message)], ["unavailable", true]);
  const abort = new AbortController();
  const given = send(toolbox, { call: "aborted" }, { signal: abort.signal });
  abort.abort();
  assert.equal(word(await given), "unavailable");
  const patient = send(toolbox, { call: "patient" });
  go();
  const outcomes = await Promise.all([...held, patient]);
  assert.deepEqual(new Set(outcomes.map(word)), new Set(["ok"]));
  assert.equal(emulator.ledger.length, 66);
  assert.doesNotMatch(JSON.stringify(emulator.ledger), /late|aborted/);
});

test("a black hole in the connection: after three deadlines a new connection is made, without any call sent twice", async (t) => {
  const { emulator, clock } = await start(t);
  emulator.connect("ada", "gmail");
  const relay = await startRelay(t, emulator.url);
  const scalekit = createScalekit(
    { envUrl: relay.url, clientId: emulator.clientId, clientSecret: emulator.clientSecret },
    clock,
  );
  t.after(() => scalekit.close());
  const toolbox = createToolbox(scalekit, { check: createChecker(), clock });
  assert.equal((await send(toolbox)).kind, "ok");
  const before = relay.connections;
  relay.swallow();
  for (let i = 0; i < 3; i++) assert.equal(word(await send(toolbox, {}, { timeoutMs: 300 })), "unknown");
  assert.equal(relay.connections, before);
  assert.equal((await send(toolbox)).kind, "ok");
  assert.deepEqual([relay.connections, emulator.ledger.length], [before + 1, 2]);
});

/** Answers that a proxy or a dying server leaves behind, after the call was executed. */
const CUT: readonly [what: string, respond: Parameters<typeof startRaw>[1]][] = [
  ["in the middle of the message", (stream) => answer(stream, Buffer.from([0, 0, 0, 0, 99, 1, 2]))],
  ["in the middle of its length", (stream) => answer(stream, Buffer.from([0, 0]))],
  ["before the trailers", (stream) => answer(stream, Buffer.from([0, 0, 0, 0, 0]), {})],
  ["to nothing but OK", (stream) => answer(stream, Buffer.alloc(0))],
  ["to a message that is none", (stream) => answer(stream, Buffer.from([0, 0, 0, 0, 2, 255, 255]))],
  [
    "to another content type",
    (stream) => void (stream.respond({ ":status": 200, "content-type": "text/html" }), stream.end("<p>")),
  ],
  ["to a refused stream", (stream) => stream.close(7)],
  ["to a calm-down", (stream) => stream.close(11)],
];

for (const [what, respond] of CUT)
  test(`an answer cut ${what} is unknown, though connect has the code of a refusal for it`, async (t) => {
    const toolbox = rawToolbox(t, await startRaw(t, respond));
    assert.equal((await send(toolbox)).kind, "unknown");
  });

test("an answer without data is an empty one", async (t) => {
  const toolbox = rawToolbox(t, await startRaw(t, (stream) => answer(stream, Buffer.from([0, 0, 0, 0, 0]))));
  assert.deepEqual(await send(toolbox), { kind: "ok", data: {} });
});

function rawToolbox(t: TestContext, envUrl: string): Started["toolbox"] {
  const scalekit = createScalekit({ envUrl, clientId: "c", clientSecret: "s" });
  t.after(() => scalekit.close());
  return createToolbox(scalekit, { check: createChecker(), clock: testClock() });
}
