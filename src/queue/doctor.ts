/** What `errand doctor` asks Redis. Writes one key that is gone after a second. */
import { createRequire } from "node:module";
import type { Redis, RedisOptions } from "ioredis";
import type { RedisFacts } from "../core/doctor/redis.ts";
import { isObject } from "../core/json.ts";
import type { Clock } from "../ports/clock.ts";
import { assertReachable, connect } from "./connect.ts";

/** @param prefix as in `createErrand`. @throws ErrandError `redis-auth`, `redis-unavailable` */
export async function lookAtRedis(given: string | RedisOptions, prefix: string, clock: Clock): Promise<RedisFacts> {
  const connection = connect(given, false);
  const { redis } = connection;
  try {
    await assertReachable(connection);
    return await connection.reach(async () => {
      const { host = "localhost", port = 6379 } = redis.options;
      const config = await configOf(redis);
      return {
        where: `${host}:${port}`,
        ...(await compareClocks(redis, clock)),
        info: await infoOf(redis),
        ...(config !== undefined && { config }),
        ...(await tryScript(redis, `{${prefix}:0}:doctor`)),
      };
    });
  } finally {
    await connection.close();
  }
}

/** The version that is installed beside us. */
export function bullmqVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)("bullmq/package.json");
  return isObject(manifest) ? String(manifest["version"]) : "unknown";
}

async function infoOf(redis: Redis): Promise<Record<string, string>> {
  const text = await orRefused(redis.info());
  const fields = (text ?? "").split("\r\n").map((line) => /^([a-z_0-9]+):(.*)$/.exec(line));
  return Object.fromEntries(fields.flatMap((field) => (field === null ? [] : [[field[1] ?? "", field[2] ?? ""]])));
}

const SETTINGS = ["appendonly", "appendfsync", "maxmemory-policy"];

/** One by one: Redis takes several names at once only from 7.0 on. */
async function configOf(redis: Redis): Promise<Record<string, string> | undefined> {
  const replies = await Promise.all(SETTINGS.map((name) => orRefused(redis.config("GET", name))));
  const known = SETTINGS.flatMap((name, i): [string, string][] => {
    const reply: unknown = replies[i];
    const value: unknown = Array.isArray(reply) ? reply[1] : isObject(reply) ? reply[name] : undefined;
    return typeof value === "string" ? [[name, value]] : [];
  });
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

/** Managed services refuse or hide commands. @throws what is no answer of Redis */
async function orRefused<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isReply(error)) return undefined;
    throw error;
  }
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

const SAMPLES = 3;

/** Of some samples the one with the shortest way tells most: Redis read its clock somewhere within it. */
async function compareClocks(
  redis: Redis,
  clock: Clock,
): Promise<Pick<RedisFacts, "tookMs" | "skewMs" | "skewErrorMs">> {
  let best = { tookMs: Infinity, skewMs: 0, skewErrorMs: Infinity };
  for (let i = 0; i < SAMPLES; i++) {
    const [before, started] = [clock.now(), clock.monotonic()];
    const [seconds, micros] = (await redis.time()).map(Number);
    const tookMs = clock.monotonic() - started;
    if (tookMs >= best.tookMs) continue;
    const skewMs = (seconds ?? 0) * 1_000 + (micros ?? 0) / 1_000 - (before + tookMs / 2);
    best = { tookMs, skewMs, skewErrorMs: tookMs / 2 };
  }
  return best;
}

/** Declared as our own scripts are, and like them on a key of ours. */
const PROBE = `#!lua
return redis.call('SET', KEYS[1], ARGV[1], 'PX', 1000)`;

async function tryScript(redis: Redis, key: string): Promise<Pick<RedisFacts, "refused">> {
  try {
    await redis.eval(PROBE, 1, key, "1");
    return {};
  } catch (error) {
    if (isReply(error)) return { refused: error.message.slice(0, 200) };
    throw error;
  }
}
