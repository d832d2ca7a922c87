/** The agents of the simulated world: small limits, so that each of them is met often, and one tool of every effect. */
import { agent, type Agent } from "../../src/core/agent.ts";
import { EFFECTS, type Effect } from "../../src/core/effects.ts";
import type { FrozenTool } from "../../src/core/run.ts";
import type { Schema } from "../../src/core/schema.ts";

const anything: Schema = {
  "~standard": {
    version: 1,
    vendor: "simulation",
    validate: (value) => ({ value }),
    jsonSchema: { input: () => ({}), output: () => ({}) },
  },
};

const EFFECT_OF: Readonly<Record<string, Effect>> = {
  find: "read",
  label: "idempotent",
  pay: "keyed",
  draft: "staged",
  send: "unsafe",
};

export const TOOLS: readonly FrozenTool[] = Object.entries(EFFECT_OF).map(([name, effect]) => ({
  name,
  effect,
  description: effect,
  parameters: { type: "object" },
  connection: name === "find" ? "chat" : "mail",
  hash: name,
}));

export const LIMITS = {
  turns: 4,
  toolCalls: 7,
  callsPerTurn: 3,
  parallel: 2,
  attempts: 3,
  crashes: 4,
  modelTimeoutMs: 25_000,
  toolTimeoutMs: 4_000,
} as const;

export const EXPIRES_AFTER_MS = 400_000;

function make(name: string, connections: readonly string[]): Agent {
  return agent({
    name,
    model: "p/m",
    instructions: "",
    prompt: () => "go",
    connections,
    tools: TOOLS.map((tool) => tool.name),
    input: anything,
    limits: LIMITS,
    expiresAfterMs: EXPIRES_AFTER_MS,
  });
}

const BY_NAME: ReadonlyMap<string, Agent> = new Map(
  [make("both", ["mail", "chat"]), make("mailer", ["mail"])].map((it) => [it.name, it]),
);

export const AGENTS: readonly [string, string] = ["both", "mailer"];

export function agentOf(name: string): Agent | undefined {
  return BY_NAME.get(name);
}

export function effectOf(tool: string): Effect {
  return EFFECT_OF[tool] ?? EFFECTS[EFFECTS.length - 1] ?? "unsafe";
}
