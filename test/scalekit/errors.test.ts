import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { ScalekitException, ScalekitServerException } from "@scalekit-sdk/node";
import { ErrorInfoSchema } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/errdetails/errdetails_pb.js";
import type { Outcome } from "../../src/core/outcome.ts";
import { outageOfFailure, outcomeOf, outcomeOfFailure } from "../../src/scalekit/errors.ts";
import { type CodeName, type Failure, failureOf, NotSent } from "../../src/scalekit/failure.ts";
import { safeText } from "../../src/scalekit/text.ts";

const CODES = Object.keys(Code).filter((name): name is CodeName => Number.isNaN(Number(name)));

function failure(more: Partial<Failure>): Failure {
  return { code: "Unknown", said: "server", errorCode: "", violations: [], message: "m", ...more };
}

/** `not-executed/account`, `error/Type`, `unknown`. */
function word(outcome: Outcome): string {
  if (outcome.kind === "not-executed") return `${outcome.kind}/${outcome.why}`;
  return outcome.kind === "error" ? `error/${outcome.type}` : outcome.kind;
}

const BY_PROVIDER: Readonly<Record<CodeName, string>> = {
  Unauthenticated: "not-executed/account",
  PermissionDenied: "not-executed/scope",
  ResourceExhausted: "not-executed/rate-limit",
  InvalidArgument: "error/ProviderError",
  FailedPrecondition: "error/ProviderError",
  OutOfRange: "error/ProviderError",
  NotFound: "error/ProviderError",
  AlreadyExists: "error/ProviderError",
  Aborted: "unknown",
  Canceled: "unknown",
  Unknown: "unknown",
  DeadlineExceeded: "unknown",
  Unimplemented: "unknown",
  Internal: "unknown",
  Unavailable: "unknown",
  DataLoss: "unknown",
};

test("the provider's refusal, for every code", () => {
  assert.deepEqual(Object.keys(BY_PROVIDER).sort(), CODES.toSorted());
  for (const code of CODES) {
    const outcome = outcomeOfFailure(failure({ code, tool: { code: "", message: "no", executionId: "" } }));
    assert.equal(word(outcome), BY_PROVIDER[code], code);
    assert.equal(outcome.kind === "error" && outcome.retryable, false);
  }
});

const BY_SCALEKIT: Readonly<Record<CodeName, string>> = {
  ...BY_PROVIDER,
  Unauthenticated: "not-executed/credentials",
  PermissionDenied: "not-executed/account",
  FailedPrecondition: "not-executed/account",
  NotFound: "not-executed/account",
  ResourceExhausted: "unknown",
  InvalidArgument: "error/InvalidArguments",
  OutOfRange: "error/InvalidArguments",
  AlreadyExists: "unknown",
};

test("Scalekit's own refusal, for every code", () => {
  for (const code of CODES) assert.equal(word(outcomeOfFailure(failure({ code }))), BY_SCALEKIT[code], code);
});

test("a code that nobody said, or something in between, is never more than unknown; but 401 is about our token", () => {
  for (const code of CODES) {
    assert.equal(word(outcomeOfFailure(failure({ code, said: "nobody" }))), "unknown", code);
    const http = word(outcomeOfFailure(failure({ code, said: "http" })));
    assert.equal(http, code === "Unauthenticated" ? "not-executed/credentials" : "unknown", code);
  }
});

test("what was not sent is not executed, whatever the code", () => {
  for (const why of ["unavailable", "credentials", "rate-limit"] as const)
    for (const code of CODES)
      assert.equal(word(outcomeOfFailure(failure({ code, said: "nobody", unsent: why }))), `not-executed/${why}`);
});

