/** Long transcripts and models that do not answer, over the wire: compaction, fallback from one protocol to another and back. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { z } from "zod";
import { agent, type Agent, type ErrandOptions, type RunHandle, tool } from "../../src/index.ts";
import {
  call,
  checkChatRequest,
  checkResponsesRequest,
  httpError,
  json,
  type RecordedRequest,
  say,
  type ScriptedModel,
  type ScriptFunction,
  startScriptedModel,
} from "../../src/testing/index.ts";
import { testWorld, type World } from "../support/world.ts";

const WAIT = { timeoutMs: 30_000 };

/** Nine thousand characters that do not repeat, about three thousand tokens. */
const read = tool({
  name: "read_page",
  description: "Reads a page.",
  input: z.object({ page: z.number() }),
  effect: "read",
  execute: ({ page }) =>
    Promise.resolve({ page, text: Array.from({ length: 1_500 }, (_, i) => `w${page}x${i}`).join(" ") }),
});

const sizeOf = ({ body }: RecordedRequest): number => JSON.stringify(body).length;
const isSummary = ({ body }: { readonly body: unknown }): boolean => /You sum up the work/.test(JSON.stringify(body));

interface Scene extends World {
  readonly run: RunHandle<unknown>;
}

async function start(t: TestContext, made: Agent, profiles: object, script: ScriptFunction): Promise<Scene> {
  const model = await startScriptedModel({ script });
  const models = modelsOf(model, profiles) as NonNullable<ErrandOptions["models"]>;
  const world = await testWorld(t, { errand: { agents: [made], models } });
  t.after(() => model.close());
  world.errand.worker({ wakeEveryMs: 20 });
  const run = (await world.errand.enqueue(made.name, { identifier: "ada", input: {} })) as RunHandle<unknown>;
  return { ...world, model, run };
}

function modelsOf({ url, apiKey }: ScriptedModel, profiles: object): object {
  return Object.fromEntries(
    Object.entries(profiles).map(([name, profile]) => [name, { apiKey, baseURL: url, ...(profile as object) }]),
  );
}

function reader(more: Partial<Parameters<typeof agent>[0]> = {}): Agent {
  return agent({
    name: "reader",
    model: "openai/scripted",
    instructions: "Read.",
    tools: [read],
    input: z.object({}),
    limits: { turns: 20, runResultChars: 1_000_000 },
    ...more,
  } as Parameters<typeof agent>[0]) as Agent;
}

/** Reads so many pages, then answers. Asked for a summary, it gives one. */
function pages(count: number): ScriptFunction {
  let made = 0;
  return (request) => {
    if (isSummary(request)) return say("Read some pages; nothing found yet.");
    return made < count ? call("read_page", { page: made++ }) : say("read all");
  };
}

test("a run that outgrows its model goes on to its end: no request is too long, and the journal says what was left out", async (t) => {
  const scene = await start(t, reader(), { openai: { contextTokens: 20_000, maxOutputTokens: 2_000 } }, pages(11));
  assert.equal(await scene.run.result(WAIT), "read all");
  const { requests } = scene.model;
  assert.deepEqual(
    requests.flatMap(({ problems }) => problems),
    [],
  );
  const told = [];
  for await (const event of scene.run.events()) if (event.type === "run.compacted") told.push(event);
  assert.ok(told.length >= 2 && told.length <= 6, `${told.length} compactions`);
  assert.ok(
    told.every(({ from, to }) => to <= from * 0.7),
    JSON.stringify(told),
  );
  // w12x1234 is about six tokens; nothing near 18,000 tokens went out.
  assert.ok(Math.max(...requests.map(sizeOf)) < 60_000, `${Math.max(...requests.map(sizeOf))} characters`);
  const grew = requests.filter((request, i) => i > 0 && startsWithAll(requests[i - 1], request)).length;
  assert.ok(grew >= requests.length - 1 - 2 * told.length, `${grew} of ${requests.length} began with the one before`);
  const { modelCalls } = await scene.run.get();
  assert.equal(modelCalls.length, requests.length);
  assert.ok(modelCalls.every(({ requestId, profile }) => requestId !== "" && profile === "openai"));
});

