/** Stop switches over the wire: a run that meets one waits, holding nothing, and goes on where it was; nothing is done twice or not at all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { agent, mcp, type TypedAgent } from "../../src/index.ts";
import { call, say } from "../../src/testing/index.ts";
import { testWorld, untilEvent } from "../support/world.ts";

const WAIT = { timeoutMs: 60_000 };
const profile = (name: string, expiresAfterMs?: number): TypedAgent<object, object, string> =>
  agent({
    name,
    model: "openai/scripted",
    instructions: "Say whose mailbox it is.",
    connections: ["gmail"],
    tools: ["gmail_get_profile"],
    input: z.object({}),
    limits: { attempts: 1 },
    ...(expiresAfterMs !== undefined && { expiresAfterMs }),
  });
const script = [call("gmail_get_profile"), say("done")];

for (const target of [{ tool: "gmail_get_profile" }, { connection: "gmail" }] as const)
  test(`a run thinks, meets the stopped ${Object.keys(target).join()}, and makes that call when it is resumed`, async (t) => {
    const { errand, scalekit, model } = await testWorld(t, { script, errand: { agents: [profile("reader")] } });
    scalekit.connect("ada", "gmail");
    assert.equal(await errand.pause(target, { by: "mira", why: "looks odd" }), true);
    await errand.worker({ wakeEveryMs: 50 }).ready();
    const run = await errand.enqueue("reader", { identifier: "ada", input: {} });
    const { reason } = await untilEvent(run, "run.parked");
    assert.equal(reason, "paused");
    assert.equal(model.requests.length, 1, "what was bought is kept");
    assert.deepEqual(scalekit.ledger, []);
    const [found] = await errand.switches();
    assert.deepEqual([found?.by, found?.why, found?.waiting], ["mira", "looks odd", 1]);
    assert.equal(await errand.resume(target), true);
    assert.equal(await run.result(WAIT), "done");
    assert.deepEqual([model.requests.length, scalekit.ledger.length], [2, 1]);
    assert.deepEqual(await errand.switches(), []);
  });

test("a stopped agent: what it bought before is kept, nothing new begins; who waits in line stays there, and a cancel ends both", async (t) => {
  const { errand, scalekit, model } = await testWorld(t, {
    script: async () => {
      await errand.pause({ agent: "reader" });
      return call("gmail_get_profile");
    },
    errand: { agents: [profile("reader")], perIdentifier: 1 },
  });
  scalekit.connect("ada", "gmail");
  await errand.worker({ wakeEveryMs: 50 }).ready();
  const run = await errand.enqueue("reader", { identifier: "ada", input: {} });
  await untilEvent(run, "run.parked");
  assert.deepEqual([(await run.get()).turns, model.requests.length, scalekit.ledger.length], [1, 1, 0]);
  const inLine = await errand.enqueue("reader", { identifier: "ada", input: {} });
  const { lines, waiting, live } = await errand.lines();
  assert.deepEqual([waiting, live], [1, 0]);
  assert.deepEqual(
    lines.map(({ identifier, agent: name, waiting: runs, keptBy }) => [identifier, name, runs, keptBy]),
    [["ada", "reader", 1, "paused"]],
  );
  for (const each of [run, inLine]) {
    assert.equal(await each.cancel(), true);
    await assert.rejects(each.result(WAIT), { code: "run-cancelled" });
  }
  assert.equal(scalekit.ledger.length, 0);
});

test("a run that waits for a switch for longer than it may ends as expired, though it is stopped still", async (t) => {
  const { errand, scalekit } = await testWorld(t, { script, errand: { agents: [profile("reader", 1_000)] } });
  scalekit.connect("ada", "gmail");
  await errand.pause({ identifier: "ada" });
  const worker = errand.worker({ wakeEveryMs: 50 });
  await worker.ready();
  const stayed = await errand.enqueue("reader", { identifier: "ada", input: {} });
  await errand.resume({ identifier: "ada" });
  await errand.pause({ identifier: "ada" });
  await assert.rejects(stayed.result(WAIT), { code: "run-expired" });
});

test("what cannot be stopped is said: no such tool, no such kind, two at once", async (t) => {
  const { errand } = await testWorld(t, { script, errand: { agents: [profile("reader")] } });
  await assert.rejects(errand.pause({ tool: "gmail_get_profil" }), /no tool "gmail_get_profil".*gmail_get_profile/);
  await assert.rejects(errand.pause({ user: "ada" } as never), { code: "option-invalid" });
  await assert.rejects(errand.pause({ tool: "a", agent: "b" } as never), { code: "option-invalid" });
  await assert.rejects(errand.pause({ identifier: "" }), { code: "option-invalid" });
  assert.equal(await errand.resume({ tool: "long_gone" }), false);
});

test("a tool of a server from which an agent takes all can be stopped by its name, which only a run knows", async (t) => {
  const all = agent({
    name: "all",
    model: "openai/scripted",
    instructions: "Look it up.",
    tools: [mcp({ name: "docs", url: "http://127.0.0.1:9/mcp" }).all()],
    input: z.object({}),
  });
  const { errand } = await testWorld(t, { script, errand: { agents: [all] } });
  assert.equal(await errand.pause({ tool: "search_docs" }), true);
  await assert.rejects(errand.pause({ agent: "al" }), { code: "option-invalid" });
});
