/** The outside world of an end-to-end test: emulated Scalekit and model over the wire, a real Redis, and an Errand of its own. */
import type { TestContext } from "node:test";
import { z } from "zod";
import {
  type Agent,
  agent,
  type AtLimit,
  createErrand,
  type Errand,
  type ErrandOptions,
  type RunEvent,
  type RunHandle,
  type TypedAgent,
} from "../../src/index.ts";
import {
  inboxDigestScript,
  removeKeys,
  sampleMails,
  type ScalekitEmulator,
  type ScalekitEmulatorOptions,
  type Script,
  type ScriptedModel,
  type ScriptedModelOptions,
  startScalekitEmulator,
  startScriptedModel,
} from "../../src/testing/index.ts";
import { redisUrl, testPrefix } from "./store.ts";
import { pino } from "pino";

export interface World {
  readonly errand: Errand;
  readonly scalekit: ScalekitEmulator;
  readonly model: ScriptedModel;
  readonly prefix: string;
  /** Who is signed in at the app, for the authorization handler. */
  signIn(identifier: string | null): void;
  /** Serves the authorization handler without a network: a browser's request. */
  visit(url: string): Promise<Response>;
}

export interface WorldOptions {
  readonly script?: Script;
  readonly scalekit?: ScalekitEmulatorOptions;
  readonly errand?: Partial<ErrandOptions>;
  /** How the model is spoken to; default chat completions. */
  readonly protocol?: "chat" | "responses" | "messages";
  /** What is known of the model's gateway; default nothing. */
  readonly gateway?: "fastrouter" | "openrouter" | "litellm" | "gemini" | "vllm";
  /** What the model's profile says beyond that. */
  readonly profile?: object;
  readonly model?: Omit<ScriptedModelOptions, "script">;
  /** ms for one question to Scalekit. */
  readonly timeoutMs?: number;
}

export const BASE_URL = "http://127.0.0.1:9/errand";

export interface Digest {
  readonly unread: number;
  readonly summary: string;
  readonly highlights: readonly { readonly from: string; readonly subject: string; readonly why: string }[];
}

export const inboxDigest: TypedAgent<{ query: string }, { query: string }, Digest> = agent({
  name: "inbox-digest",
  model: "openai/scripted",
  instructions: "Summarise the unread mail.",
  connections: ["gmail"],
  tools: ["gmail_fetch_mails", "gmail_get_message_by_id"],
  input: z.object({ query: z.string() }),
  output: z.object({
    unread: z.number().int(),
    summary: z.string(),
    highlights: z.array(z.object({ from: z.string(), subject: z.string(), why: z.string() })),
  }),
  limits: { turns: 8 },
});

export async function testWorld(t: TestContext, options: WorldOptions = {}): Promise<World> {
  const scalekit = await startScalekitEmulator({ connections: ["gmail"], ...options.scalekit });
  const model = await startScriptedModel({ script: options.script ?? inboxDigestScript(), ...options.model });
  const prefix = testPrefix();
  const errand = createErrand({
    redis: redisUrl(),
    prefix,
    scalekit: {
      envUrl: scalekit.url,
      clientId: scalekit.clientId,
      clientSecret: scalekit.clientSecret,
      ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    },
    models: {
      openai: {
        apiKey: model.apiKey,
        baseURL: model.url,
        protocol: options.protocol ?? "chat",
        ...(options.gateway !== undefined && { gateway: options.gateway }),
        ...options.profile,
      },
    },
    agents: [inboxDigest],
    authorization: { baseUrl: BASE_URL },
    leaseMs: 10_000,
    logger: pino({ level: "silent" }),
    ...options.errand,
  });
  t.after(async () => {
    await errand.close();
    await Promise.all([scalekit.close(), model.close()]);
    await removeKeys(redisUrl(), prefix);
  });
  let user: string | null = null;
  const handler = errand.authorizationHandler({ getUser: () => user });
  return {
    errand,
    scalekit,
    model,
    prefix,
    signIn: (identifier) => void (user = identifier),
    visit: (url) => handler(new Request(url)),
  };
}

export async function giveMail({ scalekit }: World, ...identifiers: string[]): Promise<void> {
  const mails = await sampleMails();
  for (const identifier of identifiers) scalekit.mailbox(identifier).load(mails);
}

/** Reads the user's mail with one tool. */
export function mailReader(atLimit: AtLimit = "answer"): Agent {
  return agent({
    name: "reader",
    model: "openai/scripted",
    instructions: "Read.",
    connections: ["gmail"],
    tools: ["gmail_fetch_mails"],
    input: z.object({}),
    atLimit,
  });
}

/** All that stand in its journal now. */
export async function eventsOf(run: RunHandle<unknown>): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.events({ follow: false })) events.push(event);
  return events;
}

/** The first event of this type, past or future. Fails when the run ends without it. */
export async function untilEvent<T extends RunEvent["type"]>(
  run: RunHandle<unknown>,
  type: T,
  nth = 1,
): Promise<Extract<RunEvent, { type: T }>> {
  let seen = 0;
  for await (const event of run.events())
    if (event.type === type && ++seen === nth) return event as Extract<RunEvent, { type: T }>;
  throw new Error(`run ${run.id} ended without ${nth} × ${type}`);
}

/** Signs in, opens the app's own link, presses Allow, and comes back: what a user's browser does. */
export async function connectAs(world: World, identifier: string, connection = "gmail"): Promise<Response> {
  world.signIn(identifier);
  const toConsent = await world.visit(world.errand.connectUrl(connection));
  const back = await world.scalekit.approve(toConsent.headers.get("location") ?? "");
  return world.visit(back);
}
