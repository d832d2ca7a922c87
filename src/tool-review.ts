/** The review of the agents' tools, from the definitions that Scalekit and other servers tell: for `errand tools classify`, and when a worker starts. */
import type { Agent } from "./core/agent.ts";
import { scalekitTools } from "./core/agents.ts";
import { MANIFEST_FILE, entryOf, type ToolManifest } from "./core/manifest.ts";
import { type Review, review, type ReviewedUse, type SeenDefinition } from "./core/review.ts";
import { SCALEKIT, sourceOf, isAllOf } from "./core/tool-use.ts";
import type { Outage } from "./ports/accounts.ts";
import type { Log } from "./ports/log.ts";
import type { ToolSource } from "./ports/toolbox.ts";
import type { Catalogue } from "./scalekit/catalogue.ts";
import { shippedReview } from "./scalekit/manifest.ts";

export interface ReviewParts {
  readonly catalogue: Catalogue;
  readonly manifest: ToolManifest | undefined;
  /** Those whose tools somebody else defines are asked as well; default none. */
  readonly sources?: readonly ToolSource[];
}

/** A source of tools that could not be asked, and which tools nobody has looked at for that. */
export interface UnaskedSource {
  readonly source: string;
  readonly tools: readonly string[];
  readonly why: "unavailable" | "credentials" | "no-user";
  readonly message: string;
}

export interface ReviewOf {
  /** Whose tools. */
  readonly agents: readonly Agent[];
  /** All agents of the app. */
  readonly all: readonly Agent[];
  /** The definitions that this user's accounts offer; default: those of the environment. */
  readonly identifier?: string | undefined;
}

export type Reviewed =
  | { readonly ok: true; readonly review: Review; readonly unasked: readonly UnaskedSource[] }
  | Outage;

/** Never throws. An outage is Scalekit's; another source that cannot be asked is told beside what the others said. */
export async function reviewTools(
  { catalogue, manifest, sources = [] }: ReviewParts,
  { agents, all, identifier }: ReviewOf,
): Promise<Reviewed> {
  const byAgent = new Map<Agent, readonly SeenDefinition[]>();
  if (identifier === undefined) {
    const found = await catalogue.all([...new Set(agents.flatMap(scalekitTools))]);
    if (!found.ok) return found;
    for (const agent of agents) byAgent.set(agent, found.definitions);
  } else {
    for (const agent of agents) {
      const found = await catalogue.of(identifier, agent.connections, scalekitTools(agent));
      if (!found.ok) return found;
      byAgent.set(agent, found.definitions);
    }
  }
  const served = await askServers(sources, agents, identifier);
  const seen = (agent: Agent, name: string): SeenDefinition | undefined => {
    const all = (byAgent.get(agent) ?? []).filter((definition) => definition.name === name);
    // Of several, what was reviewed: another one is found where it is used.
    return all.find(({ hash }) => hash === entryOf(manifest, name)?.hash) ?? all[0];
  };
  const uses = (agent: Agent): readonly ReviewedUse[] => [
    ...agent.tools
      .filter((use) => sourceOf(use) === SCALEKIT)
      .map(({ name, effect }) => ({ tool: name, source: SCALEKIT, declared: effect, seen: seen(agent, name) })),
    ...(served.uses.get(agent) ?? []),
  ];
  // What stands for tools of a server that was asked has been replaced by them.
  const asked = (agent: Agent, source: string): boolean =>
    agents.includes(agent) &&
    sources.some(({ name }) => name === source) &&
    served.unasked.every((one) => one.source !== source);
  const open = all.some((agent) => agent.tools.some((use) => isAllOf(use) && !asked(agent, sourceOf(use))));
  const told = review(agents, all, { manifest, shipped: shippedReview, uses, open });
  return { ok: true, review: told, unasked: served.unasked };
}

async function askServers(
  sources: readonly ToolSource[],
  agents: readonly Agent[],
  identifier: string | undefined,
): Promise<{
  readonly uses: ReadonlyMap<Agent, readonly ReviewedUse[]>;
  readonly unasked: readonly UnaskedSource[];
}> {
  const uses = new Map<Agent, readonly ReviewedUse[]>();
  const unasked = new Map<string, UnaskedSource>();
  for (const agent of agents)
    for (const source of sources) {
      const tools = agent.tools.filter((use) => sourceOf(use) === source.name);
      if (source.offers === undefined || tools.length === 0) continue;
      const found = await source.offers({ identifier, tools });
      if (found.ok) uses.set(agent, [...(uses.get(agent) ?? []), ...found.uses]);
      else {
        const { why, message } = found;
        const names = new Set([...(unasked.get(source.name)?.tools ?? []), ...tools.map(({ name }) => name)]);
        unasked.set(source.name, { source: source.name, tools: [...names], why, message });
      }
    }
  return { uses, unasked: [...unasked.values()] };
}

/** A tool that nobody reviewed works, as `unsafe`; one that has changed parks the runs that need it. Both want a person. */
export async function tellReview(all: readonly Agent[], parts: ReviewParts, log: Log): Promise<void> {
  const found = await reviewTools(parts, { agents: all, all });
  if (!found.ok) {
    log.warn("boot.tools-unchecked", { why: found.message });
    return;
  }
  const { tools, unused } = found.review;
  const names = (some: Review["tools"]): string => [...new Set(some.map(({ tool }) => tool))].join(", ");
  const todo = "errand tools classify";
  const changed = tools.filter(({ definition }) => definition === "changed");
  const unreviewed = tools.filter(({ open, effect }) => open && effect !== undefined);
  if (changed.length > 0) log.error("boot.tools-changed", { tools: names(changed), todo });
  if (unreviewed.length > 0) log.warn("boot.tools-unreviewed", { tools: names(unreviewed), effect: "unsafe", todo });
  if (unused.length > 0) log.warn("boot.tools-unused", { tools: unused.join(", "), file: MANIFEST_FILE });
}