function startsWithAll(before: RecordedRequest | undefined, after: RecordedRequest): boolean {
  const [first, second] = [before?.messages ?? [], after.messages];
  return first.every((message, i) => JSON.stringify(message.text) === JSON.stringify(second[i]?.text));
}

test("a model that refuses what is too long is asked again with less, once a step, and a summary comes from the cheap model", async (t) => {
  let refusals = 0;
  const script = pages(6);
  const limited: ScriptFunction = (request, context) => {
    if (JSON.stringify(request.body).length < 24_000 || isSummary(request)) return script(request, context);
    refusals++;
    return httpError(400, { message: "maximum context length exceeded", code: "context_length_exceeded" });
  };
  // The guess is 128,000: only the provider knows better.
  const scene = await start(t, reader({ summariser: "cheap/small" }), { openai: {}, cheap: {} }, limited);
  assert.equal(await scene.run.result(WAIT), "read all");
  const because = [];
  for await (const event of scene.run.events()) if (event.type === "run.compacted") because.push(event.because);
  assert.ok(refusals >= 1 && because.includes("refused"), `${refusals} refusals, ${because.join()}`);
  const { waits } = await scene.run.get();
  assert.deepEqual(waits, [], "it never waited");
});

test("one that refuses everything ends as context-overflow, after a few requests", async (t) => {
  const script: ScriptFunction = () =>
    httpError(400, { message: "maximum context length exceeded", code: "context_length_exceeded" });
  const scene = await start(t, reader(), { openai: {} }, script);
  await assert.rejects(scene.run.result(WAIT), { code: "run-failed" });
  assert.equal((await scene.run.get()).failure?.code, "context-overflow");
  assert.ok(scene.model.requests.length <= 4, `${scene.model.requests.length} requests`);
});

const THOUGHT = { reasoning_details: [{ type: "reasoning.encrypted", data: "secret-of-a", id: "x" }] };
const ITEM = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "secret-of-b" };

test("fallback: chat, then Responses when it fails, and back; nothing of one model is echoed to another", async (t) => {
  const down = new Set<string>();
  const asked: string[] = [];
  const script: ScriptFunction = (request) => {
    asked.push(request.model);
    if (down.has(request.model)) return httpError(503);
    const turn = request.messages.filter(({ role }) => role === "assistant").length;
    // Who has answered this turn is away for the next one.
    down.clear();
    down.add(request.model);
    if (turn >= 3) return say("done");
    return { ...call("read_page", { page: turn }), extra: request.model === "a" ? THOUGHT : {}, items: [ITEM] };
  };
  const made = reader({ model: ["one/a", "two/b"] as never });
  const scene = await start(t, made, { one: {}, two: { protocol: "responses" } }, script);
  assert.equal(await scene.run.result(WAIT), "done");
  assert.deepEqual(asked, ["a", "a", "b", "b", "a", "a", "b"]);
  const { requests } = scene.model;
  for (const { body, protocol, problems } of requests) {
    assert.deepEqual(problems, []);
    assert.deepEqual(protocol === "chat" ? checkChatRequest(body) : checkResponsesRequest(body), []);
    const text = JSON.stringify(body);
    assert.doesNotMatch(text, protocol === "chat" ? /secret-of-b/ : /secret-of-a/);
    assert.equal(
      (text.match(/w\d+x0 /g) ?? []).length,
      Math.min(3, (text.match(/w\d+x1499/g) ?? []).length),
      "results",
    );
  }
  assert.match(JSON.stringify(requests[5]?.body), /secret-of-a/, "its own thoughts go back to it");
  const view = await scene.run.get();
  assert.deepEqual(
    view.modelCalls.map(({ profile, model }) => `${profile}/${model}`),
    ["one/a", "two/b", "one/a", "two/b"],
  );
  assert.deepEqual(view.waits, [], "no backoff where another model answers");
  const events = [];
  for await (const event of scene.run.events())
    if (event.type === "turn.failed") events.push(`${event.asked.model} ${event.why}`);
  assert.deepEqual(events, ["a retry", "b retry", "a retry"]);
});

