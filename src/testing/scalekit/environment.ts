/** Everything one emulated Scalekit environment knows. The services read and change it; nothing here speaks a protocol. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { OpenWorld, ToolDefinition } from "../connectors/connector.ts";
import { Accounts, type Account, type AccountName, type Connection } from "./accounts.ts";
import { Bus } from "./bus.ts";
import { Calls } from "./calls.ts";
import { resolveConnections } from "./connections.ts";
import { Faults } from "./faults.ts";
import type { Execution } from "./ledger.ts";
import { Links } from "./links.ts";
import type { ScalekitEmulatorOptions } from "./options.ts";
import { Tokens } from "./tokens.ts";
import { Webhooks } from "./webhooks.ts";

export interface ToolEntry {
  /** `tol_…` */
  readonly id: string;
  readonly definition: ToolDefinition;
  readonly provider: string;
}

export class Environment {
  readonly options: ScalekitEmulatorOptions;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly now: () => number;
  readonly connections: readonly Connection[];
  readonly accounts: Accounts;
  readonly links: Links;
  readonly tokens: Tokens;
  readonly webhooks: Webhooks;
  readonly faults: Faults = new Faults();
  readonly calls: Calls = new Calls();
  readonly ledger: Execution[] = [];
  readonly bus: Bus;
  /** Aborted when the emulator closes: ends delays, black holes and deliveries. */
  readonly closing: AbortSignal;
  /** Known once the port is. */
  url = "";
  readonly #worlds = new Map<string, OpenWorld>();
  #lastId = 100_000_000_000_000_000n;

  constructor(options: ScalekitEmulatorOptions, closing: AbortSignal) {
    this.options = options;
    this.clientId = options.clientId ?? "skc_emulator";
    this.clientSecret = options.clientSecret ?? "emulator-secret";
    this.now = options.now ?? Date.now;
    this.closing = closing;
    this.bus = new Bus(closing);
    const newId = (prefix: string): string => this.newId(prefix);
    this.connections = resolveConnections(options.connections ?? ["gmail"], newId);
    this.links = new Links(this.now);
    this.tokens = new Tokens(this.now);
    this.webhooks = new Webhooks({
      targets: options.webhooks ?? [],
      now: this.now,
      newId,
      closing,
      delivered: (delivery) => this.bus.emit("webhook", delivery),
    });
    this.accounts = new Accounts(newId, this.now, (change, account) => {
      if (change.oldStatus === undefined) this.webhooks.record("connected_account.created", account);
      else this.#statusUpdated(account, change.oldStatus);
      this.bus.emit("status", change);
    });
  }

  newId(prefix: string): string {
    this.#lastId += 1n;
    return `${prefix}_${this.#lastId}`;
  }

  connection(name: string | undefined): Connection | undefined {
    return this.connections.find((connection) => connection.name === name);
  }

  /** Every tool of every configured connector, once. */
  get tools(): readonly ToolEntry[] {
    const connectors = new Map(this.connections.map(({ connector }) => [connector.name, connector]));
    return [...connectors.values()].flatMap(({ tools, provider }) =>
      tools.map((definition) => ({ id: `tol_${definition.name}`, definition, provider })),
    );
  }

  /** The user's data at the provider. It is there before the account, and outlives it. */
  world({ connection: name, identifier }: AccountName): OpenWorld {
    const key = JSON.stringify([name, identifier]);
    const known = this.#worlds.get(key);
    if (known !== undefined) return known;
    const connection = this.connection(name);
    if (connection === undefined)
      throw new Error(`Scalekit emulator: no connection "${name}"; there are: ${this.#names()}`);
    const opened = connection.connector.open({ identifier, connection: name, now: this.now });
    this.#worlds.set(key, opened);
    return opened;
  }

  #names(): string {
    return this.connections.map(({ name }) => name).join(", ");
  }

  #statusUpdated(account: Account, oldStatus: string): void {
    const extra: JsonObject = { old_status: oldStatus };
    this.webhooks.record("connected_account.status_updated", account, extra);
  }
}
