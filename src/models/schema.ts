/** A tool's JSON Schema as providers take it. Arguments are checked against the whole schema anyway, so what is left out is not lost. */
import { isObject } from "../core/json.ts";
import type { JsonSchema } from "../core/schema.ts";

/** OpenAI and Anthropic refuse these at the root, where they want a plain object. */
const NOT_AT_ROOT: readonly string[] = ["oneOf", "anyOf", "allOf", "not", "enum", "const", "if", "then", "else"];

/** An object at the root with its properties: also those that stand in the branches of a root's `anyOf`, so that a model knows them. */
export function wireSchema(parameters: JsonSchema): JsonSchema {
  const entries = Object.entries(parameters).filter(([key]) => !NOT_AT_ROOT.includes(key));
  const branches = ["allOf", "anyOf", "oneOf"].flatMap((key) => {
    const list = parameters[key];
    return Array.isArray(list) ? list.filter(isObject) : [];
  });
  const inBranches = branches.map(({ properties }) => (isObject(properties) ? properties : {}));
  const { properties } = parameters;
  return {
    ...Object.fromEntries(entries),
    type: "object",
    properties: Object.assign({}, ...inBranches, isObject(properties) ? properties : {}) as JsonSchema,
  };
}

/** What strict mode refuses wherever it stands (facts/seeds.md C.3, measured on OpenAI's own converter). */
const NEVER_STRICT: readonly string[] =
  `oneOf not patternProperties uniqueItems if then else contains dependentRequired dependentSchemas
  prefixItems minProperties maxProperties propertyNames unevaluatedProperties unevaluatedItems`.split(/\s+/);

/**
 * Whether strict mode takes the schema as it stands: each object closed, with all of its properties required. A schema is not made to fit:
 * closing an open object would forbid what the tool allows.
 */
export function isStrict(schema: unknown): boolean {
  if (!isObject(schema) || NEVER_STRICT.some((key) => key in schema)) return false;
  const { properties, required, items, additionalProperties, type, anyOf, allOf, $defs, definitions } = schema;
  const isOf = (name: string): boolean => type === name || (Array.isArray(type) && type.includes(name));
  if (isOf("object") || properties !== undefined) {
    const names = isObject(properties) ? Object.keys(properties) : [];
    const needed: readonly unknown[] = Array.isArray(required) ? required : [];
    if (additionalProperties !== false || !names.every((name) => needed.includes(name))) return false;
  }
  if (isOf("array") && !isObject(items)) return false;
  const inner = [properties, $defs, definitions].flatMap((map) => (isObject(map) ? Object.values(map) : []));
  const lists = [anyOf, allOf].flatMap((list): unknown[] => (Array.isArray(list) ? list : []));
  return [...inner, ...lists, ...(items === undefined ? [] : [items])].every(isStrict);
}
