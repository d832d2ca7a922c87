/** Tools' schemas on the wire: what stands at the root, and which of them may go out as strict ones, on each protocol. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelRequest } from "../../src/core/messages.ts";
import type { JsonSchema } from "../../src/core/schema.ts";
import { wireSchema } from "../../src/models/schema.ts";
import { isRecursive, isStrict, strictOnes } from "../../src/models/strict.ts";
import { chatRequest } from "../../src/models/chat-request.ts";
import { messagesRequest } from "../../src/models/messages-request.ts";
import { responsesRequest } from "../../src/models/responses-request.ts";
import { type Dice, rollDice } from "../simulation/dice.ts";
import { RULES } from "./fuzz/way.ts";
import { PROTOCOLS, type ProtocolName, REQUEST } from "./lab.ts";
import { closed, TABLE, TAKEN, TEXT, TWICE, UNTOLD } from "./schema-table.ts";

function request(schemas: readonly JsonSchema[]): ModelRequest {
  return { ...REQUEST, tools: schemas.map((parameters, i) => ({ name: `tool_${i}`, description: "", parameters })) };
}

const features = { strictTools: true } as const;
const BODIES: Readonly<Record<ProtocolName, (request: ModelRequest) => unknown>> = {
  chat: (asked) => chatRequest(asked, { apiKey: "k", features }),
  responses: (asked) => responsesRequest(asked, { apiKey: "k", protocol: "responses", features }),
  messages: (asked) => messagesRequest(asked, { apiKey: "k", protocol: "messages", features }),
};

interface Tool {
  strict?: boolean;
  readonly function?: Tool;
}

function bodyOf(protocol: ProtocolName, schemas: readonly JsonSchema[]): { body: unknown; tools: readonly Tool[] } {
  const body = JSON.parse(JSON.stringify(BODIES[protocol](request(schemas)))) as { readonly tools: readonly Tool[] };
  return { body, tools: body.tools.map((tool) => tool.function ?? tool) };
}

for (const protocol of PROTOCOLS)
  test(`what goes out as strict on ${protocol}, and that the provider takes it`, () => {
    for (const [name, schema, openai, anthropic] of TABLE) {
      const { body, tools } = bodyOf(protocol, [schema]);
      assert.equal(tools[0]?.strict === true, protocol === "messages" ? anthropic : openai, name);
      assert.deepEqual(RULES[protocol](body), [], name);
    }
  });

for (const protocol of PROTOCOLS)
  test(`what does not would be refused, on ${protocol}`, () => {
    const dialect = protocol === "messages" ? "anthropic" : "openai";
    const taken = TABLE.filter(([, schema, ...strict]) => {
      if (strict[dialect === "openai" ? 0 : 1]) return false;
      const { body, tools } = bodyOf(protocol, [schema]);
      for (const tool of tools) tool.strict = true;
      return RULES[protocol](body).length === 0;
    });
    const known = dialect === "anthropic" ? [...UNTOLD, ...TAKEN] : UNTOLD;
    assert.deepEqual(taken.map(([name]) => name).toSorted(), known.toSorted());
  });

test("Anthropic takes 20 strict tools, and 16 unions in them: the first ones are strict", () => {
  const many = Array.from({ length: 25 }, () => closed({ id: TEXT }));
  assert.equal(strictOnes(many, "anthropic").lastIndexOf(true), 19);
  assert.equal(strictOnes(many, "openai").lastIndexOf(true), 24);
  const unions = Array.from({ length: 5 }, () =>
    closed(Object.fromEntries("abcde".split("").map((key) => [key, { type: ["string", "null"] }]))),
  );
  assert.deepEqual(strictOnes([...unions, closed({ id: TEXT })], "anthropic"), [true, true, true, false, false, true]);
  const { body, tools } = bodyOf("messages", many);
  assert.equal(tools.filter(({ strict }) => strict).length, 20);
  assert.deepEqual(RULES.messages(body), []);
});

test("without the feature nothing is strict; Responses are told so", () => {
  const one = { ...request([closed({ id: TEXT })]) };
  assert.equal(JSON.stringify(chatRequest(one, { apiKey: "k" })).includes("strict"), false);
  assert.equal(JSON.stringify(messagesRequest(one, { apiKey: "k", protocol: "messages" })).includes("strict"), false);
  assert.match(JSON.stringify(responsesRequest(one, { apiKey: "k", protocol: "responses" })), /"strict":false/);
});

const PLAIN = { type: "object", properties: {} } as const;
const ROOTS: readonly (readonly [string, JsonSchema, JsonSchema])[] = [
  ["as it is", closed({ id: TEXT }), closed({ id: TEXT })],
  ["empty", {}, PLAIN],
  ["no type", { properties: { id: TEXT } }, { type: "object", properties: { id: TEXT } }],
  ["another type", { type: ["object", "null"] }, PLAIN],
  ["unknown keywords are kept", { type: "object", "x-order": 1 }, { ...PLAIN, "x-order": 1 }],
  ["properties of a wrong type", { type: "object", properties: [] }, PLAIN],
  ...["anyOf", "oneOf", "allOf"].map(
    (key) =>
      [
        `${key} at the root: its branches' properties stay in sight`,
        { type: "object", properties: { id: TEXT }, [key]: [{ properties: { a: TEXT } }, { required: ["b"] }, true] },
        { type: "object", properties: { a: TEXT, id: TEXT } },
      ] as const,
  ),
  [
    "own properties win",
    { properties: { a: TEXT }, anyOf: [{ properties: { a: {} } }] },
    { type: "object", properties: { a: TEXT } },
  ],
  ["not, enum, const, if at the root", { type: "object", not: {}, enum: [1], const: 1, if: {}, else: {} }, PLAIN],
  ["inside they stay", closed({ a: { oneOf: [TEXT] } }), closed({ a: { oneOf: [TEXT] } })],
  [
    "$ref and definitions stay",
    { $ref: "#/$defs/a", $defs: { a: PLAIN } },
    { ...PLAIN, $ref: "#/$defs/a", $defs: { a: PLAIN } },
  ],
];

test("the root of a tool's schema is a plain object, whatever stood there; the tool's own is left alone", () => {
  for (const [name, schema, expected] of ROOTS) {
    const before = JSON.stringify(schema);
    assert.deepEqual(wireSchema(schema), expected, name);
    assert.equal(wireSchema(schema), wireSchema(schema), `${name}: made once`);
    assert.equal(JSON.stringify(schema), before, name);
    for (const protocol of PROTOCOLS) assert.deepEqual(RULES[protocol](bodyOf(protocol, [schema]).body), [], name);
  }
});

test("a schema refers to itself directly, over others, or not at all", () => {
  const over = closed(
    { a: { $ref: "#/$defs/a" } },
    { $defs: { a: closed({ b: { $ref: "#/$defs/b" } }), b: closed({ a: { $ref: "#/$defs/a" } }) } },
  );
  assert.equal(isRecursive(over), true);
  assert.equal(
    isRecursive(closed({ a: { $ref: "#/$defs/a" }, b: { $ref: "#/$defs/a" } }, { $defs: { a: TEXT } })),
    false,
  );
  assert.equal(isRecursive(closed({ $ref: TEXT })), false, "a property of that name");
  assert.equal(
    isRecursive(closed({ id: { $ref: "#/$defs/d0" } }, { $defs: { ...TWICE, d40: TEXT } })),
    false,
    "in time",
  );
});

test("schemas by chance: none throws, and what goes out as strict is taken", () => {
  let strict = 0;
  for (let seed = 1; seed <= 3_000; seed++) {
    const schema = schemaOf(rollDice(seed), 4) as JsonSchema;
    for (const dialect of ["openai", "anthropic"] as const) strict += isStrict(wireSchema(schema), dialect) ? 1 : 0;
    for (const protocol of PROTOCOLS)
      assert.deepEqual(RULES[protocol](bodyOf(protocol, [schema]).body), [], `seed ${seed}: ${JSON.stringify(schema)}`);
  }
  assert.ok(strict > 300, `only ${strict} were strict`);
});

const KEYWORDS = ["minimum", "maxLength", "allOf", "oneOf", "default", "format", "uniqueItems", "not", "x"] as const;

function schemaOf(dice: Dice, depth: number): unknown {
  if (depth < 4 && dice.chance(0.02)) return dice.pick([true, false, {}, { $ref: "#" }, { $ref: "#/$defs/a" }]);
  const odd = dice.chance(0.04) ? { [dice.pick(KEYWORDS)]: dice.pick<unknown>([1, "uri", [{}], {}, true]) } : {};
  const inner = (): unknown => schemaOf(dice, depth - 1);
  if (depth === 0 || (depth < 4 && dice.chance(0.5)))
    return { type: dice.pick(["string", "number", "boolean", "null"]), ...odd };
  if (depth < 4 && dice.chance(0.3)) return { type: "array", items: inner(), ...odd };
  if (depth < 4 && dice.chance(0.2)) return { anyOf: [inner(), inner()], ...odd };
  const names = ["a", "b", "c"].slice(dice.below(3));
  const properties = Object.fromEntries(names.map((name) => [name, inner()]));
  const required = names.filter(() => dice.chance(0.97));
  return { type: "object", properties, required, ...(dice.chance(0.97) && { additionalProperties: false }), ...odd };
}
