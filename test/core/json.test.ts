import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { canonical, changed, isObject, isTooDeep, type Json, toJson } from "../../src/core/json.ts";
import { visible } from "../../src/core/visible.ts";

test("canonical: equal texts for deeply equal values, and for no others", () => {
  // Small alphabets, so that equal and nearly equal values are common.
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>(null, true, 0, 1, "", "a", "1", '"', ","),
      fc.array(tie("json"), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom("a", "b", '"', "__proto__", "1"), tie("json"), {
        maxKeys: 2,
        noNullPrototype: true,
      }),
    ),
  }));
  let equal = 0;
  fc.assert(
    fc.property(json, json, (x, y) => {
      const same = isDeepStrictEqual(x, y);
      if (same) equal++;
      assert.equal(canonical(x) === canonical(y), same, `${canonical(x)} ${canonical(y)}`);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(equal > 50, `only ${equal} equal pairs`);
});

test("canonical: is JSON of the same value, whatever the order of keys", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const text = canonical(value);
      assert.equal(canonical(JSON.parse(text)), text);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.equal(canonical(reversed(value)), text);
    }),
  );
});

const rows: readonly (readonly [string, unknown, unknown])[] = [
  ["undefined", undefined, null],
  ["a function", (): number => 1, null],
  ["a symbol", Symbol("a"), null],
  ["fields that are nothing", { a: undefined, b: (): number => 1, c: 1 }, { c: 1 }],
  ["elements that are nothing", [undefined, 1], [null, 1]],
  ["no numbers", [NaN, Infinity, -Infinity, -0], [null, null, null, 0]],
  ["a big number", { id: 12345678901234567890n }, { id: "12345678901234567890" }],
  ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
  ["a map", new Map([["a", 1]]), { a: 1 }],
  ["an error", new Error("x"), {}],
  ["half a pair", ["a\ud83d", "\udc00b", "😀"], ["a\ufffd", "\ufffdb", "😀"]],
  ["bytes", Buffer.from("a"), { type: "Buffer", data: [97] }],
  [
    "a throwing getter",
    {
      get a(): never {
        throw new Error("no");
      },
    },
    { unserialisable: "no" },
  ],
  [
    "a thrown text",
    {
      toJSON: (): never => {
        // eslint-disable-next-line typescript/only-throw-error -- foreign code does
        throw "no";
      },
    },
    { unserialisable: "no" },
  ],
  [
    "endless nesting",
    JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`),
    { unserialisable: "Maximum call stack size exceeded" },
  ],
  ["deep nesting", nested(3_000), { unserialisable: "nested deeper than 500 levels" }],
];

test("toJson: what JSON would carry, and a note where it can not", () => {
  for (const [name, value, expected] of rows) assert.deepEqual(toJson(value), expected, name);
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  assert.match(JSON.stringify(toJson(cycle)), /^\{"unserialisable":"Converting circular structure/);
});

test("toJson: JSON stays as it is", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(toJson(value), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("what toJson lets through, canonical can write", () => {
  for (const depth of [499, 500, 501, 1_000, 2_000, 3_000, 4_000]) {
    const json = toJson(nested(depth));
    assert.equal(canonical(json).startsWith('{"a":{'), depth <= 500, String(depth));
  }
  assert.equal(isTooDeep(nested(500)), false);
  assert.equal(isTooDeep(nested(501)), true);
});

test("objects are neither lists nor null", () => {
  assert.deepEqual([{}, Object.create(null), [], null, "a", undefined, 1].map(isObject), [
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

test("a value is changed where it has to be, and is itself where it has not", () => {
  const upper = (value: Json): Json => (typeof value === "string" ? value.toUpperCase() : changed(value, upper));
  const rows: readonly (readonly [Json, Json])[] = [
    [
      ["A", { b: "C" }, 1, null],
      ["A", { b: "C" }, 1, null],
    ],
    [
      ["A", "b", "C", "d"],
      ["A", "B", "C", "D"],
    ],
    [
      { x: { y: ["z"] }, kept: { here: ["A"] } },
      { x: { y: ["Z"] }, kept: { here: ["A"] } },
    ],
    [JSON.parse('{"__proto__":{"a":"b"}}') as Json, JSON.parse('{"__proto__":{"a":"B"}}') as Json],
  ];
  for (const [value, expected] of rows) {
    const before = JSON.stringify(value);
    const made = upper(value);
    assert.equal(JSON.stringify(made), JSON.stringify(expected));
    assert.equal(JSON.stringify(value), before, "the value itself is left alone");
    assert.equal(made === value, before === JSON.stringify(expected));
  }
});

test("what has nothing invisible is not copied; names of fields lose it as texts do", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = toJson(value);
      assert.equal(visible(json) === json, !/\p{Cf}|\p{Variation_Selector}/u.test(JSON.stringify(json)));
    }),
  );
  assert.deepEqual(visible({ "a\u200b": ["b\u00ad", { c: "d" }] }), { a: ["b", { c: "d" }] });
});

function nested(depth: number): unknown {
  return JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([k, v]) => [k, reversed(v)]),
  );
}
