/** A stop switch is effective in every worker process, before the next intent: measured with two of them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { call, say, type Script } from "../../src/testing/index.ts";
import { compiled } from "../support/compiled.ts";
import { redisUrl } from "../support/store.ts";
import { testWorld, untilEvent } from "../support/world.ts";
import { looker } from "./switch-agent.ts";

const USERS = ["ada", "bob"] as const;

test("two worker processes, each in the middle of a run: once pause has answered, neither begins anything more", async (t) => {
  let asked: number[] = [];
  let goOn = false;
  const script: Script = () => {
    asked.push(performance.now());
    return goOn ? say("done") : call("look_up", {});
  };
  const world = await testWorld(t, { script, errand: { agents: [looker] } });
  const SCENE = JSON.stringify({
    redis: redisUrl(),
    prefix: world.prefix,
    scalekit: {
      envUrl: world.scalekit.url,
      clientId: world.scalekit.clientId,
      clientSecret: world.scalekit.clientSecret,
    },
    models: { openai: { apiKey: world.model.apiKey, baseURL: world.model.url } },
    leaseMs: 5_000,
  });
  const entry = await compiled(new URL("switch-worker.ts", import.meta.url));
  for (const _ of USERS) {
    const child = spawn(process.execPath, [entry], {
      env: { ...process.env, SCENE },
      stdio: ["ignore", "ignore", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
  }
  const runs = await Promise.all(USERS.map((identifier) => world.errand.enqueue(looker, { identifier, input: {} })));
  // One slot each: both are at work, in two processes.
  await Promise.all(runs.map((run) => untilEvent(run, "turn.committed", 3)));
  const workers = await Promise.all(runs.map(async (run) => (await untilEvent(run, "run.started")).worker));
  assert.equal(new Set(workers).size, 2, workers.join());

  const before = performance.now();
  await world.errand.pause({ agent: "looker" });
  const paused = performance.now();
  const parks = await Promise.all(runs.map((run) => untilEvent(run, "run.parked")));
  assert.deepEqual(
    parks.map(({ reason }) => reason),
    ["paused", "paused"],
  );
  // An intent that was written before may still be on its way.
  const late = Math.max(0, ...asked.map((at) => at - paused));
  t.diagnostic(
    `pause answered after ${Math.round(paused - before)} ms; last request ${Math.round(late)} ms after that`,
  );
  assert.ok(late <= 1_000, `a model was asked ${late} ms after the pause`);
  asked = [];
  goOn = true;
  await world.errand.resume({ agent: "looker" });
  for (const run of runs) assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
  assert.equal(asked.length, 2);
});
