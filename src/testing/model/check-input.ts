/** The rules for the input items of a Responses request. Reasons in the words of the real API where they are known. */
import { isObject } from "../../core/json.ts";
import { checkAnswers, checkIdsOnce, checkThoughts } from "./check-input-order.ts";
import { checkName, kindOf } from "./check-transcript.ts";

type Fields = Readonly<Record<string, unknown>>;

const MAX_ID = 64;
const STATUSES: readonly unknown[] = [undefined, null, "in_progress", "completed", "incomplete"];
const INPUT_PARTS: readonly unknown[] = ["input_text", "input_image", "input_file"];
const OUTPUT_PARTS: readonly unknown[] = ["output_text", "refusal"];

/** @param stored what the model said before is kept, so that an id alone may stand for it */
export function checkInput(input: unknown, stored: boolean): string[] {
  if (typeof input === "string") return checkText(input, "input", false);
  if (input === undefined) return ["input: missing required parameter."];
  if (!Array.isArray(input)) return [`input: expected a string or an array, but got ${kindOf(input)} instead.`];
  if (input.length === 0) return ["input: empty array. Expected an array with minimum length 1."];
  const problems = input.flatMap((item: unknown, i) => checkItem(item, `input[${i}]`, stored));
  return [...problems, ...checkIdsOnce(input), ...checkAnswers(input), ...checkThoughts(input)];
}

function checkItem(item: unknown, at: string, stored: boolean): string[] {
  if (!isObject(item)) return [`${at}: expected an object, but got ${kindOf(item)} instead.`];
  const problems = STATUSES.includes(item["status"]) ? [] : [`${at}.status: Invalid value.`];
  switch (item["type"] ?? "message") {
    case "message":
      return [...problems, ...checkMessage(item, at)];
    case "function_call":
      return [...problems, ...checkCall(item, at, "fc"), ...checkArguments(item["arguments"], `${at}.arguments`)];
    case "custom_tool_call":
      return [...problems, ...checkCall(item, at, "ctc"), ...checkText(item["input"], `${at}.input`, true)];
    case "function_call_output":
    case "custom_tool_call_output":
      return [...problems, ...checkCallId(item["call_id"], at), ...checkOutput(item["output"], `${at}.output`)];
    case "reasoning":
      return [...problems, ...checkReasoning(item, at, stored)];
    case "item_reference":
      return stored ? [] : [`${at}.id: ${notFound(item["id"])}`];
    default:
      // What a model of tomorrow says is taken back by it.
      return typeof item["type"] === "string" && /^[a-z][\w.:-]*$/.test(item["type"])
        ? []
        : [`${at}.type: Invalid value: ${JSON.stringify(item["type"])}.`];
  }
}

function checkMessage(item: Fields, at: string): string[] {
  const { role, content, phase } = item;
  if (role !== "user" && role !== "system" && role !== "developer" && role !== "assistant")
    return [`${at}.role: Invalid value: ${JSON.stringify(role)}. Expected user, system, developer or assistant.`];
  const problems = role === "assistant" ? checkItemId(item["id"], at, "msg") : [];
  if (phase !== undefined && phase !== null && phase !== "commentary" && phase !== "final_answer")
    problems.push(`${at}.phase: Invalid value: ${JSON.stringify(phase)}.`);
  // Servers that check take parts of an answer only in an item that is whole: with its id and its status.
  const whole = item["id"] !== undefined && typeof item["status"] === "string";
  if (role === "assistant" && Array.isArray(content) && !whole)
    problems.push(`${at}: an assistant message with parts needs its id and its status.`);
  return [...problems, ...checkContent(content, `${at}.content`, role === "assistant" ? OUTPUT_PARTS : INPUT_PARTS)];
}

function checkContent(content: unknown, at: string, types: readonly unknown[]): string[] {
  if (typeof content === "string") return checkText(content, at, false);
  if (!Array.isArray(content)) return [`${at}: expected a string or an array, but got ${kindOf(content)} instead.`];
  if (content.length === 0) return [`${at}: empty array. Expected an array with minimum length 1.`];
  return content.flatMap((part: unknown, i) => {
    const type = isObject(part) ? part["type"] : undefined;
    if (!isObject(part) || !types.includes(type))
      return [`${at}[${i}].type: Invalid value: ${JSON.stringify(type)}. Supported values are: ${types.join(", ")}.`];
    if (type === "refusal") return checkText(part["refusal"], `${at}[${i}].refusal`, false);
    return String(type).endsWith("_text") ? checkText(part["text"], `${at}[${i}].text`, false) : [];
  });
}

/** Half a surrogate pair cannot be written as UTF-8; an empty text is refused by many compatible servers. */
function checkText(text: unknown, at: string, mayBeEmpty: boolean): string[] {
  if (typeof text !== "string") return [`${at}: expected a string, but got ${kindOf(text)} instead.`];
  if (text === "" && !mayBeEmpty) return [`${at}: is empty.`];
  return text.isWellFormed() ? [] : [`${at}: holds half a surrogate pair, which is not valid Unicode.`];
}

function checkOutput(output: unknown, at: string): string[] {
  return typeof output === "string" ? checkText(output, at, true) : checkContent(output, at, INPUT_PARTS);
}

function checkCall(item: Fields, at: string, prefix: string): string[] {
  return [
    ...checkCallId(item["call_id"], at),
    ...checkItemId(item["id"], at, prefix),
    ...checkName(item["name"], `${at}.name`),
  ];
}

/** OpenAI takes any text; vLLM and others parse the arguments of old calls. */
function checkArguments(text: unknown, at: string): string[] {
  const problems = checkText(text, at, false);
  if (problems.length > 0) return problems;
  try {
    return isObject(JSON.parse(String(text))) ? [] : [`${at}: expected the JSON of an object.`];
  } catch {
    return [`${at}: expected valid JSON.`];
  }
}

function checkCallId(id: unknown, at: string): string[] {
  if (id === "")
    return [`${at}.call_id: empty string. Expected a string with minimum length 1, but got an empty string instead.`];
  if (typeof id !== "string") return [`${at}.call_id: missing required parameter.`];
  return tooLong(id, `${at}.call_id`);
}

function checkItemId(id: unknown, at: string, prefix: string): string[] {
  if (id === undefined || id === null) return [];
  if (typeof id !== "string" || !id.startsWith(prefix))
    return [`${at}.id: Invalid value: ${JSON.stringify(id)}. Expected an ID that begins with '${prefix}'.`];
  return tooLong(id, `${at}.id`);
}

function tooLong(text: string, at: string): string[] {
  if (text.length <= MAX_ID) return [];
  return [
    `${at}: string too long. Expected a string with maximum length ${MAX_ID}, but got a string with length ${text.length} instead.`,
  ];
}

function checkReasoning(item: Fields, at: string, stored: boolean): string[] {
  const problems = Array.isArray(item["summary"]) ? [] : [`${at}.summary: missing required parameter.`];
  const { encrypted_content: encrypted, content } = item;
  const open = Array.isArray(content) && content.length > 0;
  const known = stored || open || (typeof encrypted === "string" && encrypted !== "");
  return known ? problems : [...problems, `${at}.id: ${notFound(item["id"])}`];
}

function notFound(id: unknown): string {
  return `Item with id '${String(id)}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`;
}
