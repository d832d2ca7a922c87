/** Answers in the background, over the wire: named, kept, fetched until they are there; left, gone, given up, cancelled. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { ModelAnswer, ModelFailure, ModelReply } from "../../src/core/messages.ts";
import { modelOf } from "../../src/models/protocols.ts";
import type { ResponsesProfile } from "../../src/models/responses.ts";
import type { Accepted, Background, Model } from "../../src/ports/model.ts";
import {
  answer,
  call,
  disconnect,
  errorBody,
  finish,
  html,
  httpError,
  late,
  type Lookup,
  type RecordedRequest,
  type Reply,
  say,
  type Script,
  type ScriptedModel,
  type ScriptedModelOptions,
  startScriptedModel,
} from "../../src/testing/model/index.ts";
import { answered, failed, REQUEST, serve } from "./lab.ts";

const PACE = { firstMs: 2, growth: 1.5, mostMs: 10 };
const THOUGHT = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "zzz" };

interface Lab {
  readonly server: ScriptedModel;
  readonly model: Model;
  readonly accepted: Accepted[];
  readonly ask: (background?: Partial<Background>, timeoutMs?: number, signal?: AbortSignal) => Promise<ModelReply>;
  /** Method and path of each request, without the answer's id. */
  readonly sent: () => string[];
}

async function lab(
  t: TestContext,
  script: Script,
  options: ScriptedModelOptions = {},
  profile: Partial<ResponsesProfile> = {},
): Promise<Lab> {
  const server = await serve(t, script, options);
  const own = { protocol: "responses", apiKey: server.apiKey, baseURL: server.url } as const;
  const model = modelOf({ ...own, features: { background: true }, ...profile }, { pace: PACE });
  const accepted: Accepted[] = [];
  const accept = async (one: Accepted): Promise<boolean> => {
    assert.ok(
      server.requests.every(({ method }) => method === "POST"),
      "nothing was fetched before",
    );
    accepted.push(one);
    return true;
  };
  return {
    server,
    model,
    accepted,
    ask: (background = {}, timeoutMs = 5_000, signal = new AbortController().signal) =>
      model.respond(REQUEST, { timeoutMs, signal, background: { accept, leaves: () => false, ...background } }),
    sent: () => server.requests.map(({ method, path }) => `${method} ${path.replace(/resp_\w+/, "*")}`),
  };
}

const CREATE = "POST /v1/responses";
const LOOK = "GET /v1/responses/*";

test("it is named, kept, and fetched until it is there", async (t) => {
  const script = [answer({ ...call("gmail_fetch_mails"), items: [THOUGHT] })];
  const { server, ask, accepted, sent } = await lab(t, script, { polls: 3 });
  const reply = answered(await ask());
  assert.deepEqual([reply.calls.length, reply.finish, reply.kept], [1, "stop", undefined]);
  assert.deepEqual(sent(), [CREATE, LOOK, LOOK, LOOK, LOOK]);
  const [create] = server.requests;
  assert.deepEqual([create?.body["background"], create?.body["store"], create?.problems], [true, true, []]);
  const id = (server.requests[1] as RecordedRequest).path.split("/").at(-1);
  assert.deepEqual(accepted, [{ answer: id }]);
  assert.ok(reply.usage.input > 0, "usage is counted");
});

test("another worker fetches it, and asks for nothing", async (t) => {
  const { ask, accepted, sent } = await lab(t, [late(50, say("done"))]);
  const left = failed(await ask({ leaves: () => true }));
  assert.deepEqual([left.background, sent()], ["left", [CREATE]]);
  const [first] = accepted;
  assert.ok(first, "it was named");
  assert.equal(answered(await ask({ accepted: first })).text, "done");
  assert.equal(sent().filter((one) => one === CREATE).length, 1);
  assert.equal(answered(await ask({ accepted: first })).text, "done", "as often as need be");
});

test("an id that could not be kept is not waited for", async (t) => {
  const { ask, sent } = await lab(t, [say("done")]);
  assert.equal(failed(await ask({ accept: async () => false })).background, "left");
  assert.deepEqual(sent(), [CREATE]);
});

