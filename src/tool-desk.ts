/** `errand tools list | show | lint`: the tools that the agents name, as their code and their sources tell of them. */
import { loadConfig, type LoadOptions } from "./config-file.ts";
import type { Agent } from "./core/agent.ts";
import { registerAgents } from "./core/agents.ts";
import { ErrandError } from "./core/errors.ts";
import { checkIdentifier } from "./core/identifier.ts";
import { type Finding, lintTool } from "./core/lint.ts";
import { checkManifest } from "./core/manifest.ts";
import { didYouMean } from "./core/nearest.ts";
import type { Effect } from "./core/effects.ts";
import type { FrozenTool } from "./core/run.ts";
import type { JsonSchema } from "./core/schema.ts";
import { freezeUses, sourceOf, type ToolUse } from "./core/tool-use.ts";
import { required } from "./options.ts";
import { openScalekit, type Scalekit } from "./parts.ts";
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

/** @throws ErrandError `config-…`, `agent-…`, `identifier-invalid`, `scalekit-auth`, `scalekit-unavailable` */
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

/** Of tools that the app's own code defines. @throws ErrandError `config-…`, `agent-…` */
export async function lintTools(options: Omit<ToolsOptions, "identifier"> = {}): Promise<readonly Finding[]> {
  const { agents } = await agentsOf(options);
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
    for (const use of agent.tools) {
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

function rowOf(use: ToolUse, agent: Agent, found: Found | undefined): ListedTool {
  const tool = found?.tools.find(({ name }) => name === use.name);
  const local = isLocalTool(use) ? use.variants : [];
  const last = local.at(-1)?.variant;
  const said = last === undefined ? use.effect : last.composite && last.effect !== "read" ? "composite" : last.effect;
  const effect =
    tool === undefined ? said : tool.composite === true && tool.effect !== "read" ? "composite" : tool.effect;
  const described = tool ?? last ?? (isDescribed(use) ? use : undefined);
  const problem = found?.missing.includes(use.name)
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

/** @throws ErrandError `scalekit-auth`, `scalekit-unavailable` */
export async function frozenOf(
  agents: readonly Agent[],
  registry: Registry,
  identifier: string,
): Promise<ReadonlyMap<Agent, Found>> {
  const found = new Map<Agent, Found>();
  for (const agent of agents) {
    const listed = await registry.list({ identifier, connections: agent.connections, tools: agent.tools });
    if (!listed.ok)
      throw new ErrandError(listed.why === "credentials" ? "scalekit-auth" : "scalekit-unavailable", listed.message);
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
