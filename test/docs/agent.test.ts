import assert from "node:assert/strict";
import { test } from "node:test";
import { agent, createErrand } from "errand";
import { call, say, startRedis, startScalekitEmulator, startScriptedModel } from "errand/testing";
import { z } from "zod";

const triage = agent({
  name: "triage",
  model: "openai/any",
  instructions: "Say how many mails are unread.",
  connections: ["gmail"],
  tools: ["gmail_fetch_mails"],
  input: z.object({}),
});

test("the user connects, the provider times out, the access is taken away, the user connects again", async (t) => {
  const [redis, scalekit] = await Promise.all([startRedis(), startScalekitEmulator({ connections: ["gmail"] })]);
  const model = await startScriptedModel({ script: [call("gmail_fetch_mails", { query: "is:unread" }), say("None.")] });
  const { url: envUrl, clientId, clientSecret } = scalekit;
  const models = { openai: { apiKey: model.apiKey, baseURL: model.url } };
  const errand = createErrand({
    redis: redis.url,
    scalekit: { envUrl, clientId, clientSecret },
    models,
    agents: [triage],
  });
  t.after(() => errand.close().then(() => Promise.all([model.close(), scalekit.close(), redis.stop()])));
  scalekit.faults.add({ method: "ExecuteTool", code: "DeadlineExceeded" });
  errand.worker();
  const run = await errand.enqueue(triage, { identifier: "ada", input: {} });
  const waits: string[] = [];
  for await (const event of run.events()) {
    if (event.type !== "run.parked") continue;
    waits.push(event.needs[0]?.reason ?? event.reason);
    if (event.reason === "retry") scalekit.revoke("ada", "gmail", { expire: "now" });
    else {
      scalekit.connect("ada", "gmail");
      await errand.checkAccount("ada", "gmail");
    }
  }
  assert.deepEqual(waits, ["not-connected", "retry", "expired"]);
  assert.equal(await run.result(), "None.");
  assert.equal(scalekit.ledger.length, 1);
});
