/** Magic links and the verifications that follow them. A link works once and for a while; so does a verification. */
import { randomBytes } from "node:crypto";
import type { Account } from "./accounts.ts";
import { scalekitError } from "./errors.ts";

/** What tests see of a link. */
export interface IssuedLink {
  readonly link: string;
  readonly identifier: string;
  readonly connection: string;
  readonly state: string | undefined;
  readonly userVerifyUrl: string | undefined;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

export interface Link {
  readonly token: string;
  readonly account: Account;
  readonly issued: IssuedLink;
  state: "open" | "used" | "replaced";
}

interface Verification {
  readonly account: Account;
  readonly scopes: readonly string[];
}

export class Links {
  readonly #links = new Map<string, Link>();
  readonly #verifications = new Map<string, Verification>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** All links ever made, oldest first. */
  get all(): readonly IssuedLink[] {
    return [...this.#links.values()].map((link) => link.issued);
  }

  issue(
    account: Account,
    init: { base: string; ttlMs: number; state?: string | undefined; userVerifyUrl?: string | undefined },
  ): Link {
    const token = randomBytes(18).toString("base64url");
    const issued: IssuedLink = {
      link: `${init.base}/magicLink/${token}`,
      identifier: account.identifier,
      connection: account.connection.name,
      state: emptyIsNone(init.state),
      userVerifyUrl: emptyIsNone(init.userVerifyUrl),
      expiresAt: this.#now() + init.ttlMs,
    };
    const link: Link = { token, account, issued, state: "open" };
    this.#links.set(token, link);
    return link;
  }

  /** Ends the account's other links. */
  replaceOthers(kept: Link): void {
    for (const link of this.#links.values()) {
      if (link !== kept && link.account === kept.account && link.state === "open") link.state = "replaced";
    }
  }

  get(token: string): Link | undefined {
    return this.#links.get(token);
  }

  /** The link, or why it does not work (any more). */
  open(token: string): Link | "unknown" | "used" | "replaced" | "expired" {
    const link = this.#links.get(token);
    if (link === undefined) return "unknown";
    if (link.state !== "open") return link.state;
    return link.issued.expiresAt <= this.#now() ? "expired" : link;
  }

  /** Consent was given: answers the auth request id that the app must verify. */
  startVerification(account: Account, scopes: readonly string[]): string {
    const authRequestId = randomBytes(24).toString("base64url");
    this.#verifications.set(authRequestId, { account, scopes });
    return authRequestId;
  }

  /** @throws NotFound if there is no such request or it was verified before; PermissionDenied for another user */
  verify(authRequestId: string, identifier: string): Verification {
    const verification = this.#verifications.get(authRequestId);
    if (verification === undefined)
      throw scalekitError("NotFound", "RESOURCE_NOT_FOUND", "auth request not found or no longer valid");
    if (verification.account.identifier !== identifier) {
      throw scalekitError(
        "PermissionDenied",
        "FORBIDDEN",
        "identifier does not match the user who started the connection",
      );
    }
    this.#verifications.delete(authRequestId);
    return verification;
  }
}

function emptyIsNone(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
