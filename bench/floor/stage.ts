/** Everything that runs during the benchmark: Redis, the two fake servers, one worker process for each side, and who enqueues. */
import { randomUUID } from "node:crypto";
import { type JobsOptions, Queue, QueueEvents } from "bullmq";
import { Redis } from "ioredis";
import { createErrand, type ErrandOptions } from "../../src/index.ts";
import { removeKeys, startRedis } from "../../src/testing/index.ts";
import type { ScalekitOptions } from "../../src/scalekit/client.ts";
import { type Child, startChild } from "./child.ts";
import { deskAgent, person } from "./scene.ts";
import type { FloorJob, FloorOptions } from "./worker-floor.ts";

/** `ours`, or the plain job: with the account looked at and its tools listed first, or with neither. */
export type Side = "ours" | "floor" | "bare";

export interface Stage {
  readonly redis: Redis;
  readonly url: string;
  /** Of an Errand of this stage, for further workers. */
  readonly options: Omit<ErrandOptions, "agents">;
  /** Of our keys, and of BullMQ's below them. */
  readonly prefix: string;
  readonly model: Child;
  readonly scalekit: Child;
  worker(side: Side): Child;
  /** The BullMQ queue that a side's work stands in. */
  queue(side: Side): Queue;
  /** Makes work for a side; answers its id. */
  enqueue(side: Side, identifier: string): Promise<string>;
  /** One run of a side, from enqueueing to its result in the hands of who asked for it. */
  whole(side: Side, identifier: string): Promise<string>;
  /** Redis's own. */
  version(): Promise<string>;
  close(): Promise<void>;
}

export interface StageOptions {
  /** Without it a private one is started. */
  readonly redisUrl: string | undefined;
  readonly concurrency: number;
  readonly people: number;
}

const QUERY = "is:open";
const KEPT: JobsOptions = { removeOnComplete: { count: 100 } };
const GONE: JobsOptions = { removeOnComplete: true };

export async function openStage({ redisUrl, concurrency, people }: StageOptions): Promise<Stage> {
  const ends: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    const own = redisUrl === undefined ? await startRedis() : undefined;
    if (own !== undefined) ends.push(() => own.stop());
    const url = redisUrl ?? own?.url ?? "";
    const name = `bench-${randomUUID().slice(0, 8)}`;
    const prefix = `{${name}:0}:`;
    if (own === undefined) ends.push(() => removeKeys(url, name));
    const child = (file: string): Child => {
      const started = startChild(file);
      ends.push(() => started.stop());
      return started;
    };

    const model = child("./model-server.ts");
    const scalekit = child("./scalekit-server.ts");
    const access = await scalekit.order<ScalekitOptions>("start", people);
    const profile = { apiKey: "bench", baseURL: await model.order<string>("start") };

    const [ours, floor] = [child("./worker-ours.ts"), child("./worker-floor.ts")];
    const options = { redis: url, prefix: name, scalekit: access, models: { bench: profile } };
    await ours.order("start", { options, concurrency });
    const floorOptions: FloorOptions = {
      redis: url,
      prefix: `${prefix}floor`,
      queue: "floor",
      scalekit: access,
      model: profile,
      concurrency,
      example: person(0),
    };
    await floor.order("start", floorOptions);

    const errand = createErrand({ ...options, agents: [deskAgent] });
    const redis = new Redis(url);
    const listener = new Redis(url, { maxRetriesPerRequest: null });
    const [tickets, jobs, events] = [
      new Queue("default", { connection: redis, prefix: `${prefix}q` }),
      new Queue<FloorJob, string>("floor", { connection: redis, prefix: `${prefix}floor` }),
      new QueueEvents("floor", { connection: listener, prefix: `${prefix}floor` }),
    ];
    ends.push(async () => {
      await Promise.all([errand.close(), tickets.close(), jobs.close(), events.close()]);
      redis.disconnect();
      listener.disconnect();
    });
    await events.waitUntilReady();

    const add = (side: Side, identifier: string, kept: JobsOptions) =>
      jobs.add("desk", { identifier, query: QUERY, prepares: side === "floor" }, kept);
    const start = (identifier: string) => errand.enqueue(deskAgent, { identifier, input: { query: QUERY } });
    return {
      redis,
      url,
      options,
      prefix,
      model,
      scalekit,
      worker: (side) => (side === "ours" ? ours : floor),
      queue: (side) => (side === "ours" ? tickets : jobs),
      enqueue: async (side, identifier) =>
        side === "ours" ? (await start(identifier)).id : ((await add(side, identifier, GONE)).id ?? ""),
      whole: async (side, identifier) =>
        side === "ours"
          ? (await start(identifier)).result()
          : (await add(side, identifier, KEPT)).waitUntilFinished(events),
      version: async () => /^redis_version:(\S+)/m.exec(await redis.info("server"))?.[1] ?? "unknown",
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
