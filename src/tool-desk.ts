/** `errand tools list | show | lint`: the tools that the agents name, as their code and their sources tell of them. */
import { loadConfig, type LoadOptions } from "./config-file.ts";
import type { Agent } from "./core/agent.ts";
import { registerAgents } from "./core/agents.ts";
import { ErrandError } from "./core/errors.ts";
import { checkIdentifier } from "./core/identifier.ts";
import { type Finding, lintTool } from "./core/lint.ts";
import { checkManifest, entryOf, type ToolManifest } from "./core/manifest.ts";
import { didYouMean } from "./core/nearest.ts";
import type { Effect } from "./core/effects.ts";
import type { FrozenTool } from "./core/run.ts";
import type { JsonSchema } from "./core/schema.ts";
import { freezeUses, LOCAL, SCALEKIT, sourceOf, type ToolUse, isAllOf, useOf } from "./core/tool-use.ts";
import { required } from "./options.ts";
import { openScalekit, type Scalekit } from "./parts.ts";
import { PROXY } from "./scalekit/proxy-tool.ts";
import { openSources } from "./tool-sources.ts";
import { isLocalTool } from "./tools/local/tool.ts";
import type { Registry } from "./tools/registry.ts";

export type { Finding, Rule } from "./core/lint.ts";

export interface ToolsOptions extends Pick<LoadOptions, "file" | "cwd" | "env"> {
  /** Only this agent's tools. */
  readonly agent?: string;
  /** As this user's accounts offer them; without it, what the code says, and nobody is asked. */
  readonly identifier?: string;
}

/** One tool of one or more agents. What only its source knows is there with an identifier. */
export interface ListedTool {
  readonly name: string;
  readonly source: string;
  readonly agents: readonly string[];
  /** The model of none of them sees it: other tools call it. */
  readonly hidden: boolean;
  /** In force; without an identifier what the code says. Absent: the code says nothing. */
  readonly effect?: Effect | "composite";
  readonly connection?: string;
  readonly versions: readonly {
    readonly version?: string;
    readonly share?: number;
    readonly identifiers?: readonly string[];
    readonly deprecated?: string;
  }[];
  /** The version that this identifier's runs start with. */
  readonly version?: string;
  readonly needsApproval: boolean;
  readonly description?: string;
  readonly parameters?: JsonSchema;
  /** With an identifier: its accounts do not offer it, or with another definition than the reviewed one. */
  readonly problem?: "missing" | "changed";
}

/** @throws ErrandError `config-…`, `agent-…`, `identifier-invalid`, `scalekit-auth`, `scalekit-unavailable`, `tools-unavailable` */
export async function listTools(options: ToolsOptions = {}): Promise<readonly ListedTool[]> {
  const { identifier } = options;
  if (identifier === undefined) return rowsOf((await agentsOf(options)).agents, new Map());
  checkIdentifier(identifier);
  return withSources(options, async ({ agents, registry }) =>
    rowsOf(agents, await frozenOf(agents, registry, identifier)),
  );
}

/** @throws ErrandError `tool-unknown`, and as `listTools` */
export async function showTool(name: string, options: ToolsOptions = {}): Promise<ListedTool> {
  const all = await listTools(options);
  return needTool(name, all);
}

function needTool(name: string, all: readonly ListedTool[]): ListedTool {
  const found = all.find((tool) => tool.name === name);
  if (found !== undefined) return found;
  const names = all.map((tool) => tool.name);
  throw new ErrandError(
    "tool-unknown",
    `no agent names a tool ${JSON.stringify(name.slice(0, 100))}.${didYouMean(name.slice(0, 100), names)}`,
  );
}

/**
 * Of tools that the app's own code defines; with an identifier also of those that its MCP servers and gateways offer this user.
 * @throws ErrandError `config-…`, `agent-…`, and as `listTools`
 */
