/** Stored answers, through the real SDK: begun behind, worked on in the background, cancelled, forgotten. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import OpenAI from "openai";
import {
  call,
  late,
  say,
  type Script,
  type ScriptedModel,
  type ScriptedModelOptions,
  startScriptedModel,
} from "../../../src/testing/model/index.ts";

interface Lab {
  readonly server: ScriptedModel;
  readonly client: OpenAI;
}

async function lab(t: TestContext, script: Script, options: ScriptedModelOptions = {}): Promise<Lab> {
  const server = await startScriptedModel({ script, ...options });
  t.after(() => server.close());
  return { server, client: new OpenAI({ apiKey: server.apiKey, baseURL: server.url, maxRetries: 0 }) };
}

const ASKED = { model: "m-1", input: [{ role: "user", content: "Hello" }] } as const;
const input = [...ASKED.input];

test("a request begins behind a stored answer, and the script is shown all of it", async (t) => {
  const { client, server } = await lab(t, (_, { turn }) => (turn === 0 ? call("a") : say(`turn ${turn}`)));
  const first = await client.responses.create({ ...ASKED, input });
  const [item] = first.output;
  assert.ok(item?.type === "function_call", "a call");
  const answered = [{ type: "function_call_output", call_id: item.call_id, output: "1" } as const];
  const second = await client.responses.create({ model: "m-1", input: answered, previous_response_id: first.id });
  assert.equal(second.output_text, "turn 1");
  assert.ok((second.usage?.input_tokens ?? 0) > (first.usage?.input_tokens ?? 0), "the whole chain is counted");
  const third = await client.responses.create({ model: "m-1", input: "And?", previous_response_id: second.id });
  assert.equal(third.output_text, "turn 2");
  assert.deepEqual(
    server.requests.map(({ messages }) => messages.length),
    [1, 3, 5],
  );
  assert.deepEqual(server.requests[2]?.body["input"], "And?", "as it was sent");
  const wrong = [{ type: "function_call_output", call_id: "other", output: "1" }] as const;
  await assert.rejects(
    client.responses.create({ model: "m-1", input: [...wrong], previous_response_id: first.id }),
    /No tool call found for function call output with call_id other/,
  );
});

test("what is not stored, forgotten, or of an organisation without retention is not begun behind", async (t) => {
  const { client, server } = await lab(t, () => say("x"));
  const next = (previous_response_id: string): Promise<unknown> =>
    client.responses.create({ ...ASKED, input, previous_response_id });
  const unstored = await client.responses.create({ ...ASKED, input, store: false });
  await assert.rejects(next(unstored.id), { status: 400, code: "previous_response_not_found" });
  const stored = await client.responses.create({ ...ASKED, input });
  server.forget(stored.id);
  await assert.rejects(next(stored.id), { status: 400, code: "previous_response_not_found" });

  const none = await lab(t, () => say("x"), { zeroRetention: true });
  const first = await none.client.responses.create({ ...ASKED, input });
  await assert.rejects(
    none.client.responses.create({ ...ASKED, input, previous_response_id: first.id }),
    /cannot be used for this organization due to Zero Data Retention/,
  );
});

test("background: queued at once, in progress as often as it is said, then the answer, for as long as it is kept", async (t) => {
  const { client, server } = await lab(t, [say("done")], { polls: 2 });
  const queued = await client.responses.create({ ...ASKED, input, background: true });
  assert.deepEqual([queued.status, queued.output], ["queued", []]);
  const seen: (string | undefined)[] = [];
  for (let i = 0; i < 4; i++) seen.push((await client.responses.retrieve(queued.id)).status);
  assert.deepEqual(seen, ["in_progress", "in_progress", "completed", "completed"]);
  assert.equal((await client.responses.retrieve(queued.id)).output_text, "done");
  server.forget();
  await assert.rejects(client.responses.retrieve(queued.id), { status: 404 });
  await assert.rejects(client.responses.cancel(queued.id), { status: 404 });
  const again = await client.responses.create({ ...ASKED, input, background: true });
  assert.notEqual(again.id, queued.id, "each answer has its own id");
});

test("cancelled while it is worked on; what is done stays done", async (t) => {
  const { client } = await lab(t, (_, { index }) => (index === 0 ? late(60_000, say("x")) : say("done")), {
    polls: 0,
  });
  const { id } = await client.responses.create({ ...ASKED, input, background: true });
  assert.equal((await client.responses.cancel(id)).status, "cancelled");
  assert.equal((await client.responses.cancel(id)).status, "cancelled", "as often as it is said");
  assert.equal((await client.responses.retrieve(id)).status, "cancelled");
  const done = await client.responses.create({ ...ASKED, input, background: true });
  assert.equal((await client.responses.cancel(done.id)).status, "completed");
  const plain = await client.responses.create({ ...ASKED, input });
  await assert.rejects(client.responses.cancel(plain.id), { status: 400 });
});
