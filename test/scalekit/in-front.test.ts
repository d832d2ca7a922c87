/** A limit of something before Scalekit: what is certain of the call, whom it concerns, and for how long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Outcome } from "../../src/core/outcome.ts";
import { outcomeOf, outcomeOfFailure } from "../../src/scalekit/errors.ts";
import { type CodeName, type Failure, failureOf } from "../../src/scalekit/failure.ts";
import { send, start } from "./start.ts";

const CODES = Object.keys(Code).filter((name): name is CodeName => Number.isNaN(Number(name)));

function failure(more: Partial<Failure>): Failure {
  return { code: "Unknown", said: "server", errorCode: "", violations: [], message: "m", ...more };
}

function word(outcome: Outcome): string {
  return outcome.kind === "not-executed" ? `${outcome.kind}/${outcome.why}` : outcome.kind;
}

test("HTTP 429 before Scalekit is a refusal, other statuses may come after the call was passed on", () => {
  for (const code of CODES)
    for (const [httpStatus, expected] of [
      [429, "not-executed/rate-limit"],
      [408, "unknown"],
      [500, "unknown"],
      [502, "unknown"],
      [503, "unknown"],
      [504, "unknown"],
    ] as const)
      if (code !== "Unauthenticated")
        assert.equal(
          word(outcomeOfFailure(failure({ code, said: "http", httpStatus }))),
          expected,
          `${code} ${httpStatus}`,
        );
  const of = (headers: Readonly<Record<string, string>>, message = "HTTP 429"): string =>
    word(outcomeOf(new ConnectError(message, Code.Unavailable, headers)));
  assert.equal(of({}), "not-executed/rate-limit");
  // A message of Scalekit's own, perhaps quoting a provider, is none.
  assert.equal(of({ "grpc-status": "14" }), "unknown");
  assert.equal(of({ "grpc-status": "14", "x-envoy-ratelimited": "true" }, ""), "not-executed/rate-limit");
  const wish = (headers: Readonly<Record<string, string>>): number | undefined =>
    failureOf(new ConnectError("HTTP 429", Code.Unavailable, headers)).retryAfterMs;
  const date = "Sun, 06 Nov 1994 08:49:00 GMT";
  assert.equal(wish({ date, "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT" }), 37_000);
  assert.equal(wish({ "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT" }), undefined, "nobody knows when that is");
  assert.equal(wish({ "grpc-retry-pushback-ms": "250" }), 250);
  assert.equal(wish({ "retry-after-ms": "250" }), 250);
});

test("HTTP 429 before Scalekit: not executed, a limit of all that goes through it, for as long as it says, in every form", async (t) => {
  const { emulator, toolbox, accounts } = await start(t, { timeoutMs: 8_000 });
  emulator.connect("ada", "gmail");
  const inHalfAMinute = new Date(Date.now() + 30_000).toUTCString();
  const wishes = [
    [undefined, undefined, undefined],
    [7, 7_000, 7_000],
    [inHalfAMinute, 29_000, 31_000],
    ["9".repeat(9), 3_600_000, 3_600_000],
    ["soon", undefined, undefined],
  ] as const;
  for (const [retryAfter, least, most] of wishes)
    for (const method of ["ExecuteTool", "oauth/token"]) {
      const name = `${method} ${retryAfter ?? "nothing"}`;
      const { emulator, toolbox } = await start(t);
      emulator.connect("ada", "gmail");
      emulator.faults.add({ method, httpStatus: 429, ...(retryAfter !== undefined && { retryAfter }) });
      const outcome = await send(toolbox);
      assert.ok(outcome.kind === "not-executed", `${name}: ${JSON.stringify(outcome)}`);
      assert.deepEqual([outcome.why, outcome.by], ["rate-limit", "scalekit"], name);
      const { retryAfterMs } = outcome;
      const fits =
        least === undefined || most === undefined
          ? retryAfterMs === undefined
          : (retryAfterMs ?? 0) >= least && (retryAfterMs ?? 0) <= most;
      assert.ok(fits, `${name}: ${retryAfterMs}`);
      assert.deepEqual(
        [emulator.ledger.length, emulator.calls.count("ExecuteTool")],
        [0, method === "ExecuteTool" ? 1 : 0],
        name,
      );
    }
  const added = emulator.faults.add({ method: "ListConnectedAccounts", httpStatus: 429, times: Infinity });
  const looked = await accounts.look("ada", ["gmail"]);
  added.remove();
  assert.ok(!looked.ok && looked.limited !== undefined, JSON.stringify(looked));
  assert.equal((await send(toolbox)).kind, "ok");
});
