/** Mutants of how tools are used: definitions, keys and hashes with one rule left out (mutants.ts names them). */
import type { Agent } from "../../src/core/agent.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import type { FrozenTool } from "../../src/core/run.ts";
import type { ToolUse, Verify } from "../../src/core/tool-use.ts";
import { textIn } from "./provider.ts";
import type { World } from "./world.ts";

export type ToolMutant =
  | "ask-told"
  | "fail-told"
  | "key-per-attempt"
  | "key-window-ignored"
  | "look-guesses"
  | "look-skipped"
  | "repeat-allowed"
  | "settle-ignored"
  | "unknown-retried";

/** As the provider lists them. */
export function mutatedTools({ mutants }: World, tools: readonly FrozenTool[]): readonly FrozenTool[] {
  if (mutants.size === 0) return tools;
  return tools.map((tool) => {
    const retried = mutants.has("unknown-retried") && tool.effect === "unsafe";
    const unlooked = mutants.has("look-skipped") && (tool.effect === "staged" || tool.effect === "verifiable");
    return retried || unlooked ? { ...tool, effect: "idempotent" } : tool;
  });
}

export function mutatedAgent({ mutants }: World, agent: Agent): Agent {
  if (mutants.size === 0) return agent;
  const tools = agent.tools.map((use): ToolUse => {
    if (mutants.has("fail-told") && use.onUnknown === "fail") return { ...use, onUnknown: "tell" };
    if (mutants.has("key-window-ignored") && use.key !== undefined) return { ...use, keyWindowMs: 1e9 };
    if (use.verify === undefined) return use;
    if (mutants.has("settle-ignored")) return { ...use, verify: { ...use.verify, settleMs: 0 } };
    if (mutants.has("look-guesses")) return { ...use, verify: guessing(use.verify) };
    return use;
  });
  return { ...agent, tools, onUnknown: mutants.has("ask-told") ? "tell" : agent.onUnknown };
}

function guessing(verify: Verify): Verify {
  return { ...verify, happened: (answer, doubt) => verify.happened(answer, doubt) ?? false };
}

/** As they reach the provider. */
export function mutatedArgs({ mutants }: World, args: Json, intent: string): Json {
  const key = mutants.has("key-per-attempt") ? textIn(args, "key") : undefined;
  return key === undefined ? args : { ...(args as JsonObject), key: `${key} ${intent}` };
}

/** No two arguments are equal any more. */
export function mutatedHash(world: World): (text: string) => string {
  if (!world.mutants.has("repeat-allowed")) return (text) => text;
  return (text) => (text.startsWith("{") ? `${text} ${world.nonce()}` : text);
}
