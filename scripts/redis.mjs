/**
 * Takes a Redis for the demo and the tests: the one of REDIS_URL, or a server on PATH, or one in docker, or one that it
 * installs. What it starts listens on loopback only and ends with us; a Redis that was given is only asked whether it is there.
 */
import { checkRedis } from "./check-redis.mjs";
import { startInDocker } from "./docker.mjs";
import { installRedis } from "./install-redis.mjs";
import { SetupError } from "./setup-error.mjs";

/** → `{ url, close }`. Call it when node modules are there. Throws a SetupError that says what to do. */
export async function takeRedis(stop) {
  const given = process.env.REDIS_URL;
  if (given) {
    await checkRedis(given);
    return { url: given, close: async () => undefined };
  }
  return (await startOnPath()) ?? (await startInDocker(stop)) ?? (await installAndStart(stop));
}

async function startOnPath() {
  const { tsImport } = await import("tsx/esm/api");
  const { findRedis, startRedis } = await tsImport("../src/testing/redis.ts", import.meta.url);
  const program = findRedis();
  if (program === undefined) return undefined;
  const server = await startRedis({ program });
  return { url: server.url, close: () => server.stop() };
}

async function installAndStart(stop) {
  const redis = (await installRedis(stop)) ? await startOnPath() : undefined;
  if (redis !== undefined) return redis;
  const install =
    process.platform === "darwin"
      ? "brew install redis"
      : "on Debian and Ubuntu: apt-get install redis-tools; macOS: brew install redis";
  throw new SetupError(
    `Errand needs a Redis and found none: install one (${install}), start docker, or set REDIS_URL.`,
  );
}
