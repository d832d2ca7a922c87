/** GitHub's tools on a GithubAccount. Lists come wrapped as `array`: Scalekit's data is always an object. */
import type { JsonObject } from "@bufbuild/protobuf";
import { defineConnector, type Connector, type ToolSpec } from "./connector.ts";
import { ToolFailure } from "./failure.ts";
import { githubProxy } from "./github-proxy.ts";
import { GithubAccount, type StoredItem, type StoredPull, type StoredRepo } from "./github-account.ts";
import {
  checkResource,
  commentResource,
  fileResource,
  isOpen,
  issueResource,
  pullResource,
  repoResource,
  reviewResource,
  shaOf,
  updatedAt,
  userResource,
} from "./github-resources.ts";
import { searchIssues } from "./github-search.ts";
import { integer, list, text } from "./input.ts";

const REPO: Readonly<Record<string, JsonObject>> = {
  owner: { type: "string", description: "Owner of the repository" },
  repo: { type: "string", description: "Name of the repository" },
};
const PAGE: Readonly<Record<string, JsonObject>> = {
  per_page: { type: "number", description: "How many per page: 1 to 100, default 30" },
  page: { type: "number", description: "Which page, from 1" },
};
const ORDER: Readonly<Record<string, JsonObject>> = {
  state: { type: "string", description: "open (default), closed or all" },
  sort: { type: "string", description: "created (default) or updated" },
  direction: { type: "string", description: "desc (default) or asc" },
};
const PULL: Readonly<Record<string, JsonObject>> = {
  ...REPO,
  pull_number: { type: "number", description: "The pull request's number" },
};
const ISSUE: Readonly<Record<string, JsonObject>> = {
  ...REPO,
  issue_number: { type: "number", description: "Number of the issue or pull request" },
};
const OF_REPO = ["owner", "repo"] as const;
const OF_PULL = [...OF_REPO, "pull_number"] as const;
const OF_ISSUE = [...OF_REPO, "issue_number"] as const;

const TOOLS: readonly ToolSpec<GithubAccount>[] = [
  {
    name: "github_user_get_authenticated",
    description: "Tell who the connected user is.",
    parameters: {},
    run: (_input, { login }) => userResource(login),
  },
  {
    name: "github_user_repos_list",
    description: "List the connected user's repositories.",
    parameters: PAGE,
    run: (input, { repos }) => wrapped(input, repos.map(repoResource)),
  },
  {
    name: "github_repo_get",
    description: "Get one repository.",
    parameters: REPO,
    required: OF_REPO,
    run: (input, account) => repoResource(needRepo(input, account)),
  },
  {
    name: "github_search_issues",
    description: "Search issues and pull requests in all repositories.",
    parameters: {
      q: { type: "string", description: "GitHub's search syntax, e.g. is:pr is:open author:@me repo:owner/name" },
      ...PAGE,
    },
    required: ["q"],
    run(input, account) {
      const found = searchIssues(account, text(input, "q") ?? "");
      const items = slice(input, found).map(({ repo, item }) => issueResource(repo, item));
      return { total_count: found.length, incomplete_results: false, items };
    },
  },
  {
    name: "github_issues_list",
    description: "List a repository's issues; pull requests are among them.",
    parameters: {
      ...REPO,
      ...ORDER,
      ...PAGE,
      labels: { type: "string", description: "Label names, with commas between" },
    },
    required: OF_REPO,
    run(input, account) {
      const repo = needRepo(input, account);
      const labels = list(input, "labels");
      const items = ordered(input, [...repo.issues, ...repo.pulls]).filter((item) =>
        labels.every((label) => (item.labels ?? []).includes(label)),
      );
      return wrapped(
        input,
        items.map((item) => issueResource(repo, item)),
      );
    },
  },
  {
    name: "github_issue_get",
    description: "Get one issue.",
    parameters: ISSUE,
    required: OF_ISSUE,
    run(input, account) {
      const repo = needRepo(input, account);
      return issueResource(repo, needIssue(input, repo));
    },
  },
  {
    name: "github_issue_create",
    description: "Open an issue.",
    parameters: {
      ...REPO,
      title: { type: "string", description: "Title" },
      body: { type: "string", description: "Text in Markdown" },
      labels: { type: "array", items: { type: "string" }, description: "Label names" },
      assignees: { type: "array", items: { type: "string" }, description: "Logins" },
    },
    required: [...OF_REPO, "title"],
    run(input, account) {
      const repo = needRepo(input, account);
      const { title = "", body = "" } = { title: text(input, "title"), body: text(input, "body") };
      return issueResource(
        repo,
        account.open(repo, { title, body, labels: list(input, "labels"), assignees: list(input, "assignees") }),
      );
    },
  },
  {
    name: "github_issue_comments_list",
    description: "List the comments of an issue or pull request, oldest first.",
    parameters: { ...ISSUE, ...PAGE },
    required: OF_ISSUE,
    run: (input, account) => wrapped(input, needIssue(input, needRepo(input, account)).comments.map(commentResource)),
  },
  {
    name: "github_issue_comment_create",
    description: "Comment on an issue or pull request.",
    parameters: { ...ISSUE, body: { type: "string", description: "Text in Markdown" } },
    required: [...OF_ISSUE, "body"],
    run: (input, account) =>
      commentResource(account.comment(needIssue(input, needRepo(input, account)), text(input, "body") ?? "")),
  },
  {
    name: "github_pull_requests_list",
    description: "List a repository's pull requests.",
    parameters: { ...REPO, ...ORDER, ...PAGE },
    required: OF_REPO,
    run(input, account) {
      const repo = needRepo(input, account);
      return wrapped(
        input,
        ordered(input, repo.pulls).map((pull) => pullResource(repo, pull)),
      );
    },
  },
  {
    name: "github_pull_request_get",
    description: "Get one pull request.",
    parameters: PULL,
    required: OF_PULL,
    run(input, account) {
      const repo = needRepo(input, account);
      return pullResource(repo, needPull(input, repo));
    },
  },
  {
    name: "github_pull_request_reviews_list",
    description: "List a pull request's reviews.",
    parameters: { ...PULL, ...PAGE },
    required: OF_PULL,
    run: (input, account) =>
      wrapped(input, (needPull(input, needRepo(input, account)).reviews ?? []).map(reviewResource)),
  },
  {
    name: "github_pull_request_files_list",
    description: "List the files a pull request changes.",
    parameters: { ...PULL, ...PAGE },
    required: OF_PULL,
    run: (input, account) => wrapped(input, (needPull(input, needRepo(input, account)).files ?? []).map(fileResource)),
  },
  {
    name: "github_check_runs_list_for_ref",
    description: "List the checks of a commit or branch.",
    parameters: { ...REPO, ref: { type: "string", description: "Branch or commit" }, ...PAGE },
    required: [...OF_REPO, "ref"],
    run(input, account) {
      const repo = needRepo(input, account);
      const ref = text(input, "ref");
      const pull = repo.pulls.find((one) => one.head === ref || shaOf(repo, one) === ref);
      if (pull === undefined)
        throw new ToolFailure(422, "Unprocessable Entity", `No commit found for SHA: ${ref ?? ""}`);
      const checks = pull.checks ?? [];
      return { total_count: checks.length, check_runs: slice(input, checks).map(checkResource) };
    },
  },
];

