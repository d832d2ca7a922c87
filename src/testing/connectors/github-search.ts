/** GitHub's search over issues and pull requests, the part that agents use. */
import type { GithubAccount, StoredItem, StoredPull, StoredRepo } from "./github-account.ts";
import { isOpen, updatedAt } from "./github-resources.ts";

export interface Found {
  readonly repo: StoredRepo;
  readonly item: StoredItem | StoredPull;
}

/** Newest change first. Knows is: state: author: assignee: review-requested: repo: label: and words; `@me` is the user. */
export function searchIssues(account: GithubAccount, query: string): readonly Found[] {
  const terms = query.split(/\s+/).filter(Boolean);
  return account.repos
    .flatMap((repo) => [...repo.issues, ...repo.pulls].map((item) => ({ repo, item })))
    .filter((found) => terms.every((term) => fits(account, found, term)))
    .toSorted((a, b) => Date.parse(updatedAt(b.item)) - Date.parse(updatedAt(a.item)));
}

function fits(account: GithubAccount, { repo, item }: Found, term: string): boolean {
  const [, operator, raw = ""] = /^([a-z-]+):(.+)$/.exec(term) ?? [];
  const value = raw === "@me" ? account.login : raw;
  switch (operator) {
    case "is":
    case "state":
    case "type":
      return hasState(item, value);
    case "author":
      return item.user === value;
    case "assignee":
      return (item.assignees ?? []).includes(value);
    case "review-requested":
      return "head" in item && (item.requestedReviewers ?? []).includes(value);
    case "repo":
      return `${repo.owner}/${repo.name}`.toLowerCase() === value.toLowerCase();
    case "label":
      return (item.labels ?? []).includes(value);
    default:
      return `${item.title} ${item.body ?? ""}`.toLowerCase().includes(term.toLowerCase());
  }
}

function hasState(item: StoredItem | StoredPull, state: string): boolean {
  if (state === "pr" || state === "pull-request") return "head" in item;
  if (state === "issue") return !("head" in item);
  if (state === "draft") return "head" in item && item.draft === true;
  return (state === "open") === isOpen(item);
}