test("one that answers at once needs no name", async (t) => {
  const { ask, accepted, sent } = await lab(t, ({ body }) => (assert.equal(body["background"], true), say("done")), {
    lookup: () => assert.fail("nothing is to be fetched"),
  });
  // A server that does not know the field ignores it.
  const plain = await lab(t, [say("now")], {}, { features: {} });
  assert.equal(answered(await plain.ask()).text, "now");
  assert.deepEqual([plain.accepted, plain.sent()], [[], [CREATE]]);
  assert.equal(failed(await ask({ leaves: () => true })).background, "left");
  assert.deepEqual([accepted.length, sent()], [1, [CREATE]]);
});

test("a call that is no turn is asked for as ever", async (t) => {
  const { model, server } = await lab(t, [say("done")]);
  const reply = await model.respond(REQUEST, { timeoutMs: 5_000, signal: new AbortController().signal });
  assert.equal(answered(reply).text, "done");
  assert.equal(server.requests[0]?.body["background"], undefined);
});

type Saying = Reply | ((lookup: Lookup) => Reply | undefined);
const passing: readonly (readonly [string, Saying])[] = [
  ["a broken connection", disconnect()],
  ["500", httpError(500)],
  ["503 with a wish", httpError(503, { retryAfter: 0 })],
  ["429", httpError(429)],
  ["a web page", html()],
  ["an error at HTTP 200", errorBody()],
  ["not found, once", httpError(404)],
];

test("what passes is waited for", async (t) => {
  for (const [name, saying] of passing) {
    const lookup = ({ nth }: Lookup): Reply | undefined => (nth === 1 ? (saying as Reply) : undefined);
    const { ask, sent } = await lab(t, [say("done")], { lookup });
    assert.equal(answered(await ask()).text, "done", name);
    assert.deepEqual(sent().slice(0, 3), [CREATE, LOOK, LOOK], name);
  }
});

test("what is gone is said to be gone, by 404 and by words", async (t) => {
  for (const refusal of [undefined, errorBody({ message: "Response not found", code: "not_found" }), httpError(410)]) {
    const { ask, server, sent } = await lab(t, [say("done")], { lookup: () => refusal });
    const accept = async (): Promise<boolean> => (server.forget(), true);
    const gone = failed(await ask({ accept }));
    assert.deepEqual([gone.background, gone.class], ["gone", "retry"]);
    assert.deepEqual(sent(), [CREATE, LOOK, LOOK], "and looked for twice");
  }
});

test("a protocol that knows no such answers has none", async (t) => {
  const server = await startScriptedModel({ script: [say("done")] });
  t.after(() => server.close());
  const model = modelOf({ apiKey: server.apiKey, baseURL: server.url });
  const background = { accepted: { answer: "resp_1" }, accept: async () => true, leaves: () => false };
  const reply = await model.respond(REQUEST, { timeoutMs: 5_000, signal: new AbortController().signal, background });
  assert.equal(failed(reply).background, "gone");
  assert.equal(server.requests.length, 0);
});

const ends: readonly (readonly [string, Reply, Partial<ModelFailure> | Partial<ModelAnswer>])[] = [
  ["incomplete", finish("length", say("half")), { kind: "answer", finish: "length", text: "half" }],
  ["failed", finish("failed"), { kind: "failure", class: "retry" }],
  ["cancelled by somebody", finish("cancelled"), { kind: "failure", class: "retry" }],
];

test("each end of it", async (t) => {
  for (const [name, reply, expected] of ends) {
    const { ask } = await lab(t, [reply]);
    const got = await ask();
    for (const [key, value] of Object.entries(expected)) assert.equal(got[key as keyof ModelReply], value, name);
    assert.equal(got.kind === "failure" ? got.background : undefined, undefined, `${name}: it does not run any more`);
  }
});

