/**
 * The one registry: several sources of tools behind the port `Toolbox`. Each use, check and call goes to the source that it names.
 *
 * R1 A source is asked only for what names it, and a call goes only to the source that froze its tool.
 * R2 A name that two sources offer is refused, before a token is spent: nothing else tells tools apart.
 * R3 A source that is not there executes nothing: the call waits until a worker with that source is deployed.
 */
import { SCALEKIT, sourceOf, type ToolUse } from "../core/tool-use.ts";
import type { Outage } from "../ports/accounts.ts";
import type { FrozenTool } from "../core/run.ts";
import type { Listed, Toolbox, ToolQuery, ToolSource } from "../ports/toolbox.ts";

export interface Registry extends Toolbox {
  readonly sources: readonly ToolSource[];
  /** Closes all sources. Safe to call twice. */
  close(): Promise<void>;
}

/** @throws Error when two sources have one name: a mistake of ours, not of the app's */
export function createRegistry(sources: readonly ToolSource[]): Registry {
  const byName = new Map(sources.map((source) => [source.name, source]));
  if (byName.size < sources.length)
    throw new Error(`two sources of tools have one name: ${sources.map(({ name }) => name).join(", ")}`);
  let closing: Promise<void> | undefined;
  return {
    sources,
    list: (query) => list(byName, query),
    check: (tool, args) =>
      byName.get(sourceOf(tool))?.check(tool, args) ?? [`this tool cannot be used: ${absent(sourceOf(tool))}`],
    send: async (call, options) =>
      (await byName.get(sourceOf(call))?.send(call, options)) ?? {
        kind: "not-executed",
        why: "version",
        message: absent(sourceOf(call)),
      },
    async names() {
      const told = await Promise.all(sources.map((source) => source.names()));
      const outage = told.find((names) => !names.ok);
      if (outage !== undefined) return outage;
      return { ok: true, names: [...new Set(told.flatMap((names) => (names.ok ? names.names : [])))] };
    },
    close: () => (closing ??= Promise.all(sources.map(async (source) => source.close?.())).then(() => undefined)),
  };
}

function absent(source: string): string {
  return `this worker knows no source of tools called "${source}"; the run began with one`;
}

interface Answer {
  readonly listed: Extract<Listed, { ok: true }>;
}

async function list(byName: ReadonlyMap<string, ToolSource>, query: ToolQuery): Promise<Listed> {
  const groups = new Map<string, ToolUse[]>();
  for (const use of query.tools) {
    const source = sourceOf(use);
    groups.set(source, [...(groups.get(source) ?? []), use]);
  }
  const asked = await Promise.all([...groups].map(([source, uses]) => ask(byName.get(source), source, uses, query)));
  const outages = asked.flatMap((answer) => ("listed" in answer ? [] : [answer]));
  // Our own wrong credentials first: waiting does not help them.
  const outage = outages.find(({ why }) => why === "credentials") ?? outages[0];
  if (outage !== undefined) return outage;
  return merge(
    asked.filter((answer) => "listed" in answer),
    query.tools,
  );
}

async function ask(
  source: ToolSource | undefined,
  name: string,
  uses: readonly ToolUse[],
  query: ToolQuery,
): Promise<Answer | Outage> {
  if (source === undefined) {
    const listed = { ok: true, tools: [], missing: uses.map((use) => use.name), known: [], changed: [] } as const;
    return { listed };
  }
  const listed = await source.list({ ...query, tools: uses });
  if (!listed.ok) return name === SCALEKIT ? listed : { ...listed, source: name };
  const own = (tool: FrozenTool): FrozenTool => (name === SCALEKIT ? tool : { ...tool, source: name });
  return { listed: { ...listed, tools: listed.tools.map(own) } };
}

/** In the order in which the agent names them; what stands for several tools, where it is named. */
function merge(answers: readonly Answer[], uses: readonly ToolUse[]): Listed {
  const all = answers.flatMap(({ listed }) => listed.tools);
  const place = ({ name, source }: FrozenTool): number => {
    const at = uses.findIndex((use) => use.name === name);
    return at >= 0 ? at : uses.findIndex((use) => sourceOf(use) === sourceOf({ source }));
  };
  const sourcesOf = (name: string): string[] => all.filter((tool) => tool.name === name).map((tool) => sourceOf(tool));
  const clashing = [...new Set(all.map(({ name }) => name))].filter((name) => sourcesOf(name).length > 1);
  return {
    ok: true,
    tools: all.toSorted((a, b) => place(a) - place(b)),
    missing: answers.flatMap(({ listed }) => listed.missing),
    known: answers.flatMap(({ listed }) => listed.known),
    changed: answers.flatMap(({ listed }) => listed.changed),
    ...(clashing.length > 0 && { clashing: clashing.map((name) => `${name} (${sourcesOf(name).join(", ")})`) }),
  };
}
