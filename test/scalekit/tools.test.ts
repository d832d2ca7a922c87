/** The port Toolbox over the wire: which tools there are for a user, whose they are, and what the model is shown of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ManifestEntry } from "../../src/core/manifest.ts";
import type { Listed, ToolQuery } from "../../src/ports/toolbox.ts";
import { parametersOf } from "../../src/scalekit/offers.ts";
import { CONNECTORS } from "../../src/testing/connectors/index.ts";
import type { Connector } from "../../src/testing/connectors/index.ts";
import { createToolbox } from "../../src/scalekit/tools.ts";
import { start, testClock, why } from "./start.ts";

const GMAIL = CONNECTORS.find((connector) => connector.name === "gmail")?.tools.map((tool) => tool.name) ?? [];

function query(tools: readonly string[], more: Partial<ToolQuery> = {}): ToolQuery {
  return { identifier: "ada", connections: ["gmail"], tools: tools.map((name) => ({ name })), ...more };
}

function good(listed: Listed): Extract<Listed, { ok: true }> {
  assert.ok(listed.ok, JSON.stringify(listed));
  return listed;
}

test("more tools than a page holds, in the order asked", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  assert.equal(GMAIL.length > 20, true);
  const wanted = GMAIL.toReversed();
  const { tools, missing } = good(await toolbox.list(query(wanted)));
  assert.deepEqual([tools.map((tool) => tool.name), missing], [wanted, []]);
  for (const tool of tools) {
    assert.match(tool.hash, /^[0-9a-f]{64}$/);
    assert.deepEqual([tool.connection, tool.parameters["type"]], ["gmail", "object"]);
    assert.doesNotMatch(JSON.stringify(tool.parameters), /schema_version|tool_version/);
  }
});

test("what an account does not offer is told, with all that it does offer", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  const { tools, missing, known } = good(await toolbox.list(query(["gmail_fetch_emails", "gmail_get_profile"])));
  assert.deepEqual([tools.map((tool) => tool.name), missing], [["gmail_get_profile"], ["gmail_fetch_emails"]]);
  assert.deepEqual(known, GMAIL.toSorted());
});

test("nothing asked for is nothing listed; no connections have no tools", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  assert.deepEqual(await toolbox.list(query([])), { ok: true, tools: [], missing: [], known: [], changed: [] });
  const without = good(await toolbox.list(query(["gmail_get_profile"], { connections: [] })));
  assert.deepEqual(without.missing, ["gmail_get_profile"]);
  assert.equal(emulator.calls.count("ListScopedTools"), 0);
});

test("only this user's tools", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("eve", "gmail");
  const listed = await toolbox.list(query(["gmail_get_profile"]));
  assert.deepEqual([listed.ok, !listed.ok && /no tools at all for gmail/.test(listed.message)], [false, true]);
});

test("a connected account that lists no tools yet is waited for, and found when they are there", async (t) => {
  const { emulator, toolbox } = await start(t, { connections: ["gmail", "slack"] });
  emulator.connect("ada", "gmail");
  const both = query(["gmail_get_profile", "slack_send_message"], { connections: ["gmail", "slack"] });
  assert.equal(why(await toolbox.list(both)), "unavailable");
  emulator.connect("ada", "slack");
  const { tools } = good(await toolbox.list(both));
  assert.deepEqual(
    tools.map((tool) => tool.connection),
    ["gmail", "slack"],
  );
});

test("which connection a tool belongs to, by the account and never by its name", async (t) => {
  const { emulator, toolbox } = await start(t, {
    connections: [{ name: "work", connector: "gmail" }, { name: "gmail_x", connector: "slack" }, "github"],
  });
  for (const name of ["work", "gmail_x", "github"]) emulator.connect("ada", name);
  const names = ["slack_send_message", "github_repo_get", "gmail_get_profile"];
  const { tools } = good(await toolbox.list(query(names, { connections: ["github", "gmail_x", "work"] })));
  assert.deepEqual(
    tools.map((tool) => [tool.name, tool.connection]),
    [
      ["slack_send_message", "gmail_x"],
      ["github_repo_get", "github"],
      ["gmail_get_profile", "work"],
    ],
  );
});

test("a tool of two connections is not guessed: it is missing, and told where it could be from", async (t) => {
  const { emulator, toolbox } = await start(t, {
    connections: ["work", "home"].map((name) => ({ name, connector: "gmail" })),
  });
  for (const name of ["work", "home"]) emulator.connect("ada", name);
  const { tools, missing, known } = good(
    await toolbox.list(query(["gmail_get_profile"], { connections: ["work", "home"] })),
  );
  assert.deepEqual([tools, missing], [[], ["gmail_get_profile"]]);
  assert.deepEqual(
    known.filter((name) => name.startsWith("gmail_get_profile")),
    ["gmail_get_profile of home", "gmail_get_profile of work"],
  );
  const one = good(await toolbox.list(query(["gmail_get_profile"], { connections: ["home"] })));
  assert.equal(one.tools[0]?.connection, "home");
});

test("more connections than Scalekit takes at once", async (t) => {
  const names = Array.from({ length: 24 }, (_, i) => `c${i}`);
  const connectors = names.map((name) => single(name));
  const { emulator, toolbox } = await start(t, {
    connections: names.map((name, i) => ({ name, connector: connectors[i] ?? name })),
  });
  for (const name of names) emulator.connect("ada", name);
  const { tools } = good(
    await toolbox.list(
      query(
        names.map((name) => `${name}_do`),
        { connections: names },
      ),
    ),
  );
  assert.deepEqual(
    tools.map((tool) => tool.connection),
    names,
  );
});

/** A connector whose definitions are as bad as they come. */
function single(name: string, more: Connector["tools"] = []): Connector {
  return {
    name,
    provider: name.toUpperCase(),
    title: name,
    scopes: [],
    tools: [{ name: `${name}_do`, description: "", inputSchema: {}, scopes: [] }, ...more],
    open: () => ({ world: {}, run: async () => ({}), proxy: async () => ({ status: 501, json: {} }) }),
  };
}

