/** What a user sees on GitHub: repositories with issues, pull requests, reviews, files and checks. */

export interface GithubComment {
  readonly id?: number;
  readonly user: string;
  readonly body: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

export interface GithubIssue {
  readonly number: number;
  readonly title: string;
  readonly user: string;
  readonly body?: string;
  readonly state?: "open" | "closed";
  readonly labels?: readonly string[];
  readonly assignees?: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt?: string;
  readonly comments?: readonly GithubComment[];
}

export interface GithubReview {
  readonly user: string;
  readonly state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED";
  readonly body?: string;
  readonly submittedAt: string;
}

export interface GithubFile {
  readonly filename: string;
  readonly status: "added" | "modified" | "removed";
  readonly additions: number;
  readonly deletions: number;
  readonly patch?: string;
}

export interface GithubCheck {
  readonly name: string;
  readonly status: "queued" | "in_progress" | "completed";
  readonly conclusion?: "success" | "failure" | "neutral" | "cancelled";
}

export interface GithubPull extends GithubIssue {
  readonly draft?: boolean;
  readonly head: string;
  readonly base?: string;
  readonly requestedReviewers?: readonly string[];
  readonly reviews?: readonly GithubReview[];
  readonly files?: readonly GithubFile[];
  readonly checks?: readonly GithubCheck[];
}

export interface GithubRepo {
  readonly owner: string;
  readonly name: string;
  readonly isPrivate?: boolean;
  readonly issues?: readonly GithubIssue[];
  readonly pulls?: readonly GithubPull[];
}

export interface GithubData {
  readonly repos?: readonly GithubRepo[];
}

export interface StoredItem extends GithubIssue {
  readonly comments: GithubComment[];
}

export interface StoredPull extends GithubPull {
  readonly comments: GithubComment[];
}

export interface StoredRepo {
  readonly owner: string;
  readonly name: string;
  readonly isPrivate: boolean;
  readonly issues: StoredItem[];
  readonly pulls: StoredPull[];
}

export class GithubAccount {
  readonly login: string;
  readonly repos: StoredRepo[] = [];
  readonly now: () => number;
  #lastId = 1000;

  /** @param now Unix milliseconds: dates what the user writes */
  constructor(login: string, now: () => number) {
    this.login = login;
    this.now = now;
  }

  /** Adds repositories; one with a known owner and name is replaced. */
  load(data: GithubData): void {
    for (const { owner, name, isPrivate = false, issues = [], pulls = [] } of data.repos ?? []) {
      const known = this.repos.findIndex((repo) => repo.owner === owner && repo.name === name);
      if (known >= 0) this.repos.splice(known, 1);
      const stored: StoredRepo = {
        owner,
        name,
        isPrivate,
        issues: issues.map((issue) => ({ ...issue, comments: [...(issue.comments ?? [])] })),
        pulls: pulls.map((pull) => ({ ...pull, comments: [...(pull.comments ?? [])] })),
      };
      this.repos.push(stored);
    }
  }

  repo(owner: string, name: string): StoredRepo | undefined {
    const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
    return this.repos.find((repo) => same(repo.owner, owner) && same(repo.name, name));
  }

  /** Opens an issue as the user. */
  open(
    repo: StoredRepo,
    issue: { title: string; body: string; labels: readonly string[]; assignees: readonly string[] },
  ): StoredItem {
    const numbers = [...repo.issues, ...repo.pulls].map(({ number }) => number);
    const stored: StoredItem = {
      ...issue,
      number: Math.max(0, ...numbers) + 1,
      user: this.login,
      createdAt: this.#isoNow(),
      comments: [],
    };
    repo.issues.push(stored);
    return stored;
  }

  /** Comments as the user. */
  comment(item: StoredItem | StoredPull, body: string): GithubComment {
    const comment = { id: ++this.#lastId, user: this.login, body, createdAt: this.#isoNow() };
    item.comments.push(comment);
    return comment;
  }

  #isoNow(): string {
    return new Date(this.now()).toISOString();
  }
}
