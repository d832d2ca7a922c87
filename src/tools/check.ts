/** Checks what a model sends against a tool's JSON Schema, before anything leaves the process. The one place that knows ajv. */
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { isObject, type Json } from "../core/json.ts";
import { didYouMean } from "../core/nearest.ts";
import type { JsonSchema } from "../core/schema.ts";

/** Problems of `args`, each with its path; empty when they fit. `hash` stands for the schema: equal hashes are compiled once. */
export type Checker = (
  hash: string,
  schema: JsonSchema,
  args: Json,
  /** `anySize`: what a tool returned, which only its schema limits. */
  options?: { readonly anySize?: boolean },
) => readonly string[];

/** Why nothing can be checked against this schema; nothing if it can. */
export function schemaProblem(schema: JsonSchema): string | undefined {
  const validate = compile(schema);
  return typeof validate === "string" ? validate : undefined;
}

const MOST_COMPILED = 500;
const MOST_DEPTH = 64;
const MOST_CHARACTERS = 256 * 1_024;
const MOST_PROBLEMS = 20;

export function createChecker(): Checker {
  const compiled = new Map<string, ValidateFunction | string>();
  return (hash, schema, args, { anySize = false } = {}) => {
    const shape = anySize ? undefined : (shapeProblem(args) ?? addressProblem(schema, args));
    if (shape !== undefined) return [shape];
    const validate = compiled.get(hash) ?? compile(schema);
    // The latest used stand last, the first is the one to go.
    compiled.delete(hash);
    compiled.set(hash, validate);
    for (const oldest of compiled.keys()) if (compiled.size > MOST_COMPILED) compiled.delete(oldest);
    if (typeof validate === "string") return [validate];
    try {
      if (validate(args) === true) return [];
      return [...new Set((validate.errors ?? []).map(problem))].slice(0, MOST_PROBLEMS);
    } catch (error) {
      // A schema that refers to itself without going deeper into the arguments never comes to an end.
      if (error instanceof RangeError) return ["this tool cannot be used: its schema refers to itself without end"];
      throw error;
    }
  };
}

/**
 * `format` is an annotation in draft 2020-12, and some tools ask for a date-time but mean one without a zone: not checked.
 * An instance for each schema: ajv keeps what it compiles, and refuses a second schema of the same $id.
 */
const OPTIONS: Options = {
  strict: false,
  allErrors: true,
  verbose: true,
  validateFormats: false,
  logger: false,
  meta: false,
  validateSchema: false,
};

/** Draft-07 and 2020-12 say different things with the same words, and many schemas do not say which they are. */
function compile(schema: JsonSchema): ValidateFunction | string {
  const { $schema: dialect, ...rest } = schema;
  const old = typeof dialect === "string" && /draft-0\d/.test(dialect);
  const ways = [Ajv2020, Ajv];
  if (old) ways.reverse();
  let why = "";
  // Patterns are Unicode expressions, but many are written for the laxer kind.
  for (const unicodeRegExp of [true, false])
    for (const Way of ways)
      try {
        return new Way({ ...OPTIONS, unicodeRegExp }).compile(rest);
      } catch (error) {
        why ||= error instanceof Error ? error.message.slice(0, 200) : "unreadable";
      }
  return `this tool cannot be used: its schema is no valid JSON Schema (${why})`;
}

function problem({ keyword, instancePath, message = "invalid", params, parentSchema }: ErrorObject): string {
  const path = instancePath === "" ? "" : `${instancePath.slice(1).replaceAll("/", ".")}: `;
  switch (keyword) {
    case "additionalProperties":
    case "unevaluatedProperties": {
      const name = String(params["additionalProperty"] ?? params["unevaluatedProperty"]);
      const known: unknown = parentSchema?.["properties"];
      const hint = didYouMean(name.slice(0, 100), Object.keys(isObject(known) ? known : {}));
      return `${path}there is no parameter ${JSON.stringify(name.slice(0, 100))}.${hint}`;
    }
    case "required":
      return `${path}${JSON.stringify(params["missingProperty"])} is required`;
    case "enum":
      return `${path}must be one of ${JSON.stringify(params["allowedValues"]).slice(0, 300)}`;
    case "const":
      return `${path}must be ${JSON.stringify(params["allowedValue"]).slice(0, 300)}`;
    default:
      return `${path}${message}`;
  }
}

/** What no tool may be sent, whatever its schema says. */
function shapeProblem(args: Json): string | undefined {
  let level: unknown[] = [args];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MOST_DEPTH + 1) return `the arguments are nested deeper than ${MOST_DEPTH} levels`;
    const key = level.filter(isObject).flatMap(poisonedKey)[0];
    if (key !== undefined) return `the name ${JSON.stringify(key)} is not allowed`;
    level = level.flatMap((value) =>
      typeof value === "object" && value !== null ? (Object.values(value) as unknown[]) : [],
    );
  }
  const { length } = JSON.stringify(args);
  return length > MOST_CHARACTERS
    ? `the arguments have ${length} characters; at most ${MOST_CHARACTERS} are allowed`
    : undefined;
}

/** What says on whose behalf a call is made is the run's. A tool whose schema has such a name means something else by it. */
const ADDRESSES: ReadonlySet<string> = new Set([
  "identifier",
  "user",
  "userid",
  "account",
  "accountid",
  "connectedaccount",
  "connectedaccountid",
  "connection",
  "connectionid",
  "connectionname",
  "connector",
  "organizationid",
]);

function addressProblem(schema: JsonSchema, args: Json): string | undefined {
  if (!isObject(args)) return undefined;
  const name = Object.keys(args).find(
    (key) => ADDRESSES.has(key.toLowerCase().replace(/[^a-z]/g, "")) && !declares(schema, key),
  );
  return name === undefined
    ? undefined
    : `there is no parameter ${JSON.stringify(name)}: whose account is used is not the caller's to say`;
}

/** Also where the schema is put together of several. */
function declares(schema: unknown, name: string, depth = 0): boolean {
  if (!isObject(schema) || depth > 4) return false;
  if (isObject(schema["properties"]) && Object.hasOwn(schema["properties"], name)) return true;
  return ["allOf", "anyOf", "oneOf", "then", "else"].some((word) =>
    [schema[word]].flat().some((part) => declares(part, name, depth + 1)),
  );
}

/** Names that change an object's prototype where it is copied carelessly; `__proto__` is also lost on the way to Scalekit. */
function poisonedKey(value: Readonly<Record<string, unknown>>): string[] {
  if (Object.hasOwn(value, "__proto__")) return ["__proto__"];
  const made = Object.hasOwn(value, "constructor") ? value["constructor"] : undefined;
  return isObject(made) && Object.hasOwn(made, "prototype") ? ["constructor.prototype"] : [];
}
