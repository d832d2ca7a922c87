/** An agent's output schema on each wire: strict where the schema allows it, not at all where the endpoint does not know it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { ModelRequest } from "../../src/core/messages.ts";
import type { JsonSchema } from "../../src/core/schema.ts";
import type { Features } from "../../src/models/profile.ts";
import { httpError, json, type Reply } from "../../src/testing/model/index.ts";
import { lab, PROTOCOLS, type ProtocolName } from "./lab.ts";

const schemaOf = (schema: z.ZodType): JsonSchema =>
  schema["~standard"].jsonSchema.input({ target: "draft-2020-12" }) as JsonSchema;

interface Sent {
  readonly schema: JsonSchema;
  readonly strict?: boolean;
}

function sentIn(protocol: ProtocolName, body: Record<string, unknown>): Sent | undefined {
  const of = (value: unknown, key: string): Record<string, unknown> =>
    (value as Record<string, Record<string, unknown>>)[key] ?? {};
  switch (protocol) {
    case "chat":
      return body["response_format"] === undefined
        ? undefined
        : (of(body["response_format"], "json_schema") as unknown as Sent);
    case "responses":
      return body["text"] === undefined ? undefined : (of(body["text"], "format") as unknown as Sent);
    case "messages":
      return body["output_config"] === undefined ? undefined : (of(body["output_config"], "format") as unknown as Sent);
  }
}

/** As it goes out, accepted by the validators of what the real APIs accept. */
async function sent(
  t: Parameters<typeof lab>[0],
  protocol: ProtocolName,
  schema: JsonSchema,
  features?: Features,
  request: Partial<ModelRequest> = {},
): Promise<Sent | undefined> {
  const at = await lab(t, () => json({ a: 1 }), { protocol, ...(features !== undefined && { features }) }, 30_000);
  await at.answer({ output: { name: "result", schema }, ...request });
  return sentIn(protocol, at.server.requests[0]?.body ?? {});
}

const address = z.object({ street: z.string().min(1).describe("With number."), zip: z.string().regex(/^\d+$/) });
const person = z.object({
  name: z.string(),
  age: z.number().int().min(0).nullable(),
  tags: z.array(z.enum(["a", "b"])).max(3),
  at: z.union([address, z.null()]),
});

/** Schema → whether OpenAI's strict mode takes it, and Anthropic's. */
const CASES: readonly (readonly [string, z.ZodType, boolean, boolean])[] = [
  ["all required", person, true, true],
  ["nothing in it", z.object({}), true, true],
  ["an optional property", z.object({ a: z.string().optional() }), false, true],
  ["a default", z.object({ a: z.string().default("x") }), false, true],
  ["an open object within", z.object({ a: z.looseObject({}) }), false, false],
  ["a record", z.object({ a: z.record(z.string(), z.number()) }), false, false],
  ["anything", z.object({ a: z.any() }), false, false],
  ["a tuple", z.object({ a: z.tuple([z.string(), z.number()]) }), false, false],
  [
    "kinds told apart",
    z.object({
      a: z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("x"), n: z.number() }),
        z.object({ kind: z.literal("y") }),
      ]),
    }),
    true,
    true,
  ],
];

for (const protocol of PROTOCOLS) {
  test(`${protocol}: the schema is told, strict where that says the same`, async (t) => {
    for (const [name, schema, openai, anthropic] of CASES) {
      const told = await sent(t, protocol, schemaOf(schema));
      if (protocol !== "messages") assert.equal(told?.strict, openai, name);
      else assert.equal(told !== undefined, anthropic, name);
      assert.equal(told?.schema["$schema"], undefined, name);
    }
  });

  test(`${protocol}: not told to an endpoint that does not know it, nor when its root is no object`, async (t) => {
    assert.equal(await sent(t, protocol, schemaOf(person), { structuredOutput: "none" }), undefined);
    assert.equal(await sent(t, protocol, schemaOf(z.array(z.string()))), undefined);
    assert.equal(await sent(t, protocol, schemaOf(z.string())), undefined);
  });

  test(`${protocol}: told only where no tool can be called, to one that would then call none`, async (t) => {
    assert.equal(await sent(t, protocol, schemaOf(person), { structuredOutputWithTools: false }), undefined);
    assert.notEqual(
      await sent(t, protocol, schemaOf(person), { structuredOutputWithTools: false }, { toolChoice: "none" }),
      undefined,
    );
    assert.notEqual(
      await sent(t, protocol, schemaOf(person), { structuredOutputWithTools: false }, { tools: [] }),
      undefined,
    );
  });
}

for (const protocol of PROTOCOLS) {
  test(`${protocol}: a server that refuses it is asked without it, and not told again`, async (t) => {
    const script = (request: { readonly body: Record<string, unknown> }): Reply =>
      sentIn(protocol, request.body) === undefined
        ? json({ a: 1 })
        : httpError(400, { message: "Unknown parameter: response_format / text.format / output_config" });
    const at = await lab(t, script, { protocol }, 30_000);
    const output = { name: "result", schema: schemaOf(person) };
    await at.answer({ output });
    await at.answer({ output });
    assert.deepEqual(
      at.server.requests.map(({ body }) => sentIn(protocol, body) !== undefined),
      [true, false, false],
    );
  });
}

test("json_object, for servers that know only that", async (t) => {
  const at = await lab(t, () => json({ a: 1 }), { features: { structuredOutput: "json_object" } });
  await at.answer({ output: { name: "result", schema: schemaOf(person) }, system: "Answer with JSON." });
  assert.deepEqual(at.server.requests[0]?.body["response_format"], { type: "json_object" });
});

test("what a provider does not take is left out of its form, and nothing that changes which answers fit otherwise", async (t) => {
  const openai = await sent(t, "chat", schemaOf(person));
  assert.deepEqual(openai?.schema["required"], ["name", "age", "tags", "at"]);
  assert.match(JSON.stringify(openai), /"maxItems":3/);
  assert.match(JSON.stringify(openai), /"minLength":1/);
  assert.match(JSON.stringify(openai), /With number\./);
  const anthropic = JSON.stringify(await sent(t, "messages", schemaOf(person)));
  assert.match(anthropic, /"additionalProperties":false/);
  assert.doesNotMatch(anthropic, /maxItems|minLength|minimum|pattern/);
});
