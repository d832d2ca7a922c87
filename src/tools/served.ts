/**
 * Tools that another server offers, as a source: what MCP servers and KruxOS gateways have in common.
 *
 * S1 What a server says of its own tools is not believed: effects come from the app's review or its code, hints only from a server that
 *    the operator trusts, and a tool that nobody speaks for is `unsafe`.
 * S2 A run calls a tool only with the definition that it was prepared with: a server that changed it meanwhile is not called.
 */
import { createHash } from "node:crypto";
import { canonical, type Json } from "../core/json.ts";
import { type DefinitionParts, entryOf, type ToolManifest } from "../core/manifest.ts";
import type { Outcome } from "../core/outcome.ts";
import type { SeenTool } from "../core/proposal.ts";
import { isUnsaid, type Ruling, ruleOn, type TrustHints } from "../core/ruling.ts";
import type { FrozenTool } from "../core/run.ts";
import type { JsonSchema } from "../core/schema.ts";
import { isObject } from "../core/json.ts";
import { isAllOf, type ToolUse } from "../core/tool-use.ts";
import type { Outage } from "../ports/accounts.ts";
import type { Listed, Offers, SendOptions, ToolSend, ToolSource } from "../ports/toolbox.ts";
import type { Checker } from "./check.ts";

export interface ServedTool extends SeenTool {
  readonly hints?: TrustHints;
}

export type Served = { readonly ok: true; readonly tools: readonly ServedTool[] } | Outage;

/** One server. Contract: never throws. */
export interface ToolServer {
  /** The source's name: stands in journals for ever. */
  readonly name: string;
  /** Each user has a session of their own, and may see other tools. */
  readonly perUser?: boolean;
  /** All its tools for this user, as of now or of a moment ago. */
  list(identifier: string): Promise<Served>;
  /** Sends at most once. */
  call(call: ToolSend, options: Pick<SendOptions, "timeoutMs" | "signal">): Promise<Outcome>;
  close?(): Promise<void>;
}

export interface ServedOptions {
  readonly check: Checker;
  readonly manifest: ToolManifest | undefined;
}

/** More at once than a model can choose from, and near what providers refuse. */
const MOST_AT_ONCE = 100;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

export function createServedSource(server: ToolServer, { check, manifest }: ServedOptions): ToolSource {
  return {
    name: server.name,
    async list({ identifier, tools: uses }): Promise<Listed> {
      const served = await server.list(identifier);
      if (!served.ok) return served;
      const { known, wanted, missing } = select(served.tools, uses);
      const ruled = [...wanted].map(([tool, use]) => {
        const { name, hash, hints } = tool;
        return { tool, ruling: ruleOn({ hash, entry: entryOf(manifest, name), declared: use.effect, hints }) };
      });
      return {
        ok: true,
        tools: ruled.flatMap(({ tool, ruling }) => (ruling.is === "enabled" ? [freeze(tool, ruling)] : [])),
        missing,
        known,
        changed: ruled.flatMap(({ tool, ruling }) => (ruling.is === "changed" ? [tool.name] : [])),
      };
    },
    async offers({ identifier, tools: uses }): Promise<Offers> {
      if (identifier === undefined && server.perUser === true)
        return { ok: false, why: "no-user", message: `${server.name} shows each user their own tools` };
      const served = await server.list(identifier ?? "");
      if (!served.ok) return served;
      const { known, wanted, missing } = select(served.tools, uses);
      const source = server.name;
      return {
        ok: true,
        known,
        uses: [
          ...[...wanted].map(([tool, use]) => ({
            tool: tool.name,
            source,
            declared: use.effect,
            seen: { ...tool, parts: partsOf(tool) },
          })),
          ...missing.map((tool) => ({ tool, source })),
        ],
      };
    },
    check: (tool, args) => check(tool.hash, tool.parameters, args),
    async send(call, options) {
      const served = await server.list(call.identifier);
      const now = served.ok ? served.tools.find(({ name }) => name === call.tool) : undefined;
      if (!served.ok) return { kind: "not-executed", why: served.why, message: served.message };
      if (now === undefined || (call.version !== undefined && now.hash !== call.version))
        return {
          kind: "not-executed",
          why: "version",
          message: `${server.name} ${now === undefined ? "offers no tool" : "has changed the tool"} ${call.tool} since this run began`,
        };
      return server.call(call, options);
    },
    // Only a user's run can ask for them.
    names: () => Promise.resolve({ ok: true, names: [] }),
    ...(server.close !== undefined && { close: () => server.close?.() ?? Promise.resolve() }),
  };
}

interface Selected {
  readonly known: readonly string[];
  /** With the use that names it, or else the one that stands for all. */
  readonly wanted: ReadonlyMap<ServedTool, ToolUse>;
  readonly missing: readonly string[];
}

function select(tools: readonly ServedTool[], uses: readonly ToolUse[]): Selected {
  // A name that comes twice is nobody's.
  const offered = tools.filter(
    ({ name }, i, all) => NAME.test(name) && all.every((other, j) => j === i || other.name !== name),
  );
  const wanted = new Map<ServedTool, ToolUse>();
  const missing: string[] = [];
  for (const use of uses) {
    const found = isAllOf(use) ? offered : offered.filter(({ name }) => name === use.name);
    if (isAllOf(use) && found.length > MOST_AT_ONCE)
      missing.push(`${use.name} (${found.length} tools: name the ones that the agent needs)`);
    else if (found.length === 0) missing.push(use.name);
    else for (const tool of found) if (!wanted.has(tool) || !isAllOf(use)) wanted.set(tool, use);
  }
  return { known: offered.map(({ name }) => name), wanted, missing };
}

function freeze(
  { name, description, parameters, hash }: ServedTool,
  { effect, from }: Extract<Ruling, { is: "enabled" }>,
): FrozenTool {
  const unsaid = isUnsaid(from) && { unsaid: true };
  return { name, description, parameters, hash, effect, connection: "", version: hash, ...unsaid };
}

/** Digests that tell which part of a definition has changed. */
function partsOf({ description, parameters }: SeenTool): DefinitionParts {
  const digest = (value: unknown): string => createHash("sha256").update(canonical(value)).digest("hex").slice(0, 16);
  return { description: digest(description), parameters: digest(parameters) };
}

const MOST_DESCRIPTION = 4_000;

/**
 * A definition as a model is shown it, whatever the server sent.
 * @param own its name at its server, without what stands before it for others: what the proposal of an effect goes by
 */
export function servedTool(name: string, said: unknown, schema: unknown, own: string): ServedTool {
  const text = typeof said === "string" && said.trim() !== "" ? said : `The tool ${name}.`;
  const description = text
    .replaceAll(/\p{Cf}|\p{Variation_Selector}/gu, "")
    .slice(0, MOST_DESCRIPTION)
    .toWellFormed();
  const parameters = rootObject(schema);
  const hash = createHash("sha256").update(canonical({ name, description, parameters })).digest("hex");
  return { name, description, parameters, hash, words: wordsOf(own) };
}

/** `listOpenIssues` and `list_open_issues` are three words. */
function wordsOf(name: string): readonly string[] {
  const apart = name.slice(0, 200).replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2");
  return apart
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

/** Providers want an object at the root. */
function rootObject(schema: unknown): JsonSchema {
  if (!isObject(schema)) return { type: "object", properties: {} };
  return { ...schema, type: "object", properties: isObject(schema["properties"]) ? schema["properties"] : {} };
}

/** What a model may be shown of an answer: text as it is, JSON as JSON. */
export function readText(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
