/** Facts A41, A45: a worker dies after k of n calls of a tool of the app's own; the next one sends only the missing ones. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { call, say } from "../../src/testing/index.ts";
import { redisUrl } from "../support/store.ts";
import { testWorld } from "../support/world.ts";
import { mailingAgent, TEAM } from "./local-crash-agent.ts";

test("kill -9 after two of four: the tool runs again at once elsewhere, and mails the other two", async (t) => {
  const made = mailingAgent(() => undefined);
  const world = await testWorld(t, {
    script: [call("mail_team", {}), say("done")],
    errand: { agents: [made], leaseMs: 1_000 },
  });
  world.scalekit.connect("ada", "gmail");
  const run = await world.errand.enqueue(made, { identifier: "ada", input: {} });
  const { url: envUrl, clientId, clientSecret } = world.scalekit;
  const models = { openai: { apiKey: world.model.apiKey, baseURL: world.model.url } };
  const scene = { redis: redisUrl(), prefix: world.prefix, scalekit: { envUrl, clientId, clientSecret }, models };
  const worker = fileURLToPath(new URL("local-crash-worker.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", worker], {
    env: { ...process.env, SCENE: JSON.stringify(scene) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  assert.equal(signal, "SIGKILL");
  const sent = (): unknown[] => world.scalekit.ledger.map(({ input }) => input["to"]);
  assert.deepEqual(sent(), TEAM.slice(0, 2));
  world.errand.worker({ wakeEveryMs: 20 });
  assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
  assert.deepEqual(sent(), TEAM);
  assert.match(JSON.stringify(world.model.requests.at(-1)?.body), /all/);
});
