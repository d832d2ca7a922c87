/** A tool's JSON Schema as providers take it. Arguments are checked against the whole schema anyway, so what is left out is not lost. */
import { isObject } from "../core/json.ts";
import type { JsonSchema } from "../core/schema.ts";

/** OpenAI and Anthropic refuse these at the root, where they want a plain object. */
const NOT_AT_ROOT: readonly string[] = ["oneOf", "anyOf", "allOf", "not", "enum", "const", "if", "then", "else"];

/** Each turn sends all tools again. */
const made = new WeakMap<JsonSchema, JsonSchema>();

/** An object at the root with its properties: also those that stand in the branches of a root's `anyOf`, so that a model knows them. */
export function wireSchema(parameters: JsonSchema): JsonSchema {
  const known = made.get(parameters) ?? withPlainRoot(parameters);
  made.set(parameters, known);
  return known;
}

function withPlainRoot(parameters: JsonSchema): JsonSchema {
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
