/** One connection to an MCP server by Streamable HTTP, on the official SDK (v2, an optional package, loaded with the first question). */
import { createRequire } from "node:module";
import type { Client } from "@modelcontextprotocol/client";
import { ErrandError } from "../../core/errors.ts";
import { isObject } from "../../core/json.ts";
import { type ServedTool, servedTool } from "../served.ts";
import type { McpTarget } from "./target.ts";

const PACKAGE = "@modelcontextprotocol/client";

/** @throws ErrandError `option-invalid` if the package is not installed */
export function needMcpSdk(find: (name: string) => unknown = createRequire(import.meta.url).resolve): void {
  try {
    find(PACKAGE);
  } catch {
    const message = `tools of an MCP server need the package ${PACKAGE}, which is not installed. Run: npm install ${PACKAGE}`;
    throw new ErrandError("option-invalid", message);
  }
}

export interface Session {
  list(timeoutMs: number): Promise<readonly ServedTool[]>;
  /** @param tool the server's own name @throws what the SDK throws */
  call(tool: string, args: Readonly<Record<string, unknown>>, limits: Limits): Promise<unknown>;
  /** The server's own name of a tool. */
  nameOf(tool: string): string | undefined;
  close(): Promise<void>;
}

interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** @throws what the SDK throws; nothing is left open then */
export async function openSession(
  target: McpTarget,
  token: string | undefined,
  timeoutMs: number,
  changed: () => void,
): Promise<Session> {
  const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
  const client = new Client(
    { name: "errand", version: "1" },
    {
      // Servers of 2026 and of before.
      versionNegotiation: { mode: "auto", probe: { timeoutMs } },
      // Nobody is there to answer a question back.
      inputRequired: { autoFulfill: false },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: changed } },
    },
  );
  const transport = new StreamableHTTPClientTransport(new URL(target.url), {
    requestInit: { headers: { ...target.headers }, redirect: "error" },
    ...(token !== undefined && { authProvider: { token: () => Promise.resolve(token) } }),
    fetch: (url, init) => boundedFetch(url, init, target.mostBytes),
    reconnectionOptions: {
      maxRetries: 1,
      initialReconnectionDelay: 1_000,
      maxReconnectionDelay: 1_000,
      reconnectionDelayGrowFactor: 1,
    },
  });
  await client.connect(transport, { timeout: timeoutMs });
  const originals = new Map<string, string>();
  return {
    async list(ms) {
      const { tools } = await client.listTools(undefined, { timeout: ms, cacheMode: "refresh" });
      originals.clear();
      return tools.flatMap((tool) => toServed(tool, target, originals));
    },
    call: (name, args, limits) => callTool(client, name, args, limits),
    nameOf: (tool) => originals.get(tool),
    close: () => client.close().catch(() => undefined),
  };
}

function callTool(
  client: Client,
  name: string,
  args: Readonly<Record<string, unknown>>,
  limits: Limits,
): Promise<unknown> {
  return client.callTool({ name, arguments: { ...args } }, { timeout: limits.timeoutMs, signal: limits.signal });
}

/** Names may hold dots and slashes there, which models' providers refuse. Of two that become one, neither can be told. */
function toServed(tool: unknown, { prefix, trusted }: McpTarget, originals: Map<string, string>): ServedTool[] {
  if (!isObject(tool) || typeof tool["name"] !== "string" || tool["name"] === "") return [];
  const { name, description, inputSchema, annotations } = tool;
  const told = `${prefix}${name.replaceAll(/[^A-Za-z0-9_-]/g, "_")}`;
  originals.set(told, name);
  const hints = isObject(annotations) ? annotations : {};
  const readOnly = hints["readOnlyHint"] === true;
  const idempotent = hints["idempotentHint"] === true;
  return [{ ...servedTool(told, description, inputSchema, name), hints: { trusted, readOnly, idempotent } }];
}

/** An answer that does not end is given up, whatever it is a part of. */
async function boundedFetch(url: string | URL, init: RequestInit | undefined, most: number): Promise<Response> {
  const response = await fetch(url, init);
  const { body } = response;
  if (body === null) return response;
  let bytes = 0;
  const bounded = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > most) controller.error(new Error(`the answer is longer than ${most} bytes`));
      else controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(body.pipeThrough(bounded), { status, statusText, headers });
}
