/** `tool()`: a tool of the app's own, in its own words or in the shape of Scalekit's custom tools. Checked where it is written. */
import { type Effect, EFFECTS, isRepeatable } from "../../core/effects.ts";
import { ErrandError } from "../../core/errors.ts";
import { isObject } from "../../core/json.ts";
import { type OptionNames, strayOption } from "../../core/option-names.ts";
import { checkNeedsApproval } from "../../core/needs-approval.ts";
import type { InputOf, JsonSchema, OutputOf, Schema } from "../../core/schema.ts";
import type { ToolContext } from "../../core/tool-context.ts";
import { MOST_TOOL_MS, type ToolUse } from "../../core/tool-use.ts";
import { schemaProblem } from "../check.ts";
import { LOCAL, type LocalTool, type Variant } from "./variant.ts";

interface CommonOptions extends Pick<ToolUse, PassedOn> {
  /** 1 to 64 letters, digits, `_` and `-`: what model providers take. */
  readonly name: string;
  readonly description: string;
  /**
   * What it does to the world; default `unsafe`. `composite`: nothing but by `ctx.tools.execute`, so it may be run again at any time.
   * `keyed`: it gives `ctx.idempotencyKey` to a provider that drops repeats.
   */
  readonly effect?: Effect | "composite";
  /** Tools that it calls by `ctx.tools.execute`. */
  readonly uses?: readonly (string | ToolUse)[];
  /** How often a tool that may be run again is tried when it throws an ExternalAPIError; default the agent's limit `attempts`. */
  readonly retry?: { readonly attempts: number };
  /** ms for one call; default the agent's limit `toolTimeoutMs`. */
  readonly timeout?: number;
  /** The only hosts that `ctx.utils.httpRequest` asks: `api.example.com`, `*.example.com`, `10.0.0.7:8080`. Default: public ones. */
  readonly hosts?: readonly string[];
  /** A run that began with this version never calls another. */
  readonly version?: string;
  /** Why it should not be used any more. */
  readonly deprecated?: string;
}

export interface ToolOptions<
  I extends Schema | JsonSchema,
  O extends Schema | JsonSchema | undefined,
> extends CommonOptions {
  /** A schema such as zod's, or JSON Schema. Its root is an object. */
  readonly input: I;
  /** What it returns must fit. Of a schema such as zod's the model sees only what that lets through. */
  readonly output?: O;
  execute(
    input: I extends Schema ? OutputOf<I> : Record<string, unknown>,
    context: ToolContext,
  ): (O extends Schema ? InputOf<O> : unknown) | Promise<O extends Schema ? InputOf<O> : unknown>;
}

