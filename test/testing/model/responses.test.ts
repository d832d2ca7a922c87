/** The scripted model as OpenAI's own SDK sees it over Responses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BadRequestError } from "openai";
import { toResponseInputItems } from "openai/lib/responses/ResponseInputItems";
import type { Response, ResponseInput, ResponseOutputItem } from "openai/resources/responses/responses";
import * as script from "../../../src/testing/model/index.ts";
import { lab } from "./client.ts";

const HELLO: ResponseInput = [{ role: "user", content: "Hello" }];

const thought = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "zzz" };

const rows: readonly (readonly [string, script.Reply, (seen: Response) => unknown, unknown])[] = [
  ["a text", script.say("Hi"), (seen) => [seen.status, seen.output_text], ["completed", "Hi"]],
  [
    "a text cut off",
    script.finish("length", script.say("H")),
    (seen) => [seen.status, seen.incomplete_details],
    ["incomplete", { reason: "max_output_tokens" }],
  ],
  [
    "filtered",
    script.finish("content_filter", script.say("H")),
    (seen) => seen.incomplete_details,
    { reason: "content_filter" },
  ],
  ["a status", script.finish("queued"), (seen) => seen.status, "queued"],
  ["a refusal", script.refusal("No."), (seen) => parts(seen), [{ type: "refusal", refusal: "No." }]],
  [
    "an empty text",
    script.empty(""),
    (seen) => parts(seen),
    [{ type: "output_text", text: "", annotations: [], logprobs: [] }],
  ],
  ["nothing", script.empty(null), (seen) => parts(seen), []],
  ["no output", script.noChoices(), (seen) => seen.output, []],
  [
    "a call",
    script.call("a", { n: 1 }, { id: "x" }),
    (seen) => seen.output.map(plain),
    [["function_call", "x", "a", '{"n":1}']],
  ],
  [
    "a custom call",
    script.call("sql", "select 1", { type: "custom", id: null }),
    (seen) => seen.output.map(plain),
    [["custom_tool_call", undefined, "sql", "select 1"]],
  ],
  [
    "items before it",
    script.say("Hi", { items: [thought] }),
    (seen) => [seen.output[0], seen.output_text],
    [thought, "Hi"],
  ],
  [
    "usage",
    script.withUsage({ input: 9, output: 4, cached: 2, reasoning: 1 }, script.say("Hi")),
    (seen) => [
      seen.usage?.input_tokens,
      seen.usage?.input_tokens_details.cached_tokens,
      seen.usage?.output_tokens_details.reasoning_tokens,
    ],
    [9, 2, 1],
  ],
  ["no usage", script.withUsage(null, script.say("Hi")), (seen) => seen.usage, undefined],
];

test("each reply arrives as scripted", async (t) => {
  const { client, model } = await lab(t, []);
  for (const [name, reply, look, expected] of rows) {
    model.script([reply]);
    assert.deepEqual(look(await client.responses.create({ model: "m-1", input: HELLO })), expected, name);
  }
});

test("what the SDK makes of an answer for the next request is accepted, and the script sees it", async (t) => {
  const asking = script.call("a", { n: 1 });
  const { client, model } = await lab(t, [{ ...asking, text: "Well", items: [thought] }, script.say("Done.")]);
  const first = await client.responses.create({ model: "m-1", input: HELLO, store: false });
  const id = first.output.flatMap((item) => (item.type === "function_call" ? [item.call_id] : []))[0] ?? "";
  const input: ResponseInput = [
    ...HELLO,
    ...toResponseInputItems(first.output),
    { type: "function_call_output", call_id: id, output: "1" },
  ];
  const tool = { type: "function" as const, name: "a", parameters: { type: "object" }, strict: false };
  const second = await client.responses.create({
    model: "m-1",
    instructions: "Be kind",
    input,
    store: false,
    tools: [tool],
    tool_choice: "none",
  });
  assert.equal(second.output_text, "Done.");
  assert.deepEqual(model.requests[1]?.messages, [
    { role: "system", text: "Be kind" },
    { role: "user", text: "Hello" },
    { role: "assistant", text: "Well", calls: [{ id, name: "a", arguments: '{"n":1}' }] },
    { role: "tool", callId: id, text: "1" },
  ]);
  const { protocol, turn, tools, toolChoice } = model.requests[1] ?? {};
  assert.deepEqual(
    [protocol, turn, tools, toolChoice],
    ["responses", 1, [{ name: "a", description: "", parameters: { type: "object" } }], "none"],
  );
});

test("what the real API would refuse is refused, in its own shape", async (t) => {
  const { client } = await lab(t, [script.say("Hi")]);
  const orphan: ResponseInput = [...HELLO, { type: "function_call_output", call_id: "c1", output: "x" }];
  await assert.rejects(client.responses.create({ model: "m-1", input: orphan }), (error) => {
    assert.ok(error instanceof BadRequestError, String(error));
    assert.deepEqual([error.type, error.param], ["invalid_request_error", "input[1].call_id"]);
    return true;
  });
  const gone = client.responses.create({ model: "m-1", input: HELLO, previous_response_id: "resp_1" });
  await assert.rejects(gone, { status: 400, code: "previous_response_not_found" });
});

test("a stream: the text in pieces, and the whole answer with its last event", async (t) => {
  const { client } = await lab(t, [script.say("Hi there")]);
  let [text, last] = ["", ""];
  for await (const event of await client.responses.create({ model: "m-1", input: HELLO, stream: true })) {
    if (event.type === "response.output_text.delta") text += event.delta;
    if (event.type === "response.completed") last = JSON.stringify(event.response.output);
  }
  assert.equal(text, "Hi there");
  assert.match(last, /"Hi there"/);
});

function parts({ output }: Response): unknown {
  return output.flatMap((item): unknown[] => (item.type === "message" ? item.content : [item]));
}

function plain(item: ResponseOutputItem): unknown {
  if (item.type === "function_call") return [item.type, item.call_id, item.name, item.arguments];
  return item.type === "custom_tool_call" ? [item.type, item.call_id, item.name, item.input] : item;
}
