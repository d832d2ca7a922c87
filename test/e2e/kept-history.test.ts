/** `previous_response_id` through a whole run: the same digest, and what the provider loses on the way is sent again in the same step. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunEvent } from "../../src/index.ts";
import { inboxDigestScript, type ScriptFunction } from "../../src/testing/index.ts";
import { type Digest, eventsOf, giveMail, inboxDigest, testWorld, type World } from "../support/world.ts";

type Committed = Extract<RunEvent, { type: "turn.committed" }>;

async function digestOf(world: World): Promise<{ readonly digest: Digest; readonly turns: readonly Committed[] }> {
  await giveMail(world, "ada");
  world.scalekit.connect("ada", "gmail");
  world.errand.worker();
  const run = await world.errand.enqueue(inboxDigest, { identifier: "ada", input: { query: "is:unread" } });
  const digest = await run.result({ timeoutMs: 60_000 });
  const turns = (await eventsOf(run)).filter((event): event is Committed => event.type === "turn.committed");
  const parks = (await run.get()).waits;
  assert.deepEqual(parks, [], "no attempt was burnt");
  return { digest, turns };
}

const script = inboxDigestScript();

test("behind what the provider keeps, and after it was lost, the digest is the same", async (t) => {
  const plain = await digestOf(await testWorld(t, { protocol: "responses" }));

  const profile = { protocol: "responses", features: { previousResponseId: true } } as const;
  const keeping = await testWorld(t, { protocol: "responses", profile });
  const kept = await digestOf(keeping);
  assert.deepEqual(kept.digest, plain.digest);
  const { requests } = keeping.model;
  assert.equal(requests.length, kept.turns.length);
  for (const [i, { body, tools }] of requests.entries()) {
    const isKept = kept.turns[i]?.history === "kept";
    // A result that is cut brings a tool to read on with: then all goes out once more.
    assert.equal(isKept, i > 0 && tools.length === requests[i - 1]?.tools.length, `turn ${i}`);
    const types = new Set((body["input"] as { type: string }[]).map(({ type }) => type));
    assert.equal(types.has("message"), !isKept, `turn ${i}`);
  }

  // After the first turn it is gone.
  const losing: ScriptFunction = (request, context) => {
    const reply = script(request, context);
    if (context.turn === 0) setImmediate(() => lost.model.forget());
    return reply;
  };
  const lost: World = await testWorld(t, { protocol: "responses", profile, script: losing });
  const rebuilt = await digestOf(lost);
  assert.deepEqual(rebuilt.digest, plain.digest);
  assert.deepEqual(
    rebuilt.turns.slice(0, 2).map(({ history }) => history),
    [undefined, "rebuilt"],
  );
  assert.equal(lost.model.requests.length, rebuilt.turns.length + 1);
});
