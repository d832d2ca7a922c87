/** Where Redis is broken: a server of its own behind a proxy, the real product, and a run whose effects can be counted. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Redis } from "ioredis";
import { pino } from "pino";
import { z } from "zod";
import {
  agent,
  createErrand,
  type Errand,
  type ErrandOptions,
  type ErrandWorker,
  type RunHandle,
  type TypedAgent,
} from "../../src/index.ts";
import { type RedisServer, startRedis } from "../../src/testing/redis.ts";
import {
  call,
  type Execution,
  type ScalekitEmulator,
  type RecordedRequest,
  type Reply,
  say,
  type ScriptedModel,
  startScalekitEmulator,
  startScriptedModel,
  toolOutcomes,
} from "../../src/testing/index.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

export const ANSWER = "Both are sent.";
export const SUBJECTS = ["first", "second"] as const;

/** Reads, sends one mail, sends another, answers: two effects that nobody may repeat. */
const TOOLS = ["gmail_get_profile", "gmail_send_message", "gmail_send_message"] as const;
const letters: readonly Reply[] = [
  call("gmail_get_profile"),
  ...SUBJECTS.map((subject) => call("gmail_send_message", { to: "boss@example.com", subject, body: "It is done." })),
  say(ANSWER),
];

/** Where a run can be held: the model was asked, Scalekit was asked and has done nothing yet, or it has done its work. Turns from 0. */
export type Point = readonly ["model" | "asked" | "done", number];

export const POINTS: readonly Point[] = [
  ...letters.map((_, turn) => ["model", turn] as const),
  ...TOOLS.flatMap((_, turn) => [["asked", turn] as const, ["done", turn] as const]),
];

export const LEASE_MS = 1_000;
/** Longer than a server is away, also on a machine that stands still meanwhile: a call that is given up is unknown. */
const TOOL_TIMEOUT_MS = 12_000;

export const courier: TypedAgent<Record<string, never>, Record<string, never>, string> = agent({
  name: "courier",
  model: "openai/scripted",
  instructions: "Send the letters.",
  prompt: ({ identifier }) => `${identifier} wants them sent.`,
  connections: ["gmail"],
  tools: ["gmail_get_profile", "gmail_send_message"],
  input: z.object({}),
  limits: { toolTimeoutMs: TOOL_TIMEOUT_MS },
});

export interface FaultLab {
  readonly server: RedisServer;
  /** Between the product and the server. The target may be moved. */
  readonly proxy: TcpProxy;
  readonly target: { host: string; port: number };
  /** Past the proxy, to the server of the start. */
  readonly direct: Redis;
  readonly errand: Errand;
  readonly scalekit: ScalekitEmulator;
  readonly model: ScriptedModel;
  /** What the product said, line by line. */
  readonly log: readonly string[];
  /** The first line with this text, past or future. */
  said(text: string): Promise<string>;
  /** Starts a worker. */
  work(): ErrandWorker;
  /** An ACTIVE account and a run of it. */
  send(identifier: string): Promise<RunHandle<string>>;
  /** Subjects of the mails that really went out for this user, in that order. */
  sent(identifier: string): readonly string[];
  /** Holds the next run that comes there. */
  hold(point: Point): Hold;
}

export interface Hold {
  /** Resolves when a run has come there. */
  readonly there: Promise<unknown>;
  release(): void;
}

export interface FaultLabOptions {
  readonly redis?: Readonly<Record<string, string>>;
  readonly errand?: Partial<ErrandOptions>;
  /** Whether the reply to these bytes is lost on its way to the product. */
  readonly loses?: (request: Buffer) => boolean;
}

