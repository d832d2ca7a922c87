/**
 * The source `local`: tools that are functions of the app.
 *
 * L1 A run calls the version that it began with, or none.
 * L2 Whatever a tool does (throws anything, returns anything, never returns) becomes an outcome; nothing of it harms the run.
 * L3 A tool that does not come back may have done its work: that is `unknown`, and its effect decides.
 */
import { createHash } from "node:crypto";
import { isRepeatable } from "../../core/effects.ts";
import { ErrandError } from "../../core/errors.ts";
import { canonical, type Json, toJson } from "../../core/json.ts";
import type { Outcome } from "../../core/outcome.ts";
import type { FrozenTool } from "../../core/run.ts";
import { type Schema, validate } from "../../core/schema.ts";
import { BusinessLogicError, ExternalAPIError, ToolCallError, ValidationError } from "../../core/tool-errors.ts";
import type { ToolUse } from "../../core/tool-use.ts";
import type { SendOptions, ToolSend, ToolSource } from "../../ports/toolbox.ts";
import type { Checker } from "../check.ts";
import { createContext } from "./context.ts";
import { isLocalTool } from "./tool.ts";
import { chooseVariant, LOCAL, type LocalTool, type Variant } from "./variant.ts";

/** @throws ErrandError `agent-invalid` for two tools of one name */
export function openLocal(uses: readonly ToolUse[], check: Checker): readonly ToolSource[] {
  const tools = new Map<string, LocalTool>();
  for (const use of uses) {
    if (!isLocalTool(use)) continue;
    const other = tools.get(use.name);
    if (other !== undefined && other.variants !== use.variants)
      throw new ErrandError(
        "agent-invalid",
        `createErrand: there are two different tools called "${use.name}". Rename one, or make them versions of one: toolVersions([…]).`,
      );
    tools.set(use.name, use);
  }
  return tools.size === 0 ? [] : [createLocal(tools, check)];
}

function createLocal(tools: ReadonlyMap<string, LocalTool>, check: Checker): ToolSource {
  const names = [...tools.keys()];
  const find = (name: string, version: string | undefined): Variant | undefined =>
    tools.get(name)?.variants.find(({ variant }) => variant.version === version)?.variant;
  return {
    name: LOCAL,
    list: ({ identifier, tools: uses }) => {
      const chosen = uses.map(({ name, effect }) => {
        const variant = chooseVariant(tools.get(name)?.variants ?? [], identifier, digest);
        return {
          name,
          frozen: variant && freeze(effect === undefined ? variant : { ...variant, effect, saysEffect: true }),
        };
      });
      const missing = chosen.filter(({ frozen }) => frozen === undefined).map(({ name }) => name);
      const found = chosen.flatMap(({ frozen }) => (frozen === undefined ? [] : [frozen]));
      return Promise.resolve({ ok: true, tools: found, missing, known: names, changed: [] });
    },
    check: (tool, args) => {
      const problems = check(tool.hash, tool.parameters, args);
      return problems.length > 0 ? problems : schemaIssues(find(tool.name, tool.version)?.input, args);
    },
    send: async (call, options) => {
      const variant = find(call.tool, call.version);
      if (variant === undefined) return gone(call, tools.get(call.tool));
      return execute(variant, call, options, check);
    },
    names: () => Promise.resolve({ ok: true, names }),
  };
}