const WORDS: readonly [what: string, failure: Partial<Failure>, outcome: string][] = [
  ["Scalekit's rate limit", { code: "ResourceExhausted", errorCode: "RATE_LIMITED" }, "not-executed/rate-limit"],
  [
    "a gRPC library's size limit",
    { code: "ResourceExhausted", message: "trying to send message larger than max" },
    "unknown",
  ],
  ["a tool that is gone", { code: "NotFound", message: "tool gmail_x not found" }, "error/ToolNotFound"],
  ["an account that is gone", { code: "NotFound", message: "connected account not found" }, "not-executed/account"],
  ["an account and a tool", { code: "NotFound", message: "no connected account for the tool" }, "not-executed/account"],
  [
    "not ACTIVE, as InvalidArgument",
    { code: "InvalidArgument", message: "connected account is not active" },
    "not-executed/account",
  ],
  [
    "not ACTIVE, as Internal",
    { code: "Internal", message: "tool execution failed - Connected account ca_1 is not active" },
    "not-executed/account",
  ],
  ["something else not active", { code: "Internal", message: "subscription not active" }, "unknown"],
  [
    "a provider's numeric code",
    { code: "Internal", tool: { code: "404", message: "no", executionId: "" } },
    "error/404",
  ],
  [
    "a provider's 5xx behind a 4xx code",
    { code: "InvalidArgument", tool: { code: "HTTP_502", message: "", executionId: "" } },
    "unknown",
  ],
  [
    "Google's 403 for a rate limit",
    { code: "PermissionDenied", tool: { code: "rateLimitExceeded", message: "x", executionId: "" } },
    "not-executed/rate-limit",
  ],
  [
    "GitHub's 403 for a rate limit",
    {
      code: "PermissionDenied",
      tool: { code: "403", message: "You have exceeded a secondary rate limit", executionId: "" },
    },
    "not-executed/rate-limit",
  ],
  [
    "a missing scope",
    {
      code: "PermissionDenied",
      tool: { code: "403", message: "Request had insufficient authentication scopes.", executionId: "" },
    },
    "not-executed/scope",
  ],
];

for (const [what, more, outcome] of WORDS)
  test(`words: ${what}`, () => assert.equal(word(outcomeOfFailure(failure(more))), outcome));

test("arguments that Scalekit refuses are told field by field", () => {
  const outcome = outcomeOfFailure(
    failure({ code: "InvalidArgument", violations: ["to: is required", "cc: must be a list"] }),
  );
  assert.equal(outcome.kind === "error" && outcome.message, "to: is required; cc: must be a list");
});

test("a wait that the server wishes for is kept", () => {
  const limited = failure({ code: "ResourceExhausted", errorCode: "RATE_LIMITED", retryAfterMs: 7_000 });
  const outcome = outcomeOfFailure(limited);
  assert.equal(outcome.kind === "not-executed" && outcome.retryAfterMs, 7_000);
  const trailers = { "grpc-status": "8", "retry-after": "7" };
  assert.equal(failureOf(new ConnectError("slow down", Code.ResourceExhausted, trailers)).retryAfterMs, 7_000);
  assert.equal(
    failureOf(new ConnectError("x", Code.ResourceExhausted, { ...trailers, "retry-after": "999999999" })).retryAfterMs,
    3_600_000,
  );
});

const info = (errorCode: string) => [{ desc: ErrorInfoSchema, value: { errorCode } }];
const node = (code: string, syscall: string): Error =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall });

const THROWN: readonly [what: string, error: unknown, failure: Partial<Failure>][] = [
  ["a gRPC status", new ConnectError("m", Code.NotFound, { "grpc-status": "5" }), { code: "NotFound", said: "server" }],
  [
    "a code of connect's own",
    new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument),
    { code: "InvalidArgument", said: "nobody" },
  ],
  [
    "axios, told to wait",
    Object.assign(new Error("x"), { response: { status: 429, headers: { "retry-after": "7" } } }),
    { said: "http", httpStatus: 429, retryAfterMs: 7_000 },
  ],
  [
    "the SDK's exception of a balancer's 429",
    ScalekitServerException.promote(new ConnectError("HTTP 429", Code.Unavailable)),
    { said: "http", httpStatus: 429 },
  ],
  ["a balancer's status", new ConnectError("HTTP 503", Code.Unavailable), { said: "http", httpStatus: 503 }],
  [
    "refused connection",
    new ConnectError("x", Code.Unavailable, {}, [], node("ECONNREFUSED", "connect")),
    { unsent: "unavailable" },
  ],
  [
    "no such host",
    new ConnectError("x", Code.Unavailable, {}, [], node("ENOTFOUND", "getaddrinfo")),
    { unsent: "unavailable" },
  ],
  [
    "a connection lost",
    new ConnectError("x", Code.Aborted, {}, [], node("ECONNRESET", "read")),
    { code: "Aborted", said: "nobody" },
  ],
  [
    "the SDK's exception with details",
    ScalekitServerException.promote(new ConnectError("m", Code.PermissionDenied, {}, info("FORBIDDEN"))),
    { code: "PermissionDenied", said: "server", errorCode: "FORBIDDEN" },
  ],
  [
    "the SDK's exception without",
    ScalekitServerException.promote(new ConnectError("m", Code.InvalidArgument)),
    { code: "InvalidArgument", said: "nobody" },
  ],
  ["the SDK's other exception", new ScalekitException(new Error("boom")), { code: "Unknown", said: "nobody" }],
  [
    "axios, from the token endpoint",
    Object.assign(new Error("x"), { name: "AxiosError", response: { status: 401 } }),
    { said: "http", httpStatus: 401 },
  ],
  [
    "axios without an answer",
    Object.assign(new Error("timeout"), { name: "AxiosError", code: "ECONNABORTED" }),
    { said: "nobody" },
  ],
  ["ours", new NotSent("credentials", "no"), { unsent: "credentials" }],
  ["a text", "boom", { code: "Unknown", said: "nobody" }],
  ["nothing", undefined, { code: "Unknown", said: "nobody" }],
];

