/** What sources of tools say of the names that agents take from them: which are not there, and which of them are two tools. Pure. */
import type { Agent } from "./agent.ts";
import { didYouMean } from "./nearest.ts";
import { sourceOf, type ToolUse } from "./tool-use.ts";

/** One source's word on one agent's names. */
export interface ToldNames {
  readonly agent: string;
  readonly source: string;
  readonly told:
    | {
        readonly ok: true;
        /** What the agent's runs get from it; of what stands for all tools of a server, each. */
        readonly offered: readonly string[];
        readonly missing: readonly string[];
        /** All names of the source, for "did you mean". */
        readonly known: readonly string[];
      }
    | {
        readonly ok: false;
        /** `no-user`: it shows each user their own. `late`: it has not answered yet. */
        readonly why: "unavailable" | "credentials" | "no-user" | "late";
        readonly message: string;
      };
}

/** A sentence for each name that is not there. */
export function missingNames({ agent, source, told }: ToldNames): readonly string[] {
  if (!told.ok) return [];
  return told.missing.map((name) => {
    // What stands for all of a server's says why there is nothing.
    if (name.startsWith(`${source}:*`))
      return `agent "${agent}" takes all tools of ${source}, which offers ${name.slice(source.length + 4, -1) || "none"}.`;
    const hint = didYouMean(name, told.known);
    return `${source} offers no tool ${JSON.stringify(name)}, which agent "${agent}" names.${hint}`;
  });
}

/** `agent "x" gets "search" from mcp:a and mcp:b`, for each agent's names that more than one source offers. */
export function clashingNames(agents: readonly Agent[], told: readonly ToldNames[]): readonly string[] {
  return agents.flatMap(({ name: agent, tools }) => {
    const sources = new Map<string, Set<string>>();
    const note = (name: string, source: string): unknown =>
      sources.set(name, (sources.get(name) ?? new Set()).add(source));
    for (const use of tools) note(use.name, sourceOf(use));
    for (const { agent: whose, source, told: its } of told)
      if (whose === agent && its.ok) for (const name of its.offered) note(name, source);
    return clashes(sources).map(([name, from]) => `agent "${agent}" gets "${name}" from ${from.join(" and ")}`);
  });
}

/**
 * Names that different agents get from different sources. Their runs can tell them apart; reviews and the pins of errand.tools.json,
 * which go by the name alone, cannot.
 */
export function namesakes(agents: readonly Agent[], told: readonly ToldNames[]): readonly string[] {
  const sources = new Map<string, Set<string>>();
  const note = (name: string, source: string): unknown =>
    sources.set(name, (sources.get(name) ?? new Set()).add(source));
  for (const use of agents.flatMap(({ tools }): readonly ToolUse[] => tools)) note(use.name, sourceOf(use));
  for (const { source, told: its } of told) if (its.ok) for (const name of its.offered) note(name, source);
  return clashes(sources).map(([name, from]) => `${name} (${from.join(", ")})`);
}

function clashes(sources: ReadonlyMap<string, ReadonlySet<string>>): [name: string, from: string[]][] {
  return [...sources].flatMap(([name, from]) => (from.size > 1 ? [[name, [...from].toSorted()]] : []));
}
