/** Node, the config file and its agents. */
import { modelsOf } from "../agent-models.ts";
import { scalekitTools } from "../agents.ts";
import type { Agent } from "../agent.ts";
import { didYouMean } from "../nearest.ts";
import { type Check, checker, isAtLeast } from "./check.ts";

export interface SetUpFacts {
  /** Such as `20.19.0`. */
  readonly node: string;
  readonly bullmq: string;
  /** Where the config file is; undefined: there is none. */
  readonly path?: string;
  /** Why the file or the environment could not be taken as it is, each in words of its own. */
  readonly problems: readonly string[];
  readonly agents: readonly Agent[];
  /** Names of the model profiles; undefined: none are configured. */
  readonly profiles?: readonly string[];
}

const { ok, warning, failed, skipped } = checker("set-up");

export function checkSetUp(facts: SetUpFacts): Check[] {
  return [checkNode(facts), checkBullmq(facts), ...checkConfig(facts), ...checkAgents(facts)];
}

function checkNode({ node }: SetUpFacts): Check {
  if (!isAtLeast(node, "20.19"))
    return failed("Node", node, "Install Node 22 or newer; 20.19 is the oldest that works.");
  return isAtLeast(node, "22") ? ok("Node", node) : warning("Node", node, "It works; move to Node 22 or newer.");
}

/** Older ones stop working without a word after an outage of Redis (taskforcesh/bullmq 4585). */
function checkBullmq({ bullmq }: SetUpFacts): Check {
  return isAtLeast(bullmq, "6.3.3")
    ? ok("BullMQ", bullmq)
    : failed(
        "BullMQ",
        bullmq,
        "Update bullmq to 6.3.3 or newer: older ones stand still for ever after an outage of Redis.",
      );
}

function checkConfig({ path, problems }: SetUpFacts): Check[] {
  if (problems.length > 0)
    return problems.map((problem) => failed("config", problem, "Correct it; the rest is checked without it."));
  if (path !== undefined) return [ok("config", path)];
  return [
    skipped(
      "config",
      "no errand.config.ts",
      "Run this where your errand.config.ts is, or name it with --config, to have its agents checked.",
    ),
  ];
}

function checkAgents({ agents, profiles }: SetUpFacts): Check[] {
  const namesakes = (name: string): Agent[] => agents.filter((agent) => agent.name === name);
  const told = agents.filter((agent) => namesakes(agent.name)[0] === agent);
  return [...new Set(told)].map((agent) => {
    const name = `agent ${agent.name}`;
    const model = `${agent.profile}/${agent.model}`;
    if (namesakes(agent.name).length > 1)
      return failed(name, "two agents have this name", "Rename one: runs refer to an agent by its name.");
    if (scalekitTools(agent).length > 0 && agent.connections.length === 0)
      return failed(
        name,
        "has tools and no connections",
        "Name the connections in its `connections`: a tool acts on one of the user's accounts.",
      );
    if (profiles === undefined)
      return failed(
        name,
        `${model}: no models are configured`,
        "Set OPENAI_API_KEY (and OPENAI_BASE_URL for a gateway), or give `models`: workers need them.",
      );
    const models = modelsOf(agent);
    const unknown = models.find(({ profile }) => !profiles.includes(profile));
    if (unknown !== undefined)
      return failed(
        name,
        `${unknown.profile}/${unknown.model}: there is no model profile "${unknown.profile}"`,
        `Name one of ${profiles.join(", ")}, or add it to \`models\`.${didYouMean(unknown.profile, profiles)}`,
      );
    return ok(
      name,
      `${models.map((one) => `${one.profile}/${one.model}`).join(", ")}, queue ${agent.queue}, ${agent.tools.length} tools of ${agent.connections.join(", ") || "no connection"}`,
    );
  });
}
