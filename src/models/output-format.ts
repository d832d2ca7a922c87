/** The schema of an agent's output as providers take it, who then let the model write nothing else. What came is checked anyway. */
import { isObject } from "../core/json.ts";
import type { ModelRequest, OutputFormat } from "../core/messages.ts";
import type { JsonSchema } from "../core/schema.ts";
import type { Fault } from "./failure.ts";
import type { Fields } from "./fields.ts";
import type { Features } from "./profile.ts";
import { FORMATS, isRecursive } from "./strict.ts";

/** How the endpoint is told of it, if at all. */
export interface WantedOutput extends OutputFormat {
  readonly as: "json_schema" | "json_object";
}

export function wantedOutput(
  { output, tools, toolChoice }: ModelRequest,
  { structuredOutput: as = "json_schema", structuredOutputWithTools = true }: Omit<Features, "vision">,
): WantedOutput | undefined {
  if (as === "none" || output === undefined) return undefined;
  if (!structuredOutputWithTools && tools.length > 0 && toolChoice !== "none") return undefined;
  return { ...output, as };
}

export type OpenaiFormat =
  | { readonly type: "json_object" }
  | { readonly type: "json_schema"; readonly name: string; readonly schema: JsonSchema; readonly strict: boolean };

/** For OpenAI's two protocols, which refuse a root that is no object. */
export function openaiOutput(wanted: WantedOutput | undefined): OpenaiFormat | undefined {
  if (wanted === undefined || wanted.schema["type"] !== "object") return undefined;
  const { as: type, name, schema } = wanted;
  if (type === "json_object") return { type };
  const strict = narrowed(schema, OPENAI);
  if (strict !== undefined) return { type, name, schema: strict, strict: true };
  const { $schema: _dialect, ...rest } = schema;
  return { type, name, schema: rest, strict: false };
}

/** Anthropic takes the strict form only. */
export function anthropicOutput(wanted: WantedOutput | undefined): JsonSchema | undefined {
  if (wanted?.as !== "json_schema" || wanted.schema["type"] !== "object" || isRecursive(wanted.schema))
    return undefined;
  return narrowed(wanted.schema, ANTHROPIC);
}

const ABOUT_OUTPUT = /response_format|json_schema|structured.?output|output_config|text\.format/i;

/**
 * The body without the schema, when the endpoint refused it for that: servers differ, and the answer is checked anyway. What it refused
 * once is not sent again.
 */
export function withoutOutput(field: "response_format" | "text" | "output_config"): {
  readonly sent: (body: Fields) => Fields;
  readonly instead: (request: ModelRequest, sent: Fields, refusal: Fault) => Fields | undefined;
} {
  let refused = false;
  const without = ({ [field]: _format, ...rest }: Fields): Fields => rest;
  return {
    sent: (body) => (refused ? without(body) : body),
    instead: ({ output }, sent, { status, error }) => {
      if (output === undefined || !(field in sent) || (status !== 400 && status !== 422)) return undefined;
      if (!ABOUT_OUTPUT.test(JSON.stringify(error) ?? "")) return undefined;
      refused = true;
      return without(sent);
    },
  };
}

interface Dialect {
  /** Properties may be left out. */
  readonly optional: boolean;
  /** Constraints that it knows; others are left out, as the answer is checked against all of them. */
  readonly constraints: readonly string[];
}

/** facts/seeds.md C.3, the cases that were run through the SDK's own conversion. */
const OPENAI: Dialect = {
  optional: false,
  constraints:
    "format pattern minLength maxLength minItems maxItems minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split(
      " ",
    ),
};

/** platform.claude.com, structured outputs: no bounds of numbers, lengths and lists. */
const ANTHROPIC: Dialect = { optional: true, constraints: [] };

const KEPT: readonly string[] = ["type", "enum", "const", "description", "title", "required"];
const DROPPED: readonly string[] = ["$schema", "$id", "$comment", "default", "examples", "deprecated", "readOnly"];
const BOUNDS: readonly string[] = [...OPENAI.constraints, "uniqueItems", "contentEncoding", "contentMediaType"];

/** The same schema with closed objects; nothing if it says what cannot be said that way. */
function narrowed(schema: unknown, dialect: Dialect): JsonSchema | undefined {
  if (!isObject(schema) || !["type", "anyOf", "oneOf", "$ref", "enum", "const"].some((key) => key in schema))
    return undefined;
  // Nothing may stand beside it.
  if ("$ref" in schema) return typeof schema["$ref"] === "string" ? { $ref: schema["$ref"] } : undefined;
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (DROPPED.includes(key)) continue;
    if (KEPT.includes(key)) out[key] = value;
    else if (BOUNDS.includes(key)) {
      const isKnown = dialect.constraints.includes(key) && (key !== "format" || FORMATS.includes(value));
      if (isKnown) out[key] = value;
    } else {
      const inner = innerOf(key, value, dialect);
      if (inner === undefined) return undefined;
      // Whoever fits one fits any; that it is only one is checked later.
      out[key === "oneOf" ? "anyOf" : key] = inner;
    }
  }
  if (schema["type"] !== "object") return out;
  const { properties, required } = schema;
  if (!isObject(properties)) return undefined;
  const named: readonly unknown[] = Array.isArray(required) ? required : [];
  if (!dialect.optional && Object.keys(properties).some((name) => !named.includes(name))) return undefined;
  return { ...out, required: named, additionalProperties: false };
}

function innerOf(key: string, value: unknown, dialect: Dialect): unknown {
  switch (key) {
    case "properties":
    case "$defs":
    case "definitions": {
      if (!isObject(value)) return undefined;
      const inner = Object.entries(value).map(([name, one]) => [name, narrowed(one, dialect)] as const);
      return inner.every(([, one]) => one !== undefined) ? Object.fromEntries(inner) : undefined;
    }
    case "items":
      return narrowed(value, dialect);
    case "anyOf":
    case "oneOf": {
      const inner = Array.isArray(value) ? value.map((one) => narrowed(one, dialect)) : [];
      return inner.length > 0 && inner.every((one) => one !== undefined) ? inner : undefined;
    }
    case "additionalProperties":
      return value === false ? false : undefined;
    default:
      return undefined;
  }
}
