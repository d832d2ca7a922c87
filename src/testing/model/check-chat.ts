/** What OpenAI's chat completions would refuse, as a pure function: an independent check of every request we send. */
import { isObject } from "../../core/json.ts";
import { checkStrict } from "./check-strict.ts";
import { checkMessages, checkName, kindOf } from "./check-transcript.ts";

type Fields = Readonly<Record<string, unknown>>;

const MAX_TOOLS = 128;

/** Numbers with their bounds. Other fields are let through: gateways take many that OpenAI does not know. */
const NUMBERS: Readonly<Record<string, { readonly least: number; readonly most: number; readonly whole: boolean }>> = {
  max_tokens: { least: 1, most: Infinity, whole: true },
  max_completion_tokens: { least: 1, most: Infinity, whole: true },
  n: { least: 1, most: 128, whole: true },
  temperature: { least: 0, most: 2, whole: false },
  top_p: { least: 0, most: 1, whole: false },
};

/**
 * Why the real API would answer 400: one sentence each, starting with the field ("messages[2].content: …"); empty if it
 * would not. Stricter than OpenAI in three places where compatible servers are: empty prompts, tool names and call ids
 * that come twice.
 */
export function checkChatRequest(body: unknown): string[] {
  if (!isObject(body)) return [`body: expected a JSON object, but got ${kindOf(body)} instead.`];
  const model = body["model"];
  const problems = typeof model === "string" && model !== "" ? [] : ["model: you must provide a model parameter."];
  return [
    ...problems,
    ...checkMessages(body["messages"]),
    ...checkTools(body),
    ...checkFormat(body),
    ...checkRest(body),
  ];
}

function checkTools(body: Fields): string[] {
  const tools = body["tools"];
  if (tools === undefined)
    return ["tool_choice", "parallel_tool_calls"]
      .filter((field) => body[field] !== undefined)
      .map((field) => `${field}: '${field}' is only allowed when 'tools' are specified.`);
  if (!Array.isArray(tools)) return [`tools: expected an array of objects, but got ${kindOf(tools)} instead.`];
  if (tools.length === 0)
    return ["tools: empty array. Expected an array with minimum length 1, but got an empty array instead."];
  const long = `tools: array too long. Expected an array with maximum length ${MAX_TOOLS}, but got an array with length ${tools.length} instead.`;
  const names = tools.map(nameOf);
  const twice = names.filter((name, i) => name !== undefined && names.indexOf(name) < i);
  return [
    ...(tools.length > MAX_TOOLS ? [long] : []),
    ...tools.flatMap((tool, i) => checkTool(tool, `tools[${i}]`)),
    ...[...new Set(twice)].map((name) => `tools: two tools have the name '${String(name)}'.`),
    ...checkChoice(body["tool_choice"], names),
  ];
}

function checkTool(tool: unknown, at: string): string[] {
  const type = isObject(tool) ? tool["type"] : undefined;
  if (!isObject(tool) || (type !== "function" && type !== "custom"))
    return [`${at}.type: expected function or custom, but got ${JSON.stringify(type)} instead.`];
  const inner = tool[type];
  if (!isObject(inner)) return [`${at}.${type}: missing required parameter.`];
  const problems = checkName(inner["name"], `${at}.${type}.name`);
  const { description, parameters } = inner as { description?: unknown; parameters?: unknown };
  if (description !== undefined && typeof description !== "string")
    problems.push(`${at}.${type}.description: expected a string.`);
  if (parameters === undefined) return problems;
  if (!isObject(parameters) || parameters["type"] !== "object")
    problems.push(
      `${at}.${type}.parameters: Invalid schema for function '${String(inner["name"])}': schema must be a JSON Schema of 'type: "object"'.`,
    );
  else {
    problems.push(...checkRoot(parameters, `${at}.${type}.parameters`));
    if (inner["strict"] === true) problems.push(...checkStrict(parameters, `${at}.${type}.parameters`));
  }
  return problems;
}

/** All providers want a plain object at the root of a tool's schema. */
export function checkRoot(schema: Fields, at: string): string[] {
  return ["oneOf", "anyOf", "allOf", "enum", "not"]
    .filter((key) => key in schema)
    .map((key) => `${at}: Invalid schema: schema must not have '${key}' at the top level.`);
}

function checkChoice(choice: unknown, names: readonly unknown[]): string[] {
  if (choice === undefined || choice === "auto" || choice === "none" || choice === "required") return [];
  if (!isObject(choice))
    return [`tool_choice: expected none, auto, required or an object, but got ${JSON.stringify(choice)} instead.`];
  if (choice["type"] === "allowed_tools") return [];
  const name = nameOf(choice);
  return names.includes(name) ? [] : [`tool_choice: tool '${String(name)}' not found in 'tools'.`];
}

function nameOf(tool: unknown): unknown {
  if (!isObject(tool)) return undefined;
  const inner = tool["function"] ?? tool["custom"];
  return isObject(inner) ? inner["name"] : undefined;
}

function checkFormat(body: Fields): string[] {
  const format = body["response_format"];
  if (format === undefined) return [];
  const type = isObject(format) ? format["type"] : undefined;
  if (type === "text") return [];
  if (type === "json_object")
    return /json/i.test(JSON.stringify(body["messages"] ?? ""))
      ? []
      : ["messages: must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."];
  const given = isObject(format) && type === "json_schema" ? format["json_schema"] : undefined;
  if (!isObject(given))
    return [`response_format: expected text, json_object or json_schema, but got ${JSON.stringify(type)} instead.`];
  const at = "response_format.json_schema";
  const problems = checkName(given["name"], `${at}.name`);
  const schema = given["schema"];
  if (!isObject(schema)) return [...problems, `${at}.schema: missing required parameter.`];
  return given["strict"] === true ? [...problems, ...checkStrict(schema, `${at}.schema`)] : problems;
}

function checkRest(body: Fields): string[] {
  const problems = Object.entries(NUMBERS).flatMap(([field, { least, most, whole }]) => {
    const value = body[field];
    if (value === undefined || value === null) return [];
    const fits = typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value));
    return fits
      ? []
      : [`${field}: expected ${whole ? "an integer" : "a number"} of at least ${least}, at most ${most}.`];
  });
  if (body["max_tokens"] !== undefined && body["max_completion_tokens"] !== undefined)
    problems.push("max_tokens: 'max_tokens' and 'max_completion_tokens' cannot be used together.");
  if (body["stream_options"] !== undefined && body["stream"] !== true)
    problems.push("stream_options: is only allowed when 'stream' is enabled.");
  return problems;
}