export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export function freeze(variant: Variant): FrozenTool {
  const { name, description, parameters, effect, saysEffect, composite, version, timeoutMs, attempts } = variant;
  return {
    name,
    description,
    parameters,
    effect,
    connection: "",
    hash: digest(canonical({ name, description, parameters, version: version ?? null })),
    ...(!saysEffect && { unsaid: true }),
    ...(composite && { composite }),
    ...(version !== undefined && { version }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(attempts !== undefined && { attempts }),
  };
}

/** What a schema says beyond JSON Schema, where it can say so at once. The rest is said when the tool is run. */
function schemaIssues(schema: Schema<unknown, unknown> | undefined, args: Json): readonly string[] {
  if (schema === undefined) return [];
  try {
    const result = schema["~standard"].validate(args);
    if (result instanceof Promise) {
      result.catch(() => undefined);
      return [];
    }
    return (result.issues ?? []).slice(0, 20).map(({ message, path = [] }) => {
      const at = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
      return at === "" ? message : `${at}: ${message}`;
    });
  } catch {
    return [];
  }
}

function gone({ tool, version }: ToolSend, known: LocalTool | undefined): Outcome {
  const told = version === undefined ? "without a version" : `version ${version}`;
  const have = known?.variants.map(({ variant }) => variant.version ?? "one without a version").join(", ");
  const message = `This run began with ${tool} ${told}; this worker has ${have ?? "no such tool"}. Deploy it again beside the newer ones: toolVersions([…]).`;
  return { kind: "not-executed", why: "version", message };
}

async function execute(
  variant: Variant,
  call: ToolSend,
  { timeoutMs, signal: stopped, host }: SendOptions,
  check: Checker,
): Promise<Outcome> {
  if (stopped.aborted)
    return { kind: "not-executed", why: "unavailable", message: "the worker stopped before the call" };
  const over = new AbortController();
  const signal = AbortSignal.any([stopped, over.signal]);
  let timer: NodeJS.Timeout | undefined;
  const cut = new Promise<Outcome>((resolve) => {
    const give = (message: string): void => resolve({ kind: "unknown", message });
    timer = setTimeout(() => give(`${variant.name} did not come back within ${timeoutMs} ms`), timeoutMs);
    const stop = (): void => give(`the worker stopped while ${variant.name} was under way`);
    // It lives as long as the run: nothing of this call may stay on it.
    stopped.addEventListener("abort", stop, { once: true, signal: over.signal });
  });
  try {
    const context = createContext({ call, host, signal, hosts: variant.hosts });
    return await Promise.race([run(variant, call, context, check), cut]);
  } finally {
    clearTimeout(timer);
    over.abort(new Error("the call is over"));
  }
}

async function run(
  variant: Variant,
  { args }: ToolSend,
  context: ReturnType<typeof createContext>,
  check: Checker,
): Promise<Outcome> {
  const { name, input, output } = variant;
  try {
    const given =
      input === undefined ? { ok: true as const, value: structuredClone(args) } : await validate(input, args);
    if (!given.ok) return failure("ValidationError", `${name}: ${given.issues.slice(0, 10).join("; ")}`);
    const value: unknown = await variant.execute(given.value as never, context);
    return await checked(name, value, output, check);
  } catch (error) {
    return thrown(variant, error);
  }
}

async function checked(name: string, value: unknown, output: Variant["output"], check: Checker): Promise<Outcome> {
  if (output === undefined) return { kind: "ok", data: toJson(value) };
  const unfit = (issues: readonly string[]): Outcome =>
    failure(
      "InvalidOutput",
      `${name} was executed, but what it returned does not fit its output schema: ${issues.slice(0, 5).join("; ")}. Do not call it again for the same purpose.`,
    );
  if ("~standard" in output) {
    const result = await validate(output as Schema<unknown, unknown>, value);
    return result.ok ? { kind: "ok", data: toJson(result.value) } : unfit(result.issues);
  }
  const data = toJson(value);
  // Results may be larger than arguments: only the schema is asked.
  const problems = check(digest(canonical(output)), output, data, { anySize: true });
  return problems.length === 0 ? { kind: "ok", data } : unfit(problems);
}

/** Characters of a message that go on. */
const MOST = 2_000;

function failure(type: string, message: string, retryable = false): Outcome {
  return { kind: "error", type, message: message.slice(0, MOST).toWellFormed(), retryable };
}

/** Errors are the tool's as well: reading one may throw again. */
function thrown(variant: Variant, error: unknown): Outcome {
  try {
    return outcomeOf(variant, error);
  } catch {
    return failure("ToolError", `${variant.name} threw something that cannot be read.`);
  }
}

function outcomeOf({ name, effect, composite }: Variant, error: unknown): Outcome {
  if (error instanceof ValidationError || error instanceof BusinessLogicError)
    return failure(error.name, `${name}: ${error.message}`);
  if (error instanceof ExternalAPIError) {
    const message = `${name}: ${error.message}`.slice(0, MOST).toWellFormed();
    if (!error.retryable || !(isRepeatable(effect) || composite)) return failure(error.name, message, error.retryable);
    const wait = error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs };
    return { kind: "not-executed", why: "unavailable", message, ...wait };
  }
  if (error instanceof ToolCallError)
    return failure(error.type, `${name}: ${error.tool}: ${error.message}`, error.retryable);
  if (error instanceof Error) return failure("ToolError", `${name}: ${error.message}`);
  const told = typeof error === "string" ? `: ${error}` : "";
  return failure("ToolError", `${name} threw something that is no Error${told}`);
}
