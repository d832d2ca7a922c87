/** ToolService: the lists of tools, and ExecuteTool. */
import { create, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectError, ServiceImpl } from "@connectrpc/connect";
import {
  ScopedToolSchema,
  ToolSchema,
  type ExecuteToolRequest,
  type ExecuteToolResponse,
  type ListToolsRequest,
  type Tool,
  type ToolService,
} from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/tools/tools_pb.js";
import { ToolFailure } from "../connectors/failure.ts";
import type { Account, AccountStatus } from "./accounts.ts";
import type { Environment, ToolEntry } from "./environment.ts";
import { notFound, scalekitError, toolError } from "./errors.ts";
import { pageOf } from "./paging.ts";
import { checkInput } from "./tool-input.ts";

type Answer<T> = Omit<T, "$typeName" | "$unknown">;

export function toolService(env: Environment): Partial<ServiceImpl<typeof ToolService>> {
  return {
    listTools: (request) => {
      const page = pageOf(
        env.tools.filter((tool) => listed(env, tool, request)),
        request,
      );
      const summary = request.filter?.summary === true;
      return {
        ...page,
        tools: summary ? [] : page.items.map(toolMessage),
        toolNames: summary ? page.items.map((tool) => tool.definition.name) : [],
      };
    },
    listAvailableTools: (request) => {
      const mine = new Set(usable(env, request.identifier).map(({ connection }) => connection.connector.provider));
      const page = pageOf(
        env.tools.filter((tool) => mine.has(tool.provider)),
        request,
      );
      return { ...page, tools: page.items.map(toolMessage) };
    },
    listScopedTools: (request) => {
      const { connectionNames = [], providers = [], toolNames = [] } = request.filter ?? {};
      const scoped = usable(env, request.identifier)
        .filter(({ connection }) => connectionNames.length === 0 || connectionNames.includes(connection.name))
        .flatMap((account) =>
          env.tools
            .filter((tool) => tool.provider === account.connection.connector.provider)
            .filter((tool) => env.options.listToolsWithoutScope === true || permitted(account, tool))
            .map((tool) => ({ tool, account })),
        )
        .filter(({ tool }) => providers.length === 0 || providers.includes(tool.provider))
        .filter(({ tool }) => toolNames.length === 0 || toolNames.includes(tool.definition.name));
      const page = pageOf(scoped, request);
      const tools = page.items.map(({ tool, account }) =>
        create(ScopedToolSchema, {
          tool: toolMessage(tool),
          identifier: account.identifier,
          connectedAccountId: account.id,
        }),
      );
      return { ...page, tools };
    },
    executeTool: async (request) => await execute(env, request),
  };
}

/** What ExecuteTool says about an account that is not ACTIVE. Scalekit's code is not documented: an option. */
export function notActive(env: Environment, status: AccountStatus): ConnectError {
  const { code = "FailedPrecondition", errorCode = "CONNECTED_ACCOUNT_NOT_ACTIVE" } = env.options.notActive ?? {};
  return scalekitError(code, errorCode, `connected account is not active: ${status}`);
}

async function execute(env: Environment, request: ExecuteToolRequest): Promise<Answer<ExecuteToolResponse>> {
  const tool = env.tools.find(({ definition }) => definition.name === request.toolName);
  if (tool === undefined) throw notFound(`tool ${request.toolName}`);
  const account = resolve(env, request, tool);
  if (account.status !== "ACTIVE") throw notActive(env, account.status);
  const executionId = env.newId("exec");
  if (account.revoked !== undefined) throw refuse(env, account, executionId);
  if (!permitted(account, tool)) {
    const message = "Request had insufficient authentication scopes.";
    throw toolError({ status: 403, code: "PERMISSION_DENIED", message }, executionId);
  }
  const input = checkInput(tool.definition, request.params ?? {});
  const name = { connection: account.connection.name, identifier: account.identifier };
  const data = await run(env, name, tool, input, executionId);
  account.lastUsedAt = env.now();
  const agentRunId = request.agentRunId === "" ? undefined : request.agentRunId;
  const entry = { tool: request.toolName, ...name, input, executionId, agentRunId, at: env.now() };
  env.ledger.push(entry);
  env.bus.emit("execute", entry);
  return { data, executionId };
}

async function run(
  env: Environment,
  name: { connection: string; identifier: string },
  tool: ToolEntry,
  input: JsonObject,
  executionId: string,
): Promise<JsonObject> {
  try {
    return await env.world(name).run(tool.definition.name, input);
  } catch (error) {
    if (error instanceof ToolFailure) throw toolError(error, executionId);
    const message = error instanceof Error ? error.message : String(error);
    throw scalekitError("Internal", "INTERNAL_ERROR", `tool execution failed - ${message}`);
  }
}

/** The provider no longer takes the user's token. */
function refuse(env: Environment, account: Account, executionId: string): ConnectError {
  if (account.revoked === "refused") {
    env.webhooks.record("connected_account.token_refresh_failed", account);
    env.accounts.setStatus(account, "EXPIRED");
  }
  return toolError(
    { status: 401, code: "UNAUTHENTICATED", message: "Request had invalid authentication credentials." },
    executionId,
  );
}

/** The account a call is for: by id, or by connector and identifier, or by identifier alone if that names just one. */
function resolve(env: Environment, request: ExecuteToolRequest, tool: ToolEntry): Account {
  const identifier = request.identifier ?? "";
  if ((request.connectedAccountId ?? "") !== "") {
    const account = env.accounts.need({ id: request.connectedAccountId });
    if (identifier === "" || identifier === account.identifier) return account;
    throw notFound("connected account");
  }
  const fitting = env.accounts.all.filter(
    ({ connection, identifier: owner }) =>
      owner === identifier &&
      connection.connector.provider === tool.provider &&
      ((request.connector ?? "") === "" || request.connector === connection.name),
  );
  const [account, another] = fitting;
  if (account === undefined) throw notFound("connected account");
  if (another !== undefined) {
    throw scalekitError(
      "InvalidArgument",
      "INVALID_REQUEST",
      `several connected accounts of ${identifier} have this tool: name a connector`,
    );
  }
  return account;
}

/** Whether the user has granted what the tool needs. */
function permitted(account: Account, { definition: { scopes } }: ToolEntry): boolean {
  return scopes.length === 0 || scopes.some((scope) => account.scopes.includes(scope));
}

function usable(env: Environment, identifier: string): readonly Account[] {
  return env.accounts.all.filter(
    (account) =>
      account.identifier === identifier && (account.status === "ACTIVE" || env.options.listToolsOfInactive === true),
  );
}

function listed(env: Environment, tool: ToolEntry, { filter }: ListToolsRequest): boolean {
  if (filter === undefined) return true;
  const { name, description } = tool.definition;
  const query = (filter.query ?? "").toLowerCase();
  const connector = filter.connector ?? "";
  return (
    (filter.provider === "" || filter.provider === tool.provider) &&
    (filter.toolName.length === 0 || filter.toolName.includes(name)) &&
    (query === "" || `${name} ${description}`.toLowerCase().includes(query)) &&
    (connector === "" || env.connection(connector)?.connector.provider === tool.provider) &&
    (filter.identifier === "" ||
      usable(env, filter.identifier).some((a) => a.connection.connector.provider === tool.provider))
  );
}

function toolMessage({ id, definition, provider }: ToolEntry): Tool {
  return create(ToolSchema, {
    id,
    provider,
    definition: { name: definition.name, description: definition.description, input_schema: definition.inputSchema },
    isDefault: true,
    updatedAt: timestampFromMs(0),
  });
}
