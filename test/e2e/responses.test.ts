/** The inbox digest through OpenAI Responses: the same agent and the same script, another wire protocol. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/core/json.ts";
import { inboxDigestScript, type ScriptFunction } from "../../src/testing/index.ts";
import { type Digest, giveMail, inboxDigest, testWorld } from "../support/world.ts";

const input = { query: "is:unread" };

/** The digest script as a model that thinks before it speaks. */
const thinking: ScriptFunction = async (request, context) => {
  const reply = await inboxDigestScript()(request, context);
  return reply.kind === "answer" ? { ...reply, items: [thought(context.turn)] } : reply;
};

function thought(turn: number): JsonObject {
  return { type: "reasoning", id: `rs_${turn}`, summary: [], encrypted_content: `secret ${turn}`, odd: { kept: true } };
}

test("the digest is the same as through chat completions; thoughts and texts go back as they came, calls under our ids", async (t) => {
  const digests: Digest[] = [];
  for (const protocol of ["chat", "responses"] as const) {
    const world = await testWorld(t, { protocol, script: thinking });
    await giveMail(world, "ada");
    world.scalekit.connect("ada", "gmail");
    world.errand.worker();
    const run = await world.errand.enqueue(inboxDigest, { identifier: "ada", input });
    digests.push(await run.result({ timeoutMs: 20_000 }));
    const { requests } = world.model;
    assert.deepEqual([...new Set(requests.map((request) => request.protocol))], [protocol]);
    assert.deepEqual(
      requests.flatMap((request) => request.problems),
      [],
    );
    if (protocol === "chat") continue;

    const last = requests.at(-1)?.body as { store: boolean; include: string[]; input: JsonObject[] };
    assert.deepEqual([last.store, last.include], [false, ["reasoning.encrypted_content"]]);
    const turns = requests.length - 1;
    assert.ok(turns >= 2, `${turns} turns`);
    assert.deepEqual(
      last.input.filter((item) => item["type"] === "reasoning"),
      Array.from({ length: turns }, (_, i) => thought(i)),
    );
    const asked = last.input.filter((item) => item["type"] === "function_call").map((item) => item["call_id"]);
    assert.deepEqual(asked.slice(0, 2), ["t0c0", "t1c0"]);
    const view = await run.get();
    assert.ok(view.usage.input > 0, "usage is counted");
  }
  assert.deepEqual(digests[1], digests[0]);
});
