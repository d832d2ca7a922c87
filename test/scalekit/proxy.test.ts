/** Proxy tools over the wire: every way in which a provider says no, one send each, and definitions that are wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { Outcome } from "../../src/core/outcome.ts";
import { proxyTool } from "../../src/scalekit/proxy-tool.ts";
import { defineConnector, SLACK_SAMPLE } from "../../src/testing/connectors/index.ts";
import type { ConnectionOptions, Fault } from "../../src/testing/scalekit/index.ts";
import { shown, stage, TOOLS } from "./proxy-stage.ts";
import { SEND, word } from "./start.ts";

test("row 25: Slack's ok: false at HTTP 200 is an error, or what is waited for, and never a success", async (t) => {
  const { emulator, call } = await stage(t);
  emulator.slack("ada").load(SLACK_SAMPLE);
  assert.deepEqual(await call("slack_post_message", { channel: "nowhere", text: "x" }), {
    kind: "error",
    type: "channel_not_found",
    message: "The provider said no: channel_not_found",
    retryable: false,
  });
  const said: readonly [body: object, expected: string][] = [
    [{ ok: false, error: "ratelimited" }, "rate-limit"],
    [{ ok: false, error: "token_revoked" }, "account"],
    [{ ok: false, error: "missing_scope", needed: "chat:write" }, "scope"],
    [{ ok: false, error: "internal_error" }, "unknown"],
    [{ ok: false }, "error"],
    [{ ok: true, channel: "C", ts: "1.0" }, "ok"],
  ];
  for (const [json, expected] of said) {
    const { call: once } = await stage(t, { connections: [answering("slack", 200, json)] });
    assert.equal(word(await once("slack_post_message", { channel: "C", text: "x" })), expected, JSON.stringify(json));
  }
});

/** A connection whose provider answers everything like this. */
function answering(
  name: string,
  status: number,
  json: unknown,
  headers: Record<string, string> = {},
): ConnectionOptions {
  const connector = defineConnector({
    name,
    title: name,
    scopes: [],
    tools: [],
    world: () => ({}),
    proxy: () => ({ status, json, headers }),
  });
  return { name, connector };
}

const NO: readonly [
  status: number,
  json: unknown,
  headers: Record<string, string>,
  read: string,
  write: string,
  message: RegExp,
][] = [
  [400, { error: { code: 400, message: "Invalid id value" } }, {}, "error", "error", /^Invalid id value$/],
  [401, { error: { message: "Bad credentials" } }, {}, "account", "account", /401.*Bad credentials/],
  [
    403,
    { error: { message: "Insufficient Permission" } },
    { "x-ratelimit-reset": "9999999999" },
    "scope",
    "scope",
    /403.*Insufficient Permission/,
  ],
  [403, { message: "API rate limit exceeded for user ID 1." }, {}, "rate-limit", "rate-limit", /rate limit/],
  [403, { message: "Forbidden" }, { "x-ratelimit-remaining": "0" }, "rate-limit", "rate-limit", /rate limit/],
  [404, { message: "Not Found", documentation_url: "x" }, {}, "error", "error", /^Not Found$/],
  [409, [{ message: "duplicate", errorCode: "DUPLICATE_VALUE" }], {}, "error", "error", /^duplicate$/],
  [422, { errors: [{ message: "Validation Failed" }] }, {}, "error", "error", /^Validation Failed$/],
  [429, { message: "slow down" }, { "retry-after": "7" }, "rate-limit", "rate-limit", /429.*slow down/],
  [500, { message: "oops" }, {}, "unknown", "unknown", /500.*oops/],
  [503, "<html><body>Service Unavailable</body></html>", {}, "unknown", "unknown", /503/],
  [302, {}, { location: "https://evil.example/" }, "error", "unknown", /elsewhere|302/],
  [403, { error: "proxy not enabled for provider SLACK" }, {}, "credentials", "credentials", /dashboard/],
];

test("row 30: each no of a provider is told as what it is, in one safe sentence", async (t) => {
  for (const [status, json, headers, read, write, message] of NO) {
    const { emulator, call } = await stage(t, { connections: [answering("slack", status, json, headers)] });
    const looked = await call("slack_read_channel", { channel: "C" });
    const wrote = await call("slack_post_message", { channel: "C", text: "x" });
    const name = `${status} ${JSON.stringify(json)}`;
    assert.deepEqual([word(looked), word(wrote)], [read, write], name);
    assert.match("message" in looked ? looked.message : "", message, name);
    // A 401 may be about our own token: one more request with a new one tells.
    assert.equal(emulator.calls.count("proxy"), status === 401 ? 4 : 2, name);
    const wait = "retryAfterMs" in looked ? looked.retryAfterMs : undefined;
    assert.equal(wait, status === 429 ? 7_000 : undefined, name);
  }
});

