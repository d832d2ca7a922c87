/** The JSON Schema of a capability's inputs, however its definition writes them: a list `inputs`, or `inputSchema`. Pure. */
import { isObject } from "../../core/json.ts";
import type { JsonSchema } from "../../core/schema.ts";

const TYPES: Readonly<Record<string, string>> = {
  string: "string",
  str: "string",
  text: "string",
  path: "string",
  integer: "integer",
  int: "integer",
  number: "number",
  float: "number",
  boolean: "boolean",
  bool: "boolean",
  array: "array",
  list: "array",
  object: "object",
  dict: "object",
  map: "object",
};

export function schemaOf(definition: Readonly<Record<string, unknown>>): JsonSchema {
  const given = definition["inputSchema"] ?? definition["input_schema"];
  if (isObject(given)) return given;
  const inputs = (Array.isArray(definition["inputs"]) ? definition["inputs"] : []).filter(isObject);
  const named = inputs.filter(({ name }) => typeof name === "string" && name !== "");
  const required = named.filter((input) => input["required"] === true).map(({ name }) => String(name));
  return {
    type: "object",
    properties: Object.fromEntries(named.map((input) => [String(input["name"]), property(input)])),
    ...(required.length > 0 && { required }),
  };
}

/** A type that we do not know takes anything. */
function property(input: Readonly<Record<string, unknown>>): JsonSchema {
  const given = typeof input["type"] === "string" ? input["type"].toLowerCase() : "";
  const items = /^(\w+)\[\]$|^(?:array|list)[<[](\w+)[>\]]$/.exec(given);
  const type = items === null ? TYPES[given] : "array";
  const of = items === null ? undefined : TYPES[items[1] ?? items[2] ?? ""];
  const { description, default: fallback, enum: values } = input;
  return {
    ...(type !== undefined && { type }),
    ...(of !== undefined && { items: { type: of } }),
    ...(typeof description === "string" && { description }),
    ...(fallback !== undefined && fallback !== null && { default: fallback }),
    ...(Array.isArray(values) && { enum: values }),
  };
}
