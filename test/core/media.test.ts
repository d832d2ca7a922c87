/** Images and files in what tools answer: a note in the text, and the thing itself where a protocol takes it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../src/core/json.ts";
import { type Media, splitMedia } from "../../src/core/media.ts";
import { project } from "../../src/core/project.ts";
import { messagesRequest } from "../../src/models/messages-request.ts";
import { responsesRequest } from "../../src/models/responses-request.ts";
import { chatRequest } from "../../src/models/chat-request.ts";
import { checkChatRequest, checkMessagesRequest, checkResponsesRequest } from "../../src/testing/model/index.ts";
import * as b from "./build.ts";

const PNG = "iVBORw0KGgo=";
const image = { type: "image", data: PNG, mimeType: "image/PNG" };
const shown: Media = { kind: "image", mimeType: "image/png", data: PNG };
const pdf = {
  type: "resource",
  resource: { uri: "file:///report.pdf", mimeType: "application/pdf", blob: "JVBERi0x" },
};

const rows: readonly (readonly [string, Json, Json, readonly Media[]])[] = [
  ["nothing", { type: "image", url: "https://x" }, { type: "image", url: "https://x" }, []],
  ["an image", { content: [image] }, { content: ["[image image/png, 8 bytes]"] }, [shown]],
  [
    "a file with a name",
    [pdf],
    ["[file application/pdf, 6 bytes, file:///report.pdf]"],
    [{ kind: "file", mimeType: "application/pdf", data: "JVBERi0x", name: "file:///report.pdf" }],
  ],
  [
    "a sound",
    { a: { type: "audio", data: PNG, mimeType: "audio/wav" } },
    { a: "[audio audio/wav, 8 bytes: not shown]" },
    [],
  ],
  [
    "no base64",
    { type: "image", data: "no!", mimeType: "image/png" },
    { type: "image", data: "no!", mimeType: "image/png" },
    [],
  ],
  ["a kind that is none", { ...image, mimeType: "png" }, { ...image, mimeType: "png" }, []],
];

test("what is found, and what stands in its place", () => {
  for (const [name, data, expected, media] of rows) assert.deepEqual(splitMedia(data), { data: expected, media }, name);
  assert.equal(splitMedia(Array.from({ length: 20 }, () => image)).media.length, 8, "no more than a context can bear");
});

test("a tool's image goes to the model where the protocol takes it, and is a note elsewhere", () => {
  const call = b.call("t0c0");
  const state = b.run(
    [...b.READY, b.turn(0, [call]), b.claim(call)],
    [b.evidence(call, 1, { kind: "ok", data: { content: [{ type: "text", text: "See." }, image, pdf] } }, 9_000)],
  );
  const request = project(state, b.context(), [{ call: "t0c0", evidence: "t0c0#1" }], false);
  const text =
    '{"content":[{"text":"See.","type":"text"},"[image image/png, 8 bytes]","[file application/pdf, 6 bytes, file:///report.pdf]"]}';

  const chat = JSON.parse(JSON.stringify(chatRequest(request, { apiKey: "k" }))) as { messages: unknown[] };
  assert.deepEqual(checkChatRequest(chat), []);
  assert.deepEqual(chat.messages.at(-1), { role: "tool", tool_call_id: "t0c0", content: text });

  const responses = responsesRequest(request, { apiKey: "k", protocol: "responses" });
  assert.deepEqual(checkResponsesRequest(responses), []);
  assert.deepEqual((responses["input"] as unknown[]).at(-1), {
    type: "function_call_output",
    call_id: "t0c0",
    output: [
      { type: "input_text", text },
      { type: "input_image", image_url: `data:image/png;base64,${PNG}`, detail: "auto" },
      { type: "input_file", filename: "file:///report.pdf", file_data: "data:application/pdf;base64,JVBERi0x" },
    ],
  });

  const anthropic = { apiKey: "k", protocol: "messages", features: { promptCache: false } } as const;
  const messages = messagesRequest(request, anthropic);
  assert.deepEqual(checkMessagesRequest(messages), []);
  assert.deepEqual((messages["messages"] as { content: unknown[] }[]).at(-1)?.content, [
    {
      type: "tool_result",
      tool_use_id: "t0c0",
      content: [
        { type: "text", text },
        { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } },
        { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBERi0x" } },
      ],
    },
  ]);
  const blind = messagesRequest(request, { ...anthropic, features: { promptCache: false, vision: false } });
  assert.match(JSON.stringify(blind), /"content":"\{\\"content\\"/);
});
