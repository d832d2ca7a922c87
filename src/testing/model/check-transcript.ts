/** The rules for the messages of a chat completions request. Reasons in the words of the real API where they are known. */
import { isObject } from "../../core/json.ts";

type Fields = Readonly<Record<string, unknown>>;

const MAX_ID = 40;
const MAX_CALLS = 128;

/** Parts that each role may send. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  system: ["text"],
  developer: ["text"],
  user: ["text", "image_url", "input_audio", "file"],
  assistant: ["text", "refusal"],
  tool: ["text"],
};

export function checkMessages(messages: unknown): string[] {
  if (messages === undefined) return ["messages: missing required parameter."];
  if (!Array.isArray(messages)) return [`messages: expected an array of objects, but got ${kindOf(messages)} instead.`];
  if (messages.length === 0)
    return ["messages: empty array. Expected an array with minimum length 1, but got an empty array instead."];
  return [...messages.flatMap(checkMessage), ...checkAnswers(messages), ...checkIdsOnce(messages)];
}

function checkMessage(message: unknown, index: number): string[] {
  const at = `messages[${index}]`;
  if (!isObject(message)) return [`${at}: expected an object, but got ${kindOf(message)} instead.`];
  const role = message["role"];
  const parts = typeof role === "string" && Object.hasOwn(PARTS, role) ? PARTS[role] : undefined;
  if (parts === undefined)
    return [
      `${at}.role: expected system, developer, user, assistant or tool, but got ${JSON.stringify(role)} instead.`,
    ];
  if (role === "assistant") return checkAssistant(message, at);
  // A tool may have nothing to say; an empty prompt is refused by many compatible servers, and helps nobody.
  const problems = checkContent(message["content"], `${at}.content`, parts, role === "tool");
  return role === "tool" ? [...problems, ...checkId(message["tool_call_id"], `${at}.tool_call_id`)] : problems;
}

function checkContent(content: unknown, at: string, parts: readonly string[], mayBeEmpty: boolean): string[] {
  if (typeof content === "string") return content === "" && !mayBeEmpty ? [`${at}: is empty.`] : checkText(content, at);
  if (!Array.isArray(content))
    return [`${at}: expected a string or an array of parts, but got ${kindOf(content)} instead.`];
  if (content.length === 0) return [`${at}: empty array. Expected an array with minimum length 1.`];
  return content.flatMap((part: unknown, i) => {
    const type = isObject(part) ? part["type"] : undefined;
    if (!isObject(part) || typeof type !== "string" || !parts.includes(type))
      return [`${at}[${i}].type: expected one of ${parts.join(", ")}, but got ${JSON.stringify(type)} instead.`];
    if (type !== "text" && type !== "refusal") return [];
    const text = part[type];
    return typeof text === "string" ? checkText(text, `${at}[${i}]`) : [`${at}[${i}].${type}: expected a string.`];
  });
}

/** Half a surrogate pair cannot be written as UTF-8: the real API cannot parse such a body. */
function checkText(text: string, at: string): string[] {
  return text.isWellFormed() ? [] : [`${at}: holds half a surrogate pair, which is not valid Unicode.`];
}

function checkAssistant(message: Fields, at: string): string[] {
  const {
    content,
    tool_calls: calls,
    refusal,
  } = message as { content?: unknown; tool_calls?: unknown; refusal?: unknown };
  const nothing = content === undefined || content === null;
  const problems = nothing ? [] : checkContent(content, `${at}.content`, PARTS["assistant"] ?? [], true);
  if (calls === undefined) {
    if (nothing && typeof refusal !== "string") problems.push(`${at}.content: expected a string, got null.`);
    if (content === "" && typeof refusal !== "string")
      problems.push(`${at}.content: is empty, and there are no tool_calls.`);
    return problems;
  }
  if (!Array.isArray(calls))
    return [...problems, `${at}.tool_calls: expected an array, but got ${kindOf(calls)} instead.`];
  if (calls.length === 0)
    problems.push(
      `${at}.tool_calls: empty array. Expected an array with minimum length 1, but got an empty array instead.`,
    );
  if (calls.length > MAX_CALLS)
    problems.push(
      `${at}.tool_calls: array too long. Expected an array with maximum length ${MAX_CALLS}, but got an array with length ${calls.length} instead.`,
    );
  return [...problems, ...calls.flatMap((call, i) => checkCall(call, `${at}.tool_calls[${i}]`))];
}

