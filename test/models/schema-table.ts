/** Schemas of tools, and whether strict mode takes them. */
import type { JsonSchema } from "../../src/core/schema.ts";

export const TEXT: JsonSchema = { type: "string" } as const;

export function closed(properties: Record<string, unknown>, more: JsonSchema = {}): JsonSchema {
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false, ...more };
}

function nested(levels: number): JsonSchema {
  return levels === 1 ? closed({ a: TEXT }) : closed({ a: nested(levels - 1) });
}

const LIST = closed({ next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } });
export const TWICE: JsonSchema = Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => [
    `d${i}`,
    { anyOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
  ]),
);

/** The schema as the tool has it; whether OpenAI's two protocols take it as strict, and Anthropic's. */
export const TABLE: readonly (readonly [string, JsonSchema, boolean, boolean])[] = [
  ["closed, all required", closed({ id: TEXT, n: { type: "integer" } }), true, true],
  [
    "a description, a title, a dialect",
    closed({ id: { ...TEXT, description: "It.", title: "Id" } }, { $schema: "x" }),
    true,
    true,
  ],
  ["no properties, closed", closed({}), true, true],
  ["a bare object", { type: "object" }, false, false],
  ["empty", {}, false, false],
  ["open", { type: "object", properties: { id: TEXT }, required: ["id"] }, false, false],
  ["additionalProperties: true", closed({ id: TEXT }, { additionalProperties: true }), false, false],
  ["a record", closed({ of: { type: "object", additionalProperties: TEXT } }), false, false],
  ["open inside", closed({ of: { type: "object", properties: {}, required: [] } }), false, false],
  ["an optional property", closed({ id: TEXT, more: TEXT }, { required: ["id"] }), false, false],
  [
    "optional inside a list",
    closed({ of: { type: "array", items: closed({ id: TEXT }, { required: [] }) } }),
    false,
    false,
  ],
  ["required that is no property", closed({ id: TEXT }, { required: ["id", "no"] }), false, false],
  ["optional by null", closed({ id: { type: ["string", "null"] } }), true, true],
  ["anyOf inside", closed({ id: { anyOf: [TEXT, { type: "null" }] } }), true, true],
  ["anyOf of an open object", closed({ id: { anyOf: [{ type: "object" }, { type: "null" }] } }), false, false],
  ["anyOf of nothing", closed({ id: { anyOf: [] } }), false, false],
  [
    "anyOf at the root, with all in its branches",
    { type: "object", anyOf: [closed({ a: TEXT })], additionalProperties: false },
    false,
    false,
  ],
  ["oneOf inside", closed({ id: { oneOf: [TEXT] } }), false, false],
  ["allOf inside", closed({ id: { allOf: [TEXT] } }), false, false],
  ["not inside", closed({ id: { not: TEXT } }), false, false],
  ["an enum", closed({ id: { type: "string", enum: ["a", "b"] } }), true, true],
  ["an enum of objects", closed({ id: { type: "object", enum: [{ a: 1 }] } }), false, false],
  ["an enum without a type", closed({ id: { enum: ["a"] } }), false, false],
  ["a constant", closed({ id: { type: "string", const: "a" } }), true, true],
  ["an untyped property", closed({ id: {} }), false, false],
  ["a property that is true", closed({ id: true }), false, false],
  ["a property that is false", closed({ id: false }), false, false],
  ["a type that there is not", closed({ id: { type: "date" } }), false, false],
  ["a default", closed({ id: { ...TEXT, default: "a" } }), false, false],
  ["a keyword of tomorrow", closed({ id: { ...TEXT, "x-order": 1 } }), false, false],
  ["a known format", closed({ id: { ...TEXT, format: "date-time" } }), true, true],
  ["a link", closed({ id: { ...TEXT, format: "uri" } }), false, true],
  ["a format of our own", closed({ id: { ...TEXT, format: "iban" } }), false, false],
  ["a pattern", closed({ id: { ...TEXT, pattern: "^a" } }), true, false],
  ["a length", closed({ id: { ...TEXT, maxLength: 9 } }), true, false],
  ["bounds of a number", closed({ n: { type: "number", minimum: 0, maximum: 9 } }), true, false],
  ["bounds of a list", closed({ of: { type: "array", items: TEXT, minItems: 1 } }), true, false],
  ["unique items", closed({ of: { type: "array", items: TEXT, uniqueItems: true } }), false, false],
  ["a list without items", closed({ of: { type: "array" } }), false, false],
  ["a list of anything", closed({ of: { type: "array", items: true } }), false, false],
  ["a tuple", closed({ of: { type: "array", prefixItems: [TEXT], items: false } }), false, false],
  ["patternProperties", closed({ id: TEXT }, { patternProperties: { "^x": TEXT } }), false, false],
  ["if and else", closed({ id: TEXT }, { if: {}, else: {} }), true, true],
  ["if and else inside", closed({ id: { ...TEXT, if: {}, else: {} } }), false, false],
  ["a definition", closed({ id: { $ref: "#/$defs/id" } }, { $defs: { id: TEXT } }), true, true],
  ["an older definition", closed({ id: { $ref: "#/definitions/id" } }, { definitions: { id: TEXT } }), true, true],
  [
    "a definition that is open",
    closed({ id: { $ref: "#/$defs/id" } }, { $defs: { id: { type: "object" } } }),
    false,
    false,
  ],
  ["an open definition that nobody uses", closed({ id: TEXT }, { $defs: { id: { type: "object" } } }), false, false],
  ["a definition that there is not", closed({ id: { $ref: "#/$defs/no" } }), false, false],
  ["a definition elsewhere", closed({ id: { $ref: "https://example.org/id.json" } }), false, false],
  [
    "a definition with words beside it",
    closed({ id: { $ref: "#/$defs/id", description: "It." } }, { $defs: { id: TEXT } }),
    false,
    false,
  ],
  ["recursive", { ...LIST, $defs: { node: LIST } }, true, false],
  ["recursive at the root", closed({ next: { anyOf: [{ $ref: "#" }, { type: "null" }] } }), true, false],
  [
    "definitions that name the next one twice",
    closed({ id: { $ref: "#/$defs/d0" } }, { $defs: { ...TWICE, d40: TEXT } }),
    false,
    false,
  ],
  ["10 levels deep", nested(10), true, true],
  ["11 levels deep", nested(11), false, false],
  [
    "1,001 values",
    closed({ id: { type: "string", enum: Array.from({ length: 1_001 }, (_, i) => `${i}`) } }),
    false,
    false,
  ],
];

/** Not strict because nobody knows that it would be taken: the validator has no word of it. */
export const UNTOLD: readonly string[] = [
  "required that is no property",
  "anyOf of nothing",
  "an enum without a type",
  "a type that there is not",
  "a keyword of tomorrow",
  "a definition that there is not",
  "a definition elsewhere",
  "definitions that name the next one twice",
  "1,001 values",
];
/** Of Anthropic, which takes optional properties and much else, but in sum less than anybody can count. */
export const TAKEN: readonly string[] = [
  "an optional property",
  "optional inside a list",
  "anyOf at the root, with all in its branches",
  "allOf inside",
  "an untyped property",
  "a default",
  "a format of our own",
  "a pattern",
  "bounds of a list",
  "a definition with words beside it",
  "11 levels deep",
];
