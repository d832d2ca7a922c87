/** Nine parked days, one digest: what is enqueued while a run waits for its account. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { agent } from "../../src/index.ts";
import { say } from "../../src/testing/index.ts";
import { connectAs, testWorld, untilEvent } from "../support/world.ts";

const DAY = 86_400_000;

const digest = agent({
  name: "digest",
  model: "openai/scripted",
  instructions: "Sum up.",
  connections: ["gmail"],
  input: z.object({}),
  prompt: ({ covers }) => `From ${covers?.from} to ${covers?.to}`,
});

test("latest: the runs of nine parked days give way, and one digest covers them all", async (t) => {
  const world = await testWorld(t, { script: () => say("Nine days."), errand: { agents: [digest] } });
  world.errand.worker();
  const enqueue = (day: number, coalesce: "latest" | "skip" = "latest") =>
    world.errand.enqueue(digest, {
      identifier: "ada",
      input: {},
      covers: { from: day * DAY, to: (day + 1) * DAY },
      coalesce,
    });
  const first = await enqueue(0);
  await untilEvent(first, "run.parked");
  let before = first;
  for (let day = 1; day < 9; day++) {
    const run = await enqueue(day);
    await assert.rejects(before.result({ timeoutMs: 60_000 }), { code: "run-cancelled" });
    assert.equal((await before.get()).supersededBy, run.id);
    await untilEvent(run, "run.parked");
    before = run;
  }
  assert.equal((await enqueue(9, "skip")).id, before.id);
  assert.equal(world.model.requests.length, 0);

  await connectAs(world, "ada");
  assert.equal(await before.result({ timeoutMs: 60_000 }), "Nine days.");
  assert.deepEqual((await before.get()).covers, { from: 0, to: 9 * DAY });
  const asked = world.model.requests[0]?.body as { messages: { content: string }[] } | undefined;
  const [, prompt] = asked?.messages ?? [];
  assert.equal(prompt?.content, `From 0 to ${9 * DAY}`);
  assert.equal(world.model.requests.length, 1);
  assert.equal((await world.errand.runs({ status: "cancelled" })).runs.length, 8);
});

test("a wrong policy or time is refused", async (t) => {
  const world = await testWorld(t, { errand: { agents: [digest] } });
  const enqueue = (options: object) => world.errand.enqueue(digest, { identifier: "ada", input: {}, ...options });
  await assert.rejects(enqueue({ coalesce: "newest" }), { code: "option-invalid", message: /all, latest, skip/ });
  await assert.rejects(enqueue({ covers: { from: 5, to: 4 } }), { code: "option-invalid", message: /from before to/ });
  await assert.rejects(enqueue({ covers: { from: 1.5 } }), { code: "option-invalid" });
});