export async function lintTools(options: ToolsOptions = {}): Promise<readonly Finding[]> {
  const { identifier } = options;
  if (identifier === undefined) return lintOwn((await agentsOf(options)).agents);
  checkIdentifier(identifier);
  return withSources(options, async ({ agents, registry, scalekit: { manifest } }) => {
    const found = await frozenOf(agents, registry, identifier);
    const offered = new Map([...found.values()].flatMap(({ tools }) => tools).map((tool) => [tool.name, tool]));
    const own = lintOwn(agents);
    const known = new Set(own.map(({ tool }) => tool));
    const foreign = [...offered.values()].filter((tool) => isForeign(tool) && !known.has(tool.name));
    return [...own, ...foreign.flatMap((tool) => lintForeign(tool, agents, manifest))];
  });
}

/** Neither Scalekit's, which nobody here can change, nor of the app's own code. */
function isForeign({ source = SCALEKIT }: FrozenTool): boolean {
  return ![SCALEKIT, LOCAL, PROXY].includes(source);
}

function lintForeign(
  tool: FrozenTool,
  agents: readonly Agent[],
  manifest: ToolManifest | undefined,
): readonly Finding[] {
  const said = agents.some(({ tools }) => useOf(tools, tool)?.effect !== undefined);
  const { name, description, parameters } = tool;
  // Its server may have said it, and be trusted.
  const saysEffect = said || tool.effect !== "unsafe" || entryOf(manifest, name)?.reviewed === true;
  return lintTool({ name, description, parameters, saysEffect, hasOutput: true });
}

function lintOwn(agents: readonly Agent[]): readonly Finding[] {
  const uses = new Map(agents.flatMap(({ tools }) => tools).map((use) => [use.name, use]));
  return [...uses.values()].flatMap((use) => {
    if (isLocalTool(use))
      return use.variants.flatMap(({ variant }) => lintTool({ ...variant, hasOutput: variant.output !== undefined }));
    if (!isDescribed(use)) return [];
    // Of the others an output is part of the definition, and a source that says an effect is asked for it.
    return lintTool({ ...use, saysEffect: use.effect !== undefined, hasOutput: true });
  });
}

type Described = ToolUse & { readonly description: string; readonly parameters: JsonSchema };

function isDescribed(use: ToolUse): use is Described {
  return "description" in use && typeof use.description === "string" && "parameters" in use;
}

