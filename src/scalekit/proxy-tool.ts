/** `proxyTool()`: a tool of the app's own, made of one request to a provider's API through Scalekit's proxy (seed 001). */
import { createHash } from "node:crypto";
import type { Effect } from "../core/effects.ts";
import { EFFECTS } from "../core/effects.ts";
import { ErrandError } from "../core/errors.ts";
import { canonical, isObject, type Json } from "../core/json.ts";
import { type PathTemplate, pathTemplate } from "../core/path-template.ts";
import { type OptionNames, strayOption } from "../core/option-names.ts";
import type { InputOf, JsonSchema, OutputOf, Schema } from "../core/schema.ts";
import { TOOL_USE, type ToolDefinition } from "../core/tool-use.ts";
import { type ProviderRefusal, slackRefusal } from "./proxy-answer.ts";
import { BODY_FORMS, type BodyAs, type Form } from "./proxy-body.ts";
import { PROXY_METHODS, type ProxyMethod } from "./proxy-wire.ts";

export const PROXY = "proxy";

type QueryValue = string | number | boolean | null | undefined;
export type Query = Readonly<Record<string, QueryValue | readonly QueryValue[]>>;

export interface ProxyToolOptions<I extends Schema, O extends Schema, A extends Schema> extends Omit<
  ToolDefinition,
  "source"
> {
  /** What the model calls: what it does, not the endpoint. Letters, digits, `_`, `-`; at most 64. */
  readonly name: string;
  /** What the model is told of it. */
  readonly description: string;
  /** The connection whose account makes the request; the agent must have it among its own. */
  readonly connection: string;
  readonly method: ProxyMethod;
  /**
   * Path of the provider's API from its root, such as `/repos/{owner}/{repo}/issues`. A name in braces is an argument: one segment,
   * encoded. `{path*}`: several segments. Nothing that a model writes there leads to another path.
   */
  readonly path: string;
  /** Arguments for the query, by name, or a function that makes it. Nothing, null and "" are left out; a list is repeated. */
  readonly query?: readonly (keyof OutputOf<I> & string)[] | ((input: OutputOf<I>) => Query);
  /** Arguments for the body, by name, or a function that makes it. */
  readonly body?: readonly (keyof OutputOf<I> & string)[] | ((input: OutputOf<I>) => Json | Form);
  /** How the body is written; default `json`. `form` and `multipart` are flat: lists are repeated, and an object is refused. */
  readonly bodyAs?: BodyAs;
  /** Headers that the provider wants, such as a version. */
  readonly headers?: Readonly<Record<string, string>> | ((input: OutputOf<I>) => Readonly<Record<string, string>>);
  /** What the model may send. An object. */
  readonly input: I;
  /** What the model sees: small and stable. What is not in it is left out, if the schema does that, as zod's objects do. */
  readonly output: O;
  /** What of the provider's answer `project` needs; default: any JSON. An answer that does not fit is not shown. */
  readonly answer?: A;
  /** Makes the output of the provider's answer; default: the answer as it is. */
  readonly project?: (answer: OutputOf<A>, input: OutputOf<I>) => InputOf<O>;
  /** What it does to the world; default `read` for GET, else `unsafe`. */
  readonly effect?: Effect;
  /** Looks for a no in the body of a success; default Slack's `{ ok: false, error }`. */
  readonly refusal?: (data: Json) => ProviderRefusal | undefined;
}

/** Made by `proxyTool`. */
export interface ProxyTool extends ToolDefinition {
  readonly connection: string;
  readonly description: string;
  readonly parameters: JsonSchema;
  readonly hash: string;
  readonly request: ProxyRequestParts;
}

export interface ProxyRequestParts {
  readonly method: ProxyMethod;
  readonly path: PathTemplate;
  readonly input: Schema<unknown, Readonly<Record<string, unknown>>>;
  readonly output: Schema;
  readonly answer: Schema | undefined;
  readonly query: (input: Readonly<Record<string, unknown>>) => Query;
  readonly body: ((input: Readonly<Record<string, unknown>>) => Json | Form) | undefined;
  readonly bodyAs: BodyAs;
  readonly headers: (input: Readonly<Record<string, unknown>>) => Readonly<Record<string, string>>;
  readonly project: (answer: unknown, input: Readonly<Record<string, unknown>>) => unknown;
  readonly refusal: (data: Json) => ProviderRefusal | undefined;
}

const { source: _, ...USE } = TOOL_USE;
const OPTIONS: OptionNames<ProxyToolOptions<Schema, Schema, Schema>> = {
  ...USE,
  description: true,
  connection: true,
  method: true,
  path: true,
  query: true,
  body: true,
  bodyAs: true,
  headers: true,
  input: true,
  output: true,
  answer: true,
  project: true,
  refusal: true,
};

/** @throws ErrandError `tool-invalid` */
export function proxyTool<
  const I extends Schema,
  const O extends Schema,
  const A extends Schema = Schema<unknown, Json>,
