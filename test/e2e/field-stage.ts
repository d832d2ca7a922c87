/** What tests of failures that were seen in the field share: rounds and moments that come when a test says so, and what the app is told. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { Redis } from "ioredis";
import { z } from "zod";
import { accountGate } from "../../src/core/gate.ts";
import {
  agent,
  type AuthorizationEvent,
  nodeListener,
  type RunEvent,
  type RunHandle,
  type TypedAgent,
} from "../../src/index.ts";
import { call, say, type Script } from "../../src/testing/index.ts";
import { redisUrl } from "../support/store.ts";
import { BASE_URL, testWorld, type World, type WorldOptions } from "../support/world.ts";

/** Never, as far as a test is concerned: a round comes when it says so. */
export const NEVER_MS = 86_400_000;
const WAKE_MS = 20;

/** All that Errand may ask for while it only looks. */
export const READS: readonly string[] = [
  "ListConnectedAccounts",
  "ListAppConnections",
  "ListTools",
  "ListScopedTools",
  "oauth/token",
];

export type Simple = TypedAgent<object, object, string>;

export function simpleAgent(options: { name?: string; connections?: string[]; toolTimeoutMs?: number } = {}): Simple {
  const { name = "profile", connections = ["gmail"], toolTimeoutMs = 20_000 } = options;
  return agent({
    name,
    model: "openai/scripted",
    instructions: "Say whose mailbox it is.",
    connections,
    tools: connections.includes("gmail") ? ["gmail_get_profile"] : [],
    input: z.object({}),
    limits: { toolTimeoutMs },
  });
}

/** One call of the agent's tool, and then the answer. */
export const oneCall: Script = (_, { turn }) => (turn === 0 ? call("gmail_get_profile") : say("done"));

export interface Stage extends World {
  readonly redis: Redis;
  readonly events: readonly AuthorizationEvent[];
  /** The next round of looks is due now. */
  roundCame(connection: string): Promise<void>;
  /** And it is over. */
  round(connection?: string): Promise<void>;
  /** The moment comes that the run waits for. */
  momentCame(run: RunHandle<unknown>): Promise<void>;
  /** The next reminder of this account is due now. */
  reminderCame(identifier: string): Promise<void>;
  told<T extends AuthorizationEvent["type"]>(type: T): Promise<Extract<AuthorizationEvent, { type: T }>>;
}

export async function stage(t: TestContext, one: Simple, options: WorldOptions = {}): Promise<Stage> {
  const events: AuthorizationEvent[] = [];
  let heard: (() => void)[] = [];
  const onEvent = (event: AuthorizationEvent): void => {
    events.push(event);
    for (const wake of heard.splice(0)) wake();
  };
  const authorization = { baseUrl: BASE_URL, onEvent };
  const errand = { agents: [one], sweepMs: NEVER_MS, authorization, ...options.errand };
  const world = await testWorld(t, { script: oneCall, ...options, errand });
  const redis = new Redis(redisUrl());
  t.after(() => redis.disconnect());
  const prefix = `{${world.prefix}:0}:`;
  const due = (look: string): Promise<unknown> => redis.zadd(`${prefix}looks`, "XX", 0, look);
  const roundCame = async (connection: string): Promise<void> => {
    const key = `${prefix}sweep:${connection}`;
    for (const gate of await redis.zrange(key, "0", "-1")) await redis.zadd(key, "XX", 0, gate);
    await due(`sweep:${connection}`);
  };
  return {
    ...world,
    redis,
    events,
    roundCame,
    round: async (connection = "gmail") => {
      let looks = 0;
      const stop = world.scalekit.on("call", ({ method, authenticated }) => {
        if (method === "ListConnectedAccounts" && authenticated) looks++;
      });
      // Rounds of a connection do not overlap: when the second one looks, the first is over. Without anybody who waits there are none.
      while (looks < 2 && (await redis.exists(`${prefix}sweep:${connection}`)) === 1) await roundCame(connection);
      stop();
    },
    momentCame: async ({ id }) => void (await due(`run:${id}`)),
    reminderCame: async (identifier) => void (await due(`remind:${accountGate(identifier, "gmail")}`)),
    told: async (type) => {
      for (;;) {
        const found = events.find((event) => event.type === type);
        if (found !== undefined) return found as Extract<AuthorizationEvent, { type: typeof type }>;
        await new Promise<void>((resolve) => heard.push(resolve));
      }
    },
  };
}

export function startWorker({ errand }: World, concurrency = 50): void {
  errand.worker({ wakeEveryMs: WAKE_MS, concurrency });
}

type Parked = Extract<RunEvent, { type: "run.parked" }>;

/** Each park until the run ends, or until the callback says that it is enough. */
export async function eachPark(run: RunHandle<unknown>, goOn: (park: Parked) => Promise<boolean>): Promise<Parked[]> {
  const parks: Parked[] = [];
  for await (const event of run.events()) {
    if (event.type !== "run.parked") continue;
    parks.push(event);
    if (!(await goOn(event))) break;
  }
  return parks;
}

/** @returns the URL of a server with this handler */
export async function serve(t: TestContext, handler: (request: Request) => Promise<Response>): Promise<string> {
  const listener = nodeListener(handler);
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
