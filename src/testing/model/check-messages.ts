/** What Anthropic's messages would refuse, as a pure function: an independent check of every request we send. */
import { isObject } from "../../core/json.ts";
import { checkRoot } from "./check-chat.ts";
import { checkStrictAnthropic, checkStrictCount } from "./check-strict.ts";
import { checkBlocks, checkCache, checkKnown, checkPlaces } from "./check-blocks.ts";
import { kindOf } from "./check-transcript.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Fields of @anthropic-ai/sdk 1.12's MessageCreateParams. The real API refuses all others. */
const FIELDS =
  `model max_tokens messages system tools tool_choice stream temperature top_p top_k stop_sequences metadata thinking
  output_config service_tier container cache_control diagnostics inference_geo speed user_profile_id workspace_id`.split(
    /\s+/,
  );
const TOOL_FIELDS =
  `type name description input_schema cache_control strict input_examples defer_loading allowed_callers
  eager_input_streaming`.split(/\s+/);

/**
 * Why the real API would answer 400: one sentence each, starting with the field ("messages.2.content.0: …"); empty if it would not.
 * Stricter than Anthropic where servers that speak its protocol are: roles take turns, and tools stay while their calls are shown.
 */
export function checkMessagesRequest(body: unknown): string[] {
  if (!isObject(body)) return [`body: expected a JSON object, but got ${kindOf(body)} instead.`];
  const { model, max_tokens: most } = body;
  const problems = checkKnown(body, FIELDS, "");
  if (typeof model !== "string" || model === "") problems.push("model: Field required");
  if (most === undefined) problems.push("max_tokens: Field required");
  else if (!Number.isInteger(most) || Number(most) < 1)
    problems.push("max_tokens: Input should be a valid integer greater than or equal to 1");
  return [
    ...problems,
    ...checkSystem(body["system"]),
    ...checkMessages(body["messages"]),
    ...checkTools(body),
    ...checkCache(body),
    ...checkRest(body),
  ];
}

function checkSystem(system: unknown): string[] {
  if (system === undefined || typeof system === "string") return [];
  if (!Array.isArray(system)) return [`system: Input should be a valid string or list, but got ${kindOf(system)}.`];
  return checkBlocks(system, "system", ["text"]);
}

function checkMessages(messages: unknown): string[] {
  if (messages === undefined) return ["messages: Field required"];
  if (!Array.isArray(messages)) return [`messages: Input should be a valid list, but got ${kindOf(messages)}.`];
  if (messages.length === 0) return ["messages: at least one message is required"];
  const problems = messages.flatMap((message: unknown, i) => checkMessage(message, `messages.${i}`));
  const roles = messages.map((message: unknown) => (isObject(message) ? message["role"] : undefined));
  if (roles[0] !== "user") problems.push('messages: first message must use the "user" role');
  roles.forEach((role, i) => {
    if (i > 0 && role === roles[i - 1])
      problems.push(`messages.${i}: roles must alternate between "user" and "assistant"`);
  });
  return [...problems, ...checkPlaces(messages)];
}

const USER = ["text", "image", "document", "search_result", "tool_result", "container_upload"];

function checkMessage(message: unknown, at: string): string[] {
  if (!isObject(message)) return [`${at}: Input should be an object, but got ${kindOf(message)}.`];
  const { role, content } = message;
  if (role !== "user" && role !== "assistant")
    return [`${at}.role: Input should be 'user' or 'assistant', but got ${JSON.stringify(role)}.`];
  const problems = checkKnown(message, ["role", "content"], `${at}.`);
  if (typeof content === "string")
    return content.trim() === "" ? [...problems, `${at}: all messages must have non-empty content`] : problems;
  if (!Array.isArray(content)) return [...problems, `${at}.content: Field required`];
  if (content.length === 0) return [...problems, `${at}: all messages must have non-empty content`];
  return [...problems, ...checkBlocks(content, `${at}.content`, role === "user" ? USER : undefined)];
}

