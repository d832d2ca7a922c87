/** A context for unit tests of an app's own tools: no run, no Redis, no Scalekit. What a tool asks for is noted. */
import { createHash } from "node:crypto";
import { type Json, toJson } from "../core/json.ts";
import {
  type ExecuteRequest,
  type HttpRequest,
  type HttpResponse,
  pureUtils,
  type ToolAccount,
  type ToolContext,
  TOOL_ERRORS,
} from "../core/tool-context.ts";
import { ToolCallError, ValidationError } from "../core/tool-errors.ts";

/** Answers a tool's call: a value, or a function of its parameters that gives one or throws. */
export type MockTool = Json | ((parameters: Readonly<Record<string, unknown>>) => unknown);

export interface MockContextOptions {
  /** Default `user_123`. */
  readonly identifier?: string;
  /** By name. A tool that is not here fails as one does that the run does not have. */
  readonly tools?: Readonly<Record<string, MockTool>>;
  readonly accounts?: readonly Partial<ToolAccount>[];
  /** Answers `utils.httpRequest`; default: it fails. */
  readonly http?: (request: HttpRequest) => Partial<HttpResponse> | Promise<Partial<HttpResponse>>;
  /** What `utils.now` tells; default 2026-01-15T09:00:00Z. */
  readonly now?: Date | string | number;
  readonly signal?: AbortSignal;
}

export interface MockContext extends ToolContext {
  /** Calls of other tools, in the order in which they were made. */
  readonly calls: readonly Required<Pick<ExecuteRequest, "tool" | "parameters">>[];
  readonly requests: readonly HttpRequest[];
}

/** Two contexts with the same options give the same ids and the same time. */
export function createMockContext(options: MockContextOptions = {}): MockContext {
  const { identifier = "user_123", tools = {}, http, now = "2026-01-15T09:00:00Z" } = options;
  const calls: MockContext["calls"][number][] = [];
  const requests: HttpRequest[] = [];
  const accounts = (options.accounts ?? []).map((account, i): ToolAccount => {
    const provider = account.provider ?? "gmail";
    return { id: `ca_${provider}_${i}`, identifier, provider, status: "ACTIVE", ...account };
  });
  const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
  return {
    identifier,
    run: "run_mock",
    call: "t0c0",
    idempotencyKey: hash(`${identifier}|mock`).slice(0, 22),
    signal: options.signal ?? new AbortController().signal,
    calls,
    requests,
    tools: {
      execute: async <T = Json>({ tool, parameters = {} }: ExecuteRequest): Promise<T> => {
        calls.push({ tool, parameters });
        if (!Object.hasOwn(tools, tool))
          throw new ToolCallError(
            tool,
            "UnknownTool",
            `The run has no tool "${tool}"; the mock context knows ${Object.keys(tools).join(", ") || "none"}.`,
            false,
          );
        const answer = tools[tool];
        const given = toJson(parameters) as Readonly<Record<string, unknown>>;
        return toJson(await (typeof answer === "function" ? answer(given) : answer)) as T;
      },
    },
    accounts: {
      get: async (id) => {
        const found = accounts.find((account) => account.id === id && account.identifier === identifier);
        if (found === undefined) throw new ValidationError(`This run has no account ${JSON.stringify(id)}.`);
        return found;
      },
      list: async ({ identifier: of = identifier, provider } = {}) => {
        if (of !== identifier) throw new ValidationError("accounts.list: this run acts for another identifier.");
        return accounts.filter((it) => it.identifier === of && (provider === undefined || it.provider === provider));
      },
    },
    utils: {
      ...pureUtils(`${identifier}|mock`, new Date(now).getTime(), hash),
      httpRequest: async (request) => {
        requests.push(request);
        if (http === undefined) throw new TOOL_ERRORS.ExternalAPIError("The mock context has no `http`.");
        const { status = 200, headers = {}, data = null } = await http(request);
        return { status, ok: status >= 200 && status < 300, headers, data };
      },
    },
    errors: TOOL_ERRORS,
  };
}
