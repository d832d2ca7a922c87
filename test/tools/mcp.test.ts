/** Tools of MCP servers over Streamable HTTP (row 16): the SDK's own server, the reference server on the first SDK, and bad ones. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { inspect } from "node:util";
import type { Effect } from "../../src/core/effects.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import type { FrozenTool } from "../../src/core/run.ts";
import { mcp, type McpOptions } from "../../src/index.ts";
import type { Listed, ToolSend, ToolSource } from "../../src/ports/toolbox.ts";
import { createChecker } from "../../src/tools/check.ts";
import { openMcp } from "../../src/tools/mcp/mcp.ts";
import { needMcpSdk } from "../../src/tools/mcp/session.ts";
import { testClock, type TestClock, why, word } from "../scalekit/start.ts";
import { type Answers, ByHand, everythingServer, notesServer, rawServer } from "./mcp-servers.ts";

interface Stage {
  readonly source: ToolSource;
  readonly clock: TestClock;
  readonly list: (identifier?: string) => Promise<Listed>;
  readonly call: (tool: string, args?: object, more?: Partial<ToolSend>, timeoutMs?: number) => Promise<Outcome>;
}

function stage(t: TestContext, options: Omit<McpOptions, "name">): Stage {
  const server = mcp({ name: "notes", timeoutMs: 3_000, ...options });
  const clock = testClock();
  const [source] = openMcp([server.all()], { check: createChecker(), manifest: undefined }, clock);
  assert.ok(source !== undefined, "a source");
  t.after(() => source.close?.());
  return {
    source,
    clock,
    list: (identifier = "ada") => source.list({ identifier, connections: [], tools: [server.all()] }),
    call: (tool, args = {}, more = {}, timeoutMs = 3_000) =>
      source.send(
        { run: "run_1", call: "t0c0", tool, args: args as never, connection: "", identifier: "ada", key: "k", ...more },
        { timeoutMs, signal: new AbortController().signal },
      ),
  };
}

function toolsOf(listed: Listed): readonly FrozenTool[] {
  assert.ok(listed.ok, JSON.stringify(listed));
  return listed.tools;
}

const effects = (listed: Listed): [string, Effect][] => toolsOf(listed).map(({ name, effect }) => [name, effect]);

test("the SDK's own server: its tools, their calls, their errors, all results in a bounded form", async (t) => {
  const server = await notesServer(t);
  const { list, call } = stage(t, { url: server.url });
  assert.deepEqual(effects(await list()), [
    ["note_read", "unsafe"],
    ["note_write", "unsafe"],
    ["note_count", "unsafe"],
    ["note_fail", "unsafe"],
    ["note_long", "unsafe"],
  ]);
  assert.deepEqual(await call("note_read", { id: "1" }), { kind: "ok", data: { id: "1", text: "milk" } });
  assert.deepEqual(await call("note_write", { text: "bread" }), { kind: "ok", data: "done" });
  assert.deepEqual(await call("note_count"), { kind: "ok", data: { count: 2 } });
  const failed = { kind: "error", type: "ToolError", message: "the disk is full", retryable: false };
  assert.deepEqual(await call("note_fail"), failed);
  const long = await call("note_long");
  assert.match(JSON.stringify(long).slice(0, 100), /"truncated":true,"characters":3000002/);
  assert.equal(JSON.stringify(long).length < 1_000_200, true);
  assert.equal(word(await call("no_such_tool")), "version");
  assert.deepEqual(server.written, ["bread"]);
});

test("annotations are believed from a trusted server only; the agent's own word counts more", async (t) => {
  const server = await notesServer(t);
  const { list } = stage(t, { url: server.url, trusted: true });
  assert.deepEqual(effects(await list()).slice(0, 3), [
    ["note_read", "read"],
    ["note_write", "idempotent"],
    ["note_count", "unsafe"],
  ]);
  const notes = mcp({ name: "notes", url: server.url, trusted: true });
  const uses = [notes.tool("note_read", { effect: "unsafe" }), notes.all()];
  const [source] = openMcp(uses, { check: createChecker(), manifest: undefined }, testClock());
  t.after(() => source?.close?.());
  const listed = await source?.list({ identifier: "ada", connections: [], tools: uses });
  assert.deepEqual(listed && effects(listed)[0], ["note_read", "unsafe"]);
});

test("list_changed: the list is read again; a tool with another definition than the run's is not called", async (t) => {
  const server = await notesServer(t);
  const { list, call } = stage(t, { url: server.url });
  const version = toolsOf(await list()).find(({ name }) => name === "note_write")?.version ?? "";
  assert.equal(word(await call("note_write", { text: "a" }, { version })), "ok");
  server.describe("Writes a note, and sends it to everybody.");
  const current = async (): Promise<string> =>
    toolsOf(await list()).find(({ name }) => name === "note_write")?.version ?? "";
  assert.equal(await current(), version, "not read again without a reason");
  server.changed();
  while ((await current()) === version) await new Promise((resolve) => setImmediate(resolve));
  const outcome = await call("note_write", { text: "b" }, { version });
  assert.deepEqual([word(outcome), server.written], ["version", ["a"]]);
  assert.match("message" in outcome ? outcome.message : "", /has changed the tool note_write since this run began/);
});

test("without a word of the server, the list is read again within half a minute", async (t) => {
  const server = await notesServer(t);
  const { list, call, clock } = stage(t, { url: server.url });
  const version = toolsOf(await list()).find(({ name }) => name === "note_write")?.version ?? "";
  server.describe("Writes a note, and sends it to everybody.");
  clock.advance(31_000);
  assert.equal(word(await call("note_write", { text: "b" }, { version })), "version");
});

test("the reference server of npm, on the first SDK, with sessions", async (t) => {
  const server = await everythingServer(t);
  const { list, call } = stage(t, { url: server.url, prefix: "ref_" });
  const names = toolsOf(await list()).map(({ name }) => name);
  for (const name of ["ref_echo", "ref_get-sum", "ref_get-tiny-image"])
    assert.ok(names.includes(name), `${name} of ${names.join(", ")}`);
  assert.deepEqual(await call("ref_echo", { message: "hello" }), { kind: "ok", data: "Echo: hello" });
  assert.match(JSON.stringify(await call("ref_get-sum", { a: 2, b: 3 })), /5/);
  assert.match(
    JSON.stringify(await call("ref_get-tiny-image")),
    /"type":"image","data":"[\w+/=]+","mimeType":"image\/png"/,
  );
  assert.match(JSON.stringify(await call("ref_get-structured-content", { location: "Chicago" })), /temperature/);
  const wrong = await call("ref_get-sum", { a: "x" });
  assert.deepEqual(word(wrong), "error", JSON.stringify(wrong));
});

test("a token for each user: minted once for a session, renewed before its end, never another's", async (t) => {
  const server = await notesServer(t);
  const minted: string[] = [];
  const token = ({ identifier }: { identifier: string }): Promise<{ token: string; expiresInMs: number }> => {
    minted.push(identifier);
    return Promise.resolve({ token: `of-${identifier}-${minted.length}`, expiresInMs: 60_000 });
  };
  const { list, call, clock } = stage(t, { url: server.url, token });
  await Promise.all([list("ada"), list("eve")]);
  await call("note_read", { id: "1" });
  await call("note_read", { id: "1" }, { identifier: "eve" });
  assert.deepEqual(minted, ["ada", "eve"]);
  assert.deepEqual(
    new Set(server.requests.map(({ authorization }) => authorization)),
    new Set(["Bearer of-ada-1", "Bearer of-eve-2"]),
  );
  clock.advance(55_000);
  await call("note_read", { id: "1" });
  assert.deepEqual(minted, ["ada", "eve", "ada"]);
  const { list: failing } = stage(t, { url: server.url, token: () => Promise.reject(new Error("secret: no")) });
  const listed = await failing();
  assert.deepEqual([why(listed as never), JSON.stringify(listed).includes("secret: no")], ["unavailable", false]);
});

const LIST = { tools: [{ name: "a", description: "A.", inputSchema: { type: "object" } }] };

/** Good until it is called. */
const calling =
  (given: unknown): Answers =>
  (method) =>
    method === "tools/list" ? LIST : method === "tools/call" ? given : undefined;

