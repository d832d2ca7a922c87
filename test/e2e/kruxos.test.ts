/** An agent with KruxOS' capabilities, end to end: it recovers from an error as KruxOS proposes, and waits for a supervisor's approval. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { agent, kruxos } from "../../src/index.ts";
import { call, say, startKruxosEmulator } from "../../src/testing/index.ts";
import { testWorld } from "../support/world.ts";

test("rows 60, 66 and 67, and an approval: error, recovery, answer; the run parks for the supervisor and calls once", async (t) => {
  const gateway = await startKruxosEmulator();
  t.after(() => gateway.close());
  gateway.world.files.set("/workspace/notes.txt", "buy milk");
  const krux = kruxos({ url: gateway.url, apiKey: gateway.apiKey });
  const helper = agent({
    name: "helper",
    model: "openai/scripted",
    instructions: "Read the notes and send them.",
    tools: [
      krux.tool("filesystem.read", { effect: "read" }),
      krux.tool("filesystem.list", { effect: "read" }),
      krux.tool("email.send"),
    ],
    input: z.object({}),
  });
  const script = [
    call("filesystem__read", { path: "/workspace/missing.txt" }),
    call("filesystem__list", { path: "/workspace" }),
    call("filesystem__read", { path: "/workspace/notes.txt" }),
    call("email__send", { to: "ada@example.com", subject: "notes" }),
    say("Sent."),
  ];
  const { errand } = await testWorld(t, { script, errand: { agents: [helper] } });
  errand.worker();
  const run = await errand.enqueue(helper, { identifier: "ada", input: {} });
  let parked = "";
  for await (const event of run.events())
    if (event.type === "run.parked") {
      parked = event.reason;
      const [id] = gateway.pending;
      assert.ok(id !== undefined, "an approval waits");
      gateway.approve(id);
      break;
    }
  assert.equal(await run.result({ timeoutMs: 60_000 }), "Sent.");
  assert.equal(parked, "review");
  assert.deepEqual(
    [gateway.world.sent.length, gateway.executed.filter((name) => name === "email.send").length],
    [1, 1],
  );
  const results = (await run.transcript()).flatMap((message) => (message.role === "tool" ? [message.text] : []));
  assert.match(results[0] ?? "", /"recovery":\[\{"action":"list_directory"/);
  assert.match(results[2] ?? "", /buy milk/);
});

test("an approval that was given is not forgotten because the gateway has no time just then: nobody is asked twice", async (t) => {
  const gateway = await startKruxosEmulator();
  t.after(() => gateway.close());
  const krux = kruxos({ url: gateway.url, apiKey: gateway.apiKey });
  const helper = agent({
    name: "helper",
    model: "openai/scripted",
    instructions: "Send the notes.",
    tools: [krux.tool("email.send")],
    input: z.object({}),
  });
  const script = [call("email__send", { to: "ada@example.com", subject: "notes" }), say("Sent.")];
  const { errand } = await testWorld(t, { script, errand: { agents: [helper] } });
  errand.worker({ wakeEveryMs: 20 });
  const run = await errand.enqueue(helper, { identifier: "ada", input: {} });
  let asked = 0;
  for await (const _event of run.events())
    for (const id of gateway.pending) {
      if (asked++ === 0) gateway.fail({ method: "capabilities.invoke", status: 429, headers: { "retry-after": "1" } });
      gateway.approve(id);
    }
  assert.equal(await run.result({ timeoutMs: 60_000 }), "Sent.");
  assert.deepEqual([asked, gateway.world.sent.length], [1, 1]);
});
