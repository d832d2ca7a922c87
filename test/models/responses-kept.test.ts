/** `previous_response_id`: used only where it is certain to mean the same as sending all; what the provider has no more is sent again. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Message, ModelAnswer, ModelReply, ModelRequest } from "../../src/core/messages.ts";
import { modelOf } from "../../src/models/protocols.ts";
import type { ResponsesProfile } from "../../src/models/responses.ts";
import {
  answer,
  call,
  calls,
  errorBody,
  httpError,
  type Reply,
  say,
  type Script,
  type ScriptedModel,
  type ScriptedModelOptions,
} from "../../src/testing/model/index.ts";
import { answered, REQUEST, serve, tool, user } from "./lab.ts";

const THOUGHT = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "zzz" };
const TOOLS: Script = [answer({ ...call("gmail_fetch_mails", { query: "x" }), items: [THOUGHT] }), say("done")];

interface Talk {
  readonly server: ScriptedModel;
  readonly ask: (request: Partial<ModelRequest>, profile?: Partial<ResponsesProfile>) => Promise<ModelReply>;
  /** The first turn, and the messages that follow from it. */
  readonly first: ModelAnswer;
  readonly next: readonly Message[];
}

async function talk(t: TestContext, script: Script, options: ScriptedModelOptions = {}): Promise<Talk> {
  const server = await serve(t, script, options);
  const profile: ResponsesProfile = {
    protocol: "responses",
    apiKey: server.apiKey,
    baseURL: server.url,
    features: { previousResponseId: true },
  };
  const model = modelOf(profile);
  const ask: Talk["ask"] = (request, other) =>
    (other === undefined ? model : modelOf({ ...profile, ...other })).respond(
      { ...REQUEST, ...request },
      { timeoutMs: 5_000, signal: new AbortController().signal },
    );
  const first = answered(await ask({}));
  return { server, ask, first, next: [...REQUEST.messages, said(first, ["t0c0"]), tool("t0c0", "mails")] };
}

function said({ verbatim, text, kept }: ModelAnswer, callIds: readonly string[]): Message {
  return { role: "assistant", verbatim, text, callIds, ...(kept !== undefined && { kept }) };
}

test("the request begins behind the last answer, and the model is shown all", async (t) => {
  const { server, ask, first, next } = await talk(t, TOOLS);
  assert.equal(server.requests[0]?.body["store"], true);
  const id = first.kept?.id;
  const second = answered(await ask({ messages: next }));
  assert.deepEqual([second.history, second.text], ["kept", "done"]);
  const { body, messages, problems } = server.requests[1] ?? {};
  assert.deepEqual(problems, []);
  const provider = (first.verbatim as { call_id?: string }[])[1]?.call_id;
  assert.deepEqual(body?.["input"], [{ type: "function_call_output", call_id: provider, output: "mails" }]);
  assert.deepEqual([body?.["previous_response_id"], body?.["store"], body?.["instructions"]], [id, true, "You help."]);
  assert.deepEqual(
    messages?.map(({ role }) => role),
    ["system", "user", "assistant", "tool"],
  );
  server.script(() => say("more"));
  const third = answered(await ask({ messages: [...next, said(second, []), user("And now?")] }));
  assert.equal(third.history, "kept", "a chain goes on");
  assert.deepEqual(server.requests[2]?.body["input"], [{ type: "message", role: "user", content: "And now?" }]);
  assert.equal(server.requests[2]?.messages.length, 6);
});

test("a replay sends the very same", async (t) => {
  const { server, ask, next } = await talk(t, TOOLS);
  await ask({ messages: next });
  await ask({ messages: next }, { features: { previousResponseId: true } });
  assert.deepEqual(server.requests[2]?.body, server.requests[1]?.body);
});

type Change = (next: readonly Message[]) => readonly [Partial<ModelRequest>, Partial<ResponsesProfile>?];

