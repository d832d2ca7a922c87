/** A receiver on a real Redis, with a clock that a test sets, and messages for it: good ones, and whatever a test makes of them. */
import type { TestContext } from "node:test";
import { redisLooks } from "../../src/queue/looks.ts";
import { createWebhook, type WebhookOptions } from "../../src/scalekit/webhook.ts";
import { signWebhook } from "../../src/testing/index.ts";
import { testStore } from "../support/store.ts";
import { type TestClock, testClock } from "./start.ts";

export const SECRET: string = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;
export const OLD_SECRET: string = `whsec_${Buffer.from("fedcba9876543210fedcba9876543210").toString("base64")}`;
export const URL_OF_IT: string = "https://app.example.com/errand/webhook";

export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface Receiver {
  readonly clock: TestClock;
  readonly logged: string[];
  readonly handler: (request: Request) => Promise<Response>;
  post(message: Message): Promise<Response>;
  /** How many messages were heard. */
  heard(): Promise<number>;
  /** The gates that a worker is to look at. */
  asked(): Promise<readonly string[]>;
}

export function receiver(t: TestContext, options: Partial<WebhookOptions> = {}): Receiver {
  const { store } = testStore(t);
  const clock = testClock();
  const logged: string[] = [];
  const note = (event: string, fields: object): void => void logged.push(`${event} ${JSON.stringify(fields)}`);
  const handler = createWebhook({
    secrets: [SECRET],
    looks: redisLooks(store),
    clock,
    log: { info: note, warn: note, error: note },
    ...options,
  });
  return {
    clock,
    logged,
    handler,
    post: ({ headers, body }) => handler(new Request(URL_OF_IT, { method: "POST", headers: { ...headers }, body })),
    heard: async () => (await store.redis.keys(`${store.prefix}heard:*`)).length,
    asked: () => store.redis.zrange(`${store.prefix}looks`, "0", "-1"),
  };
}

export interface EventOptions {
  readonly id?: string;
  readonly type?: string;
  readonly at?: number;
  readonly secrets?: readonly string[];
  readonly data?: Readonly<Record<string, unknown>>;
  readonly envelope?: Readonly<Record<string, unknown>>;
}

let last = 0;

/** As Scalekit sends it: ada's gmail has become ACTIVE. */
export function message(options: EventOptions = {}): Message {
  const { id = `evt_${++last}`, at = Date.now(), secrets = [SECRET] } = options;
  const body = JSON.stringify({
    spec_version: "1",
    id,
    type: options.type ?? "connected_account.status_updated",
    occurred_at: new Date(at).toISOString(),
    environment_id: "env_1",
    object: "ConnectedAccount",
    data: {
      id: "ca_1",
      identifier: "ada",
      connection_id: "conn_1",
      connection_name: "gmail",
      provider: "GMAIL",
      authorization_type: "OAUTH",
      status: "ACTIVE",
      old_status: "PENDING_VERIFICATION",
      ...options.data,
    },
    ...options.envelope,
  });
  return signed(body, { id, at, secrets });
}

/** Any text, well signed. */
export function signed(
  body: string,
  { id = `evt_${++last}`, at = Date.now(), secrets = [SECRET] }: EventOptions = {},
): Message {
  return { headers: { "content-type": "application/json", ...signWebhook(secrets, id, body, at) }, body };
}
