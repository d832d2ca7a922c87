/** Connections to Redis, and what their failures mean to a person. */
import { Redis, type RedisOptions } from "ioredis";
import { ErrandError } from "../core/errors.ts";

export interface Connection {
  readonly redis: Redis;
  /** Runs `work`; a Redis that cannot be reached or refuses us becomes an ErrandError that says so. */
  readonly reach: <T>(work: () => Promise<T>) => Promise<T>;
  close(): Promise<void>;
}

/**
 * @param waits `true` for workers: commands wait until Redis is back. `false` for whoever enqueues: a command fails after two
 * attempts to connect, so that an app's request does not hang.
 */
export function connect(given: string | RedisOptions, waits: boolean): Connection {
  const retryStrategy = (times: number): number => Math.min(times * 100, 3_000);
  // BullMQ's workers ask for null.
  const maxRetriesPerRequest = waits ? null : 2;
  const redis =
    typeof given === "string"
      ? new Redis(given, { retryStrategy, maxRetriesPerRequest })
      : new Redis({ retryStrategy, ...given, maxRetriesPerRequest, replyMapping: "legacy" });
  let last: Error | undefined;
  redis.on("error", (error: Error) => (last = error));
  redis.on("ready", () => (last = undefined));
  return {
    redis,
    reach: async (work) => {
      try {
        return await work();
      } catch (error) {
        throw explain(error, last, redis.options);
      }
    },
    close: async () => redis.disconnect(),
  };
}

/** Checks that Redis answers, within `ms`. @throws ErrandError `redis-auth`, `redis-unavailable` */
export async function assertReachable(connection: Connection, ms = 5_000): Promise<void> {
  const { redis } = connection;
  let last: Error | undefined;
  const note = (error: Error): void => void (last = error);
  redis.on("error", note);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("timeout")), ms);
  });
  try {
    await connection.reach(() =>
      Promise.race([redis.ping(), late]).catch((error: unknown) =>
        Promise.reject(explain(error, last, redis.options, true)),
      ),
    );
  } finally {
    clearTimeout(timer);
    redis.off("error", note);
  }
}

const REFUSED = /WRONGPASS|NOAUTH|NOPERM|invalid password|without any password/i;
const UNREACHED =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRESET|EHOSTUNREACH|Connection is closed|MaxRetriesPerRequest|max retries per request/i;

function explain(error: unknown, last: Error | undefined, { host, port }: RedisOptions, always = false): unknown {
  if (error instanceof ErrandError || !(error instanceof Error)) return error;
  const text = `${error.name} ${error.message} ${last?.message ?? ""} ${(last as NodeJS.ErrnoException | undefined)?.code ?? ""}`;
  const where = `${host ?? "localhost"}:${port ?? 6379}`;
  if (REFUSED.test(text))
    return new ErrandError(
      "redis-auth",
      `Redis at ${where} refused our user name or password. Check the credentials in REDIS_URL (redis://user:password@host:port).`,
      { cause: error },
    );
  if (always || UNREACHED.test(text))
    return new ErrandError(
      "redis-unavailable",
      `No Redis answers at ${where}. Start one (docker compose up -d redis, or redis-server), or set REDIS_URL.`,
      { cause: error },
    );
  return error;
}
