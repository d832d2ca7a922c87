/** The source `proxy`: calls of the app's proxy tools, each one single-shot request for the run's own account. */
import { ErrandError } from "../core/errors.ts";
import { isObject, type Json, toJson } from "../core/json.ts";
import type { Outcome } from "../core/outcome.ts";
import { renderPath } from "../core/path-template.ts";
import type { FrozenTool } from "../core/run.ts";
import { type JsonSchema, validate } from "../core/schema.ts";
import type { Listed, ToolSend, ToolSource } from "../ports/toolbox.ts";
import type { Scalekit } from "./client.ts";
import { outcomeOfBroken, readAnswer, unreadable } from "./proxy-answer.ts";
import { BodyError, encodeBody } from "./proxy-body.ts";
import { checkHeaders, PROXY, type ProxyTool, type Query } from "./proxy-tool.ts";
import type { ProxyCall } from "./proxy-wire.ts";

export interface ProxySourceOptions {
  /** Of all agents. */
  readonly tools: readonly ProxyTool[];
  readonly check: (hash: string, schema: JsonSchema, args: Json) => readonly string[];
}

type Given = Readonly<Record<string, unknown>>;

const MOST_BODY = 5 * 1_024 * 1_024;

/** @throws ErrandError `agent-invalid` for two tools of one name */
export function createProxySource(
  scalekit: Pick<Scalekit, "request">,
  { tools, check }: ProxySourceOptions,
): ToolSource {
  const byName = definitions(tools);
  const names = [...byName.keys()];
  return {
    name: PROXY,
    async list({ tools: uses }): Promise<Listed> {
      // An agent may say more of a tool than its definition does: what it says is its own.
      const found = uses.flatMap((use) => (isProxyTool(use) ? use : (byName.get(use.name) ?? [])));
      const missing = uses.map(({ name }) => name).filter((name) => !byName.has(name));
      return { ok: true, tools: found.map(freeze), missing, known: names, changed: [] };
    },
    check: (tool, args) => check(tool.hash, tool.parameters, args),
    send: (call, options) => send(scalekit, byName.get(call.tool), call, options),
    names: async () => ({ ok: true, names }),
  };
}

/** Of uses that differ in what agents say of them, the one that does not only read: its answers are told with more care. */
function definitions(tools: readonly ProxyTool[]): ReadonlyMap<string, ProxyTool> {
  const byName = new Map<string, ProxyTool>();
  for (const tool of tools) {
    const other = byName.get(tool.name);
    const different = other?.request !== tool.request ? "requests" : "connections";
    if (other !== undefined && (other.request !== tool.request || other.connection !== tool.connection))
      throw new ErrandError(
        "agent-invalid",
        `createErrand: there are two different tools called "${tool.name}": their ${different} differ. Rename one.`,
      );
    if (other === undefined || tool.effect !== "read") byName.set(tool.name, tool);
  }
  return byName;
}

function freeze({ name, description, parameters, connection, hash, effect = "unsafe" }: ProxyTool): FrozenTool {
  return { name, source: PROXY, description, parameters, connection, hash, effect };
}

async function send(
  scalekit: Pick<Scalekit, "request">,
  tool: ProxyTool | undefined,
  call: ToolSend,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Outcome> {
  const wrong = (type: string, message: string): Outcome => ({ kind: "error", type, message, retryable: false });
  if (tool === undefined || tool.connection !== call.connection)
    return {
      kind: "not-executed",
      why: "version",
      message: `this worker has no tool ${call.tool} for that connection`,
    };
  const { request } = tool;
  try {
    const input = await validate(request.input, call.args);
    if (!input.ok) return wrong("InvalidArguments", input.issues.slice(0, 10).join("; "));
    const built = await build(tool, call, input.value);
    if (!built.ok) return wrong(built.type, built.message);
    const answer = await scalekit.request(built.call, options);
    const reading = { tool: tool.name, reads: tool.effect === "read", refusal: request.refusal };
    const read = readAnswer(answer, reading);
    if (read.is === "outcome") return read.outcome;
    return await project(tool, read.data, input.value);
  } catch (error) {
    return outcomeOfBroken(error);
  }
}

type Built =
  | { readonly ok: true; readonly call: ProxyCall }
  | { readonly ok: false; readonly type: string; readonly message: string };

async function build({ request, connection }: ProxyTool, { identifier }: ToolSend, input: Given): Promise<Built> {
  const path = renderPath(request.path, input);
  if (!path.ok) return { ok: false, type: "InvalidArguments", message: `${path.name}: ${path.problem}` };
  try {
    const headers = request.headers(input);
    checkHeaders(headers, (message) => {
      throw new Error(message);
    });
    const body = request.body === undefined ? undefined : await encodeBody(request.bodyAs, request.body(input));
    if (body !== undefined && body.content.length > MOST_BODY)
      return {
        ok: false,
        type: "InvalidArguments",
        message: `the request would have ${body.content.length} characters`,
      };
    const { method } = request;
    const query = queryOf(request.query(input));
    const call = {
      connection,
      identifier,
      method,
      path: path.path,
      query,
      headers,
      ...(body !== undefined && { body }),
    };
    return { ok: true, call };
  } catch (error) {
    if (error instanceof BodyError)
      return { ok: false, type: "ToolFailed", message: `The request could not be made: ${error.message}.` };
    const why = error instanceof Error ? error.name : "error";
    return { ok: false, type: "ToolFailed", message: `The tool's own code could not make the request (${why}).` };
  }
}

function queryOf(query: Query): URLSearchParams {
  const made = new URLSearchParams();
  for (const [name, given] of Object.entries(query))
    for (const value of Array.isArray(given) ? (given as readonly unknown[]) : [given])
      if (value !== undefined && value !== null && value !== "" && typeof value !== "object")
        made.append(name, String(value as string | number | boolean).toWellFormed());
  return made;
}

/** Executed. What cannot be made into the output is not shown: a raw answer never reaches the model. */
async function project(tool: ProxyTool, data: Json, input: Given): Promise<Outcome> {
  const reading = { tool: tool.name, reads: tool.effect === "read" };
  try {
    const { answer, output: form } = tool.request;
    const given = answer === undefined ? ({ ok: true, value: data } as const) : await validate(answer, data);
    const output = given.ok ? await validate(form, tool.request.project(given.value, input)) : given;
    if (!output.ok) return unreadable(reading, `has not the expected form (${output.issues.slice(0, 3).join("; ")})`);
    return { kind: "ok", data: toJson(output.value) };
  } catch (error) {
    return unreadable(reading, `has not the expected form (${error instanceof Error ? error.name : "error"})`);
  }
}

/** Whether this is a tool of this source. */
export function isProxyTool(use: { readonly source?: string | undefined }): use is ProxyTool {
  return use.source === PROXY && "request" in use && isObject(use.request);
}
