import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { safeExcerpt } from "../../src/models/safe-text.ts";

const nothing = { secrets: [], said: () => "" };

const rows: readonly (readonly [string, string])[] = [
  [
    "Rate limit reached for m-1 in organization org-abc on tokens per min",
    "Rate limit reached for m-1 in organization org-abc on tokens per min",
  ],
  ["Incorrect API key provided: sk-proj-********wxyz.", "Incorrect API key provided: ***"],
  ["Bearer abc123", "Bearer ***"],
  ["token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig_-x.", "token ***."],
  ["id 0123456789abcdef0123456789abcdef end", "id *** end"],
  ["the_quite_long_name_of_a_tool_without_a_digit", "the_quite_long_name_of_a_tool_without_a_digit"],
  ["meta-llama/llama-3.3-70b-instruct:free", "meta-llama/llama-3.3-70b-instruct:free"],
  ["a\n\n\u0000 b\u200b\tc", "a b c"],
  ["", ""],
];

test("words stay, keys and tokens go", () => {
  for (const [text, expected] of rows) assert.equal(safeExcerpt(text, nothing), expected);
});

test("own secrets go, wherever they stand, and short ones are no secrets", () => {
  assert.equal(safeExcerpt("a my-key b my-key", { ...nothing, secrets: ["my-key"] }), "a *** b ***");
  assert.equal(safeExcerpt("a bad key", { ...nothing, secrets: ["a"] }), "a bad key");
});

test("for any text: short, well formed, without the secret, without a long stretch of what was said", () => {
  const said =
    "The quick brown fox jumps over the lazy dog. 0123456789 ÄÖÜ 😀😀😀😀😀😀😀😀😀😀😀😀 and so on and so on.";
  const stretch = fc.tuple(fc.nat(said.length), fc.nat(60)).map(([from, length]) => said.slice(from, from + length));
  const text = fc
    .array(fc.oneof(fc.string({ unit: "binary" }), stretch, fc.constant("top-secret")))
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, (given) => {
      const safe = safeExcerpt(given, { secrets: ["top-secret"], said: () => said });
      assert.ok(safe.length <= 200 && safe.isWellFormed() && !safe.includes("top-secret"), safe);
      for (let i = 0; i + 24 <= safe.length; i++) assert.ok(!said.includes(safe.slice(i, i + 24)), safe);
    }),
  );
});
