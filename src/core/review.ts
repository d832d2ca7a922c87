/** The tools that an app's agents name, as a person reviews them: what is in force, what has changed, what is proposed. */
import type { Agent } from "./agent.ts";
import type { Effect } from "./effects.ts";
import { type DefinitionParts, entryOf, type ManifestEntry, type ToolManifest } from "./manifest.ts";
import { type Proposal, propose, type SeenTool } from "./proposal.ts";
import { ruleOn, type ShippedReview, type Source, type TrustHints } from "./ruling.ts";
import { freezeUses, SCALEKIT } from "./tool-use.ts";

/** A tool as the service describes it, with digests of its parts. */
export interface SeenDefinition extends SeenTool {
  readonly parts: DefinitionParts;
  /** What its server says of it. Counts only when the operator trusts that server. */
  readonly hints?: TrustHints;
}

/** A tool that somebody else defines, as an agent has it. */
export interface ReviewedUse {
  readonly tool: string;
  readonly source: string;
  /** What the agent's code says of it. */
  readonly declared?: Effect | undefined;
  /** The definition that an agent would be given; absent: there is no such tool. */
  readonly seen?: SeenDefinition | undefined;
}

/**
 * How a definition compares with the one that was reviewed. `new`: none was. `missing`: the service does not tell of such a tool.
 * A tool that the code alone speaks for is `new`: no definition is pinned.
 */
export type DefinitionState = "same" | "changed" | "new" | "missing";

export interface ReviewedTool {
  readonly tool: string;
  /** Who defines it: `scalekit`, `mcp:<server>`, `kruxos`. */
  readonly source: string;
  /** Agents for which this is so: their code may differ in what it says of a tool. */
  readonly agents: readonly string[];
  readonly definition: DefinitionState;
  /** In force. Absent: the tool is disabled, or is not there. */
  readonly effect?: Effect;
  readonly from?: Source;
  /** What was said, when the agent's code does not give what that needs (a key, a look): so `unsafe` is in force. */
  readonly said?: Effect;
  /** Somebody has to do something: read it, or correct its name. */
  readonly open: boolean;
  /** Of `changed`: which parts, when that is known. */
  readonly changed?: readonly (keyof DefinitionParts)[];
  readonly seen?: SeenDefinition;
  /** For a tool that is open. */
  readonly proposal?: Proposal;
}

export interface Review {
  readonly tools: readonly ReviewedTool[];
  /** Entries of the manifest for tools that no agent names. */
  readonly unused: readonly string[];
}

export interface ReviewSources {
  readonly manifest?: ToolManifest | undefined;
  readonly shipped: (tool: string) => ShippedReview | undefined;
  /** What an agent has: Scalekit's tools, and those of servers, one by one. Of the app's own its code is what a person reviews. */
  readonly uses: (agent: Agent) => readonly ReviewedUse[];
  /** Whether some uses stand for tools that nobody has named: then nobody can say which entries are not used. */
  readonly open: boolean;
}

/** @param agents those to look at. @param all all of the app, which may name what these do not */
export function review(agents: readonly Agent[], all: readonly Agent[], sources: ReviewSources): Review {
  const rows = new Map<string, ReviewedTool>();
  for (const agent of agents)
    for (const row of asFrozen(
      agent,
      sources.uses(agent).map((use) => reviewTool(use, sources)),
    )) {
      const key = JSON.stringify([row.tool, row.seen?.hash, row.effect, row.from, row.said]);
      rows.set(key, { ...row, agents: [...(rows.get(key)?.agents ?? []), agent.name] });
    }
  const named = all.flatMap((agent) => agent.tools.map(({ name }) => name));
  const used = new Set([...named, ...[...rows.values()].map(({ tool }) => tool)]);
  return {
    tools: [...rows.values()].toSorted((a, b) => (a.tool < b.tool ? -1 : a.tool > b.tool ? 1 : 0)),
    unused: sources.open ? [] : Object.keys(sources.manifest?.tools ?? {}).filter((name) => !used.has(name)),
  };
}