export async function faultLab(t: TestContext, options: FaultLabOptions = {}): Promise<FaultLab> {
  const server = await startRedis({ ...(options.redis !== undefined && { config: options.redis }) });
  const target = { host: "127.0.0.1", port: server.port };
  const [proxy, scalekit, model] = await Promise.all([
    startTcpProxy(target, options.loses),
    startScalekitEmulator({ connections: ["gmail"] }),
    startScriptedModel({ script: letters }),
  ]);
  const log: string[] = [];
  const listeners = new Set<(line: string) => void>();
  const write = (line: string): void => {
    log.push(line);
    for (const listener of listeners) listener(line);
  };
  const errand = createErrand({
    redis: `redis://127.0.0.1:${proxy.port}`,
    scalekit: { envUrl: scalekit.url, clientId: scalekit.clientId, clientSecret: scalekit.clientSecret },
    models: { openai: { apiKey: model.apiKey, baseURL: model.url } },
    agents: [courier],
    leaseMs: LEASE_MS,
    logger: pino({ level: "info", base: null }, { write }),
    ...options.errand,
  });
  const direct = client(server);
  const holds: Hold[] = [];
  const workers: ErrandWorker[] = [];
  t.after(async () => {
    for (const hold of holds) hold.release();
    proxy.delay(0);
    proxy.accept();
    await server.kill("SIGCONT");
    // After a test that failed half-way its Redis may be away.
    await Promise.all(workers.map((worker) => worker.close({ timeoutMs: 500 })));
    await errand.close();
    direct.disconnect();
    await Promise.all([proxy.close(), scalekit.close(), model.close(), server.stop()]);
  });
  return {
    server,
    proxy,
    target,
    direct,
    errand,
    scalekit,
    model,
    log,
    said: (text) => {
      const past = log.find((line) => line.includes(text));
      if (past !== undefined) return Promise.resolve(past);
      return new Promise((resolve) => {
        const listener = (line: string): void => {
          if (!line.includes(text)) return;
          listeners.delete(listener);
          resolve(line);
        };
        listeners.add(listener);
      });
    },
    work: () => {
      const worker = errand.worker();
      workers.push(worker);
      return worker;
    },
    send: (identifier) => {
      scalekit.connect(identifier, "gmail");
      return errand.enqueue(courier, { identifier, input: {} });
    },
    sent: (identifier) => scalekit.ledger.filter((it) => it.identifier === identifier).flatMap(subjectOf),
    hold: ([at, turn]) => {
      let release = (): void => undefined;
      const until = new Promise<void>((resolve) => (release = resolve));
      const hold = {
        there: at === "model" ? holdModel(model, turn, until) : holdTool(scalekit, at, turn, until),
        release,
      };
      holds.push(hold);
      return hold;
    },
  };
}

function holdModel(model: ScriptedModel, turn: number, until: Promise<void>): Promise<unknown> {
  model.script(async (_request, context) => {
    if (context.turn === turn) await until;
    return letters[context.turn] ?? say("too many turns");
  });
  return model.waitFor((request) => request.turn === turn && request.outcome === "open");
}

function holdTool(
  scalekit: ScalekitEmulator,
  at: "asked" | "done",
  turn: number,
  until: Promise<void>,
): Promise<unknown> {
  const tool = TOOLS[turn];
  const when = at === "asked" ? "before" : "after";
  let before = TOOLS.slice(0, turn).filter((one) => one === tool).length;
  for (let i = 0; i < before; i++)
    scalekit.faults.add({ method: "ExecuteTool", ...(tool && { tool }), when, until: Promise.resolve() });
  scalekit.faults.add({ method: "ExecuteTool", ...(tool && { tool }), when, until });
  const fits = (event: { tool: string | undefined }): boolean => event.tool === tool && before-- === 0;
  return scalekit.waitFor(at === "asked" ? "call" : "execute", fits, 20_000);
}

/** It waits for its server as long as a worker does. */
export function client(server: { readonly port: number }): Redis {
  const redis = new Redis(server.port, "127.0.0.1", { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  redis.on("error", () => undefined);
  return redis;
}

function subjectOf({ tool, input: { subject } }: Execution): string[] {
  return tool === "gmail_send_message" && typeof subject === "string" ? [subject] : [];
}

/** The run completed, each mail went out exactly once, and the model was told so. */
export async function assertDelivered(lab: FaultLab, run: RunHandle<string>, identifier: string): Promise<void> {
  await assertHonest(lab, run, identifier);
  assert.deepEqual(lab.sent(identifier), SUBJECTS, "each mail exactly once");
  assert.deepEqual(told(lab, identifier), ["ok", "ok", "ok"], "what the model was told of each call");
}

/** The run completed, no mail went out twice, and the model was told of each that it did, or that nobody knows. */
export async function assertHonest(lab: FaultLab, run: RunHandle<string>, identifier: string): Promise<void> {
  assert.equal(await run.result({ timeoutMs: 60_000 }), ANSWER, lab.log.join(""));
  const sent = lab.sent(identifier);
  assert.equal(new Set(sent).size, sent.length, `a mail was sent twice: ${sent.join()}`);
  for (const [i, word] of told(lab, identifier).slice(1).entries())
    if (word !== "OutcomeUnknown") assert.equal(word === "ok", sent.includes(SUBJECTS[i] ?? ""), `mail ${i}: ${word}`);
}

/** By call: `ok`, or the error that the model saw when it was asked for its answer. */
export function told({ model }: FaultLab, identifier: string): readonly string[] {
  const mine = (request: RecordedRequest): boolean =>
    request.messages.some((message) => message.role === "user" && message.text.startsWith(`${identifier} `));
  const last = model.requests.findLast((request) => request.turn === TOOLS.length && mine(request));
  return last === undefined ? [] : toolOutcomes(last).map((outcome) => outcome.error ?? "ok");
}
