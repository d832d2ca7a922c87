/** KruxOS (seed 003, rows 60 to 67) over the wire, against the emulated gateway. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import type { ManifestEntry } from "../../src/core/manifest.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import { kruxos } from "../../src/index.ts";
import type { Listed, ToolSend, ToolSource } from "../../src/ports/toolbox.ts";
import { CAPABILITIES } from "../../src/testing/kruxos/capabilities.ts";
import {
  type KruxosEmulator,
  type KruxosEmulatorOptions,
  type KruxosFault,
  startKruxosEmulator,
} from "../../src/testing/index.ts";
import { createChecker } from "../../src/tools/check.ts";
import { type Kruxos, openKruxos } from "../../src/tools/kruxos/kruxos.ts";
import { capabilityName, functionName } from "../../src/tools/kruxos/names.ts";
import { schemaOf } from "../../src/tools/kruxos/schema.ts";
import { testClock, type TestClock, word } from "../scalekit/start.ts";

interface Stage {
  readonly gateway: KruxosEmulator;
  readonly krux: Kruxos;
  readonly source: ToolSource;
  readonly clock: TestClock;
  readonly call: (tool: string, args?: object, more?: Partial<ToolSend>) => Promise<Outcome>;
}

async function stage(
  t: TestContext,
  options: KruxosEmulatorOptions & { apiKey?: string; given?: string; tools?: Record<string, ManifestEntry> } = {},
): Promise<Stage> {
  const gateway = await startKruxosEmulator(options);
  t.after(() => gateway.close());
  const krux = kruxos({ url: gateway.url, apiKey: options.given ?? gateway.apiKey });
  const clock = testClock();
  const manifest = options.tools && ({ version: 1, tools: options.tools } as const);
  const [source] = openKruxos([krux.all()], { check: createChecker(), manifest }, clock);
  assert.ok(source !== undefined, "a source");
  const call: Stage["call"] = (tool, args = {}, more = {}) =>
    source.send(
      { run: "run_1", call: "t0c0", tool, args: args as never, connection: "", identifier: "ada", key: "k", ...more },
      { timeoutMs: 2_000, signal: new AbortController().signal },
    );
  return { gateway, krux, source, clock, call };
}

async function list({ source, krux }: Stage, uses = [krux.all()]): Promise<Extract<Listed, { ok: true }>> {
  const listed = await source.list({ identifier: "ada", connections: [], tools: uses });
  assert.ok(listed.ok, JSON.stringify(listed));
  return listed;
}

test("row 61: its capabilities as tools, by one name or all; the blocked are not among them; tiers are told", async (t) => {
  const here = await stage(t);
  const { krux } = here;
  const all = await list(here);
  assert.deepEqual(
    all.tools.map(({ name, source, effect, connection }) => [name, source, effect, connection]),
    CAPABILITIES.filter(({ tier }) => tier !== "blocked").map(({ name }) => [
      functionName(name),
      undefined,
      "unsafe",
      "",
    ]),
  );
  assert.match(all.tools.find(({ name }) => name === "email__send")?.description ?? "", /must approve each call/);
  assert.match(all.tools.find(({ name }) => name === "filesystem__write")?.description ?? "", /is told of each call/);
  const some = await list(here, [krux.tool("filesystem.read", { effect: "read" }), krux.tool("process.run")] as never);
  assert.deepEqual(
    some.tools.map(({ name, effect }) => [name, effect]),
    [["filesystem__read", "read"]],
  );
  assert.deepEqual(some.missing, ["process__run"]);
  assert.equal(here.gateway.calls.length, 1, "asked once");
});

test("row 61: only the categories that were asked for", async (t) => {
  const gateway = await startKruxosEmulator();
  t.after(() => gateway.close());
  const krux = kruxos({ url: gateway.url, apiKey: gateway.apiKey, categories: ["state", "email"] });
  const [source] = openKruxos([krux.all()], { check: createChecker(), manifest: undefined }, testClock());
  const listed = await source?.list({ identifier: "ada", connections: [], tools: [krux.all()] });
  assert.deepEqual(listed?.ok === true && listed.known, ["state__persistent__get", "email__send"]);
});

test("row 62: a call and its data; arguments are checked against the capability's own schema", async (t) => {
  const here = await stage(t);
  const { gateway, source, call } = here;
  gateway.world.files.set("/workspace/README.md", "# Hello");
  const read = { content: "# Hello", encoding: "utf-8", size_bytes: 7 };
  assert.deepEqual(await call("filesystem__read", { path: "/workspace/README.md" }), { kind: "ok", data: read });
  const tool = (await list(here)).tools.find(({ name }) => name === "filesystem__read");
  assert.deepEqual(tool && source.check(tool, { encoding: 7 }), ['"path" is required', "encoding: must be string"]);
});

test("row 63: dotted names and double underscores are one to one, in three parts as well", () => {
  for (const [dotted, name] of [
    ["filesystem.read", "filesystem__read"],
    ["state.persistent.get", "state__persistent__get"],
    ["email.bulk_delete", "email__bulk_delete"],
    ["a._b", "a___b"],
  ] as const)
    assert.deepEqual([functionName(dotted), capabilityName(name)], [name, dotted]);
  for (const bad of ["a_.b", "a__b", "", ".a", "a.", "a..b", "a b", "x".repeat(65), "ä.b"])
    assert.equal(functionName(bad), undefined, bad);
  const part = fc
    .array(fc.constantFrom("a", "b", "_", "__", "-", "1"), { minLength: 1, maxLength: 4 })
    .map((it) => it.join(""));
  const names = fc.array(part, { minLength: 1, maxLength: 4 }).map((it) => it.join("."));
  fc.assert(
    fc.property(names, names, (one, other) => {
      const [first, second] = [functionName(one), functionName(other)];
      if (first !== undefined) assert.equal(capabilityName(first), one);
      if (first !== undefined && first === second) assert.equal(one, other);
    }),
  );
});

test("row 64: a schema from `inputs` and from `inputSchema`", () => {
  const inputs = [
    { name: "path", type: "string", required: true, description: "Where." },
    { name: "limit", type: "int", default: 10 },
    { name: "tags", type: "list[string]" },
    { name: "mode", type: "string", enum: ["a", "b"] },
    { name: "odd", type: "whatever" },
    { type: "string" },
  ];
  assert.deepEqual(schemaOf({ inputs }), {
    type: "object",
    properties: {
      path: { type: "string", description: "Where." },
      limit: { type: "integer", default: 10 },
      tags: { type: "array", items: { type: "string" } },
      mode: { type: "string", enum: ["a", "b"] },
      odd: {},
    },
    required: ["path"],
  });
  const inputSchema = { type: "object", properties: { key: {} } };
  assert.deepEqual([schemaOf({ inputSchema }), schemaOf({})], [inputSchema, { type: "object", properties: {} }]);
});

for (const errors of ["envelope", "mcp", "structured"] as const)
  test(`row 65: an error in the shape "${errors}", with its recovery`, async (t) => {
    const { call } = await stage(t, { errors });
    const description = "Use filesystem.list to see available files.";
    const more = errors === "structured" ? { tool: "filesystem__list", inputs: {} } : {};
    assert.deepEqual(await call("filesystem__read", { path: "/missing.txt" }), {
      kind: "error",
      type: "FileNotFound",
      message: "No file at /missing.txt",
      retryable: false,
      recovery: [{ action: "list_directory", description, ...more }],
    });
  });

const FAULTS: readonly [fault: Omit<KruxosFault, "method">, executed: number, expected: string][] = [
  [{ status: 401 }, 0, "credentials"],
  [{ status: 404 }, 0, "credentials"],
  [{ status: 429, headers: { "retry-after": "3" } }, 0, "rate-limit"],
  [{ status: 503 }, 0, "unknown"],
  [{ status: 503, when: "after" }, 1, "unknown"],
  [{ status: 302, headers: { location: "http://127.0.0.1:1/" } }, 0, "unknown"],
  [{ code: -32_000, data: { retry_after_seconds: 45 } }, 0, "rate-limit"],
  [{ code: -32_001 }, 0, "error"],
  [{ code: -32_003 }, 0, "credentials"],
  [{ code: -32_602 }, 0, "error"],
  [{ code: -32_603, when: "after" }, 1, "unknown"],
  [{ body: "<html>" }, 0, "unknown"],
  [{ body: '{"jsonrpc":"2.0","id":999999,"result":{}}' }, 0, "unknown"],
  [{ reset: true }, 0, "unknown"],
  [{ reset: true, when: "after" }, 1, "unknown"],
  [{ hang: true }, 0, "unknown"],
];

test("KruxOS ill in every way: one send each, and told as what it is", async (t) => {
  const { gateway, source, call } = await stage(t);
  assert.equal(word(await call("filesystem__write", { path: "/a", content: "x" })), "ok");
  for (const [fault, executed, expected] of FAULTS) {
    const before = [gateway.executed.length, gateway.calls.length] as const;
    gateway.fail({ method: "capabilities.invoke", ...fault });
    const outcome = await source.send(
      {
        run: "r",
        call: "c",
        tool: "filesystem__write",
        args: { path: "/a" },
        connection: "",
        identifier: "ada",
        key: "k",
      },
      { timeoutMs: fault.hang === true ? 1_000 : 10_000, signal: new AbortController().signal },
    );
    const name = JSON.stringify(fault);
    assert.equal(word(outcome), expected, name);
    assert.deepEqual([gateway.executed.length - before[0], gateway.calls.length - before[1]], [executed, 1], name);
    if (fault.code === -32_000) assert.equal("retryAfterMs" in outcome && outcome.retryAfterMs, 45_000);
  }
});

test("KruxOS down, and a key that is not known: certainly not executed", async (t) => {
  const { gateway, source, krux, call } = await stage(t);
  await gateway.close();
  const listed = await source.list({ identifier: "ada", connections: [], tools: [krux.all()] });
  assert.deepEqual([listed.ok, !listed.ok && listed.why], [false, "unavailable"]);
  assert.equal(word(await call("filesystem__read")), "unavailable");
  const { call: stranger } = await stage(t, { given: "b".repeat(64) });
  assert.equal(word(await stranger("filesystem__read")), "credentials");
});

for (const approvals of ["result", "error"] as const)
  for (const askApproval of ["approvals.check", "kruxos/checkApproval"] as const)
    test(`an approval told by ${approvals}, asked for by ${askApproval}: asked after, then made once`, async (t) => {
      const { gateway, call } = await stage(t, { approvals, askApproval });
      const args = { to: "a@b.example", subject: "x" };
      const first = await call("email__send", args);
      assert.deepEqual(first, {
        kind: "not-executed",
        why: "approval",
        message: approvals === "result" ? "waits for an approval at KruxOS" : "Waiting for supervisor approval...",
        ref: "appr-1",
      });
      const again = await call("email__send", args, { resume: "appr-1" });
      assert.deepEqual([word(again), again.kind === "not-executed" && again.ref], ["approval", "appr-1"]);
      gateway.approve("appr-1");
      assert.deepEqual(await call("email__send", args, { resume: "appr-1" }), { kind: "ok", data: { write_id: "w1" } });
      assert.deepEqual([gateway.world.sent.length, gateway.pending], [1, []]);
      assert.equal(gateway.calls.filter((method) => method === "capabilities.invoke").length, 2);
    });

test("an approval: the gateway makes the call itself; said no; nobody said anything; its question fails", async (t) => {
  const { gateway, call } = await stage(t, { executesApproved: true });
  const args = { to: "a@b.example", subject: "x" };
  await call("email__send", args);
  gateway.approve("appr-1");
  assert.deepEqual(await call("email__send", args, { resume: "appr-1" }), { kind: "ok", data: { write_id: "w1" } });
  assert.equal(gateway.world.sent.length, 1);
  await call("email__send", args);
  gateway.fail({ method: "approvals.check", status: 503 });
  assert.equal(word(await call("email__send", args, { resume: "appr-2" })), "approval");
  gateway.reject("appr-2");
  const no = await call("email__send", args, { resume: "appr-2" });
  assert.equal(no.kind === "error" && no.type, "ApprovalRejected");
  await call("email__send", args);
  gateway.expire("appr-3");
  const late = await call("email__send", args, { resume: "appr-3" });
  assert.equal(late.kind === "error" && late.type, "ApprovalExpired");
  assert.equal(gateway.world.sent.length, 1);
});

test("a capability that changed since the run began is not called; one that the app reviewed otherwise is disabled", async (t) => {
  const here = await stage(t, {
    tools: { filesystem__read: { hash: "0".repeat(64), effect: "read", reviewed: true } },
  });
  const { gateway, clock, call } = here;
  const listed = await list(here);
  assert.deepEqual(
    [listed.changed, listed.tools.some(({ name }) => name === "filesystem__read")],
    [["filesystem__read"], false],
  );
  const version = listed.tools.find(({ name }) => name === "filesystem__list")?.version ?? "";
  assert.equal(word(await call("filesystem__list", { path: "/" }, { version })), "ok");
  gateway.capabilities = CAPABILITIES.map((one) => ({ ...one, purpose: `${one.purpose} And now deletes it.` }));
  clock.advance(31_000);
  assert.equal(word(await call("filesystem__list", { path: "/" }, { version })), "version");
  gateway.capabilities = [];
  clock.advance(31_000);
  assert.equal(word(await call("filesystem__list", { path: "/" }, { version })), "version");
  assert.equal(gateway.executed.length, 1);
});

test("bad input: wrong options, wrong capabilities, two gateways of one name; the key is in no log", () => {
  const good = { url: "http://localhost:7700", apiKey: "a".repeat(64) };
  for (const bad of [{ apiKey: "krx_user_1" }, { url: "localhost" }, { name: "a b" }, { timeoutMs: 0 }])
    assert.throws(() => kruxos({ ...good, ...bad }), { code: "config-invalid" }, JSON.stringify(bad));
  assert.throws(() => kruxos(good).tool("a__b"), { code: "tool-invalid" });
  const options = { check: createChecker(), manifest: undefined };
  const two = [kruxos(good).all(), kruxos({ ...good, apiKey: "b".repeat(64) }).all()];
  assert.throws(() => openKruxos(two, options, testClock()), { code: "config-invalid" });
  const tool = kruxos({ ...good, apiKey: "c0ffee00".repeat(8) }).tool("filesystem.read");
  assert.doesNotMatch(JSON.stringify(tool) + inspect(tool, { depth: 9 }), /c0ffee/);
});
