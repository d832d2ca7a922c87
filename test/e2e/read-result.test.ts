/** A model reads on in results that it was shown only in part: one in the journal, and one of 2 MB beside it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { agent, tool } from "../../src/index.ts";
import { call, say } from "../../src/testing/index.ts";
import { testWorld } from "../support/world.ts";

test("read_result: offered when something was left out, reads this run's results by its place, refuses others'", async (t) => {
  const page = (characters: number): string => `${"x".repeat(characters / 2)}NEEDLE${"y".repeat(characters / 2)}`;
  const book = tool({
    name: "book",
    description: "Reads a book.",
    input: z.object({ characters: z.number() }),
    output: z.object({ text: z.string() }),
    effect: "read",
    execute: ({ characters }) => Promise.resolve({ text: page(characters) }),
  });
  const reader = agent({
    name: "reader",
    model: "openai/scripted",
    instructions: "Read.",
    tools: [book],
    input: z.object({}),
  });
  const script = [
    call("book", { characters: 40_000 }),
    call("read_result", { call: "t0c0", offset: 19_990, length: 40 }),
    call("book", { characters: 2_000_000 }),
    call("read_result", { call: "t2c0", offset: 1_000_000, length: 40 }),
    call("read_result", { call: "t9c9" }),
    say("Found."),
  ];
  const { errand, model } = await testWorld(t, { script, errand: { agents: [reader] } });
  errand.worker();
  const run = await errand.enqueue(reader, { identifier: "ada", input: {} });
  assert.equal(await run.result({ timeoutMs: 60_000 }), "Found.");
  const results = (await run.transcript()).flatMap((message) => (message.role === "tool" ? [message.text] : []));
  assert.match(results[0] ?? "", /characters left out; for more: read_result\(\{"call":"t0c0","offset":\d+\}\)/);
  assert.doesNotMatch(results[0] ?? "", /NEEDLE/);
  assert.match(results[1] ?? "", /NEEDLE/);
  assert.match(results[3] ?? "", /NEEDLE/);
  assert.match(results[4] ?? "", /"NoSuchResult"/);
  const offered = model.requests.map(({ tools }) => tools.map(({ name }) => name));
  assert.deepEqual(offered.slice(0, 2), [["book"], ["book", "read_result"]]);
});
