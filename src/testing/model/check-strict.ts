/** What strict mode refuses of a schema, on OpenAI's two protocols and on Anthropic's, in their words where they are known. */
import { isObject } from "../../core/json.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Neither takes these. */
const NEITHER: readonly string[] =
  `oneOf not if then else patternProperties propertyNames minProperties maxProperties uniqueItems contains minContains
  maxContains prefixItems dependentRequired dependentSchemas unevaluatedProperties unevaluatedItems`.split(/\s+/);
const OPENAI: readonly string[] = [...NEITHER, "allOf", "default"];
const ANTHROPIC: readonly string[] = [
  ...NEITHER,
  ..."minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength maxItems".split(" "),
];
const FORMATS: readonly unknown[] = "date-time time date duration email hostname ipv4 ipv6 uuid".split(" ");
const MOST_DEEP = 10;
const MOST_STRICT_TOOLS = 20;

/** OpenAI: every object closed, with all of its properties required. */
export function checkStrict(schema: unknown, at: string): string[] {
  const problems = walk(schema, at, (one, here) => [
    ...refused(one, OPENAI, (key) => `${here}: '${key}' is not permitted.`),
    ...openaiShape(one, here),
  ]);
  return levels(schema) > MOST_DEEP
    ? [...problems, `${at}: ${levels(schema)} levels of nesting exceeds limit of ${MOST_DEEP}.`]
    : problems;
}

function openaiShape(schema: Fields, at: string): string[] {
  const { format, $ref: ref } = schema;
  const problems: string[] = [];
  if (ref !== undefined && Object.keys(schema).length > 1) problems.push(`${at}: $ref cannot have other keywords.`);
  if (!["type", "anyOf", "$ref", "enum", "const"].some((key) => key in schema))
    problems.push(`${at}: schema must have a 'type' key.`);
  if (format !== undefined && !FORMATS.includes(format))
    problems.push(`${at}: ${JSON.stringify(format)} is not a valid format.`);
  return [...problems, ...closed(schema, at), ...required(schema, at)];
}

/** Anthropic, of tools and of outputs: every object closed, no bounds, nothing that refers to itself. Properties may be left out. */
export function checkStrictAnthropic(schema: unknown, at: string): string[] {
  const problems = walk(schema, at, (one, here) => [
    ...refused(one, ANTHROPIC, (key) => `${here}: property '${key}' is not supported`),
    ...closed(one, here),
  ]);
  return hasLoop(schema, schema, [], new Set())
    ? [...problems, `${at}: recursive schemas are not supported`]
    : problems;
}

/** @param strict the number of strict tools in one request to Anthropic */
export function checkStrictCount(strict: number): string[] {
  return strict > MOST_STRICT_TOOLS ? [`tools: too many strict tools (${strict}), at most ${MOST_STRICT_TOOLS}.`] : [];
}

function refused(schema: Fields, keys: readonly string[], say: (key: string) => string): string[] {
  return keys.filter((key) => key in schema).map(say);
}

function closed({ type, additionalProperties }: Fields, at: string): string[] {
  const isObjectType = type === "object" || (Array.isArray(type) && type.includes("object"));
  if (!isObjectType || additionalProperties === false) return [];
  return [`${at}: 'additionalProperties' is required to be supplied and to be false.`];
}

function required(schema: Fields, at: string): string[] {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const named: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.keys(properties)
    .filter((name) => !named.includes(name))
    .map((name) => `${at}: 'required' must include every key in properties. Missing '${name}'.`);
}

/** Each schema in a schema, with its place; what is none is a problem. */
function walk(schema: unknown, at: string, check: (schema: Fields, at: string) => string[]): string[] {
  if (!isObject(schema)) return [`${at}: ${JSON.stringify(schema)} is not of type 'object'.`];
  const maps = ["properties", "$defs", "definitions"].flatMap((key) =>
    isObject(schema[key])
      ? Object.entries(schema[key]).map(([name, one]) => [`${at}.${key}.${name}`, one] as const)
      : [],
  );
  const lists = ["anyOf", "allOf"].flatMap((key) =>
    Array.isArray(schema[key]) ? schema[key].map((one: unknown, i) => [`${at}.${key}[${i}]`, one] as const) : [],
  );
  const isList = schema["type"] === "array" || "items" in schema;
  const items = isList ? [[`${at}.items`, schema["items"]] as const] : [];
  const inner = [...maps, ...lists, ...items];
  return [...check(schema, at), ...inner.flatMap(([place, one]) => walk(one, place, check))];
}

function levels(schema: unknown): number {
  if (!isObject(schema)) return 0;
  const properties = isObject(schema["properties"]) ? Object.values(schema["properties"]) : [];
  const deeper = Math.max(0, ...[...properties, schema["items"]].map(levels));
  const beside = Array.isArray(schema["anyOf"]) ? schema["anyOf"].map(levels) : [];
  const own = schema["properties"] === undefined && schema["items"] === undefined ? 0 : 1;
  return Math.max(own + deeper, ...beside);
}

/** @param seen what leads nowhere back, so that it is followed once */
function hasLoop(at: unknown, root: unknown, refs: readonly string[], seen: Set<string>): boolean {
  if (Array.isArray(at)) return at.some((one) => hasLoop(one, root, refs, seen));
  if (!isObject(at)) return false;
  const { $ref: ref, $defs: _defs, definitions: _old, ...rest } = at;
  if (typeof ref !== "string") return hasLoop(Object.values(rest), root, refs, seen);
  if (refs.includes(ref) || ref === "#") return true;
  if (seen.has(ref)) return false;
  seen.add(ref);
  const names = ref.split("/").slice(1);
  const target = names.reduce<unknown>((from, name) => (isObject(from) ? from[name] : undefined), root);
  return hasLoop(target, root, [...refs, ref], seen);
}