test("a refusal of the look is the answer", async (t) => {
  const { ask } = await lab(t, [say("done")], { lookup: () => httpError(401) });
  const reply = failed(await ask());
  assert.deepEqual([reply.class, reply.background], ["credentials", "running"]);
});

test("a refusal of the request names nothing", async (t) => {
  const { ask, accepted } = await lab(t, [httpError(400)]);
  const reply = failed(await ask());
  assert.deepEqual([reply.class, reply.background, accepted], ["invalid", undefined, []]);
});

test("a server that does not take it: what to do about it is said", async (t) => {
  const { ask } = await lab(t, [httpError(400, { message: "Unknown parameter: 'background'." })]);
  assert.match(failed(await ask()).message, /Set features\.background to false in the model's profile/);
});

test("its time is over: it runs, and can be cancelled", async (t) => {
  const { ask, model, accepted, server } = await lab(t, [late(60_000, say("done"))]);
  const reply = failed(await ask({}, 1_500));
  assert.deepEqual([reply.class, reply.background], ["retry", "running"]);
  assert.match(reply.message, /no complete answer within 1500 ms/);
  const [first] = accepted;
  await model.cancel?.(REQUEST, first?.answer ?? "");
  const cancel = server.requests.at(-1);
  assert.deepEqual([cancel?.method, cancel?.path], ["POST", `/v1/responses/${first?.answer}/cancel`]);
  assert.equal(
    failed(await ask({ ...(first && { accepted: first }) })).message,
    "HTTP 200: the answer was cancelled at the provider",
  );
});

test("a cancel that does not reach anybody is nobody's trouble", async (t) => {
  const { model, server } = await lab(t, [say("done")]);
  await model.cancel?.(REQUEST, "resp_unknown");
  await server.close();
  await model.cancel?.(REQUEST, "resp_unknown");
});

test("an abort ends the wait at once", async (t) => {
  const { ask, server } = await lab(t, [late(60_000, say("done"))]);
  const stop = new AbortController();
  const asking = ask({}, 60_000, stop.signal);
  await server.waitFor(({ method }) => method === "GET");
  stop.abort();
  assert.equal(failed(await asking).message, "the request was aborted");
});

test("the thoughts are asked for with each look", async (t) => {
  const seen: (string | undefined)[] = [];
  const { ask } = await lab(t, [say("done")], { lookup: ({ query }) => void seen.push(query) });
  await ask();
  assert.deepEqual(
    new Set(seen.map((query) => decodeURIComponent(query ?? ""))),
    new Set(["include[]=reasoning.encrypted_content"]),
  );
});

test("behind what the provider keeps, and after it was lost", async (t) => {
  const features = { background: true, previousResponseId: true };
  const { ask, model, server } = await lab(t, (_, { turn }) => say(`answer ${turn}`), {}, { features });
  const first = answered(await ask());
  assert.ok(first.kept, "it is kept");
  const messages = [
    ...REQUEST.messages,
    { role: "assistant", verbatim: first.verbatim, text: first.text, callIds: [], kept: first.kept } as const,
    { role: "user", text: "And?" } as const,
  ];
  const accepted: Accepted[] = [];
  const accept = async (one: Accepted): Promise<boolean> => (accepted.push(one), true);
  const background = { accept, leaves: (): boolean => false };
  const options = { timeoutMs: 5_000, signal: new AbortController().signal, background };
  const second = answered(await model.respond({ ...REQUEST, messages }, options));
  assert.deepEqual([second.text, second.history, accepted.at(-1)?.history], ["answer 1", "kept", "kept"]);
  server.forget();
  const third = answered(await model.respond({ ...REQUEST, messages }, options));
  assert.deepEqual([third.text, third.history, accepted.at(-1)?.history], ["answer 1", "rebuilt", "rebuilt"]);
  const [last] = accepted.slice(-1);
  const again = await model.respond(
    { ...REQUEST, messages },
    { ...options, background: { ...background, ...(last && { accepted: last }) } },
  );
  const fetched = answered(again);
  assert.deepEqual([fetched.history, fetched.kept], ["rebuilt", third.kept], "told by whoever fetches it, too");
});
