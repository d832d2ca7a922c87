/** What OpenAI's Responses would refuse, as a pure function: an independent check of every request we send. */
import { isObject } from "../../core/json.ts";
import { checkRoot } from "./check-chat.ts";
import { checkStrict } from "./check-strict.ts";
import { checkInput } from "./check-input.ts";
import { checkName, kindOf } from "./check-transcript.ts";

type Fields = Readonly<Record<string, unknown>>;

const MAX_TOOLS = 128;

/** Fields of chat completions, with what stands for them here: the real API names it as well. */
const MOVED: Readonly<Record<string, string>> = {
  messages: "input",
  response_format: "text.format",
  max_tokens: "max_output_tokens",
  max_completion_tokens: "max_output_tokens",
  functions: "tools",
  function_call: "tool_choice",
};

const NUMBERS: Readonly<Record<string, { readonly least: number; readonly most: number; readonly whole: boolean }>> = {
  max_output_tokens: { least: 16, most: Infinity, whole: true },
  temperature: { least: 0, most: 2, whole: false },
  top_p: { least: 0, most: 1, whole: false },
};

/**
 * Why the real API would answer 400: one sentence each, starting with the field ("input[2].call_id: …"); empty if it would not.
 * Stricter than OpenAI where compatible servers are: empty texts, broken arguments, the order of calls and their answers. And `strict`
 * must be given: left out, it is true, which nobody means for a schema with optional properties.
 */
export function checkResponsesRequest(body: unknown): string[] {
  if (!isObject(body)) return [`body: expected a JSON object, but got ${kindOf(body)} instead.`];
  const { model, instructions } = body as { model?: unknown; instructions?: unknown };
  const previous = body["previous_response_id"];
  // Nothing is kept here; and without what came before, nothing can be said of the rest.
  if (typeof previous === "string") return [`previous_response_id: Previous response with id '${previous}' not found.`];
  const problems = typeof model === "string" && model !== "" ? [] : ["model: you must provide a model parameter."];
  for (const [field, now] of Object.entries(MOVED))
    if (body[field] !== undefined)
      problems.push(`${field}: Unsupported parameter. In the Responses API, this parameter has moved to '${now}'.`);
  if (instructions !== undefined && instructions !== null && !isText(instructions))
    problems.push(`instructions: expected a string of valid Unicode, but got ${kindOf(instructions)} instead.`);
  return [
    ...problems,
    ...checkInput(body["input"], body["store"] !== false),
    ...checkTools(body),
    ...checkFormat(body["text"]),
    ...checkRest(body),
  ];
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.isWellFormed();
}

function checkTools(body: Fields): string[] {
  const { tools, tool_choice: choice } = body;
  if (tools === undefined)
    return choice === undefined || typeof choice === "string"
      ? []
      : ["tool_choice: Tool choices other than 'auto' must be specified with 'tools' parameter."];
  if (!Array.isArray(tools)) return [`tools: expected an array of objects, but got ${kindOf(tools)} instead.`];
  const long = `tools: array too long. Expected an array with maximum length ${MAX_TOOLS}, but got an array with length ${tools.length} instead.`;
  const names = tools.map((tool) => (isObject(tool) ? tool["name"] : undefined));
  const twice = names.filter((name, i) => name !== undefined && names.indexOf(name) < i);
  return [
    ...(tools.length > MAX_TOOLS ? [long] : []),
    ...tools.flatMap((tool, i) => checkTool(tool, `tools[${i}]`)),
    ...[...new Set(twice)].map((name) => `tools: two tools have the name '${String(name)}'.`),
    ...checkChoice(choice, names),
  ];
}

function checkTool(tool: unknown, at: string): string[] {
  if (!isObject(tool) || typeof tool["type"] !== "string") return [`${at}.type: missing required parameter.`];
  if (tool["type"] !== "function" && tool["type"] !== "custom") return [];
  const problems = tool["name"] === undefined ? [`${at}.name: missing required parameter.`] : [];
  if (tool["name"] !== undefined) problems.push(...checkName(tool["name"], `${at}.name`));
  const { description, parameters, strict } = tool;
  if (description !== undefined && description !== null && !isText(description))
    problems.push(`${at}.description: expected a string.`);
  if (tool["type"] === "custom") return problems;
  if (strict !== null && typeof strict !== "boolean") problems.push(`${at}.strict: missing required parameter.`);
  if (parameters === null) return problems;
  if (!isObject(parameters) || parameters["type"] !== "object")
    problems.push(
      `${at}.parameters: Invalid schema for function '${String(tool["name"])}': schema must be a JSON Schema of 'type: "object"'.`,
    );
  else {
    problems.push(...checkRoot(parameters, `${at}.parameters`));
    if (strict !== false) problems.push(...checkStrict(parameters, `${at}.parameters`));
  }
  return problems;
}

function checkChoice(choice: unknown, names: readonly unknown[]): string[] {
  if (choice === undefined || choice === "auto" || choice === "none" || choice === "required") return [];
  if (!isObject(choice))
    return [`tool_choice: expected none, auto, required or an object, but got ${JSON.stringify(choice)} instead.`];
  if (choice["type"] !== "function" && choice["type"] !== "custom") return [];
  return names.includes(choice["name"])
    ? []
    : [`tool_choice: Tool choice '${String(choice["name"])}' not found in 'tools' parameter.`];
}

function checkFormat(text: unknown): string[] {
  const format = isObject(text) ? text["format"] : undefined;
  if (format === undefined) return [];
  const type = isObject(format) ? format["type"] : undefined;
  if (type === "text" || type === "json_object") return [];
  if (!isObject(format) || type !== "json_schema")
    return [`text.format: expected text, json_object or json_schema, but got ${JSON.stringify(type)} instead.`];
  const problems = checkName(format["name"], "text.format.name");
  const { schema } = format as { schema?: unknown };
  if (!isObject(schema)) return [...problems, "text.format.schema: missing required parameter."];
  return format["strict"] === false ? problems : [...problems, ...checkStrict(schema, "text.format.schema")];
}

function checkRest(body: Fields): string[] {
  const problems = Object.entries(NUMBERS).flatMap(([field, { least, most, whole }]) => {
    const value = body[field];
    if (value === undefined || value === null) return [];
    const fits = typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value));
    return fits ? [] : [`${field}: expected ${whole ? "an integer" : "a number"} of at least ${least}.`];
  });
  for (const field of ["store", "parallel_tool_calls", "background", "stream"])
    if (body[field] !== undefined && body[field] !== null && typeof body[field] !== "boolean")
      problems.push(`${field}: expected a boolean, but got ${kindOf(body[field])} instead.`);
  const { include, background, store } = body;
  if (include !== undefined && !(Array.isArray(include) && include.every((one) => typeof one === "string")))
    problems.push(`include: expected an array of strings, but got ${kindOf(include)} instead.`);
  if (background === true && store === false) problems.push("background: Background mode requires 'store' to be true.");
  return problems;
}