/** With the effects that a run of this agent would keep. */
function asFrozen(agent: Agent, rows: readonly ReviewedTool[]): ReviewedTool[] {
  const tools = rows.flatMap(({ seen, effect }) => (seen && effect ? [{ ...seen, effect, connection: "" }] : []));
  const kept = new Map(freezeUses(tools, agent.tools, agent.onUnknown).map(({ name, effect }) => [name, effect]));
  return rows.map((row) => {
    const effect = kept.get(row.tool);
    if (effect === undefined || row.effect === undefined || effect === row.effect) return row;
    return { ...row, effect, said: row.effect };
  });
}

function reviewTool(
  { tool, source, declared, seen }: ReviewedUse,
  { manifest, shipped: reviews }: ReviewSources,
): ReviewedTool {
  if (seen === undefined) return { tool, source, agents: [], definition: "missing", open: true };
  // Errand's review is of Scalekit's tools, whatever another server calls its own.
  const [entry, shipped] = [entryOf(manifest, tool), source === SCALEKIT ? reviews(tool) : undefined];
  const ruling = ruleOn({ hash: seen.hash, entry, declared, shipped, hints: seen.hints });
  if (ruling.is === "changed") {
    const changed = partsChanged(entry?.parts, seen.parts);
    const proposal = entry === undefined ? propose(seen) : beforeItChanged(entry);
    return { tool, source, agents: [], definition: "changed", open: true, seen, proposal, ...(changed && { changed }) };
  }
  const { effect, from } = ruling;
  const open = from === "unreviewed" || from === "nobody";
  const definition = entry !== undefined || from === "shipped" ? "same" : "new";
  const proposal = entry === undefined ? (ofAnother(shipped) ?? propose(seen)) : waiting(entry);
  return { tool, source, agents: [], definition, effect, from, open, seen, ...(open && { proposal }) };
}

function waiting({ effect }: ManifestEntry): Proposal {
  return { effect, reason: "stands in the manifest, and waits for its review" };
}

function beforeItChanged({ effect, reviewed }: ManifestEntry): Proposal {
  return { effect, reason: reviewed ? "reviewed so before it changed" : "stood in the manifest before it changed" };
}

function ofAnother(shipped: ShippedReview | undefined): Proposal | undefined {
  return shipped && { effect: shipped.effect, reason: "Errand's own review of another definition of it" };
}

function partsChanged(
  before: DefinitionParts | undefined,
  now: DefinitionParts,
): readonly (keyof DefinitionParts)[] | undefined {
  if (before === undefined) return undefined;
  const changed = (["description", "parameters"] as const).filter((part) => before[part] !== now[part]);
  return changed.length === 0 ? undefined : changed;
}

/**
 * The manifest with an entry to review for each tool that needs one. What a person has reviewed, or begun to review, stays as long as
 * the definition is the same; of a definition that changed the effect and the note stay, to be looked at once more.
 */
export function withProposals(
  manifest: ToolManifest | undefined,
  tools: readonly ReviewedTool[],
): { readonly manifest: ToolManifest; readonly written: readonly string[] } {
  const entries = new Map(Object.entries(manifest?.tools ?? {}));
  const written: string[] = [];
  for (const { tool, definition, from, seen, proposal } of tools) {
    if (seen === undefined || proposal === undefined || written.includes(tool)) continue;
    if (definition !== "changed" && from !== "nobody") continue;
    const note = entries.get(tool)?.note ?? `proposed: ${proposal.reason}`;
    entries.set(tool, { hash: seen.hash, effect: proposal.effect, reviewed: false, note, parts: seen.parts });
    written.push(tool);
  }
  const sorted = [...entries].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return { manifest: { version: 1, tools: Object.fromEntries(sorted) }, written };
}