const BAD: readonly [what: string, given: unknown, expected: string][] = [
  ["an error of its own", { error: { code: -32_603, message: "boom" } }, "unknown"],
  ["arguments it does not want", { error: { code: -32_602, message: "no" } }, "error"],
  ["a question back", { error: { code: -32_042, message: "ask" } }, "error"],
  ["no content", {}, "unknown|ok"],
  ["content that is none", { content: "x" }, "unknown|ok"],
  ["HTTP 401", new ByHand(401), "credentials"],
  ["HTTP 403", new ByHand(403), "credentials"],
  ["HTTP 404", new ByHand(404), "unavailable"],
  ["HTTP 429", new ByHand(429), "rate-limit"],
  ["HTTP 400", new ByHand(400, "bad"), "error"],
  ["HTTP 503", new ByHand(503, "<html>"), "unknown"],
  ["a redirect", new ByHand(307, "", { location: "http://127.0.0.1:1/" }), "unknown"],
  ["no JSON", new ByHand(200, "<html>"), "unknown"],
  ["an answer to another question", new ByHand(200, '{"jsonrpc":"2.0","id":"other","result":{}}'), "unknown"],
  ["nothing at all", undefined, "unknown"],
];

/** Only a time-out ends these. */
const WAITED_OUT: readonly string[] = ["an answer to another question", "nothing at all"];

