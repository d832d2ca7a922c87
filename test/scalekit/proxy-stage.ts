/** An emulated Scalekit whose proxy is on, with the example tools on it. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import * as examples from "../../examples/proxy-tools/tools.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import type { ToolSource } from "../../src/ports/toolbox.ts";
import { createProxySource } from "../../src/scalekit/proxy.ts";
import type { ProxyTool } from "../../src/scalekit/proxy-tool.ts";
import { createChecker } from "../../src/tools/check.ts";
import { SEND, start, type Started, type StartOptions } from "./start.ts";

export const TOOLS: readonly ProxyTool[] = Object.values(examples);
export const ALL: readonly string[] = ["gmail", "slack", "github", "salesforce", "hubspot"];

export interface Stage extends Started {
  readonly source: ToolSource;
  readonly call: (
    tool: string,
    args?: object,
    options?: { timeoutMs?: number; signal?: AbortSignal },
  ) => Promise<Outcome>;
}

export async function stage(
  t: TestContext,
  options: StartOptions = {},
  tools: readonly ProxyTool[] = TOOLS,
): Promise<Stage> {
  const { connections = ALL } = options;
  const started = await start(t, { proxy: true, ...options, connections });
  for (const one of connections) started.emulator.connect("ada", typeof one === "string" ? one : one.name);
  const source = createProxySource(started.scalekit, { tools, check: createChecker() });
  return {
    ...started,
    source,
    call: (tool, args = {}, { timeoutMs = 5_000, signal = new AbortController().signal } = {}) => {
      const connection = tools.find(({ name }) => name === tool)?.connection ?? "gmail";
      return source.send({ ...SEND, tool, args: args as never, connection }, { timeoutMs, signal });
    },
  };
}

/** What the model is shown of a call that was executed. */
export async function shown(answer: Promise<Outcome>): Promise<unknown> {
  const outcome = await answer;
  assert.equal(outcome.kind, "ok", JSON.stringify(outcome));
  return outcome.kind === "ok" ? outcome.data : undefined;
}
