/**
 * `npm run bench:tools`: how often Scalekit is asked for tools per 1,000 runs, and what a tool call costs over the bare SDK's call, in
 * turns, so that a noisy machine disturbs both. Everything on loopback, emulators in this process. What it found: docs/figures.md.
 *
 * discovery  `Toolbox.list` as each run asks it once, for different mixes of users; ListScopedTools and ListConnectedAccounts counted
 * calls      ours minus bare, per call: Scalekit's executeTool, the API proxy, an MCP server, a KruxOS gateway
 */
import { parseArgs } from "node:util";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { ScalekitClient } from "@scalekit-sdk/node";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { gmailListFilters } from "../../examples/proxy-tools/tools.ts";
import { kruxos, mcp, nodeListener } from "../../src/index.ts";
import type { ToolSource } from "../../src/ports/toolbox.ts";
import { createScalekit } from "../../src/scalekit/client.ts";
import { createProxySource } from "../../src/scalekit/proxy.ts";
import { createToolbox } from "../../src/scalekit/tools.ts";
import { startKruxosEmulator, startScalekitEmulator } from "../../src/testing/index.ts";
import { createChecker } from "../../src/tools/check.ts";
import { openKruxos } from "../../src/tools/kruxos/kruxos.ts";
import { openMcp } from "../../src/tools/mcp/mcp.ts";
import { median, table } from "../floor/figures.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "7" }, calls: { type: "string", default: "100" } },
});
const [rounds, calls] = [Number(values.rounds), Number(values.calls)];
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const check = createChecker();
const RUNS = 1_000;

interface Discovery {
  readonly users: number;
  readonly connections: number;
  readonly asked: number;
}

/** 1,000 runs, 50 at once, of so many users in turn, within the half minute for which a list is kept. */
async function discovery(users: number, connections: readonly string[], tools: readonly string[]): Promise<Discovery> {
  const emulator = await startScalekitEmulator({ connections });
  const scalekit = createScalekit({
    envUrl: emulator.url,
    clientId: emulator.clientId,
    clientSecret: emulator.clientSecret,
  });
  const toolbox = createToolbox(scalekit, { check, clock });
  for (let user = 0; user < users; user++)
    for (const connection of connections) emulator.connect(`u${user}`, connection);
  const query = (run: number) => ({
    identifier: `u${run % users}`,
    connections,
    tools: tools.map((name) => ({ name })),
  });
  for (let run = 0; run < RUNS; run += 50)
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const listed = await toolbox.list(query(run + i));
        if (!listed.ok || listed.missing.length > 0) throw new Error(JSON.stringify(listed));
      }),
    );
  const asked = emulator.calls.count("ListScopedTools") + emulator.calls.count("ListConnectedAccounts");
  await scalekit.close();
  await emulator.close();
  return { users, connections: connections.length, asked };
}

type Call = () => Promise<unknown>;
interface Pair {
  readonly name: string;
  readonly ours: Call;
  readonly bare: Call;
}

const LIMITS = { timeoutMs: 60_000, signal: new AbortController().signal };

function callOf(source: Pick<ToolSource, "send">, tool: string, args: object, connection = ""): Call {
  const call = { run: "run_1", call: "t0c0", tool, args: args as never, connection, identifier: "ada", key: "k" };
  return async () => {
    const outcome = await source.send(call, LIMITS);
    if (outcome.kind !== "ok") throw new Error(JSON.stringify(outcome));
  };
}

async function measure({ name, ours, bare }: Pair) {
  for (const call of [ours, bare]) for (let i = 0; i < 20; i++) await call();
  const seen: { ours: number; bare: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const took = { ours: 0, bare: 0 };
    for (const side of round % 2 === 0 ? (["ours", "bare"] as const) : (["bare", "ours"] as const)) {
      const call = side === "ours" ? ours : bare;
      const started = performance.now();
      for (let i = 0; i < calls; i++) await call();
      took[side] = (performance.now() - started) / calls;
    }
    seen.push(took);
  }
  return {
    name,
    oursMs: precise(median(seen.map((one) => one.ours))),
    bareMs: precise(median(seen.map((one) => one.bare))),
    addedMs: precise(median(seen.map((one) => one.ours - one.bare))),
    ratio: precise(median(seen.map((one) => one.ours / one.bare))),
  };
}

