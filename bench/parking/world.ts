/** Everything around runs that wait and go on: Redis, Scalekit and a model on loopback, the app with its two handlers, a worker process. */
import { randomUUID } from "node:crypto";
import { setTimeout as after } from "node:timers/promises";
import { Redis } from "ioredis";
import { createErrand, type Errand, type ErrandOptions, type RunHandle } from "../../src/index.ts";
import {
  say,
  type ScalekitEmulator,
  signWebhook,
  startRedis,
  startScalekitEmulator,
  startScriptedModel,
} from "../../src/testing/index.ts";
import { startChild } from "../floor/child.ts";
import { CONNECTION, mailAgent } from "./worker.ts";

export interface World {
  readonly redis: Redis;
  readonly prefix: string;
  readonly scalekit: ScalekitEmulator;
  readonly errand: Errand;
  /** A run for each of so many users whom nobody has met before; none of them has connected anything. */
  enqueue(users: number): Promise<Waiting[]>;
  startWorker(): Promise<void>;
  /** Resolves when exactly so many runs are parked. */
  parked(runs: number): Promise<void>;
  /** Scalekit's word that the user's account has changed, as it comes to the handler of the app. */
  webhook(identifier: string): Promise<void>;
  /** The user consents; answers where the browser is sent back to. */
  consent(identifier: string): Promise<string>;
  /** The browser of the user opens a page of the app. */
  visit(identifier: string, url: string): Promise<Response>;
  close(): Promise<void>;
}

export interface Waiting {
  readonly identifier: string;
  readonly run: RunHandle<string>;
}

const BASE_URL = "http://127.0.0.1:9/errand";
const SECRET = `whsec_${Buffer.from("a secret of the benchmark, 32 B!").toString("base64")}`;
const LOOK_EVERY_MS = 5;

export async function openWorld(settings: Pick<ErrandOptions, "sweepMs">): Promise<World> {
  const ends: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    const server = await startRedis();
    ends.push(() => server.stop());
    const scalekit = await startScalekitEmulator({ connections: [CONNECTION] });
    ends.push(() => scalekit.close());
    const model = await startScriptedModel({ script: [say("None.")] });
    ends.push(() => model.close());
    const { url: envUrl, clientId, clientSecret } = scalekit;
    const name = `bench-${randomUUID().slice(0, 8)}`;
    const options = {
      redis: server.url,
      prefix: name,
      scalekit: { envUrl, clientId, clientSecret },
      models: { bench: { apiKey: model.apiKey, baseURL: model.url } },
      authorization: { baseUrl: BASE_URL },
      webhook: { secrets: [SECRET] },
      ...settings,
    };
    const errand = createErrand({ ...options, agents: [mailAgent] });
    ends.push(() => errand.close());
    const redis = new Redis(server.url);
    ends.push(async () => redis.disconnect());
    const prefix = `{${name}:0}:`;
    const [authorization, webhook] = [
      errand.authorizationHandler({ getUser: (request) => request.headers.get("x-user") }),
      errand.webhookHandler(),
    ];
    const visit = (identifier: string, url: string): Promise<Response> =>
      authorization(new Request(url, { headers: { "x-user": identifier } }));
    let met = 0;
    return {
      redis,
      prefix,
      scalekit,
      errand,
      enqueue: async (users) => {
        const waiting: Waiting[] = [];
        for (let i = 0; i < users; i++) {
          const identifier = `user-${met++}`;
          waiting.push({ identifier, run: await errand.enqueue(mailAgent, { identifier, input: {} }) });
        }
        return waiting;
      },
      startWorker: async () => {
        const worker = startChild("../parking/worker.ts");
        ends.push(() => worker.stop());
        await worker.order("start", options);
      },
      parked: async (runs) => {
        while ((await redis.zcard(`${prefix}runs:status:parked`)) !== runs) await after(LOOK_EVERY_MS);
      },
      webhook: async (identifier) => {
        const answer = await webhook(eventOf(identifier));
        if (answer.status !== 200) throw new Error(`webhook: ${answer.status}`);
      },
      consent: async (identifier) => {
        const out = await visit(identifier, errand.connectUrl(CONNECTION));
        return scalekit.approve(out.headers.get("location") ?? "");
      },
      visit,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function eventOf(identifier: string): Request {
  const id = `evt_${randomUUID()}`;
  const now = Date.now();
  const body = JSON.stringify({
    spec_version: "1",
    id,
    type: "connected_account.status_updated",
    occurred_at: new Date(now).toISOString(),
    environment_id: "env_1",
    object: "ConnectedAccount",
    data: { id: "ca_1", identifier, connection_id: "conn_1", connection_name: CONNECTION, status: "ACTIVE" },
  });
  const headers = { "content-type": "application/json", ...signWebhook([SECRET], id, body, now) };
  return new Request(`${BASE_URL}/webhook`, { method: "POST", headers, body });
}