function checkCall(call: unknown, at: string): string[] {
  if (!isObject(call)) return [`${at}: expected an object, but got ${kindOf(call)} instead.`];
  const problems = checkId(call["id"], `${at}.id`);
  const type = call["type"];
  if (type !== "function" && type !== "custom")
    return [...problems, `${at}.type: expected function or custom, but got ${JSON.stringify(type)} instead.`];
  const inner = call[type];
  if (!isObject(inner)) return [...problems, `${at}.${type}: missing required parameter.`];
  const text = type === "function" ? "arguments" : "input";
  if (typeof inner[text] !== "string")
    problems.push(`${at}.${type}.${text}: expected a string, but got ${kindOf(inner[text])} instead.`);
  else problems.push(...checkText(inner[text], `${at}.${type}.${text}`));
  return [...problems, ...checkName(inner["name"], `${at}.${type}.name`)];
}

function checkId(id: unknown, at: string): string[] {
  if (typeof id !== "string" || id === "")
    return [`${at}: expected a non-empty string, but got ${kindOf(id)} instead.`];
  if (id.length <= MAX_ID) return [];
  return [
    `${at}: string too long. Expected a string with maximum length ${MAX_ID}, but got a string with length ${id.length} instead.`,
  ];
}

export function checkName(name: unknown, at: string): string[] {
  if (typeof name === "string" && /^[a-zA-Z0-9_-]{1,64}$/.test(name)) return [];
  if (typeof name === "string" && name.length > 64)
    return [
      `${at}: string too long. Expected a string with maximum length 64, but got a string with length ${name.length} instead.`,
    ];
  return [
    `${at}: string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$', but got ${JSON.stringify(name)} instead.`,
  ];
}

/** Each call answered once by the tool messages right after it, and no tool message anywhere else. */
function checkAnswers(messages: readonly unknown[]): string[] {
  const problems: string[] = [];
  let asked: readonly unknown[] = [];
  let answered = new Map<unknown, number>();
  const settle = (at: number): void => {
    const missing = asked.filter((id) => !answered.has(id));
    if (missing.length === 0) return;
    problems.push(
      `messages[${at}].role: An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${missing.map(String).join(", ")}`,
    );
  };
  for (const [index, message] of messages.entries()) {
    const fields = isObject(message) ? message : {};
    if (fields["role"] !== "tool") {
      settle(index);
      asked = fields["role"] === "assistant" ? callIds(fields) : [];
      answered = new Map();
      continue;
    }
    const id = fields["tool_call_id"];
    const before = answered.get(id);
    if (asked.length === 0)
      problems.push(
        `messages[${index}].role: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.`,
      );
    else if (!asked.includes(id))
      problems.push(`messages[${index}].tool_call_id: '${String(id)}' not found in 'tool_calls' of previous message.`);
    else if (before !== undefined)
      problems.push(
        `messages[${index}].tool_call_id: Duplicate value for 'tool_call_id' of '${String(id)}', in messages[${before}] and messages[${index}].`,
      );
    answered.set(id, index);
  }
  settle(messages.length);
  return problems;
}

/** OpenAI looks within a turn; compatible servers that pair by id alone need each id once in the whole transcript. */
function checkIdsOnce(messages: readonly unknown[]): string[] {
  const seen = new Set<unknown>();
  return messages.flatMap((message, index) => {
    const ids = isObject(message) && message["role"] === "assistant" ? callIds(message) : [];
    return ids.flatMap((id, i) => {
      if (!seen.has(id)) {
        seen.add(id);
        return [];
      }
      return [`messages[${index}].tool_calls[${i}].id: Duplicate value for 'tool_call_id' of '${String(id)}'.`];
    });
  });
}

function callIds(message: Fields): unknown[] {
  const calls = message["tool_calls"];
  return Array.isArray(calls) ? calls.map((call: unknown) => (isObject(call) ? call["id"] : undefined)) : [];
}

export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === "") return "an empty string";
  return Array.isArray(value) ? "an array" : typeof value === "object" ? "an object" : typeof value;
}
