/** What OpenAI's chat completions would refuse, as a pure function: an independent check of every transcript we send. */
import { isObject } from "../../core/json.ts";

type Fields = Readonly<Record<string, unknown>>;

const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const MAX_ID = 40;
const MAX_TOOLS = 128;
const MAX_CALLS = 128;

/**
 * The reasons why the real API answers 400, one sentence each, starting with the field ("messages[2].content: …"); empty
 * if there are none. Stricter than OpenAI in few places where compatible servers are: empty texts, repeated tool names.
 */
export function checkChatRequest(body: unknown): string[] {
  if (!isObject(body)) return ["body: expected a JSON object"];
  const problems: string[] = [];
  if (typeof body["model"] !== "string" || body["model"] === "")
    problems.push("model: you must provide a model parameter");
  problems.push(...checkMessages(body["messages"]), ...checkTools(body));
  return problems;
}

function checkMessages(messages: unknown): string[] {
  if (!Array.isArray(messages)) return ["messages: expected an array"];
  if (messages.length === 0) return ["messages: [] is too short, at least one message is needed"];
  return [...messages.flatMap(checkMessage), ...checkPairs(messages)];
}

function checkMessage(message: unknown, index: number): string[] {
  const at = `messages[${index}]`;
  if (!isObject(message)) return [`${at}: expected an object`];
  switch (message["role"]) {
    case "system":
    case "developer":
    case "user":
      return checkContent(message["content"], `${at}.content`, false);
    case "tool":
      return [
        ...checkContent(message["content"], `${at}.content`, true),
        ...checkId(message["tool_call_id"], `${at}.tool_call_id`),
      ];
    case "assistant":
      return checkAssistant(message, at);
    default:
      return [
        `${at}.role: expected system, developer, user, assistant or tool, got ${JSON.stringify(message["role"])}`,
      ];
  }
}

function checkContent(content: unknown, at: string, mayBeEmpty: boolean): string[] {
  if (typeof content === "string") return content === "" && !mayBeEmpty ? [`${at}: is empty`] : [];
  if (!Array.isArray(content))
    return [`${at}: expected a string or an array of parts, got ${content === null ? "null" : typeof content}`];
  if (content.length === 0) return [`${at}: [] is too short`];
  return content.flatMap((part, i) =>
    isObject(part) && typeof part["type"] === "string" ? [] : [`${at}[${i}]: expected a part with a type`],
  );
}

function checkAssistant(message: Fields, at: string): string[] {
  const { content, tool_calls: calls } = message as { content?: unknown; tool_calls?: unknown };
  const problems =
    content === undefined || content === null ? [] : checkContent(content, `${at}.content`, calls !== undefined);
  if (calls === undefined)
    return typeof (content ?? message["refusal"]) === "object" || (content ?? message["refusal"]) === undefined
      ? [...problems, `${at}: needs content or tool_calls`]
      : problems;
  if (!Array.isArray(calls)) return [...problems, `${at}.tool_calls: expected an array`];
  if (calls.length === 0) problems.push(`${at}.tool_calls: [] is too short`);
  if (calls.length > MAX_CALLS)
    problems.push(`${at}.tool_calls: array too long, at most ${MAX_CALLS}, got ${calls.length}`);
  return [...problems, ...calls.flatMap((one, i) => checkCall(one, `${at}.tool_calls[${i}]`))];
}

function checkCall(one: unknown, at: string): string[] {
  if (!isObject(one)) return [`${at}: expected an object`];
  const problems = checkId(one["id"], `${at}.id`);
  const inner = one["function"];
  if (one["type"] !== "function" || !isObject(inner))
    return [...problems, `${at}.type: expected "function" with a function`];
  problems.push(...checkName(inner["name"], `${at}.function.name`));
  if (typeof inner["arguments"] !== "string") problems.push(`${at}.function.arguments: expected a string`);
  return problems;
}

function checkId(id: unknown, at: string): string[] {
  if (typeof id !== "string" || id === "") return [`${at}: expected a non-empty string`];
  return id.length > MAX_ID ? [`${at}: string too long, at most ${MAX_ID}, got ${id.length}`] : [];
}

function checkName(name: unknown, at: string): string[] {
  return typeof name === "string" && NAME.test(name)
    ? []
    : [`${at}: expected a name that matches ${NAME.source}, got ${JSON.stringify(name)}`];
}

/** Each call answered exactly once, by the tool messages right after it, and no tool message elsewhere. */
function checkPairs(messages: readonly unknown[]): string[] {
  const problems: string[] = [];
  let open = new Set<unknown>();
  let asked = new Set<unknown>();
  const settle = (at: string): void => {
    if (open.size === 0) return;
    problems.push(
      `${at}: An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...open].join(", ")}`,
    );
  };
  for (const [index, message] of messages.entries()) {
    if (!isObject(message)) continue;
    const at = `messages[${index}]`;
    if (message["role"] === "tool") {
      const id = message["tool_call_id"];
      if (asked.size === 0)
        problems.push(
          `${at}.role: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.`,
        );
      else if (!asked.has(id))
        problems.push(`${at}.tool_call_id: '${String(id)}' is not a call of the preceding assistant message`);
      else if (!open.delete(id)) problems.push(`${at}.tool_call_id: '${String(id)}' is answered twice`);
      continue;
    }
    settle(at);
    const ids = Array.isArray(message["tool_calls"])
      ? message["tool_calls"].map((one: unknown) => (isObject(one) ? one["id"] : undefined))
      : [];
    asked = new Set(ids);
    open = new Set(ids);
    if (asked.size < ids.length) problems.push(`${at}.tool_calls: duplicate ids`);
  }
  settle(`messages[${messages.length}]`);
  return problems;
}

function checkTools(body: Fields): string[] {
  const tools = body["tools"];
  if (tools === undefined)
    return body["tool_choice"] === undefined ? [] : ["tool_choice: is only allowed when 'tools' are specified"];
  if (!Array.isArray(tools)) return ["tools: expected an array"];
  if (tools.length === 0) return ["tools: [] is too short"];
  const problems = tools.length > MAX_TOOLS ? [`tools: array too long, at most ${MAX_TOOLS}, got ${tools.length}`] : [];
  for (const [i, tool] of tools.entries()) {
    const inner: unknown = isObject(tool) ? tool["function"] : undefined;
    if (!isObject(tool) || tool["type"] !== "function" || !isObject(inner))
      problems.push(`tools[${i}]: expected type "function" with a function`);
    else problems.push(...checkName(inner["name"], `tools[${i}].function.name`));
  }
  return problems;
}