test("bad definitions: nameless tools are left out, what is missing is made up harmlessly", async (t) => {
  const connector = single("odd", [
    { name: "", description: "no name", inputSchema: { type: "object" }, scopes: [] },
    { name: "odd_list", description: "x", inputSchema: { type: "array" }, scopes: [] },
  ]);
  const { emulator, toolbox } = await start(t, { connections: [{ name: "odd", connector }] });
  emulator.connect("ada", "odd");
  const { tools, known } = good(await toolbox.list(query(["odd_do", "odd_list", "nope"], { connections: ["odd"] })));
  assert.deepEqual(known, ["odd_do", "odd_list"]);
  assert.deepEqual(
    tools.map(({ description, parameters }) => [description, parameters]),
    [
      ["The tool odd_do.", { type: "object", properties: {} }],
      ["x", { type: "object", properties: {} }],
    ],
  );
});

test("what the model is shown of a schema", () => {
  const given = {
    type: "object",
    properties: { q: { type: "string" }, schema_version: {}, tool_version: {} },
    required: ["q", "schema_version"],
    additionalProperties: false,
  };
  assert.deepEqual(parametersOf(given), {
    type: "object",
    properties: { q: { type: "string" } },
    required: ["q"],
    additionalProperties: false,
  });
  for (const none of [undefined, null, "x", [], 7])
    assert.deepEqual(parametersOf(none), { type: "object", properties: {} });
});

test("parallel and later lists of the same are asked once, for half a minute", async (t) => {
  const { emulator, toolbox, clock } = await start(t);
  emulator.connect("ada", "gmail");
  emulator.connect("eve", "gmail");
  const asked = (): number => emulator.calls.count("ListScopedTools");
  await Promise.all(Array.from({ length: 30 }, () => toolbox.list(query(["gmail_get_profile"]))));
  assert.equal(asked(), 1);
  clock.advance(29_000);
  const effects = await toolbox.list({ ...query([]), tools: [{ name: "gmail_get_profile", effect: "unsafe" }] });
  assert.deepEqual([asked(), good(effects).tools[0]?.effect], [1, "unsafe"]);
  await toolbox.list(query(["gmail_get_profile"], { identifier: "eve" }));
  assert.equal(asked(), 2);
  clock.advance(1_001);
  await toolbox.list(query(["gmail_get_profile"]));
  assert.equal(asked(), 3);
});