function rowsOf(agents: readonly Agent[], frozen: ReadonlyMap<Agent, Found>): ListedTool[] {
  const rows = new Map<string, ListedTool>();
  for (const agent of agents)
    for (const use of expand(agent, frozen.get(agent))) {
      const row = rowOf(use, agent, frozen.get(agent));
      const known = rows.get(use.name);
      rows.set(use.name, {
        ...row,
        agents: [...(known?.agents ?? []), agent.name],
        hidden: row.hidden && (known?.hidden ?? true),
        needsApproval: row.needsApproval || (known?.needsApproval ?? false),
      });
    }
  return [...rows.values()].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** What stands for all tools of a server is replaced by what that server offers, as far as anything is known of it. */
function expand({ tools: uses }: Agent, found: Found | undefined): readonly ToolUse[] {
  if (found === undefined) return uses;
  const whole = uses.filter(isAllOf);
  const extra = (name: string): boolean => uses.every((use) => use.name !== name);
  const source = [...new Set(whole.map((use) => sourceOf(use)))].join(" or ");
  return [
    ...uses.filter((use) => !isAllOf(use) || found.missing.some((name) => isSameName(use, name))),
    ...found.tools
      .filter(({ name }) => extra(name))
      .map((tool) => ({ ...useOf(uses, tool), name: tool.name, source: sourceOf(tool) })),
    ...found.changed.filter(extra).map((name) => ({ name, source })),
  ];
}

/** A use that stands for several says why they are missing: `mcp:docs:* (140 tools: …)`. */
function isSameName({ name }: ToolUse, missing: string): boolean {
  return missing === name || missing.startsWith(`${name} (`);
}

function rowOf(use: ToolUse, agent: Agent, found: Found | undefined): ListedTool {
  const tool = found?.tools.find(({ name }) => name === use.name);
  const local = isLocalTool(use) ? use.variants : [];
  const last = local.at(-1)?.variant;
  const said = last === undefined ? use.effect : last.composite && last.effect !== "read" ? "composite" : last.effect;
  const effect =
    tool === undefined ? said : tool.composite === true && tool.effect !== "read" ? "composite" : tool.effect;
  const described = tool ?? last ?? (isDescribed(use) ? use : undefined);
  const problem = found?.missing.some((name) => isSameName(use, name))
    ? "missing"
    : found?.changed.includes(use.name)
      ? "changed"
      : undefined;
  const connection =
    tool?.connection ?? ("connection" in use && typeof use.connection === "string" ? use.connection : "");
  return {
    name: use.name,
    source: sourceOf(use),
    agents: [],
    hidden: use.hidden === true,
    ...(effect !== undefined && { effect }),
    ...(connection !== "" && { connection }),
    versions: local
      .filter(({ variant }) => variant.version !== undefined || variant.deprecated !== undefined)
      .map(({ variant: { version, deprecated }, share, identifiers }) => ({
        ...(version !== undefined && { version }),
        ...(share !== undefined && { share }),
        ...(identifiers !== undefined && { identifiers }),
        ...(deprecated !== undefined && { deprecated }),
      })),
    ...(tool?.version !== undefined && { version: tool.version }),
    needsApproval: (use.needsApproval ?? agent.needsApproval) !== false,
    ...(described !== undefined && { description: described.description, parameters: described.parameters }),
    ...(problem !== undefined && { problem }),
  };
}

interface Found {
  readonly tools: readonly FrozenTool[];
  readonly missing: readonly string[];
  readonly changed: readonly string[];
}

/** @throws ErrandError `scalekit-auth`, `scalekit-unavailable`, `tools-unavailable` */
export async function frozenOf(
  agents: readonly Agent[],
  registry: Registry,
  identifier: string,
): Promise<ReadonlyMap<Agent, Found>> {
  const found = new Map<Agent, Found>();
  for (const agent of agents) {
    const listed = await registry.list({ identifier, connections: agent.connections, tools: agent.tools });
    if (!listed.ok) {
      const ours = listed.why === "credentials" ? "scalekit-auth" : "scalekit-unavailable";
      throw new ErrandError(listed.source === undefined ? ours : "tools-unavailable", listed.message);
    }
    found.set(agent, { ...listed, tools: freezeUses(listed.tools, agent.tools, agent.onUnknown) });
  }
  return found;
}

async function agentsOf(options: ToolsOptions): Promise<{ readonly agents: readonly Agent[] }> {
  const { agent, identifier: _all, ...where } = options;
  const { options: loaded } = await loadConfig(where);
  const all = registerAgents(loaded.agents, undefined);
  return { agents: agent === undefined ? all.all : [all.need(agent)] };
}

export interface Desk {
  readonly agents: readonly Agent[];
  readonly registry: Registry;
  readonly scalekit: Scalekit;
}

/** Everything that is opened is closed again. */
export async function withSources<T>(options: ToolsOptions, work: (desk: Desk) => Promise<T>): Promise<T> {
  const { agent, identifier: _user, ...where } = options;
  const { path, options: loaded } = await loadConfig({ ...where, needs: ["scalekit"] });
  const all = registerAgents(loaded.agents, undefined);
  const agents = agent === undefined ? all.all : [all.need(agent)];
  const manifest = loaded.manifest && checkManifest(loaded.manifest, `${path}: manifest`);
  const scalekit = openScalekit(required(loaded.scalekit, "scalekit"), manifest);
  const registry = openSources(all.all, scalekit);
  try {
    return await work({ agents, registry, scalekit });
  } finally {
    await registry.close();
    await scalekit.close();
  }
}