function checkTools(body: Fields): string[] {
  const { tools, tool_choice: choice } = body;
  if (tools === undefined) {
    const problems = choice === undefined ? [] : ["tool_choice: may only be specified while providing tools."];
    const shown = /"type":"tool_(use|result)"/.test(JSON.stringify(body["messages"] ?? ""));
    return shown
      ? [...problems, "tools: Requests which include `tool_use` or `tool_result` blocks must define tools."]
      : problems;
  }
  if (!Array.isArray(tools)) return [`tools: Input should be a valid list, but got ${kindOf(tools)}.`];
  const names = tools.map((tool) => (isObject(tool) ? tool["name"] : undefined));
  const twice = names.filter((name, i) => name !== undefined && names.indexOf(name) < i);
  return [
    ...tools.flatMap((tool, i) => checkTool(tool, `tools.${i}`)),
    ...checkStrictCount(tools.filter((tool) => isObject(tool) && tool["strict"] === true).length),
    ...(twice.length > 0 ? ["tools: Tool names must be unique."] : []),
    ...checkChoice(choice, names),
  ];
}

function checkTool(tool: unknown, at: string): string[] {
  if (!isObject(tool)) return [`${at}: Input should be an object.`];
  // Tools of Anthropic's own have a type with a date in it, and other fields.
  if (tool["type"] !== undefined && tool["type"] !== null && tool["type"] !== "custom") return [];
  const { name, description, input_schema: schema } = tool;
  const problems = checkKnown(tool, TOOL_FIELDS, `${at}.custom.`);
  if (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(name))
    problems.push(`${at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'`);
  if (description !== undefined && !(typeof description === "string" && description.isWellFormed()))
    problems.push(`${at}.custom.description: Input should be a valid string`);
  if (!isObject(schema) || schema["type"] !== "object")
    return [...problems, `${at}.custom.input_schema.type: Input should be 'object'`];
  problems.push(...checkRoot(schema, `${at}.custom.input_schema`));
  return tool["strict"] === true
    ? [...problems, ...checkStrictAnthropic(schema, `${at}.custom.input_schema`)]
    : problems;
}

function checkChoice(choice: unknown, names: readonly unknown[]): string[] {
  if (choice === undefined) return [];
  const type = isObject(choice) ? choice["type"] : undefined;
  if (!isObject(choice) || typeof type !== "string" || !["auto", "any", "tool", "none"].includes(type))
    return [
      `tool_choice: Input tag ${JSON.stringify(type)} does not match any of the expected tags: 'auto', 'any', 'tool', 'none'`,
    ];
  const known = [
    "type",
    ...(type === "none" ? [] : ["disable_parallel_tool_use"]),
    ...(type === "tool" ? ["name"] : []),
  ];
  const problems = checkKnown(choice, known, `tool_choice.${type}.`);
  if (type === "tool" && !names.includes(choice["name"]))
    problems.push(`tool_choice: Tool '${String(choice["name"])}' not found in provided tools`);
  return problems;
}

function checkRest(body: Fields): string[] {
  const { temperature, thinking, output_config: output, max_tokens: most, stream, metadata } = body;
  const problems: string[] = [];
  if (temperature !== undefined && !(typeof temperature === "number" && temperature >= 0 && temperature <= 1))
    problems.push("temperature: range: 0..1");
  if (stream !== undefined && typeof stream !== "boolean") problems.push("stream: Input should be a valid boolean");
  if (metadata !== undefined)
    problems.push(
      ...(isObject(metadata)
        ? checkKnown(metadata, ["user_id"], "metadata.")
        : ["metadata: Input should be an object"]),
    );
  if (isObject(thinking) && thinking["type"] === "enabled") {
    const budget = Number(thinking["budget_tokens"]);
    if (!(budget >= 1_024))
      problems.push("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
    if (budget >= Number(most)) problems.push("max_tokens: must be greater than `thinking.budget_tokens`.");
  }
  const format = isObject(output) ? output["format"] : undefined;
  if (format === undefined || format === null) return problems;
  if (!isObject(format) || format["type"] !== "json_schema" || !isObject(format["schema"]))
    return [...problems, "output_config.format: Input should be { type: 'json_schema', schema }"];
  return [...problems, ...checkStrictAnthropic(format["schema"], "output_config.format.schema")];
}