test("fallback: when none answers the run waits, and begins with the first again; troubles that are turned off end it", async (t) => {
  let asked = 0;
  const script: ScriptFunction = (request) => {
    asked++;
    return asked <= 2 ? httpError(request.model === "a" ? 404 : 503) : json({ from: request.model });
  };
  const made = reader({ model: ["one/a", "two/b"] as never });
  const scene = await start(t, made, { one: {}, two: {} }, script);
  assert.equal(await scene.run.result(WAIT), '{"from":"a"}');
  const { waits } = await scene.run.get();
  assert.deepEqual(
    waits.map(({ reason }) => reason),
    ["retry"],
    "as the more hopeful of the two says",
  );

  const strict = reader({ model: ["one/a", "two/b"] as never, fallbackOn: { invalid: false } });
  const other = await start(t, strict, { one: {}, two: {} }, () => httpError(404));
  await assert.rejects(other.run.result(WAIT), { code: "run-failed" });
  assert.equal((await other.run.get()).failure?.code, "model-invalid-request");
  assert.equal(other.model.requests.length, 1);
});

test("fallback: nobody waits for a model that cools down, or asks it, while another one answers", async (t) => {
  const script: ScriptFunction = (request) => (request.model === "a" ? httpError(401) : json({ from: request.model }));
  const made = reader({ model: ["one/a", "two/b"] as never });
  const scene = await start(t, made, { one: {}, two: {} }, script);
  assert.equal(await scene.run.result(WAIT), '{"from":"b"}');
  const second = await scene.errand.enqueue(made.name, { identifier: "bob", input: {} });
  assert.equal(await second.result(WAIT), '{"from":"b"}');
  assert.deepEqual(
    scene.model.requests.map(({ model }) => model),
    ["a", "b", "b"],
  );
  const why = [];
  for await (const event of second.events()) if (event.type === "turn.failed") why.push(event.why);
  assert.deepEqual(why, ["credentials"]);
});

test("a refusal goes to the next model only where the app wants that", async (t) => {
  const script: ScriptFunction = (request) =>
    request.model === "a" ? say("", { refusal: "I cannot." }) : say("I can.");
  const models = { one: {}, two: {} };
  const made = reader({ model: ["one/a", "two/b"] as never, fallbackOn: { refused: true } });
  const scene = await start(t, made, models, script);
  assert.equal(await scene.run.result(WAIT), "I can.");
  const plain = await start(t, reader({ model: ["one/a", "two/b"] as never }), models, script);
  await assert.rejects(plain.run.result(WAIT), { code: "run-failed" });
  assert.equal((await plain.run.get()).failure?.code, "refused");
});

test("text while it is written, for those who ask; what is journaled is the same with and without", async (t) => {
  const long = "Dear Ada, here is all that was found. ".repeat(30);
  const journals = [];
  for (const protocol of ["chat", "responses", "messages"] as const)
    for (const stream of [true, false]) {
      let watched: () => void = () => undefined;
      const watching = new Promise<void>((resolve) => (watched = resolve));
      const script: ScriptFunction = async ({ messages }) => {
        if (!messages.some(({ role }) => role === "tool")) return call("read_page", { page: 1 });
        await watching;
        return say(long);
      };
      const scene = await start(t, reader({ stream }), { openai: { protocol } }, script);
      let text = "";
      const order: string[] = [];
      for await (const event of scene.run.events({ text: true })) {
        if (event.type === "turn.requested" && event.turn === 1) watched();
        if (event.type === "turn.text") text += event.text;
        if (event.type === "turn.text" && order.at(-1) === event.type) continue;
        order.push(event.type);
      }
      assert.equal(await scene.run.result(WAIT), long);
      assert.equal(text, stream ? long : "", `${protocol} ${stream}`);
      const spoken = order.filter((type) => type === "turn.text" || type === "turn.committed");
      const told = ["turn.committed", ...(stream ? ["turn.text"] : []), "turn.committed"];
      assert.deepEqual(spoken, told);
      const { modelCalls, output, turns, usage } = await scene.run.get();
      assert.ok(usage.input > 0, "usage");
      journals.push(JSON.stringify({ finish: modelCalls.map(({ finish }) => finish), output, turns }));
      const plain = [];
      for await (const event of scene.run.events()) plain.push(event.type);
      assert.ok(!plain.includes("turn.text"), "nobody is told who did not ask");
    }
  assert.equal(journals[0], journals[1]);
  assert.equal(journals[2], journals[3]);
  assert.equal(journals[4], journals[5]);
});
