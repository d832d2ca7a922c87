/** Connections to Redis, and what their failures mean to a person. */
import { Redis, type RedisOptions } from "ioredis";
import { ErrandError } from "../core/errors.ts";
import { endable } from "./endable.ts";
import { gathered } from "./gathered.ts";

export interface Connection {
  readonly redis: Redis;
  /** Runs `work`; a Redis that cannot be reached or refuses us becomes an ErrandError that says so. */
  readonly reach: <T>(work: () => Promise<T>) => Promise<T>;
  close(): Promise<void>;
}

/** Answers of a server that takes no writes now, and has not done what was asked: after a failover, while it loads, its disk is full. */
export const TAKES_NO_WRITES: RegExp = /^(READONLY|LOADING|MASTERDOWN|UNBLOCKED|MISCONF|NOREPLICAS)\b/;
const ASK_AGAIN_MS = 500;

/**
 * A server that takes no writes is left, and the address is asked anew: it may stand for the new primary by then.
 * @param waits `true` for workers: commands wait until Redis is back and takes writes. `false` for whoever enqueues: a command fails
 * after two attempts to connect, or when it is refused, so that an app's request does not hang.
 */
export function connect(given: string | RedisOptions, waits: boolean): Connection {
  let refused = false;
  const retryStrategy = (times: number): number => {
    const delayMs = refused ? ASK_AGAIN_MS : Math.min(times * 100, 3_000);
    refused = false;
    return delayMs;
  };
  const reconnectOnError = (error: Error): false | 1 | 2 => {
    if (!TAKES_NO_WRITES.test(error.message)) return false;
    refused = true;
    return waits ? 2 : 1;
  };
  // BullMQ's workers ask for null.
  const maxRetriesPerRequest = waits ? null : 2;
  const redis = gathered(
    endable(
      typeof given === "string"
        ? new Redis(given, { retryStrategy, reconnectOnError, maxRetriesPerRequest })
        : new Redis({ retryStrategy, reconnectOnError, ...given, maxRetriesPerRequest, replyMapping: "legacy" }),
    ),
  );
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

const REFUSALS: Readonly<Record<string, string>> = {
  READONLY: "it is a replica; point REDIS_URL at the primary",
  LOADING: "it is loading its data; wait",
  MASTERDOWN: "it is a replica without its primary",
  MISCONF: "it cannot write to its disk; look at its log",
  NOREPLICAS: "it has fewer replicas than its min-replicas-to-write",
  OOM: "it is full; raise maxmemory",
};

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
  const refusal = /\b(READONLY|LOADING|MASTERDOWN|MISCONF|NOREPLICAS|OOM)\b/.exec(error.message)?.[1];
  if (refusal !== undefined)
    return new ErrandError(
      "redis-unavailable",
      `Redis at ${where} answers but takes no writes (${refusal}: ${REFUSALS[refusal] ?? ""}). Nothing was enqueued or changed.`,
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
