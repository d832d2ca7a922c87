/** What a worker is told at its start of tools that are not Scalekit's: wrong names stop it, a server that is away stops nobody. */
import assert from "node:assert/strict";
import { before, test, type TestContext } from "node:test";
import { pino } from "pino";
import { z } from "zod";
import { agent, type Agent, type Errand, kruxos, mcp, tool, type ToolUse } from "../../src/index.ts";
import { say, startKruxosEmulator } from "../../src/testing/index.ts";
import { ByHand, rawServer } from "../tools/mcp-servers.ts";
import { testWorld } from "../support/world.ts";

// Its first use takes long under tsx, and a start waits for servers some seconds only.
before(() => import("@modelcontextprotocol/client"));

interface Logged {
  readonly level: number;
  readonly msg: string;
  readonly source?: string;
  readonly why?: string;
  readonly agents?: string;
  readonly tools?: string;
}

async function errandOf(t: TestContext, ...agents: readonly Agent[]): Promise<{ errand: Errand; logged: Logged[] }> {
  const logged: Logged[] = [];
  const write = (line: string): void => void logged.push(JSON.parse(line) as Logged);
  const logger = pino({ level: "info" }, { write });
  const { errand } = await testWorld(t, { script: () => say("done"), errand: { agents, logger } });
  return { errand, logged };
}

function using(name: string, ...tools: readonly (string | ToolUse)[]): Agent {
  return agent({ name, model: "openai/scripted", instructions: "…", tools, input: z.object({}) });
}

/** Offers tools of these names. */
async function server(t: TestContext, ...names: string[]): Promise<string> {
  const tools = names.map((name) => ({ name, description: `Does ${name}.`, inputSchema: { type: "object" } }));
  return (await rawServer(t, (method) => (method === "tools/list" ? { tools } : undefined))).url;
}

const local = (name: string): ToolUse =>
  tool({ name, description: "Looks.", effect: "read", input: z.object({}), execute: () => "x" });

test("names that no source offers stop the worker, all in one message, with close ones", async (t) => {
  const krux = await startKruxosEmulator();
  t.after(() => krux.close());
  const gateway = kruxos({ url: krux.url, apiKey: krux.apiKey });
  const notes = mcp({ name: "notes", url: await server(t, "note_write") });
  const empty = mcp({ name: "empty", url: await server(t) });
  const many = mcp({ name: "many", url: await server(t, ...Array.from({ length: 101 }, (_, i) => `t${i}`)) });
  const { errand } = await errandOf(
    t,
    using("writer", notes.tool("note_wirte"), gateway.tool("filesystem.raed"), local("look")),
    using("idler", { ...local("look2"), source: "local", name: "lok" }, empty.all(), many.all()),
  );
  await assert.rejects(errand.worker().ready(), (error: { code?: string; message: string }) => {
    assert.equal(error.code, "tool-unknown");
    for (const told of [
      'mcp:notes offers no tool "note_wirte", which agent "writer" names. Did you mean "note_write"?',
      'kruxos offers no tool "filesystem__raed", which agent "writer" names. Did you mean "filesystem__read"',
      'agent "idler" takes all tools of mcp:empty, which offers none.',
      'agent "idler" takes all tools of mcp:many, which offers 101 tools: name the ones that the agent needs.',
    ])
      assert.ok(error.message.includes(told), `${told}\nnot in: ${error.message}`);
    return true;
  });
});

test("one name from two sources of one agent stops the worker; of two agents it is told", async (t) => {
  const one = mcp({ name: "one", url: await server(t, "search", "alone") });
  const two = mcp({ name: "two", url: await server(t, "search") });
  const { errand: both } = await errandOf(t, using("both", one.all(), two.all()));
  await assert.rejects(both.worker().ready(), {
    code: "agent-invalid",
    message: /agent "both" gets "search" from mcp:one and mcp:two\. Name the tools/,
  });
  const { errand: named } = await errandOf(t, using("named", one.all(), local("alone")));
  await assert.rejects(named.worker().ready(), { message: /agent "named" gets "alone" from local and mcp:one/ });

  const { errand, logged } = await errandOf(t, using("a", one.all()), using("b", two.all()));
  await errand.worker().ready();
  const told = logged.filter(({ msg }) => msg === "boot.tools-namesakes");
  assert.deepEqual(
    told.map(({ level, tools }) => [level, tools]),
    [[40, "search (mcp:one, mcp:two)"]],
  );
});

test("a server that is away, refuses us, or shows each user their own stops no worker, and is told once", async (t) => {
  const down = mcp({ name: "down", url: "http://127.0.0.1:65534/mcp" });
  const shut = mcp({ name: "shut", url: (await rawServer(t, () => new ByHand(401))).url });
  const html = { "content-type": "text/html" };
  const page = mcp({ name: "page", url: (await rawServer(t, () => new ByHand(200, "<html>", html))).url });
  const own = mcp({ name: "own", url: await server(t, "x"), token: () => Promise.resolve("secret") });
  const { errand, logged } = await errandOf(
    t,
    using("a", down.tool("x"), page.tool("w"), shut.tool("y"), own.tool("z")),
    using("b", down.all()),
    using("c", local("look")),
  );
  await errand.worker().ready();
  const told = logged.filter(({ msg }) => msg === "boot.names-unchecked");
  assert.deepEqual(
    told
      .map(({ level, source, agents }) => [level, source, agents])
      .toSorted((x, y) => (`${x[1]}` < `${y[1]}` ? -1 : 1)),
    [
      [40, "mcp:down", "a, b"],
      [30, "mcp:own", "a"],
      [40, "mcp:page", "a"],
      [50, "mcp:shut", "a"],
    ],
  );
  assert.match(told.find(({ source }) => source === "mcp:down")?.why ?? "", /ECONNREFUSED/);
  assert.match(told.find(({ source }) => source === "mcp:page")?.why ?? "", /content type: text\/html/);
  const run = await errand.enqueue("c", { identifier: "ada", input: {} });
  assert.equal(await run.result({ timeoutMs: 60_000 }), "done", "runs of other agents are worked");
});

test("tools of servers that nobody has reviewed are told at the start, as Scalekit's are", async (t) => {
  const notes = mcp({ name: "notes", url: await server(t, "note_write") });
  const { errand, logged } = await errandOf(t, using("writer", notes.tool("note_write")));
  await errand.worker().ready();
  const told = logged.filter(({ msg }) => msg === "boot.tools-unreviewed");
  assert.deepEqual(
    told.map(({ tools }) => tools),
    ["note_write"],
  );
});
