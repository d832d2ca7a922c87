/** What a model sends is checked before anything leaves the process; a schema is somebody else's text and may be anything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../../src/core/json.ts";
import type { JsonSchema } from "../../src/core/schema.ts";
import { createChecker } from "../../src/tools/check.ts";

/** A fresh checker: the hash stands for the schema. */
function check(schema: JsonSchema, args: Json): readonly string[] {
  return createChecker()("h", schema, args);
}

const MAIL: JsonSchema = {
  type: "object",
  properties: {
    to: { type: "string" },
    subject: { type: "string", maxLength: 10 },
    kind: { enum: ["text", "html"] },
    count: { type: "integer", minimum: 1 },
    cc: { type: "array", items: { type: "object", properties: { name: { type: "string" } }, required: ["name"] } },
  },
  required: ["to", "subject"],
  additionalProperties: false,
};

const CASES: readonly [args: Json, problems: readonly string[]][] = [
  [{ to: "a", subject: "b" }, []],
  [{ to: "a", subject: "b", cc: [{ name: "c" }], kind: "html", count: 3 }, []],
  [{}, ['"to" is required', '"subject" is required']],
  [{ to: 1, subject: "b" }, ["to: must be string"]],
  [{ to: "a", subject: "01234567890" }, ["subject: must NOT have more than 10 characters"]],
  [{ to: "a", subject: "b", count: 0.5 }, ["count: must be integer", "count: must be >= 1"]],
  [{ to: "a", subject: "b", kind: "markdown" }, ['kind: must be one of ["text","html"]']],
  [{ to: "a", subject: "b", cc: [{ name: "c" }, {}] }, ['cc.1: "name" is required']],
  [{ to: "a", subject: "b", subjects: 1 }, ['there is no parameter "subjects". Did you mean "subject"?']],
  [[], ["must be object"]],
];

for (const [args, problems] of CASES)
  test(`check: ${JSON.stringify(args)}`, () => assert.deepEqual(check(MAIL, args), problems));

const DRAFT_07 = "http://json-schema.org/draft-07/schema#";
const DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema";

const DIALECTS: readonly [what: string, schema: JsonSchema, good: Json, bad: Json][] = [
  [
    "draft-07 tuples",
    { $schema: DRAFT_07, properties: { p: { items: [{ type: "string" }] } } },
    { p: ["x"] },
    { p: [1] },
  ],
  [
    "tuples that do not say their draft",
    { properties: { p: { items: [{ type: "string" }] } } },
    { p: ["x"] },
    { p: [1] },
  ],
  [
    "2020-12 tuples",
    { $schema: DRAFT_2020, properties: { p: { prefixItems: [{ type: "string" }] } } },
    { p: ["x"] },
    { p: [1] },
  ],
  [
    "2020-12 tuples that do not say",
    { properties: { p: { prefixItems: [{ type: "string" }] } } },
    { p: ["x"] },
    { p: [1] },
  ],
  ["draft-04's $schema", { $schema: "http://json-schema.org/draft-04/schema#", required: ["a"] }, { a: 1 }, {}],
  ["an unknown $schema", { $schema: "https://example.com/mine", required: ["a"] }, { a: 1 }, {}],
  [
    "definitions",
    { definitions: { s: { type: "string" } }, properties: { p: { $ref: "#/definitions/s" } } },
    { p: "" },
    { p: 1 },
  ],
  ["$defs", { $defs: { s: { type: "string" } }, properties: { p: { $ref: "#/$defs/s" } } }, { p: "" }, { p: 1 }],
  [
    "recursion",
    { $defs: { n: { type: "object", properties: { n: { $ref: "#/$defs/n" } } } }, $ref: "#/$defs/n" },
    { n: { n: {} } },
    { n: { n: 1 } },
  ],
  ["an $id", { $id: "https://example.com/x", required: ["a"] }, { a: 1 }, {}],
  ["a pattern of the laxer kind", { properties: { p: { pattern: "^[a\\-z]+\\-$" } } }, { p: "a-" }, { p: "b" }],
  ["a Unicode pattern", { properties: { p: { pattern: "^\\p{L}+$" } } }, { p: "é" }, { p: "1" }],
  ["words nobody knows", { "x-google": { y: 1 }, example: [], required: ["a"] }, { a: 1 }, {}],
  ["nullable of OpenAPI", { properties: { p: { type: "string", nullable: true } } }, { p: null }, { p: 1 }],
];