test("rows 22 and 27: what the schema does not name never reaches the model, not in errors either", async (t) => {
  const secret = "ya29.very-secret-token-of-somebody";
  const long = { ok: true, ts: "1", channel: "C", extra: secret, message: { blocks: "x".repeat(100_000) } };
  const { call } = await stage(t, { connections: [answering("slack", 200, long)] });
  assert.deepEqual(await shown(call("slack_post_message", { channel: "C", text: "x" })), { ts: "1", channel: "C" });
  const error = { error: { message: `token ${secret} is bad ${"x".repeat(10_000)}`, debug: { stack: "at x.js" } } };
  const { call: failing } = await stage(t, { connections: [answering("slack", 400, error)] });
  const outcome = await failing("slack_read_channel", { channel: "C" });
  const text = JSON.stringify(outcome);
  assert.equal(text.length < 700, true, "short");
  assert.doesNotMatch(text, /ya29|stack|x\.js/);
});

test("row 29: an answer of another form is not shown; a write that was made is never called a failure", async (t) => {
  for (const json of [{ ok: true, ts: 7 }, null, [], "text"]) {
    const { call } = await stage(t, { connections: [answering("slack", 200, json)] });
    const looked = await call("slack_read_channel", { channel: "C" });
    assert.deepEqual([looked.kind, looked.kind === "error" && looked.type], ["error", "UnreadableAnswer"]);
    const wrote = JSON.stringify(await shown(call("slack_post_message", { channel: "C", text: "x" })));
    assert.match(wrote, /was executed.*do not call it again/);
  }
});

const FAULTS: readonly [fault: Omit<Fault, "method">, requests: number, posted: number, expected: string][] = [
  [{ httpStatus: 503 }, 1, 0, "unknown"],
  [{ httpStatus: 503, when: "after" }, 1, 1, "unknown"],
  [{ httpStatus: 429 }, 1, 0, "rate-limit"],
  [{ reset: true }, 1, 0, "unknown"],
  [{ reset: true, when: "after" }, 1, 1, "unknown"],
  [{ blackHole: true }, 1, 0, "unknown"],
  [{ blackHole: true, when: "after" }, 1, 1, "unknown"],
];

test("pitfall 2 (F2) by the proxy: each fault is met by one request, executed at most once", async (t) => {
  const { emulator, call } = await stage(t);
  const slack = emulator.slack("ada");
  slack.load(SLACK_SAMPLE);
  const post = (text: string, timeoutMs = 5_000): Promise<Outcome> =>
    call("slack_post_message", { channel: "C01GENERAL", text }, { timeoutMs });
  const posts = (): number => slack.channel("C01GENERAL")?.messages.length ?? 0;
  assert.equal(word(await post("first")), "ok");
  for (const [fault, requests, posted, expected] of FAULTS) {
    const name = JSON.stringify(fault);
    const before = [emulator.calls.count("proxy"), posts()] as const;
    const added = emulator.faults.add({ method: "proxy", times: Infinity, ...fault });
    assert.equal(word(await post(name, fault.blackHole === true ? 1_000 : 10_000)), expected, name);
    added.remove();
    assert.deepEqual([emulator.calls.count("proxy") - before[0], posts() - before[1]], [requests, posted], name);
    assert.equal(word(await post("next")), "ok", `the next one after ${name}`);
  }
});

test("pitfall 1: no request goes out without a token, an expired one is replaced once, a lost account costs no more tokens", async (t) => {
  const { emulator, call } = await stage(t);
  const answers = await Promise.all(Array.from({ length: 30 }, () => call("gmail_list_filters")));
  assert.deepEqual(new Set(answers.map(word)), new Set(["ok"]));
  assert.deepEqual([emulator.calls.count("oauth/token"), emulator.calls.unauthenticated], [1, 0]);
  emulator.expireTokens();
  emulator.slack("ada").load(SLACK_SAMPLE);
  // Proven a moment ago, so the first 401 is taken for the provider's; the account is looked at, and the call made again.
  const word1 = word(await call("slack_post_message", { channel: "C01GENERAL", text: "x" }));
  assert.equal(word1, "account");
});

test("pitfall 1: a token that was refused after a quiet time is replaced, and the call executed once", async (t) => {
  const { emulator, call, clock } = await stage(t);
  emulator.slack("ada").load(SLACK_SAMPLE);
  assert.equal(word(await call("gmail_list_filters")), "ok");
  emulator.expireTokens();
  clock.advance(61_000);
  assert.equal(word(await call("slack_post_message", { channel: "C01GENERAL", text: "once" })), "ok");
  const texts =
    emulator
      .slack("ada")
      .channel("C01GENERAL")
      ?.messages.map(({ text }) => text) ?? [];
  assert.equal(texts.filter((text) => text === "once").length, 1);
  assert.equal(emulator.calls.count("oauth/token"), 2);
});

