/** A54: a deployment takes away the version of a tool that a run began with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { z } from "zod";
import { type Agent, agent, createErrand, type LocalTool, tool } from "../../src/index.ts";
import { call, say } from "../../src/testing/index.ts";
import { redisUrl } from "../support/store.ts";
import { testWorld, untilEvent } from "../support/world.ts";

test("the run waits for the version that it began with, and calls no other", async (t) => {
  const executed: string[] = [];
  const version = (name: string): LocalTool =>
    tool({
      name: "book",
      description: "Books.",
      input: z.object({}),
      version: name,
      execute: () => executed.push(name),
    });
  const booker = (book: LocalTool): Agent =>
    agent({ name: "booker", model: "openai/scripted", instructions: "Book.", tools: [book], input: z.object({}) });
  let thinking: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (thinking = resolve));
  // The first worker prepares the run; its model does not answer while it lives.
  let answers: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => (answers = resolve));
  const world = await testWorld(t, {
    script: async ({ messages }) => {
      thinking();
      await gone;
      return messages.some(({ role }) => role === "tool") ? say("done") : call("book", {});
    },
    errand: { agents: [booker(version("1"))] },
  });
  const first = world.errand.worker({ wakeEveryMs: 20 });
  const run = await world.errand.enqueue("booker", { identifier: "ada", input: {} });
  await asked;
  await first.close({ timeoutMs: 1 });
  answers();

  const { url: envUrl, clientId, clientSecret } = world.scalekit;
  const deployed = createErrand({
    redis: redisUrl(),
    prefix: world.prefix,
    leaseMs: 2_000,
    logger: pino({ level: "silent" }),
    scalekit: { envUrl, clientId, clientSecret },
    models: { openai: { apiKey: world.model.apiKey, baseURL: world.model.url } },
    agents: [booker(version("2"))],
  });
  t.after(() => deployed.close());
  deployed.worker({ wakeEveryMs: 20 });
  const parked = await untilEvent(run, "run.parked");
  assert.equal(parked.reason, "review");
  assert.match(parked.message ?? "", /began with book version 1; this worker has 2/);
  assert.deepEqual(executed, []);
});
