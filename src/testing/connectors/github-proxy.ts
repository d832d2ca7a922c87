/** A little of GitHub's own API, for `actions.request` and proxy tools. Lists are lists here. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { ProxyAnswer, ProxyRequest, ToolSpec } from "./connector.ts";
import type { GithubAccount } from "./github-account.ts";
import { ToolFailure } from "./failure.ts";
import { proxyRoutes } from "./proxy-routes.ts";

/** Route → the tool that does the same. */
const ROUTES: readonly (readonly [at: string, tool: string, status?: number])[] = [
  ["GET /user", "github_user_get_authenticated"],
  ["GET /user/repos", "github_user_repos_list"],
  ["GET /repos/{owner}/{repo}", "github_repo_get"],
  ["GET /search/issues", "github_search_issues"],
  ["GET /repos/{owner}/{repo}/issues", "github_issues_list"],
  ["POST /repos/{owner}/{repo}/issues", "github_issue_create", 201],
  ["GET /repos/{owner}/{repo}/issues/{issue_number}", "github_issue_get"],
  ["GET /repos/{owner}/{repo}/issues/{issue_number}/comments", "github_issue_comments_list"],
  ["POST /repos/{owner}/{repo}/issues/{issue_number}/comments", "github_issue_comment_create", 201],
  ["GET /repos/{owner}/{repo}/pulls", "github_pull_requests_list"],
  ["GET /repos/{owner}/{repo}/pulls/{pull_number}", "github_pull_request_get"],
];

export function githubProxy(
  tools: readonly ToolSpec<GithubAccount>[],
): (request: ProxyRequest, account: GithubAccount) => Promise<ProxyAnswer> {
  const routes = ROUTES.flatMap(([at, name, status]) => {
    const tool = tools.find((one) => one.name === name);
    if (tool === undefined) return [];
    const answer = async (given: JsonObject, account: GithubAccount): Promise<JsonValue> => {
      const missing = (tool.required ?? []).find((parameter) => given[parameter] === undefined);
      if (missing !== undefined)
        throw new ToolFailure(422, "Unprocessable Entity", `Invalid request. "${missing}" wasn't supplied.`);
      const data = await tool.run(given, account);
      return data["array"] ?? data;
    };
    return [{ at, answer, ...(status !== undefined && { status }) }];
  });
  return proxyRoutes(routes, ({ status, message }) => ({
    message,
    documentation_url: "https://docs.github.com/rest",
    status: String(status),
  }));
}
