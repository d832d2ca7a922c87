/** Streams as odd servers send them: what is put together is what was said, and reaches no further. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestedCall } from "../../src/core/messages.ts";
import { serverEvents } from "../../src/models/sse.ts";
import { CHAT_STREAM, MESSAGES_STREAM, RESPONSES_STREAM, type Streaming } from "../../src/models/streaming.ts";
import { raw } from "../../src/testing/model/index.ts";
import { PRODUCT } from "./fuzz/way.ts";
import { lab, type ProtocolName, REQUEST } from "./lab.ts";

const STREAMS: Readonly<Record<ProtocolName, Streaming>> = {
  chat: CHAT_STREAM,
  responses: RESPONSES_STREAM,
  messages: MESSAGES_STREAM,
};

function collected(protocol: ProtocolName, events: readonly unknown[]): unknown {
  const collector = STREAMS[protocol].collect(() => undefined);
  for (const event of events) collector.take(JSON.parse(JSON.stringify(event)));
  return collector.done();
}

function callsOf(protocol: ProtocolName, events: readonly unknown[]): string[] {
  const reply = PRODUCT.read(protocol, collected(protocol, events), { model: "m", tookMs: 1 });
  assert.equal(reply.kind, "answer", JSON.stringify(reply));
  const calls: readonly RequestedCall[] = reply.kind === "answer" ? reply.calls : [];
  return calls.map(({ providerId, name, arguments: args }) => `${providerId} ${name} ${args}`);
}

type Piece = { readonly index?: unknown; readonly id?: string | null; readonly name?: string; readonly args?: string };

function chat(pieces: readonly Piece[]): unknown[] {
  const deltas = pieces.map(({ index, id, name, args }) => ({
    choices: [{ delta: { tool_calls: [{ index, id, type: "function", function: { name, arguments: args } }] } }],
  }));
  return [...deltas, { choices: [{ delta: {}, finish_reason: "tool_calls" }] }];
}

const CHAT_CALLS: readonly (readonly [string, readonly Piece[], readonly string[]])[] = [
  [
    "as OpenAI sends them",
    [
      { index: 0, id: "a", name: "read", args: "" },
      { index: 0, args: '{"n"' },
      { index: 1, id: "b", name: "read", args: "" },
      { index: 0, args: ":1}" },
      { index: 1, args: '{"n":2}' },
    ],
    ['a read {"n":1}', 'b read {"n":2}'],
  ],
  [
    "Gemini: all calls have the index 0",
    [
      { index: 0, id: "a", name: "read", args: '{"n":1}' },
      { index: 0, id: "b", name: "read", args: '{"n":2}' },
      { index: 0, id: "c", name: "send", args: '{"n":3}' },
    ],
    ['a read {"n":1}', 'b read {"n":2}', 'c send {"n":3}'],
  ],
  [
    "the index 0 for all, and no ids",
    [
      { index: 0, id: "", name: "read", args: '{"n":1}' },
      { index: 0, id: "", name: "read", args: '{"n":2}' },
    ],
    [' read {"n":1}', ' read {"n":2}'],
  ],
  [
    "the index 0 for all, in small pieces",
    [
      { index: 0, id: "a", name: "read", args: '{"n"' },
      { index: 0, args: ":1}" },
      { index: 0, id: "b", name: "read", args: '{"n"' },
      { index: 0, args: ":2}" },
    ],
    ['a read {"n":1}', 'b read {"n":2}'],
  ],
  [
    "another id in each piece",
    [
      { index: 0, id: "a", name: "read", args: "" },
      { index: 0, id: "b", args: '{"n"' },
      { index: 0, id: "c", name: "", args: ":1}" },
    ],
    ['a read {"n":1}'],
  ],
  [
    "id and name in each piece",
    [
      { index: 0, id: "a", name: "read", args: '{"n"' },
      { index: 0, id: "a", name: "read", args: ":1}" },
      { index: 0, id: "a", name: "read", args: "" },
    ],
    ['a read {"n":1}'],
  ],
  [
    "no index",
    [{ id: "a", name: "read", args: '{"n"' }, { args: ":1}" }, { id: "b", name: "send", args: "{}" }],
    ['a read {"n":1}', "b send {}"],
  ],
  [
    "indexes with gaps, out of order, absurd",
    [
      { index: 1e15, id: "c", name: "send", args: "{}" },
      { index: 7, id: "b", name: "read", args: "{}" },
      { index: -1, id: "a", name: "read", args: '{"n":1}' },
    ],
    ['a read {"n":1}', "b read {}", "c send {}"],
  ],
];

test("calls of chat completions are told apart, however their pieces are numbered", () => {
  for (const [name, pieces, expected] of CHAT_CALLS) assert.deepEqual(callsOf("chat", chat(pieces)), expected, name);
});

test("blocks whose indexes have gaps keep their own inputs", () => {
  const block = (index: number, id: string, json: string): unknown[] => [
    { type: "content_block_start", index, content_block: { type: "tool_use", id, name: "read", input: {} } },
    { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: json } },
  ];
  const events = (blocks: readonly unknown[]): unknown[] => [
    { type: "message_start", message: { type: "message", role: "assistant", content: [] } },
    ...blocks,
    { type: "message_delta", delta: { stop_reason: "tool_use" } },
    { type: "message_stop" },
  ];
  const both = ['a read {"for":"a"}', 'b read {"for":"b"}'];
  const [a, b] = ['{"for":"a"}', '{"for":"b"}'];
  assert.deepEqual(callsOf("messages", events([...block(1, "a", a), ...block(2, "b", b)])), both, "from 1 on");
  assert.deepEqual(callsOf("messages", events([...block(0, "a", a), ...block(5, "b", b)])), both, "a gap");
  assert.deepEqual(
    callsOf("messages", events([...block(3, "b", b), ...block(1, "a", a)])),
    both,
    "the other way round",
  );
  assert.deepEqual(
    callsOf("messages", events([...block(0, "x", "{}"), ...block(0, "a", a)])),
    both.slice(0, 1),
    "again",
  );
});

test("a last event without output: the items that came before it are the answer", () => {
  const item = (output_index: number, id: string): unknown => ({
    type: "response.output_item.done",
    output_index,
    item: { type: "function_call", call_id: id, name: "read", arguments: "{}" },
  });
  const done = (output: unknown): unknown => ({
    type: "response.completed",
    response: { status: "completed", output },
  });
  for (const none of [[], null, undefined])
    assert.deepEqual(callsOf("responses", [item(1, "b"), item(0, "a"), done(none)]), ["a read {}", "b read {}"]);
  const whole = [{ type: "function_call", call_id: "w", name: "read", arguments: "{}" }];
  assert.deepEqual(callsOf("responses", [item(0, "a"), done(whole)]), ["w read {}"], "what is there counts");
  const failed = { type: "response.failed", response: { status: "failed", error: { code: "server_error" } } };
  const reply = PRODUCT.read("responses", collected("responses", [item(0, "a"), failed]), { model: "m", tookMs: 1 });
  assert.equal(reply.kind, "fault");
});

test("no piece reaches what all objects share", () => {
  const evil = '{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}}';
  const places = (json: string): unknown[] => [
    JSON.parse(json),
    JSON.parse(`{"choices":[{"delta":${json}}]}`),
    JSON.parse(
      `{"choices":[{"delta":{"tool_calls":[${json}],"reasoning_details":[${json},${json}],"audio":${json}}}]}`,
    ),
    JSON.parse(`{"choices":[{"delta":{"audio":${json}}}]}`),
    JSON.parse(`{"type":"message_start","message":${json}}`),
    JSON.parse(`{"type":"content_block_start","index":0,"content_block":${json}}`),
    JSON.parse(`{"type":"content_block_delta","index":0,"delta":${json}}`),
    JSON.parse(`{"type":"message_delta","delta":${json},"usage":${json}}`),
    JSON.parse(`{"type":"response.completed","response":${json}}`),
  ];
  for (const stream of Object.values(STREAMS)) {
    const collector = stream.collect(() => undefined);
    for (const event of [...places(evil), ...places(evil)]) collector.take(event);
    collector.done();
    assert.equal(Reflect.get({}, "polluted"), undefined);
    assert.deepEqual(Object.keys(Object.prototype), []);
  }
});

test("events are the same wherever their bytes are cut, with each end of a line, and in no time by the square", async () => {
  const events = [{ a: "Grüße 😀" }, { b: "\r\n" }, { c: 1 }];
  for (const end of ["\n", "\r\n", "\r"]) {
    const bytes = new TextEncoder().encode(
      `\ufeff${events.map((one) => `event: x${end}data: ${JSON.stringify(one)}${end}${end}`).join("")}data: [DONE]`,
    );
    for (let size = 1; size < 20; size++)
      assert.deepEqual(await eventsIn(bytes, size), events, `${JSON.stringify(end)}, ${size}`);
  }
  const long = new TextEncoder().encode(`data: ${JSON.stringify({ text: "x".repeat(8_000_000) })}\n\n`);
  const before = process.cpuUsage();
  assert.equal((await eventsIn(long, 16_384)).length, 1);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 2_000_000, `${(user + system) / 1_000} ms of CPU for 8 MB in 500 pieces`);
});

async function eventsIn(bytes: Uint8Array, size: number): Promise<unknown[]> {
  const body = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size));
      controller.close();
    },
  });
  const all: unknown[] = [];
  for await (const event of serverEvents(new Response(body))) all.push(event);
  return all;
}

test("over the wire: calls at once from Gemini's endpoint are two calls", async (t) => {
  const pieces = chat([
    { index: 0, id: "a", name: "gmail_fetch_mails", args: '{"query":"1"}' },
    { index: 0, id: "b", name: "gmail_fetch_mails", args: '{"query":"2"}' },
  ]);
  const body = [...pieces.map((one) => JSON.stringify(one)), "[DONE]"].map((data) => `data: ${data}\n\n`).join("");
  const at = await lab(t, () => raw({ body, headers: { "content-type": "text/event-stream" } }));
  const signal = new AbortController().signal;
  const reply = await at.model.respond(REQUEST, { timeoutMs: 20_000, signal, onText: () => undefined });
  assert.deepEqual(reply.kind === "answer" && reply.calls.map((call) => call.arguments), [
    '{"query":"1"}',
    '{"query":"2"}',
  ]);
});
