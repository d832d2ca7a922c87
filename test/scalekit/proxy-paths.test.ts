/**
 * The worst hole of this design (facts/reliability.md F3): a path that climbs out of Scalekit's proxy reaches its management API with our
 * machine token. Over the wire, with the emulator's management API next to its proxy, as Scalekit's is.
 */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ScalekitClient } from "@scalekit-sdk/node";
import fc from "fast-check";
import { z } from "zod";
import { pathTemplate, renderPath } from "../../src/core/path-template.ts";
import { NotSent } from "../../src/scalekit/failure.ts";
import { createProxySource } from "../../src/scalekit/proxy.ts";
import { proxyTool } from "../../src/scalekit/proxy-tool.ts";
import { defineConnector } from "../../src/testing/connectors/index.ts";
import { createChecker } from "../../src/tools/check.ts";
import { HOSTILE, hostileText } from "./hostile.ts";
import { SEND, start, type Started } from "./start.ts";

interface Watched extends Started {
  readonly sdk: ScalekitClient;
  /** Path and query of each request as the provider was sent it. */
  readonly arrived: string[];
  /** Whatever was asked of Scalekit beside its proxy. */
  readonly beside: () => string[];
}

async function watched(t: TestContext): Promise<Watched> {
  const arrived: string[] = [];
  const connector = defineConnector({
    name: "any",
    title: "Any",
    scopes: [],
    tools: [],
    world: () => ({}),
    proxy: ({ path }) => {
      arrived.push(path);
      return { status: 200, json: {} };
    },
  });
  const started = await start(t, { connections: [{ name: "any", connector }], proxy: true });
  const { emulator } = started;
  emulator.connect("ada", "any");
  const sdk = new ScalekitClient(emulator.url, emulator.clientId, emulator.clientSecret);
  await sdk.actions.listConnectedAccounts({});
  const expected = ["proxy", "oauth/token", "ListConnectedAccounts"];
  const beside = (): string[] => Object.keys(emulator.calls.byMethod).filter((method) => !expected.includes(method));
  return { ...started, sdk, arrived, beside };
}

const REQUEST = { connectionName: "any", identifier: "ada" };

test("seen to fail: with the SDK alone, a path from a model reads the management API", async (t) => {
  const { sdk, beside, arrived } = await watched(t);
  const leak = await sdk.actions.request({ ...REQUEST, path: "/things/../../api/v1/organizations" });
  assert.match(JSON.stringify(leak.data), /Somebody else's/);
  await sdk.actions.request({ ...REQUEST, path: "/%2e%2e/api/v1/organizations" });
  assert.deepEqual([beside(), arrived], [["api/v1/organizations"], []]);
});

const tool = proxyTool({
  name: "thing_get",
  description: "x",
  connection: "any",
  method: "GET",
  path: "/v1/things/{id}/parts/{part}.json",
  query: ["q"],
  input: z.object({ id: z.string(), part: z.string(), q: z.string().optional() }),
  output: z.object({}),
});

test("property: whatever a model writes, only this tool's own path is reached, once, and nothing of Scalekit's", async (t) => {
  const { scalekit, arrived, beside } = await watched(t);
  const source = createProxySource(scalekit, { tools: [tool], check: createChecker() });
  const call = async (args: Record<string, string>): Promise<void> => {
    arrived.length = 0;
    const outcome = await source.send(
      { ...SEND, tool: "thing_get", connection: "any", args },
      { timeoutMs: 10_000, signal: new AbortController().signal },
    );
    assert.equal(arrived.length, outcome.kind === "ok" ? 1 : 0, JSON.stringify([args, outcome]));
    const [path = "", query = ""] = arrived[0]?.split("?") ?? [];
    if (arrived.length === 0) return;
    assert.match(path, /^\/v1\/things\/[^/\\]+\/parts\/[^/\\]+\.json$/);
    assert.doesNotMatch(path, /%2e|%2f|%5c|\/\.+\//i);
    const [, , , id = "", , part = ""] = path.split("/");
    assert.deepEqual([decodeURIComponent(id), decodeURIComponent(part)], [args["id"], `${args["part"]}.json`]);
    assert.deepEqual([...new URLSearchParams(query)], args["q"] === "" ? [] : [["q", args["q"]?.toWellFormed()]]);
  };
  for (const text of HOSTILE) await call({ id: text, part: "1", q: text });
  await fc.assert(
    fc.asyncProperty(hostileText(), hostileText(), hostileText(), (id, part, q) => call({ id, part, q })),
    { numRuns: 150 },
  );
  assert.deepEqual(beside(), []);
});

test("property: any path at all that a definition's own code might make stays in the proxy, or is not sent", async (t) => {
  const { scalekit, arrived, beside } = await watched(t);
  const limits = { timeoutMs: 10_000 };
  await fc.assert(
    fc.asyncProperty(fc.array(hostileText(), { maxLength: 4 }), async (pieces) => {
      arrived.length = 0;
      const path = pieces.map((piece) => `/${piece}`).join("");
      const sent = scalekit.request({ connection: "any", identifier: "ada", method: "GET", path }, limits);
      const status = await sent.then(
        (answer) => answer.status,
        (error: unknown) => (error instanceof NotSent ? "not sent" : Promise.reject(error)),
      );
      if (status === "not sent") assert.deepEqual(arrived, []);
      else assert.deepEqual(arrived, [path]);
    }),
    { numRuns: 150 },
  );
  for (const path of [
    "",
    "x",
    "/../api/v1/organizations",
    "/..",
    "/a/../../api/v1/x",
    "/a?x",
    "/a#x",
    "//evil.example/a",
  ])
    await assert.rejects(
      scalekit.request({ connection: "any", identifier: "ada", method: "GET", path }, limits),
      NotSent,
      path,
    );
  assert.deepEqual(beside(), []);
});

test("property: a rendered path is safe in the SDK's own hands as well", async (t) => {
  const { sdk, arrived, beside } = await watched(t);
  const template = pathTemplate("/v1/things/{id}/parts/{part*}", (message) => assert.fail(message));
  await fc.assert(
    fc.asyncProperty(hostileText(), hostileText(), async (id, part) => {
      const rendered = renderPath(template, { id, part });
      if (!rendered.ok) return;
      arrived.length = 0;
      await sdk.actions.request({ ...REQUEST, path: rendered.path });
      assert.deepEqual(arrived, [rendered.path]);
    }),
    { numRuns: 150 },
  );
  assert.deepEqual(beside(), []);
});

test("redirects are not followed: our token goes to the configured address and to no other", async (t) => {
  let asked = 0;
  const elsewhere = await start(t, {});
  const connector = defineConnector({
    name: "any",
    title: "Any",
    scopes: [],
    tools: [],
    world: () => ({}),
    proxy: () => {
      asked++;
      return { status: 307, json: {}, headers: { location: `${elsewhere.emulator.url}/api/v1/organizations` } };
    },
  });
  const { scalekit, emulator } = await start(t, { connections: [{ name: "any", connector }], proxy: true });
  emulator.connect("ada", "any");
  const call = { connection: "any", identifier: "ada", method: "GET", path: "/a" } as const;
  assert.equal((await scalekit.request(call, { timeoutMs: 5_000 })).status, 307);
  assert.deepEqual([asked, elsewhere.emulator.calls.all.length + elsewhere.emulator.calls.unauthenticated], [1, 0]);
});
