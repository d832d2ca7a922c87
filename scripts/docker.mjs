/** A Redis in docker: one container on a loopback port, removed when we end, however we end. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { checkRedis } from "./check-redis.mjs";
import { runChild } from "./child.mjs";
import { onDeath } from "./leash.mjs";
import { SetupError } from "./setup-error.mjs";

const IMAGE = "valkey/valkey:8-alpine";
const SERVER = ["valkey-server", "--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"];
const QUESTION_MS = 10_000;
const READY_MS = 30_000;

/** → `{ url, close }`, or undefined when there is no docker engine. A docker client without an engine is common. */
export async function startInDocker(stop) {
  if (!docker("info").ok || !docker("compose", "version").ok) return undefined;
  console.error(`Starting ${IMAGE} in docker …`);
  const name = `errand-redis-${randomBytes(6).toString("hex")}`;
  const release = onDeath("docker", "rm", "--force", name);
  const close = async () => {
    docker("rm", "--force", name);
    await release();
  };
  try {
    const run = ["run", "--detach", "--rm", "--name", name, "--publish", "127.0.0.1::6379", IMAGE, ...SERVER];
    const code = await runChild("docker", run, stop, { stdio: ["ignore", "ignore", "inherit"] });
    if (code !== 0) throw new SetupError(`docker could not start ${IMAGE} (exit code ${code}, see above).`);
    const url = `redis://${docker("port", name, "6379/tcp").text.trim().split("\n")[0]}`;
    await checkRedis(url, { patienceMs: READY_MS });
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function docker(...args) {
  const { status, stdout } = spawnSync("docker", args, { encoding: "utf8", timeout: QUESTION_MS });
  return { ok: status === 0, text: stdout ?? "" };
}
