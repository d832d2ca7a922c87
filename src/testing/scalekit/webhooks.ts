/** Webhooks in the Svix (Standard Webhooks) scheme, and the log of events they are made from. */
import { createHmac } from "node:crypto";
import type { JsonObject } from "@bufbuild/protobuf";
import type { Account } from "./accounts.ts";

export interface WebhookTarget {
  readonly url: string;
  /** `whsec_<base64>`. Several while a secret is being changed: the header then carries a signature of each. */
  readonly secrets: readonly string[];
  /** Event types to send. Default: all. */
  readonly types?: readonly string[];
  /** How often a delivery is tried when it is not answered with 2xx. Default 1. */
  readonly attempts?: number;
}

export interface LoggedEvent {
  /** `evt_…` */
  readonly id: string;
  readonly type: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly data: JsonObject;
}

export interface WebhookDelivery {
  readonly url: string;
  readonly eventId: string;
  readonly type: string;
  readonly attempt: number;
  /** HTTP status of the answer; undefined if there was none. */
  readonly status: number | undefined;
}

/** The three headers that go with a body. `now` is Unix milliseconds. */
export function signWebhook(secrets: readonly string[], id: string, body: string, now: number): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.split("_")[1] ?? "", "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}

export class Webhooks {
  readonly #targets: WebhookTarget[];
  readonly #log: LoggedEvent[] = [];
  readonly #now: () => number;
  readonly #closing: AbortSignal;
  readonly #delivered: (delivery: WebhookDelivery) => void;
  readonly #newId: (prefix: string) => string;
  /** Deliveries stand in line, so that a receiver sees events in their order. */
  #line: Promise<void> = Promise.resolve();

  constructor(init: {
    targets: readonly WebhookTarget[];
    now: () => number;
    newId: (prefix: string) => string;
    closing: AbortSignal;
    delivered: (delivery: WebhookDelivery) => void;
  }) {
    this.#targets = [...init.targets];
    this.#now = init.now;
    this.#newId = init.newId;
    this.#closing = init.closing;
    this.#delivered = init.delivered;
  }

  /** What happened, oldest first. */
  get log(): readonly LoggedEvent[] {
    return this.#log;
  }

  /** Sends events from now on to this target too. Answers a function that ends it. */
  add(target: WebhookTarget): () => void {
    this.#targets.push(target);
    return () => void this.#targets.splice(this.#targets.indexOf(target), 1);
  }

  /** Sends a logged event again (duplicates are normal), or any event of your own. Resolves once it is delivered or given up. */
  async send(event: LoggedEvent): Promise<void> {
    this.#queue(event);
    await this.#line;
  }

  /** Resolves once everything in line is delivered or given up. */
  async drained(): Promise<void> {
    await this.#line;
  }

  record(type: string, account: Account, extra: JsonObject = {}): void {
    const event: LoggedEvent = {
      id: this.#newId("evt"),
      type,
      at: this.#now(),
      data: { ...describe(account), ...extra },
    };
    this.#log.push(event);
    this.#queue(event);
  }

  #queue(event: LoggedEvent): void {
    const targets = this.#targets.filter((target) => target.types === undefined || target.types.includes(event.type));
    if (targets.length === 0) return;
    this.#line = this.#line.then(async () => {
      await Promise.all(targets.map(async (target) => await this.#deliver(target, event)));
    });
  }

  async #deliver(target: WebhookTarget, event: LoggedEvent): Promise<void> {
    const body = JSON.stringify(envelope(event));
    for (let attempt = 1; attempt <= (target.attempts ?? 1) && !this.#closing.aborted; attempt++) {
      const headers = {
        "content-type": "application/json",
        ...signWebhook(target.secrets, event.id, body, this.#now()),
      };
      const status = await fetch(target.url, {
        method: "POST",
        headers,
        body,
        signal: this.#closing,
        redirect: "manual",
      }).then(
        async (response) => {
          await response.body?.cancel();
          return response.status;
        },
        () => undefined,
      );
      if (this.#closing.aborted) return;
      this.#delivered({ url: target.url, eventId: event.id, type: event.type, attempt, status });
      if (status !== undefined && status >= 200 && status < 300) return;
    }
  }
}

function envelope(event: LoggedEvent): JsonObject {
  return {
    spec_version: "1",
    id: event.id,
    type: event.type,
    occurred_at: new Date(event.at).toISOString(),
    environment_id: "env_emulator",
    object: "ConnectedAccount",
    data: event.data,
  };
}

function describe(account: Account): JsonObject {
  return {
    id: account.id,
    identifier: account.identifier,
    connection_id: account.connection.id,
    connection_name: account.connection.name,
    provider: account.connection.connector.provider,
    authorization_type: "OAUTH",
    status: account.status,
  };
}
