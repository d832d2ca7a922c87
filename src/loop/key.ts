/** A call's key: the same for every attempt, whoever makes it. */
import type { Agent } from "../core/agent.ts";
import { type Json, type JsonObject, toJson } from "../core/json.ts";
import type { FrozenTool } from "../core/run.ts";
import { callKey, useOf } from "../core/tool-use.ts";
import type { LoopPorts } from "./loop.ts";

/** The arguments as they are sent: with our key, if the tool takes one. */
export function withKey(run: string, tool: FrozenTool, args: Json, call: string, agent: Agent, ports: LoopPorts): Json {
  const key = callKey(ports.hash, run, call, tool.name);
  if (tool.keyArgument !== undefined) return { ...(args as JsonObject), [tool.keyArgument]: key };
  const use = useOf(agent.tools, tool);
  return typeof use?.key === "function" ? toJson(use.key(args, key)) : args;
}
