import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrandError } from "../../src/core/errors.ts";
import { chatModel, type ChatProfile } from "../../src/models/chat.ts";

const rows: readonly (readonly [string, Partial<Record<keyof ChatProfile, unknown>>, RegExp])[] = [
  ["no key", { apiKey: undefined }, /^model profile: apiKey: expected printable ASCII without spaces, got undefined\./],
  ["an empty key", { apiKey: "" }, /got 0 characters that are not/],
  ["a key with a line end", { apiKey: "sk-secret\n" }, /got 10 characters that are not/],
  ["a host alone", { baseURL: "api.example.com/v1" }, /baseURL: expected an http or https URL/],
  ["another protocol", { baseURL: "ftp://api.example.com" }, /baseURL: expected an http or https URL/],
  ["a password in the URL", { baseURL: "https://me:sk-secret@api.example.com/v1" }, /without user and password/],
  ["a header value with a line end", { headers: { "x-team": "sk-secret\r\nx: y" } }, /headers: "x-team": expected/],
  ["a header name with a space", { headers: { "x team": "a" } }, /headers: "x team": expected/],
  [
    "our field",
    { extraBody: { messages: [] } },
    /extraBody: "messages" is set by Errand for each request; leave it out\./,
  ],
  ["headers that are a list", { headers: ["x: y"] }, /headers: expected an object of names and values, got a list\./],
  ["a text for fields", { extraBody: "x" }, /extraBody: expected an object of names and values, got string\./],
  ["a bound of its own", { extraBody: { max_tokens: 9 } }, /extraBody: "max_tokens" .* set maxOutputTokens instead\./],
  ["streaming", { extraBody: { stream: true } }, /extraBody: "stream"/],
  ["no tokens", { maxOutputTokens: 0 }, /maxOutputTokens: expected a whole number of at least 1, got 0\./],
  ["half a token", { maxOutputTokens: 1.5 }, /got 1\.5/],
];

test("a profile that can never work is refused at once, and no secret is repeated", () => {
  for (const [name, wrong, message] of rows)
    assert.throws(
      () => chatModel({ apiKey: "k", ...wrong } as ChatProfile),
      (error: unknown) => {
        assert.ok(error instanceof ErrandError, name);
        assert.equal(error.code, "option-invalid");
        assert.match(error.message, message, name);
        return !error.message.includes("sk-secret");
      },
    );
});
