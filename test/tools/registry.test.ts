/** The registry: who is asked, who is called, what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Agent, agent } from "../../src/core/agent.ts";
import { registerAgents } from "../../src/core/agents.ts";
import type { FrozenTool } from "../../src/core/run.ts";
import type { ToolDefinition, ToolUse } from "../../src/core/tool-use.ts";
import type { Listed, ToolSend, ToolSource } from "../../src/ports/toolbox.ts";
import { proxyTool } from "../../src/scalekit/proxy-tool.ts";
import { openSources } from "../../src/tool-sources.ts";
import { createRegistry } from "../../src/tools/registry.ts";
import { z } from "zod";

type Told = ToolUse[] | ToolSend | "closed";

function frozen(name: string): FrozenTool {
  return { name, description: name, parameters: { type: "object" }, connection: "", effect: "read", hash: name };
}

/** Offers `has`; notes what it is asked. */
function source(name: string, has: readonly string[], told: Told[] = [], answer?: Listed): ToolSource {
  return {
    name,
    list: (query) => {
      told.push([...query.tools]);
      const missing = query.tools.map((use) => use.name).filter((one) => !has.includes(one));
      return Promise.resolve(answer ?? { ok: true, tools: has.map(frozen), missing, known: has, changed: [] });
    },
    check: (tool) => [`${name} checked ${tool.name}`],
    send: (call) => {
      told.push(call);
      return Promise.resolve({ kind: "ok", data: name });
    },
    names: () => Promise.resolve({ ok: true, names: has }),
    close: () => Promise.resolve(void told.push("closed")),
  };
}

const QUERY = { identifier: "user_1", connections: ["gmail"] };
const CALL: ToolSend = { run: "r", call: "t0c0", tool: "b", args: {}, connection: "", identifier: "user_1" };
const LIMITS = { timeoutMs: 1_000, signal: new AbortController().signal };

test("each source is asked for its own uses, and the tools stand in the order of the agent", async () => {
  const [ours, theirs]: [Told[], Told[]] = [[], []];
  const registry = createRegistry([source("scalekit", ["a", "c"], ours), source("local", ["b"], theirs)]);
  const uses = [{ name: "c" }, { name: "b", source: "local" }, { name: "a", source: "scalekit" }];
  const listed = await registry.list({ ...QUERY, tools: uses });
  assert.deepEqual(ours, [[uses[0], uses[2]]]);
  assert.deepEqual(theirs, [[uses[1]]]);
  assert.ok(listed.ok, "listed");
  // Old journals name no source: neither do new ones for Scalekit's tools.
  assert.deepEqual(
    listed.tools.map(({ name, source }) => [name, source]),
    [
      ["c", undefined],
      ["b", "local"],
      ["a", undefined],
    ],
  );
});

test("a source that nothing names is not asked", async () => {
  const told: Told[] = [];
  const registry = createRegistry([source("scalekit", ["a"]), source("mcp:x", ["b"], told)]);
  await registry.list({ ...QUERY, tools: [{ name: "a" }] });
  assert.deepEqual(told, []);
});

test("missing, known and changed of all sources are told together; a source that is not there has nothing", async () => {
  const changed: Listed = { ok: true, tools: [], missing: [], known: ["x"], changed: ["x"] };
  const registry = createRegistry([source("scalekit", ["a"]), source("local", [], [], changed)]);
  const tools = [{ name: "b" }, { name: "x", source: "local" }, { name: "y", source: "gone" }];
  const listed = await registry.list({ ...QUERY, tools });
  assert.ok(listed.ok, "listed");
  assert.deepEqual([listed.missing, listed.known, listed.changed], [["b", "y"], ["a", "x"], ["x"]]);
});

test("an outage of one is an outage of the list; wrong credentials are told first", async () => {
  const down: Listed = { ok: false, why: "unavailable", message: "down" };
  const refused: Listed = { ok: false, why: "credentials", message: "refused" };
  const registry = createRegistry([source("scalekit", [], [], down), source("local", [], [], refused)]);
  assert.deepEqual(await registry.list({ ...QUERY, tools: [{ name: "a" }, { name: "b", source: "local" }] }), {
    ...refused,
    source: "local",
  });
});

test("a name that two sources offer is told with both of them, and nothing else is", async () => {
  const registry = createRegistry([source("scalekit", ["a", "b"]), source("krux", ["b", "c"])]);
  const listed = await registry.list({ ...QUERY, tools: [{ name: "a" }, { name: "c", source: "krux" }] });
  assert.deepEqual(listed.ok && listed.clashing, ["b (scalekit, krux)"]);
});

