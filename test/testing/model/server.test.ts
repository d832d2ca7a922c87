/** The scripted model as a server: scripts, records, waiting, and what it refuses. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import OpenAI, {
  APIConnectionError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
} from "openai";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { attempts, call, httpError, say, startScriptedModel } from "../../../src/testing/model/index.ts";
import { lab } from "./client.ts";

const MODEL = new URL("../../../src/testing/model/index.ts", import.meta.url).href;
const HELLO: ChatCompletionMessageParam = { role: "user", content: "Hello" };

function after(turns: number): ChatCompletionMessageParam[] {
  return [HELLO, ...Array.from({ length: turns }, () => ({ role: "assistant" as const, content: "Well" }))];
}

test("a list answers by the turn in the transcript, however often and in whatever order it is asked", async (t) => {
  const { ask } = await lab(t, [say("first"), say("second")]);
  const texts = [];
  for (const turns of [1, 0, 1, 0]) texts.push((await ask(after(turns))).choices[0]?.message.content);
  assert.deepEqual(texts, ["second", "first", "second", "first"]);
});

test("equal requests get equal bytes, also from another server", async (t) => {
  const script = [call("a", { n: 1 })];
  const [one, two] = [await lab(t, script), await lab(t, script)];
  const answers = await Promise.all([one.ask(), one.ask(), two.ask()]);
  assert.deepEqual(answers[0], answers[1]);
  assert.deepEqual(answers[0], answers[2]);
  assert.notEqual((await two.ask(after(0).concat(HELLO))).id, answers[0].id);
});

test("a function sees the transcript, the tools, the turn and the attempt", async (t) => {
  const { client, ask, model } = await lab(t, (request, { turn, index, attempt }) =>
    say(JSON.stringify([request.model, request.messages, request.tools, request.toolChoice, turn, index, attempt])),
  );
  const tool = { type: "function" as const, function: { name: "a", parameters: { type: "object" } } };
  const messages: ChatCompletionMessageParam[] = [
    { role: "developer", content: "Be kind" },
    { role: "user", content: [{ type: "text", text: "Hello" }] },
    { role: "assistant", tool_calls: [{ id: "c1", type: "function", function: { name: "a", arguments: "{}" } }] },
    { role: "tool", tool_call_id: "c1", content: "done" },
  ];
  const ask1 = await client.chat.completions.create({ model: "m-1", messages, tools: [tool], tool_choice: "none" });
  assert.deepEqual(JSON.parse(ask1.choices[0]?.message.content ?? ""), [
    "m-1",
    [
      { role: "system", text: "Be kind" },
      { role: "user", text: "Hello" },
      { role: "assistant", text: "", calls: [{ id: "c1", name: "a", arguments: "{}" }] },
      { role: "tool", callId: "c1", text: "done" },
    ],
    [{ name: "a", description: "", parameters: { type: "object" } }],
    "none",
    1,
    0,
    0,
  ]);
  await ask();
  await ask();
  assert.deepEqual(
    model.requests.map((request) => [request.turn, request.index, request.attempt]),
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 2, 1],
    ],
  );
});

test("attempts: another reply each time the same request comes again", async (t) => {
  const { ask } = await lab(t, [attempts(httpError(500), httpError(503), say("ok"))]);
  await assert.rejects(ask(), InternalServerError);
  await assert.rejects(ask(), /503/);
  assert.equal((await ask()).choices[0]?.message.content, "ok");
  assert.equal((await ask()).choices[0]?.message.content, "ok");
});

test("script() replaces the script", async (t) => {
  const { ask, model } = await lab(t, [say("old")]);
  model.script([say("new")]);
  assert.equal((await ask()).choices[0]?.message.content, "new");
});

test("a script that ended or failed says so, with an error that no client tries again", async (t) => {
  const { ask, model } = await lab(t, [say("only")]);
  await assert.rejects(ask(after(1)), { status: 400, code: "script_ended", message: /1 steps, but turn 1/ });
  model.script(() => {
    throw new Error("my mistake");
  });
  await assert.rejects(ask(), { status: 400, code: "script_failed", message: /my mistake/ });
});

test("a wrong key is refused and no key is kept in the records", async (t) => {
  const { model } = await lab(t, [say("x")]);
  const stranger = new OpenAI({ apiKey: "stolen-key", baseURL: model.url, maxRetries: 0 });
  const asked = stranger.chat.completions.create({ model: "m-1", messages: [HELLO] });
  await assert.rejects(asked, (error) => error instanceof AuthenticationError && error.code === "invalid_api_key");
  assert.equal(JSON.stringify(model.requests).includes("stolen-key"), false);
  assert.equal(model.requests[0]?.headers["authorization"], "Bearer ***");
  assert.deepEqual(model.requests[0]?.problems, ["Incorrect API key provided."]);
});

test("what the real API would refuse is refused, and the script never sees it", async (t) => {
  let asked = 0;
  const { client, ask } = await lab(t, () => say(String(++asked)));
  await assert.rejects(ask([{ role: "tool", tool_call_id: "c1", content: "x" }]), (error) => {
    assert.ok(error instanceof BadRequestError);
    assert.deepEqual([error.param, error.type], ["messages[0].role", "invalid_request_error"]);
    return true;
  });
  const tools = Array.from({ length: 129 }, (_, i) => ({ type: "function" as const, function: { name: `t${i}` } }));
  const many = client.chat.completions.create({ model: "m-1", messages: [HELLO], tools });
  await assert.rejects(many, { status: 400, code: "array_above_max_length", param: "tools" });
  await assert.rejects(client.models.list(), NotFoundError);
  const broken = await fetch(`${client.baseURL}/chat/completions`, {
    method: "POST",
    headers: { authorization: "Bearer test-key" },
    body: '{"model',
  });
  assert.equal(broken.status, 400);
  assert.equal(asked, 0);
});

test("waitFor finds past and future requests, before they are answered and when their outcome is known", async (t) => {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const { ask, model } = await lab(t, async () => {
    await released;
    return say("at last");
  });
  const coming = model.waitFor((request) => request.turn === 0);
  const asked = ask();
  assert.equal((await coming).outcome, "open");
  assert.equal(await model.waitFor((request) => request.turn === 0), model.requests[0]);
  release();
  await asked;
  assert.equal((await model.waitFor((request) => request.outcome === "answered")).index, 0);
  await assert.rejects(
    model.waitFor(() => {
      throw new Error("a bad predicate");
    }),
    /a bad predicate/,
  );
});

test("close breaks what is open, rejects who waits, and may be called again", async () => {
  const model = await startScriptedModel({ script: [say("late")], latencyMs: 60_000, apiKey: "k" });
  const client = new OpenAI({ apiKey: "k", baseURL: model.url, maxRetries: 0 });
  const asked = client.chat.completions.create({ model: "m-1", messages: [HELLO] });
  const never = model.waitFor((request) => request.turn === 7);
  const open = await model.waitFor((request) => request.turn === 0);
  const gone = Promise.all([assert.rejects(asked, APIConnectionError), assert.rejects(never, /closed/)]);
  await Promise.all([model.close(), model.close()]);
  await gone;
  assert.equal(open.outcome, "aborted");
  await assert.rejects(client.models.list(), APIConnectionError);
  await assert.rejects(
    model.waitFor((request) => request.turn === 7),
    /closed/,
  );
});

test("close leaves nothing behind: a process that closed in the middle of a reply ends by itself", async () => {
  const source = `
    import { hang, late, say, startScriptedModel } from ${JSON.stringify(MODEL)};
    const model = await startScriptedModel({ script: ({ model }) => (model === "late" ? late(60_000, say("x")) : hang()) });
    const headers = { authorization: "Bearer test-key" };
    const messages = [{ role: "user", content: "Hello" }];
    for (const name of ["late", "hang"])
      fetch(model.url + "/chat/completions", { method: "POST", headers, body: JSON.stringify({ model: name, messages }) }).catch(() => 0);
    await model.waitFor((request) => request.index === 1);
    await model.close();`;
  const args = ["--import", "tsx", "--input-type=module", "--eval", source];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"], timeout: 20_000 });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  assert.deepEqual([code, signal], [0, null]);
});

test("it listens on loopback only, and a taken port is an error", async (t) => {
  const { model } = await lab(t, []);
  const { hostname, port, pathname } = new URL(model.url);
  assert.deepEqual([hostname, pathname], ["127.0.0.1", "/v1"]);
  await assert.rejects(startScriptedModel({ port: Number(port) }), { code: "EADDRINUSE" });
});
