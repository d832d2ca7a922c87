/** errand.tools.json: what is taken, and what is said of everything else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EFFECTS } from "../../src/core/effects.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { checkManifest, entryOf, namedTwice, parseManifest } from "../../src/core/manifest.ts";

const HASH = "0123456789abcdef".repeat(4);
const ENTRY = { hash: HASH, effect: "read", reviewed: true };
const FILE = "/app/errand.tools.json";

function refusal(doing: () => unknown): string {
  try {
    doing();
  } catch (error) {
    assert.ok(error instanceof ErrandError, String(error));
    assert.equal(error.code, "config-invalid");
    assert.equal(error.message.startsWith(`${FILE}: `), true, error.message);
    return error.message.slice(FILE.length + 2);
  }
  return assert.fail("it was taken");
}

test("every effect is taken, with and without a note, and also after a byte order mark", () => {
  for (const effect of EFFECTS)
    for (const more of [{}, { note: "by ada" }, { parts: { description: "a", parameters: "b" } }]) {
      const manifest = { version: 1, tools: { x_do: { ...ENTRY, effect, reviewed: false, ...more } } };
      assert.deepEqual(parseManifest(`\uFEFF${JSON.stringify(manifest)}`, FILE), manifest);
    }
  assert.deepEqual(checkManifest({ version: 1, tools: {} }, FILE), { version: 1, tools: {} });
});

const WRONG: readonly (readonly [value: unknown, told: RegExp])[] = [
  [null, /^expected \{ "version": 1, "tools": \{ … \} \}, got null/],
  [[], /got a list/],
  [{ tools: {} }, /^version: expected 1, got nothing/],
  [{ version: 2, tools: {} }, /^version: expected 1, got 2\. A newer Errand/],
  [{ version: "1", tools: {} }, /^version: expected 1, got "1"/],
  [{ version: 1 }, /^tools: expected .*, got nothing/],
  [{ version: 1, tools: [] }, /^tools: expected .*, got a list/],
  [{ version: 1, tools: {}, tool: {} }, /^there is no "tool" \(did you mean "tools"\?\)/],
  [{ version: 1, tools: { x: "read" } }, /^tools\.x: expected .*, got string/],
  [{ version: 1, tools: { "": null } }, /^tools\."": expected .*, got null/],
  [
    { version: 1, tools: { x: { ...ENTRY, hash: HASH.toUpperCase() } } },
    /tools\.x\.hash: expected 64 hex digits in lower/,
  ],
  [{ version: 1, tools: { x: { ...ENTRY, hash: HASH.slice(1) } } }, /tools\.x\.hash: expected 64 hex digits/],
  [{ version: 1, tools: { x: { ...ENTRY, hash: 7 } } }, /tools\.x\.hash: .*, got 7/],
  [
    { version: 1, tools: { x: { ...ENTRY, effect: "reed" } } },
    /tools\.x\.effect: expected one of read, .*, got "reed" \(did you mean "read"\?\)/,
  ],
  [{ version: 1, tools: { x: { ...ENTRY, effect: undefined } } }, /tools\.x\.effect: .*, got nothing/],
  [
    { version: 1, tools: { x: { ...ENTRY, reviewed: "true" } } },
    /tools\.x\.reviewed: expected true or false, got "true"/,
  ],
  [{ version: 1, tools: { x: { hash: HASH, effect: "read" } } }, /tools\.x\.reviewed: .*, got nothing/],
  [
    { version: 1, tools: { x: { ...ENTRY, reveiwed: true } } },
    /tools\.x: there is no "reveiwed" \(did you mean "reviewed"\?\)/,
  ],
  [{ version: 1, tools: { x: { ...ENTRY, note: 7 } } }, /tools\.x\.note: expected a text, got number/],
  [{ version: 1, tools: { x: { ...ENTRY, parts: {} } } }, /tools\.x\.parts: expected/],
];

for (const [value, told] of WRONG)
  test(`refused: ${JSON.stringify(value).slice(0, 90)}`, () => {
    assert.match(
      refusal(() => checkManifest(value, FILE)),
      told,
    );
  });

test("what is no JSON, and a tool that stands twice, which JSON would not tell", () => {
  assert.match(
    refusal(() => parseManifest("{ nope", FILE)),
    /^expected JSON: .+ `errand tools classify --write`/s,
  );
  assert.match(
    refusal(() => parseManifest("", FILE)),
    /^expected JSON/,
  );
  const entry = JSON.stringify(ENTRY);
  const twice = `{ "version": 1, "tools": { "x_do": ${entry}, "y": ${entry}, "x\\u005fdo": ${entry} } }`;
  assert.match(
    refusal(() => parseManifest(twice, FILE)),
    /^tools\.x_do is named twice/,
  );
});

test("named twice: at any depth, and never because of what stands in a text or in another object", () => {
  assert.deepEqual(namedTwice('{"a":{"b":1,"b":2},"a":0}'), ["a.b", "a"]);
  assert.deepEqual(namedTwice('{"a":"b\\":1,\\"a","b":{"a":"a"},"c":[{"a":1},{"a":"}"}]}'), []);
  assert.deepEqual(namedTwice('[{"a":1,"a":2}]').length, 1);
});

test("all problems at once, as far as one can read", () => {
  const tools = Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`t${i}`, { ...ENTRY, effect: "x" }]));
  const told = refusal(() => checkManifest({ version: 1, tools }, FILE));
  assert.match(told, /tools\.t0\.effect.*tools\.t9\.effect.*; and 4 more/s);
  assert.doesNotMatch(told, /tools\.t10\./);
});

test("names of Object's own prototype are tools like others", () => {
  const text = `{ "version": 1, "tools": { "__proto__": ${JSON.stringify(ENTRY)} } }`;
  const manifest = parseManifest(text, FILE);
  assert.deepEqual(entryOf(manifest, "__proto__"), ENTRY);
  for (const name of ["constructor", "toString", "x"]) assert.equal(entryOf(manifest, name), undefined);
  assert.equal(entryOf(undefined, "x"), undefined);
  assert.match(
    refusal(() => parseManifest('{ "version": 1, "tools": { "__proto__": 1 } }', FILE)),
    /tools\.__proto__/,
  );
});
