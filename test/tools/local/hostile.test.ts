/** Whatever a tool of the app's own does becomes an outcome. Each line of the table is a tool that misbehaves in one way. */
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { z } from "zod";
import type { Effect } from "../../../src/core/effects.ts";
import type { Outcome } from "../../../src/core/outcome.ts";
import type { ToolContext } from "../../../src/core/tool-context.ts";
import { BusinessLogicError, ExternalAPIError, ValidationError } from "../../../src/core/tool-errors.ts";
import { tool } from "../../../src/tools/local/tool.ts";
import type { LocalTool } from "../../../src/tools/local/variant.ts";
import { CALL, sourceOf } from "./support.ts";

function run(
  execute: (input: unknown, context: ToolContext) => unknown,
  more: { effect?: Effect; output?: z.ZodType; timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<Outcome> {
  const { effect, output, timeoutMs = 5_000, signal = new AbortController().signal } = more;
  const made = tool({
    name: "x",
    description: "Does x.",
    input: z.object({}),
    ...(effect !== undefined && { effect }),
    ...(output !== undefined && { output }),
    execute,
  });
  return sourceOf(made).send(CALL, { timeoutMs, signal });
}

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;

const RETURNS: readonly [string, () => unknown, unknown][] = [
  ["an object", () => ({ a: 1 }), { a: 1 }],
  ["nothing", () => undefined, null],
  ["a Date", () => new Date(0), "1970-01-01T00:00:00.000Z"],
  ["a bigint", () => ({ n: 10n ** 30n }), { n: "1000000000000000000000000000000" }],
  ["NaN", () => [NaN, Infinity], [null, null]],
  ["a Map", () => new Map([["ada", { age: 36n }]]), { ada: { age: "36" } }],
  ["a Map of objects", () => new Map([[{ id: 1 }, 2]]), [[{ id: 1 }, 2]]],
  ["a Set", () => ({ all: new Set([1, 2]) }), { all: [1, 2] }],
  ["a function", () => () => 1, null],
  ["half a character", () => "a\ud800", "a\ufffd"],
  ["a promise of one", () => Promise.resolve("late"), "late"],
];

for (const [what, give, data] of RETURNS)
  test(`a tool that returns ${what}`, async () => {
    assert.deepEqual(await run(give), { kind: "ok", data });
  });

test("a tool that returns a cycle, endless nesting, or what throws when it is read, was executed and cannot be shown", async () => {
  let deep: unknown = 1;
  for (let i = 0; i < 5_000; i++) deep = [deep];
  const throws = {
    get a(): never {
      throw new Error("no");
    },
  };
  for (const value of [cycle, deep, throws]) {
    const outcome = await run(() => value);
    assert.equal(outcome.kind, "ok");
    assert.match(JSON.stringify(outcome), /unserialisable/);
  }
});

test("a tool that returns 10 MB: it is an outcome like any other", async () => {
  const outcome = await run(() => "x".repeat(10 * 1_024 * 1_024));
  assert.equal(outcome.kind === "ok" && typeof outcome.data === "string" && outcome.data.length, 10 * 1_024 * 1_024);
});

const unreadable = (make: (error: Error) => object): object => make(new Error("x"));
const UNREADABLE: readonly [string, object][] = [
  ["a symbol for a message", unreadable((error) => Object.assign(error, { message: Symbol("s") }))],
  [
    "a message that throws",
    unreadable((error) =>
      Object.defineProperty(error, "message", {
        get: () => {
          throw new Error("no");
        },
      }),
    ),
  ],
  [
    "what cannot be looked at",
    unreadable(
      (error) =>
        new Proxy(error, {
          getPrototypeOf: () => {
            throw new Error("no");
          },
        }),
    ),
  ],
];
for (const [what, error] of UNREADABLE)
  test(`a tool that throws ${what}: an error like any other, and no crash of its run`, async () => {
    const outcome = await run(() => Promise.reject(error as Error));
    assert.deepEqual(outcome, {
      kind: "error",
      type: "ToolError",
      message: "x threw something that cannot be read.",
      retryable: false,
    });
  });

const THROWS: readonly [string, unknown, string, RegExp][] = [
  ["an Error", new Error("boom"), "ToolError", /^x: boom$/],
  ["a text", "boom", "ToolError", /threw something that is no Error: boom/],
  ["nothing", undefined, "ToolError", /no Error$/],
  ["null", null, "ToolError", /no Error$/],
  ["a cycle", cycle, "ToolError", /no Error$/],
  ["a novel", new Error("a".repeat(100_000)), "ToolError", /^x: a{1997}$/],
  ["ValidationError", new ValidationError("no such day"), "ValidationError", /x: no such day/],
  ["BusinessLogicError", new BusinessLogicError("no slots"), "BusinessLogicError", /x: no slots/],
];

for (const [what, thrown, type, message] of THROWS)
  test(`a tool that throws ${what}`, async () => {
    const outcome = await run(() => {
      throw thrown;
    });
    assert.equal(outcome.kind, "error");
    assert.equal(outcome.kind === "error" && outcome.type, type);
    assert.match(outcome.kind === "error" ? outcome.message : "", message);
    assert.equal(outcome.kind === "error" && outcome.retryable, false);
  });

test("ExternalAPIError: a tool that may be run again is, after the wait that it names; of another the model is told", async () => {
  const fail = (options?: { retryAfterMs?: number; retryable?: boolean }) => (): never => {
    throw new ExternalAPIError("GitHub answered 500", options);
  };
  for (const effect of ["read", "idempotent", "keyed"] as const)
    assert.deepEqual(await run(fail({ retryAfterMs: 7 }), { effect }), {
      kind: "not-executed",
      why: "unavailable",
      message: "x: GitHub answered 500",
      retryAfterMs: 7,
    });
  const told = { kind: "error", type: "ExternalAPIError", message: "x: GitHub answered 500" };
  assert.deepEqual(await run(fail()), { ...told, retryable: true });
  assert.deepEqual(await run(fail({ retryable: false }), { effect: "read" }), { ...told, retryable: false });
});

test("a call leaves nothing on a signal that lives as long as its run", async () => {
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i++) await run(() => 1, { signal });
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("a tool that never returns is unknown when its time is over, and its signal says so", async () => {
  let aborted = false;
  const outcome = await run(
    (_input, { signal }) =>
      new Promise(() => {
        signal.addEventListener("abort", () => (aborted = true));
      }),
    { timeoutMs: 20 },
  );
  assert.equal(outcome.kind, "unknown");
  assert.equal(aborted, true);
});

test("a worker that stops: a call under way is unknown, one that has not begun is not executed", async () => {
  const stop = new AbortController();
  const outcome = run(
    () => {
      stop.abort();
      return new Promise(() => undefined);
    },
    { signal: stop.signal },
  );
  assert.equal((await outcome).kind, "unknown");
  assert.equal((await run(() => 1, { signal: stop.signal })).kind, "not-executed");
});

test("a tool cannot change what stands in the journal by changing its input", async () => {
  const args = { list: [1] };
  const made = tool({
    name: "x",
    description: "Does x.",
    input: { type: "object", properties: { list: { type: "array" } } },
    execute: (input) => (input["list"] as number[]).push(2),
  });
  await sourceOf(made).send({ ...CALL, args }, { timeoutMs: 1_000, signal: new AbortController().signal });
  assert.deepEqual(args, { list: [1] });
});

test("output: what does not fit is told as executed; a schema that leaves fields out leaves them out", async () => {
  const wrong = await run(() => ({ id: 7 }), { output: z.object({ id: z.string() }) });
  assert.equal(wrong.kind === "error" && wrong.type, "InvalidOutput");
  assert.match(wrong.kind === "error" ? wrong.message : "", /was executed.*id: .*Do not call it again/);
  const small = await run(() => ({ id: "7", secret: "x" }), { output: z.object({ id: z.string() }) });
  assert.deepEqual(small, { kind: "ok", data: { id: "7" } });
});

test("output as JSON Schema: what was returned is checked, however large it is", async () => {
  const made = (execute: () => unknown): LocalTool =>
    tool({
      name: "x",
      description: "Does x.",
      input_schema: { type: "object" },
      output_schema: { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
      implementation: execute,
    });
  const limits = { timeoutMs: 1_000, signal: new AbortController().signal };
  const wrong = await sourceOf(made(() => ({}))).send(CALL, limits);
  assert.equal(wrong.kind === "error" && wrong.type, "InvalidOutput");
  const large = await sourceOf(made(() => ({ id: "x".repeat(400_000) }))).send(CALL, limits);
  assert.equal(large.kind, "ok");
});

test("a tool outside of a run calls no other, and says so", async () => {
  const outcome = await run((_input, context) => context.tools.execute({ tool: "y" }));
  assert.equal(outcome.kind === "error" && outcome.type, "NotAllowed");
});