for (const [what, error, expected] of THROWN)
  test(`taken from ${what}`, () => {
    const taken = failureOf(error);
    assert.deepEqual(
      Object.fromEntries(Object.keys(expected).map((key) => [key, taken[key as keyof Failure]])),
      expected,
    );
    assert.equal(taken.unsent, expected.unsent);
  });

test("a circle of causes ends", () => {
  const error = new ConnectError("x", Code.Internal);
  error.cause = Object.assign(new Error("y"), { cause: error });
  assert.equal(word(outcomeOf(error)), "unknown");
});

test("whose matter an outage is", () => {
  const why = (more: Partial<Failure>): string => outageOfFailure(failure(more), "look").why;
  for (const code of CODES)
    assert.equal(
      why({ code }),
      code === "Unauthenticated" || code === "PermissionDenied" ? "credentials" : "unavailable",
    );
  for (const [httpStatus, expected] of [
    [400, "credentials"],
    [401, "credentials"],
    [403, "credentials"],
    [404, "credentials"],
    [408, "unavailable"],
    [429, "unavailable"],
    [500, "unavailable"],
    [503, "unavailable"],
  ] as const)
    assert.equal(why({ said: "http", httpStatus }), expected, String(httpStatus));
  assert.equal(why({ said: "nobody", unsent: "credentials" }), "credentials");
});

const SECRETS: readonly string[] = [
  "Authorization: Bearer abcdef0123456789",
  '{"access_token":"s3cr3t-value"}',
  "client_secret=test_abcdefgh&x=1",
  "eyJhbGciOi.eyJzdWIiOi.sig-nature",
  "ya29.a0AfH6SMBx",
  "xoxb-123456-abcdef",
  "ghp_0123456789abcdef",
  "https://app.example.com/callback?auth_request_id=abc&state=def",
];

test("no secret survives in a message", () => {
  for (const text of SECRETS) {
    const safe = safeText(`before ${text} after`);
    assert.doesNotMatch(safe, /abcdef|s3cr3t|eyJ|a0AfH|auth_request_id|state=def/, safe);
    assert.match(safe, /^before .* after$/);
  }
});

test("messages are short, on one line, and no pages", () => {
  assert.equal(safeText("a\u0000b\n\n c\u200B\u{E0041}d"), "a b c d");
  assert.equal(safeText("<!doctype html><p>Bad Gateway"), "(a page instead of a message)");
  assert.equal(safeText("x".repeat(10_000)).length, 500);
  const emoji = safeText("😀".repeat(400));
  assert.deepEqual([emoji.length <= 500, emoji.isWellFormed()], [true, true]);
  assert.match(safeText(`${"x".repeat(490)} Bearer ${"y".repeat(3_000)}`), /Bearer …$/);
});

test("no outcome's message is long", () => {
  const long = "y ".repeat(5_000);
  for (const code of CODES)
    for (const tool of [undefined, { code: "", message: long, executionId: "" }])
      for (const said of ["server", "http", "nobody"] as const) {
        const outcome = outcomeOfFailure(
          failure({ code, said, message: long, violations: [long], ...(tool && { tool }) }),
        );
        assert.equal(outcome.kind !== "ok" && outcome.message.length <= 500, true, code);
      }
});