/** What is not certain to mean the same. */
const changes: readonly (readonly [string, Change])[] = [
  ["the feature is off", (messages) => [{ messages }, { features: {} }]],
  ["other instructions", (messages) => [{ messages, system: "You hinder." }]],
  ["other tools", (messages) => [{ messages, tools: [] }]],
  ["another model", (messages) => [{ messages, model: "m-2" }]],
  ["an earlier message was shortened", ([, ...rest]) => [{ messages: [user("What …?"), ...rest] }]],
  [
    "instructions elsewhere",
    (messages) => [{ messages }, { features: { previousResponseId: true, instructions: "system" } }],
  ],
  [
    "another model said it",
    (messages) => [{ messages: messages.map((m) => (m.role === "assistant" ? { ...m, foreign: true } : m)) }],
  ],
  ["a call has no answer", (messages) => [{ messages: [...messages.slice(0, 2), user("Go on.")] }]],
  ["nothing has come since", (messages) => [{ messages: messages.slice(0, 2) }]],
  [
    "a call of another kind",
    (messages) => [{ messages: withItems(messages, [{ type: "shell_call", call_id: "s", action: {} }]) }],
  ],
  [
    "an empty id",
    (messages) => [
      { messages: withItems(messages, [{ type: "function_call", call_id: "", name: "a", arguments: "{}" }]) },
    ],
  ],
  [
    "an item that we do not read",
    (messages) => [{ messages: withItems(messages, [{ type: "item_reference", id: "x" }, ...itemsIn(messages)]) }],
  ],
];

function itemsIn(messages: readonly Message[]): readonly { readonly type: string; readonly call_id: string }[] {
  const [, said] = messages;
  return said?.role === "assistant" ? (said.verbatim as never) : [];
}

function withItems(messages: readonly Message[], items: readonly object[]): readonly Message[] {
  return messages.map((m) => (m.role === "assistant" ? { ...m, verbatim: items as never } : m));
}

test("otherwise all of it goes out", async (t) => {
  const { server, ask, next } = await talk(t, TOOLS);
  for (const [name, change] of changes) {
    const [request, profile] = change(next);
    const reply = await ask(request, profile);
    assert.equal(reply.kind === "answer" ? reply.history : undefined, undefined, name);
    assert.equal(server.requests.at(-1)?.body["previous_response_id"], undefined, name);
  }
  assert.equal(server.requests.length, 1 + changes.length, "and nothing is asked twice");
});

test("an id that another turn has used stands for none", async (t) => {
  const { server, ask } = await talk(t, () => call("a", {}, { id: "call_0" }));
  const one = answered(await ask({}));
  const messages = [...REQUEST.messages, said(one, ["t0c0"]), tool("t0c0")];
  const two = answered(await ask({ messages }));
  assert.equal(two.history, "kept");
  const three = answered(await ask({ messages: [...messages, said(two, ["t1c0"]), tool("t1c0")] }));
  assert.equal(three.history, undefined);
  assert.deepEqual(server.requests.at(-1)?.problems, []);
});

test("two calls of one id are sent in full, under ours", async (t) => {
  const { ask, first } = await talk(t, (_, { turn }) =>
    turn === 0 ? calls([call("a", {}, { id: "x" }), call("a", {}, { id: "x" })]) : say("done"),
  );
  const messages = [...REQUEST.messages, said(first, ["t0c0", "t0c1"]), tool("t0c0"), tool("t0c1")];
  const reply = answered(await ask({ messages }));
  assert.deepEqual([reply.history, reply.text], [undefined, "done"]);
});

test("an answer that is not whole is not begun behind", async (t) => {
  const { first } = await talk(t, () => say("half a sen", { finish: "length" }));
  assert.equal(first.kept, undefined);
});

test("what the provider has no more is sent again in the same call", async (t) => {
  const { server, ask, next } = await talk(t, TOOLS);
  server.forget();
  const reply = answered(await ask({ messages: next }));
  assert.deepEqual([reply.history, reply.text], ["rebuilt", "done"]);
  const [, chained, rebuilt] = server.requests;
  assert.match(chained?.problems.join() ?? "", /^previous_response_id: Previous response with id 'resp_\w+' not found/);
  assert.deepEqual([rebuilt?.problems, rebuilt?.body["previous_response_id"]], [[], undefined]);
  assert.deepEqual(
    ((rebuilt?.body["input"] ?? []) as { type: string }[]).map(({ type }) => type),
    ["message", "reasoning", "function_call", "function_call_output"],
  );
  server.script(() => say("more"));
  const later = answered(await ask({ messages: [...next, said(reply, []), user("And?")] }));
  assert.equal(later.history, "kept", "behind the new one");
});