test("checks and calls go to the tool's source; one that names none is Scalekit's", async () => {
  const told: Told[] = [];
  const registry = createRegistry([source("scalekit", []), source("local", ["b"], told)]);
  assert.deepEqual(registry.check(frozen("a"), {}), ["scalekit checked a"]);
  assert.deepEqual(registry.check({ ...frozen("b"), source: "local" }, {}), ["local checked b"]);
  assert.deepEqual(await registry.send(CALL, LIMITS), { kind: "ok", data: "scalekit" });
  assert.deepEqual(await registry.send({ ...CALL, source: "local" }, LIMITS), { kind: "ok", data: "local" });
  assert.equal(told.length, 1);
});

test("a call of a source that is not there is certainly not executed, and waits for a deployment", async () => {
  const registry = createRegistry([source("scalekit", [])]);
  const outcome = await registry.send({ ...CALL, source: "local" }, LIMITS);
  assert.equal(outcome.kind, "not-executed");
  assert.equal(outcome.kind === "not-executed" && outcome.why, "version");
  assert.match(registry.check({ ...frozen("b"), source: "local" }, {})[0] ?? "", /no source of tools called "local"/);
});

test("two sources of one name are a mistake; closing twice closes once", async () => {
  assert.throws(() => createRegistry([source("a", []), source("a", [])]), /one name/);
  const told: Told[] = [];
  const registry = createRegistry([source("a", [], told)]);
  await Promise.all([registry.close(), registry.close()]);
  assert.deepEqual(told, ["closed"]);
});

const agentWith = (name: string, tools: readonly (string | ToolUse)[]): ReturnType<typeof agent> =>
  agent({ name, model: "m/x", instructions: "x", input: z.object({}), tools });

test("two agents that take one name from two sources are refused at the start", () => {
  const agents = [agentWith("one", ["a"]), agentWith("two", [{ name: "a", source: "local" }])];
  assert.throws(
    () => registerAgents(agents, undefined),
    /agent "one" takes the tool "a" from scalekit, agent "two" from local/,
  );
  registerAgents([agentWith("one", ["a"]), agentWith("two", [{ name: "a", source: "scalekit" }])], undefined);
});

test("a source that nothing opens is refused at the start", () => {
  const agents = [agentWith("one", [{ name: "a", source: "lokal" }])];
  assert.throws(
    () =>
      openSources(agents, {
        toolbox: source("scalekit", []),
        request: () => Promise.reject(new Error("unused")),
        manifest: undefined,
      }),
    { code: "agent-invalid" },
  );
});

const GIVEN = {
  name: "comment",
  description: "Comments.",
  connection: "github",
  method: "POST",
  path: "/comments",
  input: z.object({}),
  output: z.object({}),
} as const;
const comment = proxyTool(GIVEN);
const commenter = (name: string, ...tools: ToolUse[]): Agent =>
  agent({
    name,
    model: "openai/m",
    instructions: "…",
    connections: ["github", "github-2"],
    tools,
    input: z.object({}),
  });
const open = (...agents: Agent[]): ReturnType<typeof openSources> => {
  const toolbox = source("scalekit", []);
  return openSources(agents, { toolbox, manifest: undefined, request: () => Promise.reject(new Error("not asked")) });
};

test("two proxy tools of one name are refused: the runs of one agent would make the requests of the other's", () => {
  const other = proxyTool({ ...GIVEN, path: "/other" });
  const elsewhere: ToolDefinition = { ...comment, connection: "github-2" };
  const cases: readonly [ToolUse, string][] = [
    [other, "requests"],
    [elsewhere, "connections"],
  ];
  for (const [tool, differ] of cases)
    assert.throws(
      () => open(commenter("a", comment), commenter("b", tool)),
      (error: { code?: string; message: string }) =>
        error.code === "agent-invalid" && error.message.includes(`"comment": their ${differ} differ`),
    );
});

test("what an agent says of a proxy tool is its own: another's word is not in force for it", async () => {
  const plain = commenter("a", comment);
  const sure = commenter("b", { ...comment, effect: "idempotent" });
  const registry = open(plain, sure);
  const effects = await Promise.all(
    [plain, sure].map(async ({ tools }) => {
      const listed = await registry.list({ ...QUERY, tools });
      return listed.ok ? listed.tools.map(({ effect }) => effect) : [];
    }),
  );
  assert.deepEqual(effects, [["unsafe"], ["idempotent"]]);
});
