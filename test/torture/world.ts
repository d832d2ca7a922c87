/**
 * The world of one round: a Redis of its own behind a proxy, an emulated Scalekit and a scripted model in this process, and an app that
 * enqueues. Workers and app reach Redis only through the proxy; whoever checks goes past it.
 */
import { pino } from "pino";
import { createErrand, type Errand } from "../../src/index.ts";
import { connect, type Connection } from "../../src/queue/connect.ts";
import { openStore, type Store } from "../../src/queue/store.ts";
import {
  type RedisServer,
  type ScalekitEmulator,
  type ScriptedModel,
  startRedis,
  startScalekitEmulator,
  startScriptedModel,
} from "../../src/testing/index.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { storeOptions } from "../../src/options.ts";
import { script } from "./agents.ts";
import { CONNECTION, connector } from "./tools.ts";
import { errandOptions, type Surroundings } from "./surroundings.ts";

export interface World {
  readonly redis: RedisServer;
  readonly proxy: TcpProxy;
  readonly enqueues: LostReplies;
  readonly scalekit: ScalekitEmulator;
  readonly model: ScriptedModel;
  /** Past the proxy; waits for Redis as long as it takes. */
  readonly direct: Connection;
  /** On `direct`. */
  readonly store: Store;
  readonly app: Errand;
  readonly surroundings: Surroundings;
  close(): Promise<void>;
}

/** Replies to enqueues that the proxy is to swallow. */
export interface LostReplies {
  /** Those of the next n. */
  lose(n: number): void;
  toLose(): number;
  readonly lost: number;
}

export interface WorldOptions {
  readonly identifiers: readonly string[];
  readonly leaseMs: number;
  readonly concurrency: number;
}

const MODEL_LATENCY_MS = 15;
const PREFIX = "torture";

export async function openWorld({ identifiers, leaseMs, concurrency }: WorldOptions): Promise<World> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const leave of closing.splice(0).toReversed()) await leave();
  };
  const keep = <T>(part: T, leave: () => Promise<unknown>): T => {
    closing.push(leave);
    return part;
  };
  try {
    const redis = await startRedis({ config: { loglevel: "warning" } });
    keep(redis, () => redis.stop());
    const enqueues = losesEnqueues();
    const proxy = await startTcpProxy({ host: "127.0.0.1", port: redis.port }, enqueues.loses);
    keep(proxy, () => proxy.close());
    const scalekit = await startScalekitEmulator({ connections: [{ name: CONNECTION, connector }] });
    keep(scalekit, () => scalekit.close());
    const model = await startScriptedModel({ script, latencyMs: MODEL_LATENCY_MS });
    keep(model, () => model.close());
    for (const identifier of identifiers) scalekit.connect(identifier, CONNECTION);

    const surroundings: Surroundings = {
      redis: `redis://127.0.0.1:${proxy.port}`,
      prefix: PREFIX,
      scalekit: { envUrl: scalekit.url, clientId: scalekit.clientId, clientSecret: scalekit.clientSecret },
      model: { baseURL: model.url, apiKey: model.apiKey },
      leaseMs,
      concurrency,
    };
    const options = errandOptions(surroundings);
    const app = createErrand({ ...options, logger: pino({ level: "silent" }) });
    keep(app, () => app.close());
    const direct = connect(redis.url, true);
    keep(direct, () => direct.close());
    const { prefix, ...settings } = storeOptions(options);
    const store = openStore(direct.redis, prefix, settings);
    return { redis, proxy, enqueues, scalekit, model, direct, store, app, surroundings, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Of each run the first one, which its client then asks for again. */
function losesEnqueues(): LostReplies & { readonly loses: (request: Buffer) => boolean } {
  const asked = new Set<string>();
  let left = 0;
  let lost = 0;
  return {
    lose: (n) => void (left = n),
    toLose: () => left,
    get lost() {
      return lost;
    },
    loses: (request) => {
      if (!request.includes('"kind":"created"')) return false;
      const fresh = (request.toString().match(/\brun_0_[0-9a-f]{32}\b/g) ?? []).filter((id) => !asked.has(id));
      for (const id of fresh) asked.add(id);
      if (fresh.length === 0 || left === 0) return false;
      left -= 1;
      lost += 1;
      return true;
    },
  };
}

/** Runs that have begun and not ended. */
export async function unfinished({ direct: { redis }, store: { prefix } }: World): Promise<number> {
  const [all, ended] = await Promise.all([redis.zcard(`${prefix}runs:all`), redis.zcard(`${prefix}runs:ended`)]);
  return all - ended;
}
