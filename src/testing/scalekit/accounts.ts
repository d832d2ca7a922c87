/** Connected accounts: one per connection and identifier, with Scalekit's six statuses. */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  ConnectedAccountForListSchema,
  ConnectedAccountSchema,
  ConnectorStatus,
  ConnectorType,
  type ConnectedAccount,
  type ConnectedAccountForList,
} from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/connected_accounts/connected_accounts_pb.js";
import type { Connector } from "../connectors/connector.ts";
import { notFound, scalekitError } from "./errors.ts";

/** ACTIVE, EXPIRED, PENDING_AUTH, PENDING_VERIFICATION, DISCONNECTED, CONNECTION_STATUS_UNSPECIFIED. */
export type AccountStatus = keyof typeof ConnectorStatus;

/** A configured connector. */
export interface Connection {
  /** `conn_…` */
  readonly id: string;
  readonly name: string;
  readonly connector: Connector;
}

/** `connection` and `identifier` name one account. */
export interface AccountName {
  readonly connection: string;
  readonly identifier: string;
}

/** How Scalekit reacts when the provider refuses: `never` stays ACTIVE, `refused` is EXPIRED after the first refused call. */
export type Revocation = "never" | "refused";

export interface Account {
  /** `ca_…` */
  readonly id: string;
  readonly identifier: string;
  readonly connection: Connection;
  status: AccountStatus;
  /** What the connection asks for, until the user grants less. */
  scopes: readonly string[];
  /** Set while the provider answers 401. */
  revoked: Revocation | undefined;
  /** Unix milliseconds. */
  tokenExpiresAt: number | undefined;
  updatedAt: number;
  lastUsedAt: number | undefined;
}

/** What tests see of an account. */
export interface AccountSnapshot {
  readonly id: string;
  readonly identifier: string;
  readonly connection: string;
  readonly provider: string;
  readonly status: AccountStatus;
  readonly scopes: readonly string[];
  readonly revoked: boolean;
  /** Unix milliseconds. */
  readonly updatedAt: number;
  readonly lastUsedAt: number | undefined;
}

export interface StatusChange extends AccountSnapshot {
  /** Undefined when the account is new. */
  readonly oldStatus: AccountStatus | undefined;
}

/** How requests point at an account: by id, or by connector (that is, connection name) and identifier. */
export interface AccountReference {
  readonly id?: string | undefined;
  readonly connector?: string | undefined;
  readonly identifier?: string | undefined;
}

const TOKEN_TTL = 3_600_000;

export class Accounts {
  readonly #byName = new Map<string, Account>();
  readonly #byId = new Map<string, Account>();
  readonly #newId: (prefix: string) => string;
  readonly #now: () => number;
  readonly #changed: (change: StatusChange, account: Account) => void;

  constructor(
    newId: (prefix: string) => string,
    now: () => number,
    changed: (change: StatusChange, account: Account) => void,
  ) {
    this.#newId = newId;
    this.#now = now;
    this.#changed = changed;
  }

  /** Oldest first. */
  get all(): readonly Account[] {
    return [...this.#byName.values()];
  }

  get(name: AccountName): Account | undefined {
    return this.#byName.get(keyOf(name));
  }

  find(reference: AccountReference): Account | undefined {
    if (reference.id !== undefined && reference.id !== "") return this.#byId.get(reference.id);
    return this.get({ connection: reference.connector ?? "", identifier: reference.identifier ?? "" });
  }

  /** @throws NotFound */
  need(reference: AccountReference): Account {
    const account = this.find(reference);
    if (account === undefined) throw notFound("connected account");
    return account;
  }

  /** @throws AlreadyExists */
  create(connection: Connection, identifier: string, status: AccountStatus = "PENDING_AUTH"): Account {
    const key = keyOf({ connection: connection.name, identifier });
    if (this.#byName.has(key)) {
      throw scalekitError("AlreadyExists", "RESOURCE_ALREADY_EXISTS", "connected account already exists");
    }
    const account: Account = {
      id: this.#newId("ca"),
      identifier,
      connection,
      status,
      scopes: connection.connector.scopes,
      revoked: undefined,
      tokenExpiresAt: status === "ACTIVE" ? this.#now() + TOKEN_TTL : undefined,
      updatedAt: this.#now(),
      lastUsedAt: undefined,
    };
    this.#byName.set(key, account);
    this.#byId.set(account.id, account);
    this.#changed({ ...snapshot(account), oldStatus: undefined }, account);
    return account;
  }

  delete(account: Account): void {
    this.#byName.delete(keyOf({ connection: account.connection.name, identifier: account.identifier }));
    this.#byId.delete(account.id);
  }

  /** Moves an account; the same status again is no event. */
  setStatus(account: Account, status: AccountStatus): void {
    const oldStatus = account.status;
    if (oldStatus === status) return;
    account.status = status;
    account.updatedAt = this.#now();
    this.#changed({ ...snapshot(account), oldStatus }, account);
  }

  /** The user has connected: the provider takes its calls again, and the scopes are those just granted. */
  activate(account: Account, scopes: readonly string[] = account.connection.connector.scopes): void {
    account.revoked = undefined;
    account.scopes = scopes;
    account.tokenExpiresAt = this.#now() + TOKEN_TTL;
    // Also of an account that was ACTIVE already: new tokens are a change.
    account.updatedAt = this.#now();
    this.setStatus(account, "ACTIVE");
  }
}

export function snapshot(account: Account): AccountSnapshot {
  return {
    id: account.id,
    identifier: account.identifier,
    connection: account.connection.name,
    provider: account.connection.connector.provider,
    status: account.status,
    scopes: account.scopes,
    revoked: account.revoked !== undefined,
    updatedAt: account.updatedAt,
    lastUsedAt: account.lastUsedAt,
  };
}

/** @param credentials whether the answer carries the provider's tokens, as GetConnectedAccountAuth's does */
export function accountMessage(account: Account, credentials: boolean): ConnectedAccount {
  const message = create(ConnectedAccountSchema, fields(account));
  if (!credentials || account.status !== "ACTIVE") return message;
  const oauthToken = {
    accessToken: `ya29.${account.id}`,
    refreshToken: `1//${account.id}`,
    scopes: [...account.scopes],
  };
  return create(ConnectedAccountSchema, {
    ...fields(account),
    authorizationDetails: { details: { case: "oauthToken", value: oauthToken } },
  });
}

export function accountListMessage(account: Account): ConnectedAccountForList {
  return create(ConnectedAccountForListSchema, fields(account));
}

function fields(account: Account) {
  const { tokenExpiresAt, lastUsedAt } = account;
  return {
    id: account.id,
    identifier: account.identifier,
    connector: account.connection.name,
    connectionId: account.connection.id,
    provider: account.connection.connector.provider,
    status: ConnectorStatus[account.status],
    authorizationType: ConnectorType.OAUTH,
    updatedAt: timestampFromMs(account.updatedAt),
    ...(tokenExpiresAt === undefined ? {} : { tokenExpiresAt: timestampFromMs(tokenExpiresAt) }),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt: timestampFromMs(lastUsedAt) }),
  };
}

function keyOf({ connection, identifier }: AccountName): string {
  return JSON.stringify([connection, identifier]);
}
