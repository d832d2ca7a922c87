/** `mcp()`: the tools of an MCP server as tools of an agent. */
import { ErrandError } from "../../core/errors.ts";
import { type OptionNames, strayOption } from "../../core/option-names.ts";
import { type AllOf, TOOL_USE, type ToolDefinition, type ToolUse } from "../../core/tool-use.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ToolSource } from "../../ports/toolbox.ts";
import { createServedSource, type ServedOptions } from "../served.ts";
import { createMcpServer } from "./server.ts";
import { needMcpSdk } from "./session.ts";
import type { McpTarget, McpToken, McpTokenContext } from "./target.ts";

export interface McpOptions {
  /** Tells servers apart, in journals for ever. Letters, digits, `-`. */
  readonly name: string;
  /** Of its Streamable HTTP endpoint. */
  readonly url: string;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A bearer token for one user, such as a session token of a Scalekit MCP server: each identifier has a session of its own then. */
  readonly token?: (context: McpTokenContext) => Promise<string | McpToken>;
  /** Before the name of each of its tools, as models see them; for servers whose names clash. */
  readonly prefix?: string;
  /**
   * Whether its hints (readOnlyHint, idempotentHint) are believed: then such a call is repeated after a crash. Default false: without
   * the app's review or an `effect`, its tools are `unsafe`. Only for servers that you run yourself.
   */
  readonly trusted?: boolean;
  /** ms to connect, and for a question about tools; default 10,000. Calls have `limits.toolTimeoutMs`. */
  readonly timeoutMs?: number;
  /** Characters of one result; the rest is left out. Default 1,000,000. */
  readonly maxResultCharacters?: number;
}

export interface Mcp {
  /** One tool, by the name that the model sees. */
  tool(name: string, options?: Omit<ToolUse, "name" | "source">): McpTool;
  /** All that the server offers this user; at most 100. What is said of it holds for each that is not named beside it. */
  all(options?: Omit<ToolUse, "name" | "source">): McpTool & AllOf;
}

/** Made by `mcp`. */
export interface McpTool extends ToolDefinition {
  readonly server: McpTarget;
}

const OPTIONS: OptionNames<McpOptions> = {
  name: true,
  url: true,
  headers: true,
  token: true,
  prefix: true,
  trusted: true,
  timeoutMs: true,
  maxResultCharacters: true,
};
const MB = 1_024 * 1_024;

/** @throws ErrandError `config-invalid` */
export function mcp(options: McpOptions): Mcp {
  const { name, url, headers = {}, token, prefix = "", trusted = false } = options;
  const { timeoutMs = 10_000, maxResultCharacters = 1_000_000 } = options;
  const refuse = (message: string): never => {
    throw new ErrandError("config-invalid", `mcp ${JSON.stringify(name)}: ${message}`);
  };
  const stray = strayOption(options, OPTIONS);
  if (stray !== undefined) refuse(stray);
  if (typeof name !== "string" || !/^[a-z0-9-]{1,32}$/i.test(name))
    refuse("name: expected 1 to 32 letters, digits or '-'.");
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    refuse(
      'url: expected the endpoint of a server that speaks Streamable HTTP, such as "https://mcp.example.com/mcp".',
    );
  if (!/^[A-Za-z0-9_-]{0,32}$/.test(prefix)) refuse("prefix: expected at most 32 letters, digits, '_' or '-'.");
  for (const [what, value] of Object.entries({ timeoutMs, maxResultCharacters }))
    if (!(Number.isFinite(value) && value > 0)) refuse(`${what}: expected a positive number, got ${String(value)}.`);
  const source = `mcp:${name}`;
  const target: McpTarget = {
    source,
    url,
    token,
    prefix,
    trusted,
    timeoutMs,
    mostBytes: 16 * MB,
    mostCharacters: maxResultCharacters,
    // A definition may end in a log; what opens the server must not.
    get headers() {
      return headers;
    },
  };
  Object.defineProperty(target, "headers", { enumerable: false });
  return {
    tool: (tool, use = {}) => {
      const strange = strayOption(use, TOOL_USE);
      if (strange !== undefined) refuse(`tool ${JSON.stringify(tool)}: ${strange}`);
      return { ...use, name: tool, source, server: target };
    },
    all: (use = {}) => {
      const strange = strayOption(use, TOOL_USE);
      if (strange !== undefined) refuse(`all: ${strange}`);
      return { ...use, name: `${source}:*`, source, server: target, all: true };
    },
  };
}

export function isMcpTool(use: ToolUse): use is McpTool {
  return "server" in use && use.source?.startsWith("mcp:") === true;
}

/** @throws ErrandError `config-invalid` for two servers of one name, `option-invalid` without the SDK */
export function openMcp(
  uses: readonly ToolUse[],
  options: ServedOptions,
  clock: Pick<Clock, "monotonic">,
): readonly ToolSource[] {
  const targets = new Map<string, McpTarget>();
  for (const { server } of uses.filter(isMcpTool)) {
    const other = targets.get(server.source);
    if (other !== undefined && other !== server)
      throw new ErrandError(
        "config-invalid",
        `there are two servers called ${server.source}: make one with mcp() and use it everywhere.`,
      );
    targets.set(server.source, server);
  }
  if (targets.size > 0) needMcpSdk();
  return [...targets.values()].map((target) => createServedSource(createMcpServer(target, clock), options));
}
