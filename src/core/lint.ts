/** What makes a tool hard to use for a model, or easy to misuse: rules with names, for `errand tools lint`. */
import { isObject } from "./json.ts";
import type { JsonSchema } from "./schema.ts";

export interface LintedTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonSchema;
  /** Whether the code says what the tool does to the world. */
  readonly saysEffect: boolean;
  readonly hasOutput: boolean;
  readonly version?: string;
  readonly deprecated?: string;
}

export interface Finding {
  readonly tool: string;
  readonly rule: Rule;
  readonly level: "error" | "warning";
  readonly message: string;
}

export type Rule =
  | "name"
  | "description-short"
  | "description-long"
  | "schema-root"
  | "parameter-untyped"
  | "parameter-undescribed"
  | "parameter-address"
  | "too-many-parameters"
  | "effect-unsaid"
  | "output-missing"
  | "deprecated";

/** OpenAI's limits for a function's name and description; providers refuse what is longer. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const MOST_DESCRIPTION = 1_024;
const LEAST_DESCRIPTION = 20;
const MOST_PARAMETERS = 20;
const ADDRESS = /^(identifier|user_?id|connected_?account(_?id)?|connection(_?(name|id))?|connector)$/i;

export function lintTool(tool: LintedTool): readonly Finding[] {
  const found: Finding[] = [];
  const tell = (level: Finding["level"], rule: Rule, message: string): void =>
    void found.push({ tool: tool.name, rule, level, message });
  const { description, parameters } = tool;
  if (!NAME.test(tool.name)) tell("error", "name", "expected 1 to 64 letters, digits, '_' and '-'");
  if (description.trim().length < LEAST_DESCRIPTION)
    tell("warning", "description-short", "say what it does, when to use it, and what it returns");
  if (description.length > MOST_DESCRIPTION)
    tell("warning", "description-long", `${description.length} characters; some providers take ${MOST_DESCRIPTION}`);
  if (parameters["type"] !== "object") tell("error", "schema-root", "expected an object at the root");
  const properties = Object.entries(isObject(parameters["properties"]) ? parameters["properties"] : {});
  if (properties.length > MOST_PARAMETERS)
    tell("warning", "too-many-parameters", `${properties.length}; models leave out and mix up so many`);
  for (const [name, schema] of properties) {
    if (!isObject(schema) || !isTyped(schema))
      tell("warning", "parameter-untyped", `${name}: say its type, so that wrong values are refused before the call`);
    if (isObject(schema) && typeof schema["description"] !== "string" && schema["enum"] === undefined)
      tell("warning", "parameter-undescribed", `${name}: describe it, with an example of its form`);
    if (ADDRESS.test(name))
      tell("warning", "parameter-address", `${name}: whose account is used is the run's to say; take ctx.identifier`);
  }
  if (!tool.saysEffect)
    tell("warning", "effect-unsaid", "unsafe, as long as `effect` does not say what it does to the world");
  if (!tool.hasOutput)
    tell("warning", "output-missing", "without `output` nothing keeps what it returns small and stable");
  if (tool.deprecated !== undefined) tell("warning", "deprecated", tool.deprecated);
  return found;
}

function isTyped(schema: Readonly<Record<string, unknown>>): boolean {
  return ["type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf"].some((word) => schema[word] !== undefined);
}