const ABOUT = { message: "Previous response with id 'resp_1' not found.", code: "previous_response_not_found" };
const refusals: readonly (readonly [string, Reply])[] = [
  ["OpenAI", httpError(400, ABOUT)],
  ["OpenAI with 404", httpError(404, ABOUT)],
  ["a gateway at HTTP 200", errorBody(ABOUT)],
  ["vLLM", httpError(404, { message: "Response with id 'resp_1' not found.", type: "invalid_request_error" })],
  ["LM Studio", httpError(400, { message: "Prediction history node with id '1' not found while attempting to …" })],
  ["a stranger", httpError(404, { message: "nope" })],
  ["unknown to the protocol", httpError(422, { message: "Unknown parameter: 'previous_response_id'." })],
  ["calls that it does not know", httpError(400, { message: "No tool call found for function call output x." })],
];

test("each form of that", async (t) => {
  for (const [name, refusal] of refusals) {
    const script: Script = (request, { turn }) =>
      turn === 0 ? call("gmail_fetch_mails") : "previous_response_id" in request.body ? refusal : say("done");
    const { ask, next } = await talk(t, script);
    const reply = answered(await ask({ messages: next }));
    assert.deepEqual([reply.history, reply.text], ["rebuilt", "done"], name);
  }
});

test("other refusals are what they are", async (t) => {
  for (const status of [400, 401, 429, 500]) {
    const script: Script = (_, { turn }) => (turn === 0 ? call("gmail_fetch_mails") : httpError(status));
    const { server, ask, next } = await talk(t, script);
    const reply = await ask({ messages: next });
    assert.deepEqual([reply.kind, server.requests.length], ["failure", 2], String(status));
  }
});

test("who refuses both is asked twice, not for ever", async (t) => {
  const { server, ask, next } = await talk(t, (_, { turn }) =>
    turn === 0 ? call("gmail_fetch_mails") : httpError(400, ABOUT),
  );
  const reply = await ask({ messages: next });
  assert.equal(reply.kind === "failure" && reply.class, "invalid");
  assert.equal(server.requests.length, 3);
});

test("where nothing may be kept, it is tried once, and never again", async (t) => {
  const { server, ask, next } = await talk(t, TOOLS, { zeroRetention: true });
  assert.equal(answered(await ask({ messages: next })).history, "rebuilt");
  const again = answered(await ask({ messages: next }));
  assert.equal(again.history, undefined);
  assert.equal(server.requests.length, 4);
});

test("together with a schema that is refused", async (t) => {
  const script: Script = ({ body }, { turn }) => {
    if (turn === 0) return call("gmail_fetch_mails");
    if ("previous_response_id" in body) return httpError(400, ABOUT);
    return "text" in body ? httpError(400, { message: "text.format is not supported" }) : say("{}");
  };
  const { server, ask, first } = await talk(t, script);
  const output = { name: "result", schema: { type: "object", properties: {} } };
  const messages = [...REQUEST.messages, said(first, ["t0c0"]), tool("t0c0")];
  const reply = answered(await ask({ messages, output }));
  assert.deepEqual([reply.history, server.requests.length], ["rebuilt", 4]);
});

test("a stream that ends with the refusal", async (t) => {
  const { server, next } = await talk(t, TOOLS);
  server.forget();
  const model = modelOf({
    protocol: "responses",
    apiKey: server.apiKey,
    baseURL: server.url,
    features: { previousResponseId: true },
  });
  const heard: string[] = [];
  const reply = answered(
    await model.respond(
      { ...REQUEST, messages: next },
      { timeoutMs: 5_000, signal: new AbortController().signal, onText: (text) => heard.push(text) },
    ),
  );
  assert.deepEqual([reply.history, heard.join("")], ["rebuilt", "done"]);
});

test("a profile that forbids what it needs is refused", () => {
  const profile = { protocol: "responses", apiKey: "k", extraBody: { store: false } } as const;
  assert.throws(
    () => modelOf({ ...profile, features: { previousResponseId: true } }),
    /"store" is false, and features\.previousResponseId needs what the provider stores/,
  );
});