/** Microseconds are noise here; hundredths of a ms are not. */
function precise(value: number): number {
  return Math.round(value * 100) / 100;
}

const mail = ["gmail_fetch_mails", "gmail_get_message_by_id"];
const found = [
  await discovery(1, ["gmail"], mail),
  await discovery(100, ["gmail"], mail),
  await discovery(1_000, ["gmail"], mail),
  await discovery(100, ["gmail", "slack"], [...mail, "slack_send_message"]),
];

const emulator = await startScalekitEmulator({ proxy: true });
emulator.connect("ada", "gmail");
const scalekit = createScalekit({
  envUrl: emulator.url,
  clientId: emulator.clientId,
  clientSecret: emulator.clientSecret,
});
const sdk = new ScalekitClient(emulator.url, emulator.clientId, emulator.clientSecret);
const toolbox = createToolbox(scalekit, { check, clock });
const proxy = createProxySource(scalekit, { tools: [gmailListFilters], check });

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: "bench", version: "1" });
  server.registerTool("echo", { description: "Echoes.", inputSchema: z.object({}) }, () => ({
    content: [{ type: "text", text: "x" }],
  }));
  return server;
});
const http = createServer((request, response) => void nodeListener((asked) => handler.fetch(asked))(request, response));
await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
const [mcpSource] = openMcp([mcp({ name: "bench", url }).all()], { check, manifest: undefined }, clock);
const client = new Client({ name: "bench", version: "1" }, { versionNegotiation: { mode: "auto" } });
await client.connect(new StreamableHTTPClientTransport(new URL(url)));

const gateway = await startKruxosEmulator();
gateway.world.files.set("/a", "x");
const [kruxosSource] = openKruxos(
  [kruxos({ url: gateway.url, apiKey: gateway.apiKey }).all()],
  { check, manifest: undefined },
  clock,
);
if (mcpSource === undefined || kruxosSource === undefined) throw new Error("no sources");
const rpc = {
  jsonrpc: "2.0",
  id: 1,
  method: "capabilities.invoke",
  params: { capability: "filesystem.read", arguments: { path: "/a" } },
};
const headers = { authorization: `Bearer ${gateway.apiKey}`, "content-type": "application/json" };

const pairs: readonly Pair[] = [
  {
    name: "scalekit executeTool",
    ours: callOf(toolbox, "gmail_get_profile", {}, "gmail"),
    bare: () =>
      sdk.actions.executeTool({ toolName: "gmail_get_profile", toolInput: {}, identifier: "ada", connector: "gmail" }),
  },
  {
    name: "scalekit proxy",
    ours: callOf(proxy, "gmail_list_filters", {}, "gmail"),
    bare: () =>
      sdk.actions.request({ connectionName: "gmail", identifier: "ada", path: "/gmail/v1/users/me/settings/filters" }),
  },
  { name: "mcp", ours: callOf(mcpSource, "echo", {}), bare: () => client.callTool({ name: "echo", arguments: {} }) },
  {
    name: "kruxos",
    ours: callOf(kruxosSource, "filesystem__read", { path: "/a" }),
    bare: async () =>
      (await fetch(`${gateway.url}/rpc`, { method: "POST", headers, body: JSON.stringify(rpc) })).json(),
  },
];
const measured = [];
for (const pair of pairs) measured.push(await measure(pair));

console.log(
  table([
    ["users", "connections", "calls per 1,000 runs"],
    ...found.map((one) => [one.users, one.connections, one.asked].map(String)),
  ]),
);
console.log(
  table([
    ["call", "ours ms", "bare ms", "added ms", "ratio"],
    ...measured.map((one) => [one.name, one.oursMs, one.bareMs, one.addedMs, one.ratio].map(String)),
  ]),
);
await client.close();
await mcpSource.close?.();
await handler.close();
http.closeAllConnections();
http.close();
await gateway.close();
await scalekit.close();
await emulator.close();
console.log(JSON.stringify({ bench: "tools", discovery: found, calls: measured }));
// The SDK's idle connections need not be waited for.
process.exit(0);
