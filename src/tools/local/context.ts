/** What a tool of the app's own is given while its call is under way. */
import { createHash } from "node:crypto";
import type { Json } from "../../core/json.ts";
import { type ToolAccount, type ToolContext, TOOL_ERRORS, pureUtils } from "../../core/tool-context.ts";
import { ExternalAPIError, ToolCallError, ToolSuspended, ValidationError } from "../../core/tool-errors.ts";
import type { ToolHost, ToolSend } from "../../ports/toolbox.ts";
import { fetchGuarded } from "./http.ts";

export interface ContextOptions {
  readonly call: ToolSend;
  readonly host: ToolHost | undefined;
  readonly signal: AbortSignal;
  readonly hosts: readonly string[] | undefined;
}

export function createContext({ call, host, signal, hosts }: ContextOptions): ToolContext {
  const { key = `${call.run}|${call.call}`, startedAt = 0, identifier } = call;

  const accounts = async (): Promise<readonly ToolAccount[]> => {
    const looked = await host?.accounts();
    if (looked === undefined) return [];
    if (!looked.ok) throw new ExternalAPIError("The user's accounts could not be looked at.");
    return looked.accounts
      .filter(({ accountId }) => accountId !== "")
      .map(({ accountId, connection, status }) => ({ id: accountId, identifier, provider: connection, status }));
  };

  return {
    identifier,
    run: call.run,
    call: call.call,
    idempotencyKey: key,
    signal,
    tools: {
      execute: async <T = Json>(request: Parameters<ToolContext["tools"]["execute"]>[0]): Promise<T> => {
        const { tool, parameters = {}, connected_account_id: account, name } = request;
        if (host === undefined)
          throw new ToolCallError(tool, "NotAllowed", "This tool is called outside of a run.", false);
        const answer = await host.execute({
          tool,
          args: parameters,
          ...(account !== undefined && { account }),
          ...(name !== undefined && { name }),
        });
        if (answer.ok) return answer.data as T;
        if ("suspended" in answer) throw new ToolSuspended();
        throw new ToolCallError(tool, answer.type, answer.message, answer.retryable);
      },
    },
    accounts: {
      get: async (id) => {
        const found = (await accounts()).find((account) => account.id === id);
        if (found === undefined)
          throw new ValidationError(`This run has no account ${JSON.stringify(String(id).slice(0, 100))}.`);
        return found;
      },
      list: async ({ identifier: of = identifier, provider } = {}) => {
        if (of !== identifier) throw new ValidationError("accounts.list: this run acts for another identifier.");
        return (await accounts()).filter((account) => provider === undefined || account.provider === provider);
      },
    },
    utils: {
      ...pureUtils(key, startedAt, (text) => createHash("sha256").update(text).digest("hex")),
      httpRequest: (request) => fetchGuarded(request, { hosts, signal }),
    },
    errors: TOOL_ERRORS,
  };
}
