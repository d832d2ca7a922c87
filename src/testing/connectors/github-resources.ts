/** Issues, pull requests and the rest as GitHub's API shows them. */
import type { JsonObject } from "@bufbuild/protobuf";
import type {
  GithubCheck,
  GithubComment,
  GithubFile,
  GithubReview,
  StoredItem,
  StoredPull,
  StoredRepo,
} from "./github-account.ts";

export function userResource(login: string): JsonObject {
  return { login, html_url: `https://github.example/${login}` };
}

export function repoResource(repo: StoredRepo): JsonObject {
  return {
    name: repo.name,
    full_name: `${repo.owner}/${repo.name}`,
    private: repo.isPrivate,
    owner: userResource(repo.owner),
    html_url: urlOf(repo),
    open_issues_count: [...repo.issues, ...repo.pulls].filter(isOpen).length,
  };
}

export function issueResource(repo: StoredRepo, item: StoredItem | StoredPull): JsonObject {
  const isPull = "head" in item;
  const url = `${urlOf(repo)}/${isPull ? "pull" : "issues"}/${item.number}`;
  return {
    number: item.number,
    title: item.title,
    state: item.state ?? "open",
    body: item.body ?? "",
    user: userResource(item.user),
    labels: (item.labels ?? []).map((name) => ({ name })),
    assignees: (item.assignees ?? []).map(userResource),
    comments: item.comments.length,
    created_at: item.createdAt,
    updated_at: updatedAt(item),
    html_url: url,
    ...(isPull ? { pull_request: { html_url: url } } : {}),
  };
}

export function pullResource(repo: StoredRepo, pull: StoredPull): JsonObject {
  const { pull_request: _, ...issue } = issueResource(repo, pull);
  const files = pull.files ?? [];
  return {
    ...issue,
    draft: pull.draft === true,
    head: { ref: pull.head, sha: shaOf(repo, pull) },
    base: { ref: pull.base ?? "main" },
    requested_reviewers: (pull.requestedReviewers ?? []).map(userResource),
    additions: files.reduce((sum, file) => sum + file.additions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    changed_files: files.length,
  };
}

export function reviewResource(review: GithubReview): JsonObject {
  return {
    user: userResource(review.user),
    state: review.state,
    body: review.body ?? "",
    submitted_at: review.submittedAt,
  };
}

export function fileResource({ patch = "", ...file }: GithubFile): JsonObject {
  return { ...file, changes: file.additions + file.deletions, patch };
}

export function checkResource({ name, status, conclusion }: GithubCheck): JsonObject {
  return { name, status, conclusion: conclusion ?? null };
}

export function commentResource(comment: GithubComment): JsonObject {
  return { id: comment.id ?? 0, user: userResource(comment.user), body: comment.body, created_at: comment.createdAt };
}

/** When something last happened to it: GitHub counts comments. */
export function updatedAt(item: StoredItem | StoredPull): string {
  return item.comments.at(-1)?.createdAt ?? item.updatedAt ?? item.createdAt;
}

/** A stand-in for the head commit: the same pull request always has the same one. */
export function shaOf(repo: StoredRepo, pull: StoredPull): string {
  return Buffer.from(`${repo.name}/${pull.head}`).toString("hex").padEnd(40, "0").slice(0, 40);
}

export function isOpen(item: StoredItem | StoredPull): boolean {
  return (item.state ?? "open") === "open";
}

function urlOf(repo: StoredRepo): string {
  return `https://github.example/${repo.owner}/${repo.name}`;
}
