/** The entries of workers/ as docker-compose.yml starts them: ready, honest about a Redis that hangs, and gone after SIGTERM. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { say, startRedis, startScalekitEmulator, startScriptedModel } from "../../src/testing/index.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

for (const entry of ["agent", "wake", "schedule"])
  test(`workers/${entry}.ts: ready, then not while Redis hangs, and an orderly end`, async (t) => {
    const [redis, scalekit] = await Promise.all([startRedis(), startScalekitEmulator({ connections: ["gmail"] })]);
    const model = await startScriptedModel({ script: [say("{}")] });
    t.after(() => Promise.all([model.close(), scalekit.close(), redis.stop()]));
    const port = await freePort();
    const env = {
      ...process.env,
      REDIS_URL: redis.url,
      SCALEKIT_ENV_URL: scalekit.url,
      SCALEKIT_CLIENT_ID: scalekit.clientId,
      SCALEKIT_CLIENT_SECRET: scalekit.clientSecret,
      OPENAI_API_KEY: model.apiKey,
      OPENAI_BASE_URL: model.url,
      ERRAND_MODEL: "openai/scripted",
      LOG_LEVEL: "silent",
    };
    const config = "--config=examples/inbox-digest/errand.config.ts";
    const args = ["--import", "tsx", `workers/${entry}.ts`, config, `--health-port=${port}`];
    const worker = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(worker, "exit");
    t.after(() => worker.kill("SIGKILL"));
    const [said] = (await Promise.race([once(worker.stdout, "data"), exited.then(() => ["exited"])])) as [unknown];
    assert.match(String(said), /is ready/);

    const status = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    assert.deepEqual([await status("/livez"), await status("/readyz")], [200, 200]);
    await redis.kill("SIGSTOP");
    assert.deepEqual([await status("/livez"), await status("/readyz")], [200, 503]);
    await redis.kill("SIGCONT");
    worker.kill("SIGTERM");
    assert.deepEqual(await exited, [0, null]);
  });
