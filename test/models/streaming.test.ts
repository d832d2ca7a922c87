/** Answers in pieces are the answers that they would have been in one, on each wire. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, isObject } from "../../src/core/json.ts";
import type { ModelReply } from "../../src/core/messages.ts";
import type { ModelProfile } from "../../src/models/protocols.ts";
import { call, calls, disconnect, httpError, raw, type Reply, say } from "../../src/testing/model/index.ts";
import { type Lab, lab, PROTOCOLS, type ProtocolName, REQUEST } from "./lab.ts";

const LONG = "Grüße 😀 aus dem Posteingang. ".repeat(20);

function thought(protocol: ProtocolName): Reply {
  const items =
    protocol === "messages"
      ? [{ type: "thinking", thinking: LONG, signature: "proof" }]
      : [{ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "secret" }];
  const extra = protocol === "chat" ? { reasoning_details: [{ type: "reasoning.text", text: LONG, index: 0 }] } : {};
  return { ...call("gmail_fetch_mails", { query: "is:unread" }), items, extra };
}

const REPLIES: readonly (readonly [string, (protocol: ProtocolName) => Reply])[] = [
  ["a text", () => say(LONG)],
  ["nothing", () => say("")],
  ["a call", () => call("gmail_fetch_mails", { query: LONG })],
  ["calls without ids, beside a text", () => calls([call("a", {}, { id: "" }), call("b", { n: 1 })], { text: "Hm" })],
  ["broken arguments", () => call("gmail_fetch_mails", '{"query": "x')],
  ["no arguments", () => call("gmail_fetch_mails", "")],
  ["thoughts", thought],
  ["a refusal", () => say("", { refusal: "I cannot." })],
  ["cut at its length", () => say(LONG, { finish: "length" })],
  ["usage in detail", () => say("x", { usage: { input: 100, output: 7, cached: 60, reasoning: 3 } })],
  ["no usage", () => say("x", { usage: null })],
  ["another model", () => say("x", { model: "m-2" })],
];

async function inPieces(at: Lab): Promise<{ reply: ModelReply; text: string }> {
  let text = "";
  const reply = await at.model.respond(REQUEST, {
    timeoutMs: 30_000,
    signal: new AbortController().signal,
    onText: (piece) => (text += piece),
  });
  return { reply, text };
}

/** The scripted model makes its ids of the request, and one that wants a stream is another request. */
function sameIds<T>(value: T): T {
  return JSON.parse(JSON.stringify(value).replaceAll(/(call|msg|fc|toolu|resp)_[0-9a-f]{8,}/g, "$1")) as T;
}

/** What a stream leaves out because it holds nothing. */
function bare(value: Json): Json {
  if (Array.isArray(value)) return value.map(bare);
  if (!isObject(value)) return value;
  const kept = Object.entries(value as Record<string, Json>).filter(
    ([, inner]) => inner !== null && inner !== "" && !(Array.isArray(inner) && inner.length === 0),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, bare(inner)]));
}

const profile = (protocol: ProtocolName): Partial<ModelProfile> => ({ protocol });

for (const protocol of PROTOCOLS) {
  test(`${protocol}: the same answer, and its text while it is written`, async (t) => {
    for (const [name, reply] of REPLIES) {
      // In one piece this protocol's input is no text, in pieces nothing is an empty object.
      if (protocol === "messages" && name === "no arguments") continue;
      const at = await lab(t, () => reply(protocol), profile(protocol), 30_000);
      const whole = await at.answer();
      const pieces = await inPieces(at);
      assert.equal(pieces.reply.kind, "answer", `${name}: ${JSON.stringify(pieces.reply)}`);
      const { verbatim, tookMs: _took, requestId: _id, usage, ...said } = whole;
      const { verbatim: streamed, tookMs: _t, requestId: id, usage: counted, ...heard } = pieces.reply;
      assert.deepEqual(sameIds(heard), sameIds(said), name);
      assert.deepEqual(sameIds(bare(streamed)), sameIds(bare(verbatim)), name);
      assert.deepEqual(counted, usage, name);
      assert.notEqual(id, "", name);
      if (whole.finish !== "refused") assert.equal(pieces.text, whole.text, name);
      assert.equal(at.server.requests[1]?.stream, true);
      assert.deepEqual(at.server.requests[1]?.problems, []);
    }
  });

  test(`${protocol}: a stream that breaks off, an error in it, and a server that does not stream`, async (t) => {
    const broken = await lab(t, () => disconnect(say(LONG), 0.6), profile(protocol));
    const { reply } = await inPieces(broken);
    assert.equal(reply.kind === "failure" && reply.class, "retry");

    const half =
      'event: x\ndata: {"type":"message_start","message":{}}\n\ndata: {"choices":[{"delta":{"content":"Hi"}}]}\n\n';
    const type = { "content-type": "text/event-stream" };
    const short = await lab(t, () => raw({ body: half, headers: type }), profile(protocol));
    const ended = (await inPieces(short)).reply;
    assert.match(ended.kind === "failure" ? `${ended.class} ${ended.message}` : ended.kind, /^retry .*before its end/);

    const error = 'data: {"type":"error","error":{"message":"Overloaded","code":429,"type":"rate_limit_error"}}\n\n';
    const refused = (await inPieces(await lab(t, () => raw({ body: half + error, headers: type }), profile(protocol))))
      .reply;
    assert.equal(refused.kind === "failure" && refused.class, "rate-limit", JSON.stringify(refused));

    const plain = await lab(t, () => say("All at once."), profile(protocol), 30_000);
    const whole = await plain.answer();
    const body = JSON.stringify(
      protocol === "chat"
        ? { choices: [{ message: whole.verbatim, finish_reason: "stop" }] }
        : protocol === "responses"
          ? { status: "completed", output: whole.verbatim }
          : whole.verbatim,
    );
    plain.server.script(() => raw({ body, headers: { "content-type": "application/json" } }));
    const at = await inPieces(plain);
    assert.equal(at.reply.kind === "answer" && at.reply.text, "All at once.", JSON.stringify(at.reply));

    const away = await lab(t, () => httpError(503), profile(protocol));
    assert.equal((await inPieces(away)).reply.kind, "failure");
  });
}
