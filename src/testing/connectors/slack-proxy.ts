/** A little of Slack's Web API, for `actions.request` and proxy tools. Whatever is wrong, Slack answers HTTP 200. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { ProxyAnswer, ProxyRequest, ToolSpec } from "./connector.ts";
import { text } from "./input.ts";
import type { SlackWorkspace } from "./slack-workspace.ts";
import { proxyRoutes } from "./proxy-routes.ts";

/** Slack's refusal: an HTTP 200 with `ok: false`. */
export class Refusal extends Error {}

/** Slack's method → the tool that does the same. */
const METHODS: readonly (readonly [verb: "GET" | "POST", method: string, tool: string])[] = [
  ["POST", "auth.test", "slack_auth_test"],
  ["GET", "conversations.list", "slack_list_channels"],
  ["GET", "conversations.info", "slack_get_conversation_info"],
  ["GET", "conversations.history", "slack_fetch_conversation_history"],
  ["GET", "conversations.replies", "slack_get_conversation_replies"],
  ["POST", "conversations.join", "slack_join_conversation"],
  ["GET", "users.list", "slack_list_users"],
  ["GET", "users.info", "slack_get_user_info"],
  ["GET", "users.lookupByEmail", "slack_lookup_user_by_email"],
  ["GET", "search.messages", "slack_search_messages"],
  ["POST", "chat.postMessage", "slack_send_rich_message"],
  ["POST", "chat.update", "slack_update_message"],
  ["POST", "chat.delete", "slack_delete_message"],
  ["POST", "reactions.add", "slack_add_reaction"],
];

export function slackProxy(
  tools: readonly ToolSpec<SlackWorkspace>[],
): (request: ProxyRequest, workspace: SlackWorkspace) => Promise<ProxyAnswer> {
  const routes = METHODS.flatMap(([verb, method, name]) => {
    const tool = tools.find((one) => one.name === name);
    if (tool === undefined) return [];
    const answer = (given: JsonObject, workspace: SlackWorkspace): Promise<JsonObject> => run(tool, given, workspace);
    const formOnly = (given: JsonObject, workspace: SlackWorkspace, request: ProxyRequest): Promise<JsonObject> =>
      answer(isJson(request) ? {} : given, workspace);
    // Each method takes a form; those that read take nothing else by POST (docs.slack.dev/apis/web-api, "Form-encoded bodies").
    if (verb === "GET")
      return [
        { at: `GET /api/${method}`, answer },
        { at: `POST /api/${method}`, answer: formOnly },
      ];
    return [{ at: `POST /api/${method}`, answer }];
  });
  const answers = proxyRoutes(routes, () => ({ ok: false, error: "unknown_method" }));
  return async (request, workspace) => ({ ...(await answers(request, workspace)), status: 200 });
}

function isJson({ headers }: ProxyRequest): boolean {
  return headers["content-type"]?.includes("json") === true;
}

async function run(tool: ToolSpec<SlackWorkspace>, input: JsonObject, workspace: SlackWorkspace): Promise<JsonObject> {
  if ((tool.required ?? []).some((name) => text(input, name) === undefined))
    return { ok: false, error: "invalid_arguments" };
  try {
    return await tool.run(input, workspace);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ok: false, error: error.message };
  }
}