test("a failure, or something missing, is not remembered", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  emulator.faults.add({ method: "ListScopedTools", code: "Internal" });
  assert.equal(why(await toolbox.list(query(["gmail_get_profile"]))), "unavailable");
  assert.equal(why(await toolbox.list(query(["gmail_get_profile"]))), "ok");
  const asked = emulator.calls.count("ListScopedTools");
  await toolbox.list(query(["gmail_nope"]));
  await toolbox.list(query(["gmail_nope"]));
  assert.equal(emulator.calls.count("ListScopedTools") - asked, 4);
});

test("a definition that changed has another hash", async (t) => {
  const hashes = new Set<string>();
  for (const description of ["a", "b", "a"]) {
    const connector = single("odd", [{ name: "odd_x", description, inputSchema: {}, scopes: [] }]);
    const { emulator, toolbox } = await start(t, { connections: [{ name: "odd", connector }] });
    emulator.connect("ada", "odd");
    hashes.add(good(await toolbox.list(query(["odd_x"], { connections: ["odd"] }))).tools[0]?.hash ?? "");
  }
  assert.equal(hashes.size, 2);
});

test("effects: the agent's word, then the review that comes with Errand, then unsafe", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  const { tools } = good(
    await toolbox.list({
      ...query([]),
      tools: [
        { name: "gmail_fetch_mails" },
        { name: "gmail_trash_message" },
        { name: "gmail_send_message" },
        { name: "gmail_create_draft" },
        { name: "gmail_send_draft", effect: "staged" },
      ],
    }),
  );
  assert.deepEqual(
    tools.map((tool) => tool.effect),
    ["read", "idempotent", "unsafe", "unsafe", "staged"],
  );
});

test("the app's review: the same definition has its effect, another one is disabled, one that waits is unsafe", async (t) => {
  const { emulator, scalekit, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  const names = ["gmail_fetch_mails", "gmail_send_message", "gmail_trash_message", "gmail_get_profile"];
  const hashes = good(await toolbox.list(query(names))).tools.map((tool) => tool.hash);
  const entry = (at: number, more: Partial<ManifestEntry> = {}): ManifestEntry => ({
    hash: hashes[at] ?? "",
    effect: "read",
    reviewed: true,
    ...more,
  });
  const tools = {
    gmail_fetch_mails: entry(0, { effect: "idempotent" }),
    gmail_send_message: entry(0),
    gmail_trash_message: entry(2, { reviewed: false }),
  };
  const reviewed = createToolbox(scalekit, { check: () => [], clock: testClock(), manifest: { version: 1, tools } });
  const uses = names.map((name) => ({ name, effect: "read" as const }));
  const listed = good(await reviewed.list({ ...query([]), tools: uses }));
  assert.deepEqual(
    [listed.tools.map(({ name, effect }) => [name, effect]), listed.changed, listed.missing],
    [
      [
        ["gmail_fetch_mails", "idempotent"],
        ["gmail_trash_message", "unsafe"],
        ["gmail_get_profile", "read"],
      ],
      ["gmail_send_message"],
      [],
    ],
  );
});

test("all tool names of the environment", async (t) => {
  const { toolbox } = await start(t, { connections: CONNECTORS.map(({ name }) => name) });
  const names = await toolbox.names();
  assert.ok(names.ok, JSON.stringify(names));
  assert.deepEqual(names.names.toSorted(), CONNECTORS.flatMap((one) => one.tools.map((tool) => tool.name)).toSorted());
});

test("arguments are checked against the tool as frozen", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  const [tool] = good(await toolbox.list(query(["gmail_send_message"]))).tools;
  assert.ok(tool !== undefined, "listed");
  assert.deepEqual(toolbox.check(tool, { to: "b@example.com", subject: "s", body: "b" }), []);
  assert.deepEqual(toolbox.check(tool, { to: "b@example.com", body: 7 }), [
    '"subject" is required',
    "body: must be string",
  ]);
});
