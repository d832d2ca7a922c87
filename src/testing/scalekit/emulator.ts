/**
 * A local Scalekit for tests and demos: the real SDK talks to it over the wire. This file is its handle, what a test
 * holds in its hand.
 */
import { Calendar } from "../connectors/calendar.ts";
import { CrmRecords } from "../connectors/crm-records.ts";
import { GithubAccount } from "../connectors/github-account.ts";
import { SlackWorkspace } from "../connectors/slack-workspace.ts";
import { Mailbox } from "../mailbox/mailbox.ts";
import { snapshot, type Account, type AccountSnapshot, type AccountStatus } from "./accounts.ts";
import { pressConsent } from "./browser.ts";
import type { EmulatorEvents, EventName } from "./bus.ts";
import type { Calls } from "./calls.ts";
import { Environment } from "./environment.ts";
import type { Faults } from "./faults.ts";
import type { Execution } from "./ledger.ts";
import type { IssuedLink } from "./links.ts";
import type { ScalekitEmulatorOptions } from "./options.ts";
import { startRelay, type Relay } from "./relay.ts";
import { listen, type RunningServer } from "./server.ts";
import type { Webhooks } from "./webhooks.ts";

export interface RevokeOptions {
  /**
   * When the account's status follows: `now` (EXPIRED at once), `refused` (EXPIRED with the first call the provider
   * refuses), `never` (default: it stays ACTIVE, and every call is refused).
   */
  readonly expire?: "now" | "refused" | "never";
}

/** Starts an emulated Scalekit environment on a free port of 127.0.0.1. Close it when done. */
export async function startScalekitEmulator(options: ScalekitEmulatorOptions = {}): Promise<ScalekitEmulator> {
  const closing = new AbortController();
  const env = new Environment(options, closing.signal);
  const server = await listen(env, options.freezable === true ? 0 : (options.port ?? 0));
  const relay = options.freezable === true ? await startRelay(options.port ?? 0, server.port) : undefined;
  env.url = `http://127.0.0.1:${relay?.port ?? server.port}`;
  return new ScalekitEmulator(env, server, relay, closing);
}

export class ScalekitEmulator {
  readonly #env: Environment;
  readonly #server: RunningServer;
  readonly #relay: Relay | undefined;
  readonly #closing: AbortController;
  #closed: Promise<void> | undefined;

  /** Use `startScalekitEmulator`. */
  constructor(env: Environment, server: RunningServer, relay: Relay | undefined, closing: AbortController) {
    this.#env = env;
    this.#server = server;
    this.#relay = relay;
    this.#closing = closing;
  }

  /** For `new ScalekitClient(url, clientId, clientSecret)`. */
  get url(): string {
    return this.#env.url;
  }

  get clientId(): string {
    return this.#env.clientId;
  }

  get clientSecret(): string {
    return this.#env.clientSecret;
  }

  /** What is to go wrong. */
  get faults(): Faults {
    return this.#env.faults;
  }

  /** What the tools really did, oldest first. */
  get ledger(): readonly Execution[] {
    return this.#env.ledger;
  }

  /** What was asked, by method. */
  get calls(): Calls {
    return this.#env.calls;
  }

  /** Targets for signed webhooks, and the log of events. */
  get webhooks(): Webhooks {
    return this.#env.webhooks;
  }

  /** All links made so far, oldest first. */
  get links(): readonly IssuedLink[] {
    return this.#env.links.all;
  }

  /** All accounts, oldest first. */
  get accounts(): readonly AccountSnapshot[] {
    return this.#env.accounts.all.map(snapshot);
  }

  /** The account, or undefined if there is none. */
  account(identifier: string, connection: string): AccountSnapshot | undefined {
    const account = this.#env.accounts.get({ connection, identifier });
    return account && snapshot(account);
  }

  /** The account is ACTIVE from now on, as if the user had gone through consent. Makes it if there is none. */
  connect(
    identifier: string,
    connection: string,
    options: { readonly scopes?: readonly string[] } = {},
  ): AccountSnapshot {
    const account = this.#needOrCreate(identifier, connection, "ACTIVE");
    this.#env.accounts.activate(account, options.scopes);
    return snapshot(account);
  }

  /** Moves the account to any status. Makes it if there is none. */
  setStatus(identifier: string, connection: string, status: AccountStatus): AccountSnapshot {
    const account = this.#needOrCreate(identifier, connection, status);
    this.#env.accounts.setStatus(account, status);
    return snapshot(account);
  }

