/** The review of the agents' tools, from the definitions that Scalekit tells: for `errand tools classify`, and when a worker starts. */
import type { Agent } from "./core/agent.ts";
import { scalekitTools } from "./core/agents.ts";
import { MANIFEST_FILE, entryOf, type ToolManifest } from "./core/manifest.ts";
import { type Review, review, type SeenDefinition } from "./core/review.ts";
import type { Outage } from "./ports/accounts.ts";
import type { Log } from "./ports/log.ts";
import type { Catalogue } from "./scalekit/catalogue.ts";
import { shippedReview } from "./scalekit/manifest.ts";

export interface ReviewParts {
  readonly catalogue: Catalogue;
  readonly manifest: ToolManifest | undefined;
}

export interface ReviewOf {
  /** Whose tools. */
  readonly agents: readonly Agent[];
  /** All agents of the app. */
  readonly all: readonly Agent[];
  /** The definitions that this user's accounts offer; default: those of the environment. */
  readonly identifier?: string | undefined;
}

/** Never throws. */
export async function reviewTools(
  { catalogue, manifest }: ReviewParts,
  { agents, all, identifier }: ReviewOf,
): Promise<{ readonly ok: true; readonly review: Review } | Outage> {
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
  const seen = (agent: Agent, name: string): SeenDefinition | undefined => {
    const all = (byAgent.get(agent) ?? []).filter((definition) => definition.name === name);
    // Of several, what was reviewed: another one is found where it is used.
    return all.find(({ hash }) => hash === entryOf(manifest, name)?.hash) ?? all[0];
  };
  return { ok: true, review: review(agents, all, { manifest, shipped: shippedReview, seen }) };
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
