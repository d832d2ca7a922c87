/** Asks the Redis of REDIS_URL whether it is there, and says in one sentence what is wrong with it. */
import { SetupError } from "./setup-error.mjs";

const ANSWER_MS = 5_000;

/** Throws a SetupError. It never shows the password. `patienceMs`: how long it may refuse connections at first. */
export async function checkRedis(url, { patienceMs = 0 } = {}) {
  const where = placeOf(url);
  const { Redis } = await import("ioredis");
  const until = Date.now() + patienceMs;
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: ANSWER_MS,
    commandTimeout: Math.max(ANSWER_MS, patienceMs),
    maxRetriesPerRequest: null,
    retryStrategy: () => (Date.now() < until ? 50 : null),
  });
  let reason;
  client.on("error", (error) => (reason = error));
  try {
    await client.ping();
  } catch (error) {
    throw new SetupError(sentence(where, reason ?? error));
  } finally {
    client.disconnect();
  }
}

function placeOf(url) {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["redis:", "rediss:"].includes(parsed.protocol)) {
    throw new SetupError(
      "REDIS_URL is not a Redis address: expected redis://[user:password@]host:port[/db] or rediss://….",
    );
  }
  return `${parsed.hostname}:${parsed.port || 6379}`;
}

function sentence(where, error) {
  const text = `${error.code ?? ""} ${error.message}`;
  if (/WRONGPASS|NOAUTH|invalid password|invalid username/i.test(text)) {
    return `The Redis at ${where} refused the user or password of REDIS_URL: put the right one there, or unset REDIS_URL.`;
  }
  if (/ECONNREFUSED/.test(text)) {
    return `Nothing listens at ${where}, where REDIS_URL points: start that Redis, or unset REDIS_URL.`;
  }
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) {
    return `REDIS_URL names a host that is not found (${where}): put the right one there, or unset REDIS_URL.`;
  }
  return `The Redis at ${where} of REDIS_URL does not answer as one (${error.message}): check it, or unset REDIS_URL.`;
}