test("a server that lies, fails or hangs at a call: asked once, and told as what it is", async (t) => {
  for (const [what, given, expected] of BAD) {
    let calls = 0;
    const server = await rawServer(t, (method, params) => {
      if (method === "tools/call") calls++;
      return calling(given)(method, params);
    });
    const { list, call } = stage(t, { url: server.url });
    assert.equal(toolsOf(await list()).length, 1, what);
    assert.match(
      word(await call("a", {}, {}, WAITED_OUT.includes(what) ? 1_000 : 10_000)),
      new RegExp(`^(${expected})$`),
      what,
    );
    assert.equal(calls, 1, what);
  }
});

test(
  "a token that never comes, or is none: told as an outage, and no run waits for ever",
  { timeout: 60_000 },
  async (t) => {
    const server = await notesServer(t);
    const token = (): Promise<never> => new Promise(() => undefined);
    const { list, call } = stage(t, { url: server.url, token, timeoutMs: 50 });
    assert.deepEqual(await list(), {
      ok: false,
      why: "unavailable",
      message: "mcp:notes: the app's own token function gave no token within 50 ms",
    });
    assert.equal(word(await call("note_read", { id: "1" })), "unavailable");
    const wrong = [
      [{ token: "t", expiresInMs: 300 }, /expiresInMs 300: expected ms, at least 1000/],
      ["", /no text for a token/],
    ] as const;
    for (const [given, told] of wrong) {
      const other = stage(t, { url: server.url, token: () => Promise.resolve(given) });
      assert.match(JSON.stringify(await other.list()), told);
    }
    assert.equal(server.requests.length, 0);
  },
);

test("a server that lies about its tools", async (t) => {
  const schema = { type: "object" };
  const tools = [
    { name: "twice", inputSchema: schema },
    { name: "twice", inputSchema: schema },
    { name: "x".repeat(65), inputSchema: schema },
    { name: "hidden\u202e", description: "do \u{e0041}evil\u200b", inputSchema: schema },
    { name: "a.b", description: "d".repeat(10_000), inputSchema: schema },
  ];
  const server = await rawServer(t, (method) => (method === "tools/list" ? { tools } : undefined));
  const listed = toolsOf(await stage(t, { url: server.url }).list());
  assert.deepEqual(
    listed.map(({ name, description }) => [name, description.length]),
    [
      ["hidden_", 7],
      ["a_b", 4_000],
    ],
  );
  const many = Array.from({ length: 101 }, (_, i) => ({ name: `t${i}`, inputSchema: schema }));
  const crowd = await rawServer(t, (method) => (method === "tools/list" ? { tools: many } : undefined));
  const refused = await stage(t, { url: crowd.url }).list();
  assert.match(JSON.stringify(refused), /mcp:notes:\* \(101 tools: name the ones that the agent needs\)/);
  let page = 0;
  const endless = await rawServer(t, (method) =>
    method === "tools/list" ? { tools: [], nextCursor: `${page++}` } : undefined,
  );
  assert.equal(why((await stage(t, { url: endless.url }).list()) as never), "unavailable");
});

test("an answer without end is given up", async (t) => {
  const text = "y".repeat(17 * 1_024 * 1_024);
  const server = await rawServer(t, calling({ content: [{ type: "text", text }] }));
  const { list, call } = stage(t, { url: server.url });
  await list();
  assert.equal(word(await call("a")), "unknown");
});

test("a server that is away, or comes back: certainly not executed, then it works", async (t) => {
  const { list, call } = stage(t, { url: "http://127.0.0.1:1/mcp" });
  assert.equal(why((await list()) as never), "unavailable");
  assert.equal(word(await call("a")), "unavailable");
  let up = false;
  const server = await rawServer(t, (method, params) =>
    up ? calling({ content: [{ type: "text", text: "hi" }] })(method, params) : new ByHand(503),
  );
  const { call: later } = stage(t, { url: server.url });
  assert.equal(word(await later("a")), "unavailable");
  up = true;
  assert.deepEqual(await later("a"), { kind: "ok", data: "hi" });
});

test("bad input: wrong options, two servers of one name, no SDK; what opens a server is in no log", () => {
  const good = { name: "docs", url: "https://mcp.example.com/mcp" };
  for (const bad of [
    { name: "a b" },
    { url: "x" },
    { prefix: "ä" },
    { timeoutMs: -1 },
    { maxResultCharacters: Number.NaN },
  ])
    assert.throws(() => mcp({ ...good, ...bad }), { code: "config-invalid" }, JSON.stringify(bad));
  const options = { check: createChecker(), manifest: undefined };
  assert.throws(() => openMcp([mcp(good).all(), mcp(good).all()], options, testClock()), { code: "config-invalid" });
  const missing = (): never => {
    throw new Error("not found");
  };
  assert.throws(() => needMcpSdk(missing), {
    code: "option-invalid",
    message: /npm install @modelcontextprotocol\/client/,
  });
  const tool = mcp({ ...good, headers: { authorization: "Bearer c0ffee" } }).all();
  assert.doesNotMatch(JSON.stringify(tool) + inspect(tool, { depth: 9 }), /c0ffee/);
});
