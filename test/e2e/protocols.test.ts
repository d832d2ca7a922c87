/** The inbox digest through each wire protocol: the same agent, the same script, the same answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isObject, type JsonObject } from "../../src/core/json.ts";
import { inboxDigestScript, type RecordedRequest, type ScriptFunction } from "../../src/testing/index.ts";
import { type Digest, giveMail, inboxDigest, testWorld } from "../support/world.ts";

const input = { query: "is:unread" };

type Protocol = "chat" | "responses" | "messages";

/** The digest script as a model that thinks before it speaks. */
function thinking(protocol: Protocol): ScriptFunction {
  return async (request, context) => {
    const reply = await inboxDigestScript()(request, context);
    return reply.kind === "answer" ? { ...reply, items: [thought(protocol, context.turn)] } : reply;
  };
}

function thought(protocol: Protocol, turn: number): JsonObject {
  return protocol === "messages"
    ? { type: "thinking", thinking: `hm ${turn}`, signature: `proof ${turn}`, odd: { kept: true } }
    : { type: "reasoning", id: `rs_${turn}`, summary: [], encrypted_content: `secret ${turn}`, odd: { kept: true } };
}

test("the digest is the same on all protocols; thoughts and texts go back as they came, calls under our ids", async (t) => {
  const digests: Digest[] = [];
  for (const protocol of ["chat", "responses", "messages"] as const) {
    const world = await testWorld(t, { protocol, script: thinking(protocol) });
    await giveMail(world, "ada");
    world.scalekit.connect("ada", "gmail");
    world.errand.worker();
    const run = await world.errand.enqueue(inboxDigest, { identifier: "ada", input });
    digests.push(await run.result({ timeoutMs: 60_000 }));
    const { requests } = world.model;
    assert.deepEqual([...new Set(requests.map((request) => request.protocol))], [protocol]);
    assert.deepEqual(
      requests.flatMap((request) => request.problems),
      [],
    );
    const view = await run.get();
    assert.ok(view.usage.input > 0, "usage is counted");
    const turns = requests.length - 1;
    assert.ok(turns >= 2, `${turns} turns`);
    const last = requests.at(-1)?.body ?? {};
    if (protocol === "responses") {
      assert.deepEqual([last["store"], last["include"]], [false, ["reasoning.encrypted_content"]]);
      checkSaid(listIn(last, "input"), protocol, turns, "reasoning", "function_call", "call_id");
    }
    if (protocol === "messages") {
      checkSaid(blocksIn(last), protocol, turns, "thinking", "tool_use", "id");
      checkCaching(requests);
    }
  }
  assert.deepEqual(digests[1], digests[0]);
  assert.deepEqual(digests[2], digests[0]);
});

test("the digest is the same through each gateway's profile", async (t) => {
  const digests: Digest[] = [];
  for (const gateway of [undefined, "fastrouter", "openrouter", "litellm", "gemini", "vllm"] as const) {
    const world = await testWorld(t, gateway === undefined ? {} : { gateway });
    await giveMail(world, "ada");
    world.scalekit.connect("ada", "gmail");
    world.errand.worker();
    const run = await world.errand.enqueue(inboxDigest, { identifier: "ada", input });
    digests.push(await run.result({ timeoutMs: 60_000 }));
    const { requests } = world.model;
    assert.deepEqual(
      requests.flatMap((request) => request.problems),
      [],
      gateway,
    );
    const asked = requests.flatMap(({ body }) => Object.keys(body));
    assert.equal(asked.includes("store"), false, "nothing that only OpenAI knows");
  }
  for (const digest of digests) assert.deepEqual(digest, digests[0]);
});

function checkSaid(
  items: readonly JsonObject[],
  protocol: Protocol,
  turns: number,
  thoughts: string,
  calls: string,
  id: string,
): void {
  assert.deepEqual(
    items.filter((item) => item["type"] === thoughts),
    Array.from({ length: turns }, (_, i) => thought(protocol, i)),
  );
  const asked = items.filter((item) => item["type"] === calls).map((item) => item[id]);
  assert.deepEqual(asked.slice(0, 2), ["t0c0", "t1c0"]);
}

/** Each request begins with all that the one before it held: but for the marks, which move to its end. */
function checkCaching(requests: readonly RecordedRequest[]): void {
  const texts = requests.map(({ body }) => {
    assert.deepEqual(body["system"], [{ ...listIn(body, "system")[0], cache_control: { type: "ephemeral" } }]);
    return JSON.stringify(listIn(body, "messages")).replaceAll(',"cache_control":{"type":"ephemeral"}', "");
  });
  for (const [i, text] of texts.entries())
    if (i > 0)
      assert.ok(text.startsWith((texts[i - 1] ?? "").slice(0, -2)), `request ${i} begins with request ${i - 1}`);
  const marks = requests.map(({ body }) => blocksIn(body).filter((block) => "cache_control" in block).length);
  assert.deepEqual(marks, [1, ...marks.slice(1).map(() => 2)]);
}

function blocksIn(body: JsonObject): JsonObject[] {
  return listIn(body, "messages").flatMap((message) => listIn(message, "content"));
}

function listIn(object: JsonObject, field: string): JsonObject[] {
  const list = object[field];
  return Array.isArray(list) ? list.filter((one) => isObject(one)).map((one) => one as JsonObject) : [];
}
