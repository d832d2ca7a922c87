import type { SeenAccount } from "../core/waiting.ts";

/** The accounts could not be asked about. `credentials`: ours were refused; the operator's matter, never the user's. */
export interface Outage {
  readonly ok: false;
  readonly why: "unavailable" | "credentials";
  readonly message: string;
  /** The source of tools that could not be asked; absent: Scalekit. */
  readonly source?: string;
  /** Scalekit's rate limit of its environment. */
  readonly limited?: { readonly retryAfterMs?: number };
}

export type Looked = { readonly ok: true; readonly accounts: readonly SeenAccount[] } | Outage;

export interface SurveyedAccount extends SeenAccount {
  readonly identifier: string;
}

/** Accounts as they were seen, some at a time. */
export type Surveyed = { readonly ok: true; readonly accounts: readonly SurveyedAccount[] } | Outage;

export interface AuthorizationLink {
  readonly ok: true;
  /** Bears the user's consent: give it to that user only, never to a log. */
  readonly url: string;
  /** Wall-clock ms. */
  readonly expiresAt: number;
}

export type Verified =
  | { readonly ok: true; readonly redirectUrl: string }
  | { readonly ok: false; readonly why: "mismatch" | "gone" }
  | Outage;

/**
 * Users' connected accounts. Contract: never throws; reads carry no tokens; nothing is cached: the answer is the truth of now.
 */
export interface Accounts {
  /** The status of each connection for this identifier, in the order asked; `NONE` where there is no account. Creates nothing. */
  look(identifier: string, connections: readonly string[]): Promise<Looked>;
  /**
   * Many users' accounts on one connection, by as few calls as that takes: each user once, `NONE` where there is certainly no account.
   * An outage comes last; users who were not named before it were not seen. Whoever stops reading causes no more calls.
   */
  survey(connection: string, identifiers: readonly string[]): AsyncIterable<Surveyed>;
  /** A fresh link, on an account that is created if there is none. Single use. */
  link(
    identifier: string,
    connection: string,
    options: { readonly state: string; readonly userVerifyUrl: string },
  ): Promise<AuthorizationLink | Outage>;
  /** Tells Scalekit who came back. Consumes the request: a second call answers `gone`. */
  verify(authRequestId: string, identifier: string): Promise<Verified>;
  /** All connection names of the environment, for the check at boot. */
  connections(): Promise<{ readonly ok: true; readonly names: readonly string[] } | Outage>;
}