test("row 26: an account that is lost parks the run, whichever way the proxy says so", async (t) => {
  const { emulator, call } = await stage(t);
  emulator.revoke("ada", "gmail");
  assert.equal(word(await call("gmail_list_filters")), "account");
  emulator.setStatus("ada", "gmail", "EXPIRED");
  assert.equal(word(await call("gmail_list_filters")), "account");
  const { call: without } = await stage(t, { connections: ["gmail"], proxy: false });
  assert.equal(word(await without("gmail_list_filters")), "credentials");
});

test("wrong credentials of ours, and nobody listening: certainly not executed", async (t) => {
  const { call } = await stage(t, { secret: "wrong" });
  assert.equal(word(await call("gmail_list_filters")), "credentials");
  const { emulator, call: cut } = await stage(t);
  await emulator.close();
  assert.equal(word(await cut("gmail_list_filters")), "unavailable");
});

test("given up before it is sent: not executed; on the way: unknown", async (t) => {
  const { emulator, call } = await stage(t);
  assert.equal(word(await call("gmail_list_filters", {}, { signal: AbortSignal.abort() })), "unavailable");
  assert.equal(emulator.calls.count("proxy"), 0);
  const abort = new AbortController();
  emulator.faults.add({ method: "proxy", blackHole: true });
  const arrived = emulator.waitFor("call", ({ method }) => method === "proxy");
  const sent = call("gmail_list_filters", {}, { signal: abort.signal });
  await arrived;
  abort.abort();
  assert.equal(word(await sent), "unknown");
});

test("pitfall 14: an identifier or a connection that a header would change is never sent", async (t) => {
  const { emulator, source } = await stage(t);
  for (const identifier of ["użytkownik", " ada", "ada\r\nidentifier: eve", "", "用户1", "a".repeat(101)])
    assert.equal(
      word(
        await source.send(
          { ...SEND, tool: "gmail_list_filters", identifier },
          { timeoutMs: 1_000, signal: new AbortController().signal },
        ),
      ),
      "unavailable",
      JSON.stringify(identifier),
    );
  assert.equal(emulator.calls.count("proxy"), 0);
});

test("arguments are checked again by the tool's own schema, with its defaults; the tool's own code may fail", async (t) => {
  const odd = proxyTool({
    name: "odd",
    description: "x",
    connection: "gmail",
    method: "GET",
    path: "/gmail/v1/users/me/messages",
    input: z.object({ q: z.string() }),
    query: () => {
      throw new Error("mail body that must not be told");
    },
    output: z.object({}),
  });
  const { emulator, call } = await stage(t, {}, [odd, ...TOOLS]);
  const failed = await call("odd", { q: "x" });
  assert.deepEqual(
    [failed.kind === "error" && failed.type, JSON.stringify(failed).includes("mail body")],
    ["ToolFailed", false],
  );
  const wrong = await call("gmail_list_unread", { max_results: 1_000 });
  assert.deepEqual([wrong.kind === "error" && wrong.type, emulator.calls.count("proxy")], ["InvalidArguments", 0]);
  const gone = await call("no_such_tool");
  assert.equal(gone.kind === "not-executed" && gone.why, "version");
});

const GOOD = {
  name: "good",
  description: "x",
  connection: "gmail",
  method: "GET",
  path: "/a/{id}",
  input: z.object({ id: z.string() }),
  output: z.object({}),
} as const;

const BAD: readonly [change: object, message: RegExp][] = [
  [{ name: "has space" }, /name: expected 1 to 64/],
  [{ name: "x".repeat(65) }, /name/],
  [{ description: " " }, /description: expected a text/],
  [{ connection: "" }, /connection: expected a text/],
  [{ method: "get" }, /method: expected one of GET, POST/],
  [{ path: "https://evil.example/{id}" }, /path: it does not begin with/],
  [{ path: "/a/{other}" }, /input: it has no "other"/],
  [{ query: ["nope"] }, /input: it has no "nope"/],
  [{ body: ["id"] }, /body: a GET has none/],
  [{ effect: "maybe" }, /effect: expected one of/],
  [{ input: z.string() }, /input: expected a schema of an object/],
  [{ input: {} }, /input: expected a schema/],
  [{ output: undefined }, /output: expected a schema/],
  [{ input: z.object({ id: z.string(), identifier: z.string() }) }, /"identifier" is not for the model to choose/],
  [{ input: z.object({ id: z.string(), connected_account_id: z.string() }) }, /not for the model to choose/],
  [{ headers: { Authorization: "Bearer x" } }, /headers: "Authorization" cannot be set/],
  [{ headers: { identifier: "eve" } }, /cannot be set/],
  [{ headers: { "x-a": "b\r\nidentifier: eve" } }, /printable/],
];

test("definitions that are wrong fail where they are written", () => {
  proxyTool(GOOD);
  for (const [change, message] of BAD)
    assert.throws(
      () => proxyTool({ ...GOOD, ...change } as typeof GOOD),
      { code: "tool-invalid", message },
      String(message),
    );
});
