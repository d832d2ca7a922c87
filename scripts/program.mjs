/** Runs Node on our TypeScript sources, with a Redis where one is wanted. */
import { runChild } from "./child.mjs";
import { takeRedis } from "./redis.mjs";

/** Resolves to the exit code, when the program and our Redis have ended. `args` are those of `node`. */
export async function runProgram(args, stop, { cwd, redis: wanted }) {
  const redis = wanted ? await takeRedis(stop) : undefined;
  try {
    stop.throwIfAborted();
    const env = redis === undefined ? process.env : { ...process.env, REDIS_URL: redis.url };
    const tsx = ["--import", import.meta.resolve("tsx")];
    return await runChild(process.execPath, [...tsx, ...args], stop, { cwd, env, stdio: "inherit" });
  } finally {
    await redis?.close();
  }
}