for (const [what, schema, good, bad] of DIALECTS)
  test(`dialects: ${what}`, () => {
    assert.deepEqual(check(schema, good), []);
    assert.equal(check(schema, bad).length, 1);
  });

test("formats are annotations: a date-time without a zone is the tool's business", () => {
  assert.deepEqual(
    check({ properties: { at: { type: "string", format: "date-time" } } }, { at: "2026-01-01T10:00:00" }),
    [],
  );
});

for (const schema of [
  { type: "foo" },
  { properties: [] },
  { required: "a" },
  { $ref: "https://example.com/x.json" },
  { pattern: "(" },
  { minLength: "3" },
] as const)
  test(`a bad schema is one problem and no throw: ${JSON.stringify(schema)}`, () => {
    const problems = check(schema, {});
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", /^this tool cannot be used: its schema is no valid JSON Schema \(.+\)$/);
  });

test("two tools may have schemas of one $id", () => {
  const checker = createChecker();
  assert.deepEqual(checker("1", { $id: "https://example.com/x", required: ["a"] }, {}), ['"a" is required']);
  assert.deepEqual(checker("2", { $id: "https://example.com/x", required: ["b"] }, {}), ['"b" is required']);
});

test("a schema is compiled once for its hash, and forgotten after many others", () => {
  const checker = createChecker();
  let read = 0;
  const schema: JsonSchema = {
    get required() {
      read++;
      return ["a"];
    },
  };
  for (let i = 0; i < 10; i++) assert.deepEqual(checker("one", schema, {}), ['"a" is required']);
  const first = read;
  assert.equal(first > 0, true);
  for (let i = 0; i < 499; i++) checker(`other${i}`, {}, {});
  checker("one", schema, {});
  assert.equal(read, first);
  for (let i = 0; i < 501; i++) checker(`more${i}`, {}, {});
  checker("one", schema, {});
  assert.equal(read, 2 * first);
});

const nested = (depth: number): Json => (depth === 0 ? {} : { n: nested(depth - 1) });

const SHAPES: readonly [what: string, args: Json, problem: RegExp | undefined][] = [
  ["64 levels", nested(63), undefined],
  ["65 levels", nested(66), /deeper than 64/],
  ["256 K characters", { t: "x".repeat(256 * 1_024 - 8) }, undefined],
  ["more", { t: "x".repeat(256 * 1_024) }, /have \d+ characters; at most 262144/],
  ["__proto__", JSON.parse('{"__proto__":{"admin":true}}') as Json, /"__proto__" is not allowed/],
  ["__proto__ deep inside", JSON.parse('{"a":[{"b":{"__proto__":1}}]}') as Json, /"__proto__" is not allowed/],
  ["constructor.prototype", { constructor: { prototype: { admin: true } } }, /"constructor\.prototype" is not allowed/],
  ["a field that is called constructor", { constructor: "Acme Ltd", prototype: "v1" }, undefined],
];

for (const [what, args, problem] of SHAPES)
  test(`shape: ${what}`, () => {
    const problems = check({}, args);
    if (problem === undefined) assert.deepEqual(problems, []);
    else assert.match(problems.join("; "), problem);
  });

test("a thousand problems are told as twenty", () => {
  const problems = check(
    { additionalProperties: { type: "string" } },
    Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, i])),
  );
  assert.equal(problems.length, 20);
});

test("names and values in problems are cut", () => {
  const long = check({ additionalProperties: false }, { ["n".repeat(10_000)]: 1 });
  assert.equal((long[0]?.length ?? 0) < 300, true);
});

test("a schema that refers to itself without end is a problem of the tool, not of the process", () => {
  const [told] = createChecker()("endless", { $ref: "" }, {});
  assert.match(told ?? "", /refers to itself without end/);
});

test("whatever the schema and the arguments, there is an answer", () => {
  const checker = createChecker();
  let n = 0;
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom("type", "properties", "items", "required", "$ref", "$id", "anyOf", "enum", "pattern", "x"),
        fc.jsonValue(),
      ),
      fc.jsonValue(),
      (schema, args) => {
        const problems = checker(String(n++), schema, args as Json);
        assert.equal(Array.isArray(problems), true);
      },
    ),
    { numRuns: 500 },
  );
});
