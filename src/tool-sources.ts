/** Which sources of tools an app has: Scalekit's, and those that its agents' definitions name. */
import type { Agent } from "./core/agent.ts";
import { ErrandError } from "./core/errors.ts";
import { SCALEKIT, sourceOf, type ToolUse } from "./core/tool-use.ts";
import { clock, type Scalekit } from "./parts.ts";
import type { ToolSource } from "./ports/toolbox.ts";
import { createProxySource, isProxyTool } from "./scalekit/proxy.ts";
import { createChecker } from "./tools/check.ts";
import { openKruxos } from "./tools/kruxos/kruxos.ts";
import { openLocal } from "./tools/local/source.ts";
import { openMcp } from "./tools/mcp/mcp.ts";
import { createRegistry, type Registry } from "./tools/registry.ts";

/** Opens the sources that these uses name; nothing is connected yet. One entry for each kind of tool. */
type Opener = (uses: readonly ToolUse[], scalekit: Opened) => readonly ToolSource[];

type Opened = Pick<Scalekit, "request" | "manifest">;

const OPENERS: readonly Opener[] = [
  (uses) => openLocal(uses, createChecker()),
  (uses, scalekit) => {
    const tools = uses.filter(isProxyTool);
    return tools.length === 0 ? [] : [createProxySource(scalekit, { tools, check: createChecker() })];
  },
  (uses, { manifest }) => openMcp(uses, { manifest, check: createChecker() }, clock),
  (uses, { manifest }) => openKruxos(uses, { manifest, check: createChecker() }, clock),
];

/** @throws ErrandError `agent-invalid` for a tool of a source that nothing opens */
export function openSources(agents: readonly Agent[], scalekit: Opened & Pick<Scalekit, "toolbox">): Registry {
  const sources = [{ ...scalekit.toolbox, name: SCALEKIT }, ...openOthers(agents, scalekit)];
  const names = sources.map(({ name }) => name);
  for (const agent of agents)
    for (const tool of agent.tools)
      if (!names.includes(sourceOf(tool)))
        throw new ErrandError(
          "agent-invalid",
          `agent "${agent.name}": tool "${tool.name}": there is no source of tools called "${sourceOf(tool)}". Make the definition with tool() or its like, or leave \`source\` out for a tool of Scalekit's.`,
        );
  return createRegistry(sources);
}

/** All but Scalekit's. @throws ErrandError `agent-invalid`, `config-invalid`, `option-invalid` for definitions that cannot go together */
export function openOthers(agents: readonly Agent[], scalekit: Opened): readonly ToolSource[] {
  const uses = agents.flatMap(({ tools }) => tools);
  return OPENERS.flatMap((open) => open(uses, scalekit));
}