export const github: Connector = defineConnector<GithubAccount>({
  name: "github",
  title: "GitHub",
  scopes: ["repo", "read:user"],
  tools: TOOLS,
  world: ({ identifier, now }) => new GithubAccount(identifier, now),
  proxy: githubProxy(TOOLS),
});

function notFound(): ToolFailure {
  return new ToolFailure(404, "Not Found", "Not Found");
}

function needRepo(input: JsonObject, account: GithubAccount): StoredRepo {
  const repo = account.repo(text(input, "owner") ?? "", text(input, "repo") ?? "");
  if (repo === undefined) throw notFound();
  return repo;
}

function needPull(input: JsonObject, repo: StoredRepo): StoredPull {
  const pull = repo.pulls.find(({ number }) => String(number) === text(input, "pull_number"));
  if (pull === undefined) throw notFound();
  return pull;
}

function needIssue(input: JsonObject, repo: StoredRepo): StoredItem | StoredPull {
  const item = [...repo.issues, ...repo.pulls].find(({ number }) => String(number) === text(input, "issue_number"));
  if (item === undefined) throw notFound();
  return item;
}

function ordered<T extends StoredItem | StoredPull>(input: JsonObject, items: readonly T[]): readonly T[] {
  const state = text(input, "state") ?? "open";
  const moment = (item: T): string => (text(input, "sort") === "updated" ? updatedAt(item) : item.createdAt);
  const ascending = items
    .filter((item) => state === "all" || isOpen(item) === (state === "open"))
    .toSorted((a, b) => Date.parse(moment(a)) - Date.parse(moment(b)));
  return text(input, "direction") === "asc" ? ascending : ascending.toReversed();
}

function wrapped(input: JsonObject, all: readonly JsonObject[]): JsonObject {
  return { array: [...slice(input, all)] };
}

function slice<T>(input: JsonObject, all: readonly T[]): readonly T[] {
  const size = integer(input, "per_page", 30, [1, 100]);
  const page = integer(input, "page", 1, [1, 100_000]);
  return all.slice((page - 1) * size, page * size);
}
