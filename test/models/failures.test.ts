/** What each adapter makes of each refusal, silence and break, over the wire. */
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import type { FailureClass } from "../../src/core/messages.ts";
import { disconnect, hang, html, httpError, raw, type Reply, say } from "../../src/testing/model/index.ts";
import { lab, PROTOCOLS } from "./lab.ts";

const TOO_LONG =
  "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.";

const statuses: readonly (readonly [string, Reply, FailureClass, RegExp])[] = [
  [
    "400",
    httpError(400, { message: "Invalid value.", code: "invalid_value" }),
    "invalid",
    /^HTTP 400 \(invalid_value, invalid_request_error\): Invalid value\.$/,
  ],
  ["400, context by code", httpError(400, { code: "context_length_exceeded" }), "context", /^HTTP 400/],
  ["400, context by message", httpError(400, { message: TOO_LONG }), "context", /maximum context length/],
  [
    "400, context inside the upstream's text",
    raw({
      status: 400,
      body: JSON.stringify({
        error: { message: "Provider returned error", code: 400, metadata: { raw: `{"message":"${TOO_LONG}"}` } },
      }),
    }),
    "context",
    /^HTTP 400 \(400\): Provider returned error$/,
  ],
  ["400, budget of a LiteLLM key", httpError(400, { type: "budget_exceeded" }), "billing", /budget_exceeded/],
  ["401", httpError(401, { code: "invalid_api_key" }), "credentials", /^HTTP 401 \(invalid_api_key/],
  ["402", httpError(402), "billing", /^HTTP 402/],
  ["403", httpError(403), "credentials", /^HTTP 403/],
  [
    "403, moderation",
    raw({
      status: 403,
      body: '{"error":{"message":"flagged","code":403,"metadata":{"flagged_input":"private words"}}}',
    }),
    "invalid",
    /^HTTP 403 \(403\): flagged$/,
  ],
  [
    "404",
    httpError(404, { message: "The model `m-1` does not exist", code: "model_not_found" }),
    "invalid",
    /model_not_found.*does not exist/,
  ],
  ["408", httpError(408), "retry", /^HTTP 408/],
  ["409", httpError(409), "retry", /^HTTP 409/],
  ["413", httpError(413), "context", /^HTTP 413/],
  ["422", httpError(422), "invalid", /^HTTP 422/],
  [
    "422, context by message",
    httpError(422, { message: "prompt is too long: 210000 tokens > 200000 maximum" }),
    "context",
    /too long/,
  ],
  ["429", httpError(429), "rate-limit", /^HTTP 429 \(rate_limit_error\)/],
  [
    "429, quota",
    httpError(429, { code: "insufficient_quota", type: "insufficient_quota" }),
    "billing",
    /^HTTP 429 \(insufficient_quota\)/,
  ],
  [
    "429, billing limit",
    httpError(429, { code: "billing_hard_limit_reached" }),
    "billing",
    /billing_hard_limit_reached/,
  ],
  ["418", httpError(418), "invalid", /^HTTP 418/],
  ["500", httpError(500), "retry", /^HTTP 500/],
  ["502", httpError(502), "retry", /^HTTP 502/],
  ["502, a web page", html(502), "retry", /^HTTP 502$/],
  ["503", httpError(503), "retry", /^HTTP 503/],
  ["529", httpError(529, { type: "overloaded_error" }), "retry", /^HTTP 529 \(overloaded_error\)/],
  ["500, no body", raw({ status: 500 }), "retry", /^HTTP 500$/],
  [
    "400, Gemini's list",
    raw({
      status: 400,
      body: '[{"error":{"code":400,"message":"The input token count (12) exceeds the maximum","status":"INVALID_ARGUMENT"}}]',
    }),
    "context",
    /^HTTP 400 \(INVALID_ARGUMENT, 400\): The input token count/,
  ],
  [
    "400, vLLM's bare fields",
    raw({
      status: 400,
      body: JSON.stringify({ object: "error", message: TOO_LONG, type: "BadRequestError", code: 400 }),
    }),
    "context",
    /^HTTP 400 \(BadRequestError, 400\): This model/,
  ],
  [
    "422, FastAPI's detail",
    raw({ status: 422, body: '{"detail":[{"loc":["body","tools"],"msg":"wrong"}]}' }),
    "invalid",
    /^HTTP 422: .*wrong/,
  ],
];

for (const protocol of PROTOCOLS)
  test(`each status has its class, and a message for people (${protocol})`, async (t) => {
    const { server, failure } = await lab(t, [], { protocol });
    for (const [name, reply, expected, message] of statuses)
      await t.test(name, async () => {
        server.script([reply]);
        const before = server.requests.length;
        const got = await failure();
        assert.equal(got.class, expected, JSON.stringify(got));
        assert.match(got.message, message);
        assert.equal(got.status, "status" in reply ? reply.status : undefined);
        assert.equal(server.requests.length, before + 1, "one request, no retries of the SDK");
      });
  });

const waits: readonly (readonly [string, Readonly<Record<string, string>>, number | undefined])[] = [
  ["seconds", { "retry-after": "7" }, 7_000],
  ["more than the SDK believes", { "retry-after": "300" }, 300_000],
  ["half a second", { "retry-after": "0.5" }, 500],
  ["milliseconds", { "retry-after-ms": "1500" }, 1_500],
  ["milliseconds win", { "retry-after-ms": "1500", "retry-after": "9" }, 1_500],
  ["a date", { "retry-after": "Sat, 21 Nov 2026 10:01:30 GMT" }, 90_000],
  ["nonsense", { "retry-after": "soon 5" }, undefined],
  ["none", {}, undefined],
];

for (const protocol of PROTOCOLS)
  test(`Retry-After in every form (${protocol})`, async (t) => {
    const { server, failure } = await lab(t, [], { protocol });
    for (const [name, headers, expected] of waits)
      for (const status of [429, 503])
        await t.test(`${name}, ${status}`, async () => {
          server.script([httpError(status, { headers })]);
          assert.equal((await failure()).retryAfterMs, expected);
        });
  });

for (const protocol of PROTOCOLS)
  test(`silence, a break in the middle, half a body: retry, within the time given (${protocol})`, async (t) => {
    const { server, failure } = await lab(t, [], { protocol }, 150);
    const rows: readonly (readonly [string, Reply, RegExp])[] = [
      ["silence", hang(), /^no complete answer within 150 ms$/],
      [
        "half an answer, then silence",
        hang(say("Hello, this is long enough to be cut.")),
        /^no complete answer within 150 ms$/,
      ],
      [
        "half an error, then silence",
        hang(httpError(400, { code: "context_length_exceeded" })),
        /^no complete answer within 150 ms$/,
      ],
      ["a break", disconnect(), /^the connection failed/],
      ["a break in an error", disconnect(httpError(500)), /^the connection failed/],
    ];
    for (const [name, reply, message] of rows)
      await t.test(name, async () => {
        server.script([reply]);
        const got = await failure();
        assert.equal(got.class, "retry");
        assert.match(got.message, message);
      });
  });

for (const protocol of PROTOCOLS)
  test(`nobody listens (${protocol})`, async (t) => {
    const port = await freePort();
    const { failure } = await lab(t, [], { protocol, baseURL: `http://127.0.0.1:${port}/v1` });
    const got = await failure();
    assert.deepEqual(got, { kind: "failure", class: "retry", message: "the connection failed (ECONNREFUSED)" });
  });

for (const protocol of PROTOCOLS)
  test(`an aborted signal ends the call: before it, and in the middle (${protocol})`, async (t) => {
    const { server, ask } = await lab(t, [hang()], { protocol });
    const gone = AbortSignal.abort();
    assert.deepEqual(await ask({}, gone), { kind: "failure", class: "retry", message: "the request was aborted" });
    assert.equal(server.requests.length, 0);

    const controller = new AbortController();
    const reply = ask({}, controller.signal);
    await server.waitFor(() => true);
    controller.abort();
    assert.deepEqual(await reply, { kind: "failure", class: "retry", message: "the request was aborted" });
    assert.equal((await server.waitFor((request) => request.outcome !== "open")).outcome, "aborted");
  });

for (const protocol of PROTOCOLS)
  test(`a stored message holds no key, no long token and no prompt, and is short (${protocol})`, async (t) => {
    const { server, failure } = await lab(t, [], { protocol, headers: { "x-team": "team-secret-1" } });
    const prompt = "Dear Ann, the door code of the summer house is 4711, please keep it to yourself.";
    const said = `Key ${server.apiKey} of team-secret-1, Bearer abc.def, sk-proj-1234567890 eyJhbGciOiJI.UzI1NiJ9 0123456789abcdef0123456789abcdef: could not parse "${prompt}"\n\n${"x ".repeat(500)}`;
    server.script([httpError(400, { message: said, code: "invalid_value" })]);
    const { message } = await failure({ messages: [{ role: "user", text: prompt }] });
    for (const secret of [
      server.apiKey,
      "team-secret-1",
      "abc.def",
      "1234567890",
      "UzI1NiJ9",
      "0123456789abcdef",
      "door code",
    ])
      assert.ok(!message.includes(secret), `${secret} in ${message}`);
    assert.match(message, /^HTTP 400 \(invalid_value, invalid_request_error\): Key \*\*\* of \*\*\*, Bearer \*\*\*/);
    assert.match(message, /could not parse \[…\] x x/);
    assert.ok(message.length < 260, message);
  });

for (const protocol of PROTOCOLS)
  test(`the environment changes nothing: the profile says where to, with which key, and nothing is printed (${protocol})`, async (t) => {
    const { server, answer } = await lab(t, [say("Hi")], { protocol });
    const names = {
      OPENAI_BASE_URL: "http://127.0.0.1:9/v1",
      OPENAI_ORG_ID: "org-x",
      OPENAI_PROJECT_ID: "proj-x",
      OPENAI_LOG: "debug",
      ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
      ANTHROPIC_AUTH_TOKEN: "other",
      ANTHROPIC_LOG: "debug",
      ANTHROPIC_CUSTOM_HEADERS: "x-stray: yes",
    };
    for (const [name, value] of Object.entries(names)) process.env[name] = value;
    const printed = t.mock.method(console, "debug", () => undefined);
    t.after(() => Object.keys(names).forEach((name) => Reflect.deleteProperty(process.env, name)));
    const again = await lab(t, [say("Hi")], { protocol });
    await answer();
    await again.answer();
    for (const { headers } of [...server.requests, ...again.server.requests])
      for (const name of ["openai-organization", "openai-project", "x-stray", "traceparent"])
        assert.equal(headers[name], undefined, name);
    assert.equal(printed.mock.callCount(), 0);
  });

for (const protocol of PROTOCOLS)
  test(`a call leaves nothing behind: no listener on the run's signal, no timer (${protocol})`, async (t) => {
    const { server, ask } = await lab(t, [say("Hi")], { protocol }, 60_000);
    const { signal } = new AbortController();
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const before = timers();
    await ask({}, signal);
    server.script([httpError(500)]);
    await ask({}, signal);
    assert.equal(getEventListeners(signal, "abort").length, 0);
    assert.equal(timers(), before);
  });

for (const protocol of PROTOCOLS)
  test(`calls side by side do not disturb each other (${protocol})`, async (t) => {
    const { ask } = await lab(t, (request) => say(request.model), { protocol });
    const names = Array.from({ length: 20 }, (_, i) => `m-${i}`);
    const replies = await Promise.all(names.map((model) => ask({ model })));
    assert.deepEqual(
      replies.map((reply) => reply.kind === "answer" && reply.text),
      names,
    );
  });

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
