/** The agents of an app, by name, and the checks that need more than one of them or the world's lists of names. */
import type { Agent } from "./agent.ts";
import { ErrandError } from "./errors.ts";
import { modelsOf } from "./agent-models.ts";
import type { ModelName } from "./messages.ts";
import { didYouMean } from "./nearest.ts";
import { clashingNames, missingNames, type ToldNames } from "./told-names.ts";
import { SCALEKIT, sourceOf } from "./tool-use.ts";

export interface Agents {
  readonly all: readonly Agent[];
  find(name: string): Agent | undefined;
  /** @throws ErrandError `agent-unknown`, with close names */
  need(agent: Agent | string): Agent;
}

/** @throws ErrandError `agent-invalid` for two agents of one name, `config-invalid` for a profile that no model has */
export function registerAgents(all: readonly Agent[], profiles: readonly string[] | undefined): Agents {
  const byName = new Map<string, Agent>();
  for (const agent of all) {
    if (byName.has(agent.name))
      throw new ErrandError(
        "agent-invalid",
        `createErrand: two agents are called "${agent.name}". Runs refer to an agent by its name: rename one.`,
      );
    const unknown = profiles && modelsOf(agent).find(({ profile }) => !profiles.includes(profile));
    if (unknown !== undefined) throw unknownProfile(agent, unknown, profiles);
    byName.set(agent.name, agent);
  }
  checkOneSource(all);
  const names = [...byName.keys()];
  return {
    all: [...byName.values()],
    find: (name) => byName.get(name),
    need: (agent) => {
      const name = typeof agent === "string" ? agent : agent.name;
      const known = byName.get(name);
      if (known !== undefined) return known;
      const told = names.length === 0 ? "createErrand({ agents }) lists none." : `Known: ${names.join(", ")}.`;
      throw new ErrandError(
        "agent-unknown",
        `There is no agent "${name}".${didYouMean(name, names)} ${told} Add it to createErrand({ agents }).`,
      );
    },
  };
}

/** One name, one source in the whole app: reviews, approvals and nested calls tell tools apart by their names alone. @throws ErrandError `agent-invalid` */
export function checkOneSource(all: readonly Agent[]): void {
  const first = new Map<string, { readonly agent: string; readonly source: string }>();
  for (const { name: agent, tools } of all)
    for (const tool of tools) {
      const [source, other] = [sourceOf(tool), first.get(tool.name)];
      if (other === undefined) first.set(tool.name, { agent, source });
      else if (other.source !== source)
        throw new ErrandError(
          "agent-invalid",
          `createErrand: agent "${other.agent}" takes the tool "${tool.name}" from ${other.source}, agent "${agent}" from ${source}. One name is one tool: rename one of them.`,
        );
    }
}

function unknownProfile(agent: Agent, { profile, model }: ModelName, profiles: readonly string[] = []): ErrandError {
  const told = profiles.length === 0 ? "none is configured" : `configured: ${profiles.join(", ")}`;
  return new ErrandError(
    "config-invalid",
    `agent "${agent.name}": model "${profile}/${model}": there is no profile "${profile}" in createErrand({ models }) (${told}).${didYouMean(profile, profiles)}`,
  );
}

/** What Scalekit's lists know, for the check at boot. */
export interface KnownNames {
  readonly connections: readonly string[];
  readonly tools: readonly string[];
}

/**
 * All wrong names of all agents in one message.
 * @param known nothing when Scalekit could not be asked @param told what the other sources of tools said
 * @throws ErrandError `connection-unknown`, `tool-unknown`; `agent-invalid` for a name that two sources offer to one agent
 */
export function checkNames(
  agents: readonly Agent[],
  known: KnownNames | undefined,
  told: readonly ToldNames[] = [],
): void {
  const connections = known === undefined ? [] : wrong(agents, (agent) => agent.connections, known.connections);
  if (connections.length > 0)
    throw new ErrandError(
      "connection-unknown",
      `Scalekit has no such connection in this environment: ${connections.join("; ")}. Names must equal the dashboard's exactly and differ per environment.`,
    );
  const tools = known === undefined ? [] : wrong(agents, scalekitTools, known.tools);
  const problems = [
    ...(tools.length > 0 ? [`Scalekit has no such tool in this environment: ${tools.join("; ")}.`] : []),
    ...told.flatMap(missingNames),
  ];
  if (problems.length > 0) throw new ErrandError("tool-unknown", problems.join(" "));
  const clashing = clashingNames(agents, told);
  if (clashing.length > 0)
    throw new ErrandError(
      "agent-invalid",
      `Two sources of tools offer one name, and a run could not tell them apart: ${clashing.join("; ")}. Name the tools that the agent needs one by one instead of all(), or give an MCP server a \`prefix\`.`,
    );
}

/** Names of the agent's tools that are Scalekit's own. */
export function scalekitTools({ tools }: Agent): string[] {
  return tools.filter((tool) => sourceOf(tool) === SCALEKIT).map(({ name }) => name);
}

function wrong(
  agents: readonly Agent[],
  namesOf: (agent: Agent) => readonly string[],
  known: readonly string[],
): string[] {
  const set = new Set(known);
  return agents.flatMap((agent) =>
    namesOf(agent)
      .filter((name) => !set.has(name))
      .map((name) => `agent "${agent.name}" names "${name}".${didYouMean(name, known)}`),
  );
}
