/** `errand tools run`: one call of one tool, for one user, without a run, a model or a journal. */
import { randomUUID } from "node:crypto";
import type { Agent } from "./core/agent.ts";
import { ErrandError } from "./core/errors.ts";
import { checkIdentifier } from "./core/identifier.ts";
import { isObject, type Json, toJson } from "./core/json.ts";
import { didYouMean } from "./core/nearest.ts";
import type { Outcome } from "./core/outcome.ts";
import type { FrozenTool } from "./core/run.ts";
import { isAllOf, useOf } from "./core/tool-use.ts";
import type { SubAnswer, ToolHost, ToolSend } from "./ports/toolbox.ts";
import { type Desk, frozenOf, type ToolsOptions, withSources } from "./tool-desk.ts";

export interface RunToolOptions extends Omit<ToolsOptions, "identifier"> {
  readonly identifier: string;
  /** Its arguments; default `{}`. */
  readonly input?: unknown;
  /** Also a tool that may change something. Default false: only what reads is called. */
  readonly mayChange?: boolean;
  /** ms; default the tool's own, or 60,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The user's private data. Never log it. */
export type ToolRun =
  | { readonly outcome: "ok"; readonly data: Json; readonly tookMs: number }
  | {
      readonly outcome: Exclude<Outcome["kind"], "ok">;
      /** A word for it: the error's type, or why it was not executed. */
      readonly why?: string;
      readonly message: string;
      readonly tookMs: number;
    };

/**
 * Calls of its own, of a tool of the app's own, are made as well, at once and without a journal; what needs approval in a run does
 * not here: whoever calls it approves it.
 * @throws ErrandError `tool-unknown`, `input-invalid`, `option-invalid` for a tool that may change something, and as `listTools`
 */
export async function runTool(name: string, options: RunToolOptions): Promise<ToolRun> {
  const {
    identifier,
    input = {},
    mayChange = false,
    signal = new AbortController().signal,
    timeoutMs,
    ...where
  } = options;
  checkIdentifier(identifier);
  return withSources({ ...where, identifier }, async (desk) => {
    const { agent, tools } = await agentWith(name, desk, identifier);
    const tool = needTool(name, tools);
    const args = toJson(input);
    const problems = desk.registry.check(tool, args);
    if (problems.length > 0) throw new ErrandError("input-invalid", `${name}: ${problems.slice(0, 10).join("; ")}`);
    if (tool.effect !== "read" && !mayChange)
      throw new ErrandError(
        "option-invalid",
        `${name} is ${tool.composite === true ? "composite" : tool.effect}: it may change something. Say so if that is meant (--yes).`,
      );
    const started = performance.now();
    const outcome = await send(desk, agent, tools, { tool, args, identifier, timeoutMs, signal });
    return told(outcome, Math.round(performance.now() - started));
  });
}

async function agentWith(
  name: string,
  { agents, registry }: Desk,
  identifier: string,
): Promise<{ readonly agent: Agent; readonly tools: readonly FrozenTool[] }> {
  const agent = agents.find(({ tools }) => tools.some((use) => use.name === name));
  if (agent === undefined) {
    // It may be one of all that a server offers.
    for (const [one, { tools }] of await frozenOf(
      agents.filter(({ tools }) => tools.some(isAllOf)),
      registry,
      identifier,
    ))
      if (tools.some((tool) => tool.name === name)) return { agent: one, tools };
    const names = agents.flatMap(({ tools }) => tools.map((use) => use.name));
    throw new ErrandError(
      "tool-unknown",
      `no agent names a tool ${JSON.stringify(name.slice(0, 100))}.${didYouMean(name.slice(0, 100), names)}`,
    );
  }
  const found = await frozenOf([agent], registry, identifier).catch((error: unknown) => {
    if (!(error instanceof ErrandError) || !/^(tools|scalekit)-unavailable$/.test(error.code)) throw error;
    // A server that is away is no reason not to call another's tool.
    return frozenOf([withOnly(agent, name)], registry, identifier);
  });
  return { agent, tools: [...found.values()].flatMap(({ tools }) => tools) };
}

/** With this tool, and those that it says it calls or is looked after by. */
function withOnly(agent: Agent, name: string): Agent {
  const needed = new Set([name]);
  for (const one of needed)
    for (const { name: used, uses = [], verify } of agent.tools) {
      if (used !== one) continue;
      for (const use of uses) needed.add(typeof use === "string" ? use : use.name);
      if (verify !== undefined) needed.add(verify.tool);
    }
  return { ...agent, tools: agent.tools.filter((use) => needed.has(use.name)) };
}

function needTool(name: string, tools: readonly FrozenTool[]): FrozenTool {
  const tool = tools.find((one) => one.name === name);
  if (tool !== undefined) return tool;
  throw new ErrandError(
    "tool-unknown",
    `this user's accounts do not offer ${name}, or not as it was reviewed: errand tools show ${name} --identifier …`,
  );
}

interface Send {
  readonly tool: FrozenTool;
  readonly args: Json;
  readonly identifier: string;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal;
}

async function send(
  { registry, scalekit }: Desk,
  agent: Agent,
  tools: readonly FrozenTool[],
  { tool, args, identifier, timeoutMs, signal }: Send,
): Promise<Outcome> {
  const run = `cli_${randomUUID()}`;
  let number = 0;
  const make = (made: FrozenTool, given: Json): Promise<Outcome> => {
    const { name, connection, source, version } = made;
    const key = randomUUID();
    const call: ToolSend = {
      run,
      call: `c${number++}`,
      tool: name,
      args: keyed(made, agent, given, key),
      connection,
      identifier,
      key,
      startedAt: Date.now(),
      ...(source !== undefined && { source }),
      ...(version !== undefined && { version }),
    };
    return registry.send(call, { timeoutMs: timeoutMs ?? made.timeoutMs ?? 60_000, signal, host });
  };
  const host: ToolHost = {
    accounts: () => scalekit.accounts.look(identifier, agent.connections),
    execute: async ({ tool: name, args: given }) => {
      const inner = tools.find((one) => one.name === name);
      if (inner === undefined) return failure("UnknownTool", `There is no tool ${name}.`);
      const clean = toJson(given);
      const problems = registry.check(inner, clean);
      if (problems.length > 0) return failure("InvalidArguments", `${name}: ${problems.join("; ")}`);
      const outcome = await make(inner, clean);
      if (outcome.kind === "ok") return { ok: true, data: outcome.data };
      return failure(outcome.kind === "error" ? outcome.type : outcome.kind, outcome.message);
    },
  };
  return make(tool, args);
}

/** A provider that drops repeats is given a key here as in a run. */
function keyed(tool: FrozenTool, agent: Agent, args: Json, key: string): Json {
  if (tool.keyArgument !== undefined && isObject(args)) return toJson({ ...args, [tool.keyArgument]: key });
  const use = useOf(agent.tools, tool);
  return typeof use?.key === "function" ? toJson(use.key(args, key)) : args;
}

function failure(type: string, message: string): SubAnswer {
  return { ok: false, type, message, retryable: false };
}

function told(outcome: Outcome, tookMs: number): ToolRun {
  if (outcome.kind === "ok") return { outcome: "ok", data: outcome.data, tookMs };
  const why = outcome.kind === "error" ? outcome.type : outcome.kind === "not-executed" ? outcome.why : undefined;
  return { outcome: outcome.kind, ...(why !== undefined && { why }), message: outcome.message, tookMs };
}
