/** What a script can learn from a transcript: each call with its own result. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ScriptMessage, toolOutcomes } from "../../../src/testing/model/index.ts";
import { readChatRequest } from "../../../src/testing/model/chat-read.ts";

function acting(id: string, args: string): ScriptMessage {
  return { role: "assistant", text: "", calls: [{ id, name: "a", arguments: args }] };
}

function outcomes(messages: readonly ScriptMessage[]): unknown[] {
  const request = { ...readChatRequest({}), messages };
  return toolOutcomes(request).map(({ args, text, data, error }) => [args, text, data, error]);
}

test("ids that repeat in later turns belong to their own turn", () => {
  const found = outcomes([
    acting("tool:0", '{"n":1}'),
    { role: "tool", callId: "tool:0", text: "[1]" },
    acting("tool:0", '{"n":2}'),
    { role: "tool", callId: "tool:0", text: "[2]" },
    acting("tool:0", '{"n":3}'),
  ]);
  assert.deepEqual(found, [
    [{ n: 1 }, "[1]", [1], undefined],
    [{ n: 2 }, "[2]", [2], undefined],
    [{ n: 3 }, "", undefined, undefined],
  ]);
});

const ERRORS: readonly (readonly [text: string, error: string | undefined])[] = [
  ['{"success":false,"error":{"type":"NotFound","message":"x"}}', "NotFound"],
  ['{"error":{"code":404}}', "404"],
  ['{"error":"no luck"}', "no luck"],
  ['{"ok":false}', "error"],
  ['{"error":null,"success":true}', undefined],
  ['{"messages":[]}', undefined],
  ["prose", undefined],
];

for (const [text, error] of ERRORS) {
  test(`${text} ${error === undefined ? "is no failure" : `failed with ${error}`}`, () => {
    const found = outcomes([acting("c", '{"broken'), { role: "tool", callId: "c", text }]);
    assert.deepEqual(
      found.map((one) => (one as unknown[])[3]),
      [error],
    );
    assert.deepEqual(
      found.map((one) => (one as unknown[])[0]),
      [{}],
    );
  });
}