>(options: ProxyToolOptions<I, O, A>): ProxyTool {
  const {
    name,
    description,
    connection,
    method,
    path,
    query,
    body,
    bodyAs = "json",
    headers,
    input,
    output,
    answer,
    project,
    refusal,
    ...use
  } = options as unknown as LooseOptions;
  const refuse = (message: string): never => {
    throw new ErrandError("tool-invalid", `proxyTool ${JSON.stringify(name)}: ${message}`);
  };
  const stray = strayOption(options, OPTIONS);
  if (stray !== undefined) refuse(stray);
  if (typeof name !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(name))
    refuse("name: expected 1 to 64 letters, digits, '_' or '-'.");
  for (const [what, text] of Object.entries({ description, connection }))
    if (typeof text !== "string" || text.trim() === "") refuse(`${what}: expected a text.`);
  if (!PROXY_METHODS.includes(method))
    refuse(`method: expected one of ${PROXY_METHODS.join(", ")}, got ${JSON.stringify(method)}.`);
  if (use.effect !== undefined && !EFFECTS.includes(use.effect))
    refuse(`effect: expected one of ${EFFECTS.join(", ")}, got ${JSON.stringify(use.effect)}.`);
  if (body !== undefined && method === "GET") refuse("body: a GET has none; use query.");
  if (!BODY_FORMS.includes(bodyAs))
    refuse(`bodyAs: expected one of ${BODY_FORMS.join(", ")}, got ${JSON.stringify(bodyAs)}.`);
  if (bodyAs !== "json" && body === undefined) refuse(`bodyAs: ${bodyAs}, but there is no body.`);
  for (const [what, schema] of Object.entries({ input, output, ...(answer !== undefined && { answer }) }))
    if (!isObject(schema?.["~standard"])) refuse(`${what}: expected a schema, such as z.object({…}).`);
  const template = pathTemplate(path, refuse);
  const parameters = parametersOf(input, refuse);
  const properties = Object.keys(isObject(parameters["properties"]) ? parameters["properties"] : {});
  for (const one of [...template.names, ...namesIn(query), ...namesIn(body)])
    if (!properties.includes(one)) refuse(`input: it has no ${JSON.stringify(one)}, which the request needs.`);
  if (bodyAs !== "json")
    for (const one of namesIn(body))
      if (isNested(parameters, one))
        refuse(`body: a form is flat, and ${JSON.stringify(one)} is not; make a text of it in a function.`);
  for (const one of properties)
    if (OURS.test(one))
      refuse(`input: ${JSON.stringify(one)} is not for the model to choose: a run acts for its own identifier.`);
  if (typeof headers === "object") checkHeaders(headers, refuse);
  return {
    ...use,
    name,
    source: PROXY,
    effect: use.effect ?? (method === "GET" ? "read" : "unsafe"),
    description,
    connection,
    parameters,
    hash: digest({
      name,
      description,
      parameters,
      method,
      path,
      connection,
      ...(bodyAs !== "json" && { bodyAs }),
    }),
    request: {
      method,
      path: template,
      input,
      output,
      answer,
      query: typeof query === "function" ? query : (given) => pick(given, query ?? []) as Query,
      body: body === undefined || typeof body === "function" ? body : (given) => pick(given, body) as Json,
      bodyAs,
      headers: typeof headers === "function" ? headers : () => headers ?? {},
      project: project ?? ((given) => given),
      refusal: refusal ?? slackRefusal,
    },
  };
}

type Given = Readonly<Record<string, unknown>>;

/** The options without the types that only help the one who writes them. */
interface LooseOptions extends Omit<ToolDefinition, "source"> {
  readonly description: string;
  readonly connection: string;
  readonly method: ProxyMethod;
  readonly path: string;
  readonly query?: readonly string[] | ((input: Given) => Query);
  readonly body?: readonly string[] | ((input: Given) => Json | Form);
  readonly bodyAs?: BodyAs;
  readonly headers?: Readonly<Record<string, string>> | ((input: Given) => Readonly<Record<string, string>>);
  readonly input: Schema<unknown, Given>;
  readonly output: Schema;
  readonly answer?: Schema;
  readonly project?: (answer: unknown, input: Given) => unknown;
  readonly refusal?: (data: Json) => ProviderRefusal | undefined;
}

/** Who acts is the run's affair, never an argument. */
const OURS = /^(identifier|connection_?name|connected_?account(_?id)?|organi[sz]ation_?id)$/i;
/** Headers that say who acts, where to, or how long a message is. */
const RESERVED =
  /^(authorization|proxy-.*|connection_name|identifier|host|cookie|connection|content-.*|transfer-.*|x-forwarded.*|forwarded)$/i;

export function checkHeaders(headers: Readonly<Record<string, string>>, refuse: (message: string) => never): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[A-Za-z0-9-]{1,64}$/.test(name) || RESERVED.test(name))
      refuse(`headers: ${JSON.stringify(name)} cannot be set by a tool.`);
    if (typeof value !== "string" || !/^[\x20-\x7e]{0,1024}$/.test(value))
      refuse(`headers: ${name}: expected printable ASCII.`);
  }
}

function parametersOf(input: Schema, refuse: (message: string) => never): JsonSchema {
  const schema = input["~standard"].jsonSchema.input({ target: "draft-2020-12" });
  if (schema["type"] !== "object")
    refuse(`input: expected a schema of an object, got ${JSON.stringify(schema["type"])}.`);
  const { $schema: _dialect, ...rest } = schema;
  return { additionalProperties: false, ...rest };
}

function namesIn(given: unknown): readonly string[] {
  return Array.isArray(given) ? given.map(String) : [];
}

/** Whether an argument is an object, or a list of such things. */
function isNested(parameters: JsonSchema, name: string): boolean {
  const properties = isObject(parameters["properties"]) ? parameters["properties"] : {};
  const one = properties[name];
  const kinds = (schema: unknown): readonly unknown[] => (isObject(schema) ? [schema["type"]].flat() : []);
  const items = isObject(one) ? kinds(one["items"]) : [];
  return kinds(one).includes("object") || items.includes("object") || items.includes("array");
}

function pick(given: Given, names: readonly string[]): Given {
  return Object.fromEntries(names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
}

function digest(value: unknown): string {
  return createHash("sha256").update(canonical(value)).digest("hex");
}