/** The shape of Scalekit's custom tools. */
export interface CustomTool<P> extends CommonOptions {
  readonly display_name?: string;
  readonly category?: string;
  readonly provider?: string;
  readonly input_schema: JsonSchema;
  readonly output_schema?: JsonSchema;
  implementation(parameters: P, context: ToolContext): unknown;
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** What `agent()` checks, and an agent may say otherwise: `{ ...mailTeam, needsApproval: false }`. */
const PASSED_ON = ["onUnknown", "verify", "keyWindowMs", "needsApproval", "trusted", "hidden", "polling"] as const;
type PassedOn = (typeof PASSED_ON)[number];

const COMMON: OptionNames<CommonOptions> = {
  name: true,
  description: true,
  effect: true,
  uses: true,
  retry: true,
  timeout: true,
  hosts: true,
  version: true,
  deprecated: true,
  onUnknown: true,
  verify: true,
  keyWindowMs: true,
  needsApproval: true,
  trusted: true,
  hidden: true,
  polling: true,
};
const OPTIONS: OptionNames<ToolOptions<Schema, Schema>> = { ...COMMON, input: true, output: true, execute: true };
const CUSTOM: OptionNames<CustomTool<unknown>> = {
  ...COMMON,
  display_name: true,
  category: true,
  provider: true,
  input_schema: true,
  output_schema: true,
  implementation: true,
};

/** @throws ErrandError `tool-invalid` */
export function tool<P>(options: CustomTool<P>): LocalTool;
export function tool<const I extends Schema | JsonSchema, const O extends Schema | JsonSchema | undefined = undefined>(
  options: ToolOptions<I, O>,
): LocalTool;
export function tool(options: CustomTool<unknown> | ToolOptions<Schema | JsonSchema, undefined>): LocalTool {
  const given: CommonOptions = options;
  const refuse = (message: string): never => {
    throw new ErrandError("tool-invalid", `tool ${JSON.stringify(given.name)}: ${message}`);
  };
  const custom = "implementation" in options;
  const stray = strayOption(options, custom ? CUSTOM : OPTIONS);
  if (stray !== undefined) refuse(stray);
  checkCommon(given, refuse);
  const execute = custom
    ? (input: never, context: ToolContext) => options.implementation(input, context)
    : (input: never, context: ToolContext) => options.execute(input, context);
  if (typeof Reflect.get(options, custom ? "implementation" : "execute") !== "function")
    refuse("execute: expected a function (input, context) => result.");
  const input: unknown = custom ? options.input_schema : options.input;
  const output: unknown = custom ? options.output_schema : options.output;
  const { name, description, effect = "unsafe", uses, retry, timeout, hosts, version, deprecated } = given;
  const variant: Variant = {
    name,
    description,
    parameters: parametersOf(input, refuse),
    ...(isSchema(input) && { input }),
    ...(output !== undefined && { output: checkedOutput(output, refuse) }),
    // What its own calls do is theirs; that it is run again changes nothing more.
    effect: effect === "composite" ? "idempotent" : effect,
    saysEffect: given.effect !== undefined,
    composite: effect === "composite" || (effect === "read" && uses !== undefined),
    ...(retry !== undefined && { attempts: retry.attempts }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(hosts !== undefined && { hosts }),
    ...(version !== undefined && { version }),
    ...(deprecated !== undefined && { deprecated }),
    execute,
  };
  return {
    name,
    source: LOCAL,
    variants: [{ variant }],
    // It puts the key where it belongs by itself.
    ...(effect === "keyed" && { key: (args) => args }),
    ...(uses !== undefined && { uses }),
    ...passedOn(given),
  };
}

function passedOn(given: CommonOptions): Pick<ToolUse, PassedOn> {
  return Object.fromEntries(PASSED_ON.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
}

export function isLocalTool(use: ToolUse): use is LocalTool {
  return use.source === LOCAL && "variants" in use;
}

function checkCommon(given: CommonOptions, refuse: (message: string) => never): void {
  const { name, description, effect = "unsafe", uses, retry, timeout, hosts, version, deprecated } = given;
  if (typeof name !== "string" || !NAME.test(name)) refuse("name: expected 1 to 64 letters, digits, '_' and '-'.");
  if (typeof description !== "string" || description.trim() === "")
    refuse("description: expected a text that tells a model what the tool does and when to use it.");
  if (effect !== "composite" && !EFFECTS.includes(effect))
    refuse(`effect: expected composite or one of ${EFFECTS.join(", ")}, got ${JSON.stringify(effect)}.`);
  if (effect === "composite" && (uses === undefined || uses.length === 0))
    refuse("uses: a composite tool does all it does by other tools: name them.");
  if (given.needsApproval !== undefined) checkNeedsApproval(given.needsApproval, "needsApproval", refuse);
  if (retry !== undefined && !(Number.isInteger(retry?.attempts) && retry.attempts >= 1))
    refuse("retry: expected { attempts }, a whole number of at least 1.");
  if (retry !== undefined && effect !== "composite" && !isRepeatable(effect))
    refuse(
      `retry: a tool that is ${effect} is never run again by itself; leave retry out, or say what it does: effect.`,
    );
  if (timeout !== undefined && !(Number.isInteger(timeout) && timeout >= 1 && timeout <= MOST_TOOL_MS))
    refuse(`timeout: expected a whole number of ms from 1 to ${MOST_TOOL_MS} (an hour), got ${String(timeout)}.`);
  if (hosts !== undefined && !(Array.isArray(hosts) && hosts.every((host) => typeof host === "string" && host !== "")))
    refuse("hosts: expected a list of host names.");
  for (const [what, text] of Object.entries({ version, deprecated }))
    if (text !== undefined && (typeof text !== "string" || text === "" || text.length > 200))
      refuse(`${what}: expected a text of at most 200 characters.`);
}

function isSchema(value: unknown): value is Schema<unknown, unknown> {
  return isObject(Object(value)) && typeof (value as Partial<Schema>)?.["~standard"]?.validate === "function";
}

function parametersOf(input: unknown, refuse: (message: string) => never): JsonSchema {
  const schema = jsonSchemaOf(input, "input", refuse);
  if (schema["type"] !== "object")
    refuse(
      `input: expected an object at the root, got ${JSON.stringify(schema["type"] ?? "another schema")}. Wrap it: { value: … }.`,
    );
  const { $schema: _dialect, ...parameters } = schema;
  return { ...parameters, properties: parameters["properties"] ?? {} };
}

function jsonSchemaOf(given: unknown, what: string, refuse: (message: string) => never): JsonSchema {
  if (!isSchema(given) && !isObject(given))
    return refuse(`${what}: expected a schema such as zod's z.object({ … }), or a JSON Schema.`);
  let schema: JsonSchema = given as JsonSchema;
  if (isSchema(given)) {
    try {
      schema = given["~standard"].jsonSchema.input({ target: "draft-2020-12" });
    } catch (error) {
      refuse(`${what}: it cannot be told as JSON Schema: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const problem = schemaProblem(schema);
  return problem === undefined ? schema : refuse(`${what}: ${problem}`);
}

function checkedOutput(output: unknown, refuse: (message: string) => never): Schema<unknown, unknown> | JsonSchema {
  const told = isSchema(output) ? undefined : jsonSchemaOf(output, "output", refuse);
  return told ?? (output as Schema<unknown, unknown>);
}