  /** The provider answers 401 for this account from now on, until the user connects again. */
  revoke(identifier: string, connection: string, options: RevokeOptions = {}): AccountSnapshot {
    const account = this.#env.accounts.get({ connection, identifier });
    if (account === undefined)
      throw new Error(`Scalekit emulator: ${identifier} has no ${connection} account to revoke`);
    account.revoked = options.expire === "refused" ? "refused" : "never";
    if (options.expire === "now") this.#env.accounts.setStatus(account, "EXPIRED");
    return snapshot(account);
  }

  /** The user's mailbox at a gmail connection; there before the account is. */
  mailbox(identifier: string, connection?: string): Mailbox {
    return this.#worldOf(Mailbox, "gmail", identifier, connection);
  }

  /** The user's Slack workspace; there before the account is. */
  slack(identifier: string, connection?: string): SlackWorkspace {
    return this.#worldOf(SlackWorkspace, "slack", identifier, connection);
  }

  /** What the user sees on GitHub; there before the account is. */
  github(identifier: string, connection?: string): GithubAccount {
    return this.#worldOf(GithubAccount, "github", identifier, connection);
  }

  /** The user's calendars; there before the account is. */
  calendar(identifier: string, connection?: string): Calendar {
    return this.#worldOf(Calendar, "googlecalendar", identifier, connection);
  }

  /** The user's records at Salesforce or HubSpot; there before the account is. */
  crm(identifier: string, connection: string): CrmRecords {
    return this.#worldOf(CrmRecords, connection, identifier, connection);
  }

  /** The user's data at any connection; of which kind depends on the connector. */
  world(identifier: string, connection: string): unknown {
    return this.#env.world({ identifier, connection }).world;
  }

  /** Calls the listener on each event from now on. Answers a function that ends it. */
  on<Name extends EventName>(name: Name, listener: (event: EmulatorEvents[Name]) => void): () => void {
    return this.#env.bus.on(name, listener);
  }

  /** The next matching event from now on. Rejects after `timeoutMs` (default 10,000), or when the emulator closes. */
  async waitFor<Name extends EventName>(
    name: Name,
    matches?: (event: EmulatorEvents[Name]) => boolean,
    timeoutMs?: number,
  ): Promise<EmulatorEvents[Name]> {
    return await this.#env.bus.waitFor(name, matches, timeoutMs);
  }

  /**
   * Consents for the user, as a browser would: opens the link, presses Allow. Answers where the user is sent next: the
   * app's userVerifyUrl with `auth_request_id` and `state`, or the emulator's own page in `none` mode.
   */
  async approve(link: string, options: { readonly scopes?: readonly string[] } = {}): Promise<string> {
    return await pressConsent(link, { decision: "allow", scopes: options.scopes });
  }

  /** Presses Deny instead. Answers where the user is sent next, with `error=access_denied`. */
  async deny(link: string): Promise<string> {
    return await pressConsent(link, { decision: "deny" });
  }

  /** All access tokens of the app are no longer good: clients must fetch new ones. */
  expireTokens(): void {
    this.#env.tokens.expireAll();
  }

  /** Ends all open connections, as a restart of the server would. */
  dropConnections(): void {
    this.#server.dropConnections();
  }

  /**
   * RPC connections open now go silent for ever without being closed, as over a dead network path; new ones work. Needs
   * the option `freezable`.
   */
  freezeConnections(): void {
    if (this.#relay === undefined)
      throw new Error("Scalekit emulator: freezeConnections needs the option freezable: true");
    this.#relay.freeze();
  }

  /** Idempotent. Leaves nothing open. */
  async close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#closing.abort();
      await this.#relay?.close();
      await this.#server.close();
      await this.#env.webhooks.drained();
    })();
    await this.#closed;
  }

  #worldOf<World>(
    kind: abstract new (...args: never) => World,
    connector: string,
    identifier: string,
    connection?: string,
  ): World {
    const fitting = this.#env.connections.find((one) => one.connector.name === connector);
    const name = connection ?? fitting?.name ?? connector;
    const world = this.world(identifier, name);
    if (world instanceof kind) return world;
    throw new Error(`Scalekit emulator: connection "${name}" is not of connector ${connector}`);
  }

  #needOrCreate(identifier: string, connection: string, status: AccountStatus): Account {
    const found = this.#env.connection(connection);
    if (found === undefined) {
      const names = this.#env.connections.map(({ name }) => name).join(", ");
      throw new Error(`Scalekit emulator: no connection "${connection}"; there are: ${names}`);
    }
    return this.#env.accounts.get({ connection, identifier }) ?? this.#env.accounts.create(found, identifier, status);
  }
}
