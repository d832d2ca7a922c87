/**
 * Which tools go out as strict ones: those whose schema the provider's strict mode takes as it stands. A schema is not made to fit: closing
 * an open object would forbid what the tool allows. A schema that is refused ends a run, and one that is not strict costs nothing but the
 * provider's promise, so whatever is not known to be taken is not strict.
 */
import { isObject } from "../core/json.ts";
import type { JsonSchema } from "../core/schema.ts";

export type StrictDialect = "openai" | "anthropic";

interface Rules {
  readonly keywords: ReadonlySet<string>;
  readonly formats: readonly unknown[];
  /** A schema may refer to itself. */
  readonly recursive: boolean;
  /** Of one request. */
  readonly tools: number;
  readonly unions: number;
}

const words = (text: string): string[] => text.split(/\s+/);

/** They say what a value is; the others only bound it. */
const SHAPES = words(
  "type properties required additionalProperties items anyOf enum const $ref $defs definitions title description $schema",
);
export const FORMATS: readonly unknown[] = words("date-time time date duration email hostname ipv4 ipv6 uuid");

/**
 * OpenAI: developers.openai.com, structured outputs, "supported schemas"; facts/seeds.md C.3 for what its SDK converts. Neither `default` nor
 * `allOf` nor a format of another name is permitted. Anthropic: platform.claude.com, structured outputs, "JSON Schema limitations", and
 * strict tool use: no bounds at all, nothing that refers to itself, at most 20 strict tools with 16 unions.
 */
const RULES: Readonly<Record<StrictDialect, Rules>> = {
  openai: {
    keywords: new Set([
      ...SHAPES,
      ...words("format pattern minLength maxLength minItems maxItems"),
      ...words("minimum maximum exclusiveMinimum exclusiveMaximum multipleOf"),
    ]),
    formats: FORMATS,
    recursive: true,
    tools: Infinity,
    unions: Infinity,
  },
  anthropic: {
    keywords: new Set([...SHAPES, "format"]),
    formats: [...FORMATS, "uri"],
    recursive: false,
    tools: 20,
    unions: 16,
  },
};

/** OpenAI's; of objects and lists inside each other, properties and enum values of one schema. */
const MOST_DEEP = 10;
const MOST_PROPERTIES = 5_000;
const MOST_VALUES = 1_000;
/** Definitions that each name the next one twice would never come to an end. */
const MOST_VISITS = 20_000;

const TYPES: readonly unknown[] = words("object array string number integer boolean null");

/** @returns for each of a request's schemas, in order, whether its tool is a strict one */
export function strictOnes(schemas: readonly JsonSchema[], dialect: StrictDialect): readonly boolean[] {
  const rules = RULES[dialect];
  let tools = 0;
  let unions = 0;
  return schemas.map((schema) => {
    const found = strictness(schema, dialect);
    const fits = found.is && tools < rules.tools && unions + found.unions <= rules.unions;
    if (fits) {
      tools++;
      unions += found.unions;
    }
    return fits;
  });
}

/** Whether strict mode takes the schema as it stands: each object closed, with all of its properties required. */
export function isStrict(schema: unknown, dialect: StrictDialect): boolean {
  return isObject(schema) && strictness(schema, dialect).is;
}

interface Strictness {
  readonly is: boolean;
  readonly unions: number;
}

/** Each turn sends all tools again. */
const known: Readonly<Record<StrictDialect, WeakMap<object, Strictness>>> = {
  openai: new WeakMap(),
  anthropic: new WeakMap(),
};

function strictness(schema: JsonSchema, dialect: StrictDialect): Strictness {
  const before = known[dialect].get(schema);
  if (before !== undefined) return before;
  const walk: Walk = { root: schema, rules: RULES[dialect], refs: [], visits: 0, properties: 0, values: 0, unions: 0 };
  const is = fits(schema, walk, 0) && walk.properties <= MOST_PROPERTIES && walk.values <= MOST_VALUES;
  const found = { is, unions: walk.unions };
  known[dialect].set(schema, found);
  return found;
}

interface Walk {
  readonly root: JsonSchema;
  readonly rules: Rules;
  /** Those that are being followed. */
  readonly refs: string[];
  visits: number;
  properties: number;
  values: number;
  unions: number;
}

function fits(schema: unknown, walk: Walk, depth: number): boolean {
  if (!isObject(schema) || depth > MOST_DEEP || walk.visits++ > MOST_VISITS) return false;
  const keys = Object.keys(schema);
  if (!keys.every((key) => walk.rules.keywords.has(key))) return false;
  const { $ref: ref, type, anyOf, format, items, enum: values } = schema;
  if (ref !== undefined) return keys.length === 1 && typeof ref === "string" && refFits(ref, walk, depth);
  if (type === undefined ? anyOf === undefined : ![type].flat().every((one) => TYPES.includes(one))) return false;
  if (format !== undefined && !walk.rules.formats.includes(format)) return false;
  if (Array.isArray(values)) walk.values += values.length;
  if (values !== undefined && !isPlainList(values)) return false;
  if (anyOf !== undefined || Array.isArray(type)) walk.unions++;
  if (
    anyOf !== undefined &&
    !(Array.isArray(anyOf) && anyOf.length > 0 && anyOf.every((one) => fits(one, walk, depth)))
  )
    return false;
  const defined = [schema["$defs"], schema["definitions"]].flatMap((all) => (isObject(all) ? Object.values(all) : []));
  if (!defined.every((one) => fits(one, walk, 0))) return false;
  const isOf = (name: string): boolean => type === name || (Array.isArray(type) && type.includes(name));
  if ((isOf("object") || schema["properties"] !== undefined) && !objectFits(schema, walk, depth)) return false;
  if (isOf("array") || items !== undefined) return fits(items, walk, depth + 1);
  return true;
}

function objectFits(
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  walk: Walk,
  depth: number,
): boolean {
  if (additionalProperties !== false || !isObject(properties) || !Array.isArray(required)) return false;
  const names = Object.keys(properties);
  walk.properties += names.length;
  const needed: readonly unknown[] = required;
  const same = needed.length === names.length && names.every((name) => needed.includes(name));
  return same && names.every((name) => fits(properties[name], walk, depth + 1));
}

function isPlainList(values: unknown): boolean {
  return Array.isArray(values) && values.length > 0 && values.every((one) => typeof one !== "object" || one === null);
}

/** Also over several definitions. */
export function isRecursive(root: JsonSchema): boolean {
  const done = new Set<string>();
  const leadsBack = (at: unknown, refs: readonly string[]): boolean => {
    if (Array.isArray(at)) return at.some((one) => leadsBack(one, refs));
    if (!isObject(at)) return false;
    const { $ref: ref, $defs: _defs, definitions: _definitions, ...rest } = at;
    if (typeof ref !== "string") return leadsBack(Object.values(rest), refs);
    if (ref === "#" || refs.includes(ref)) return true;
    const back = !done.has(ref) && leadsBack(defined(root, ref), [...refs, ref]);
    done.add(ref);
    return back;
  };
  return leadsBack(root, []);
}

function refFits(ref: string, walk: Walk, depth: number): boolean {
  if (ref === "#" || walk.refs.includes(ref)) return walk.rules.recursive;
  walk.refs.push(ref);
  const is = fits(defined(walk.root, ref), walk, depth);
  walk.refs.pop();
  return is;
}

function defined(root: JsonSchema, ref: string): unknown {
  const [, holder = "", name = ""] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(ref) ?? [];
  const all = root[holder];
  return isObject(all) && Object.hasOwn(all, name) ? all[name] : undefined;
}
