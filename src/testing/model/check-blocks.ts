/** The rules for the content blocks of Anthropic's messages: each by itself, and how calls and their results belong together. */
import { isObject } from "../../core/json.ts";
import { kindOf } from "./check-transcript.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What others than the model say, field by field. What the model said is taken back with all it had. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  text: ["type", "text", "cache_control", "citations"],
  image: ["type", "source", "cache_control", "transformations"],
  document: ["type", "source", "cache_control", "citations", "context", "title"],
  search_result: ["type", "source", "title", "content", "cache_control", "citations"],
  tool_result: ["type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"],
  container_upload: ["type", "file_id", "cache_control"],
};
const IN_RESULTS = ["text", "image", "document", "search_result"];
const IMAGES: readonly unknown[] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

export function checkKnown(object: Fields, known: readonly string[], path: string): string[] {
  return Object.keys(object)
    .filter((key) => !known.includes(key))
    .map((key) => `${path}${key}: Extra inputs are not permitted`);
}

/** @param allowed the types that may stand here; without it the model's own words, of any type but a result */
export function checkBlocks(blocks: readonly unknown[], at: string, allowed?: readonly string[]): string[] {
  return blocks.flatMap((block, i) => {
    const path = `${at}.${i}`;
    const type = isObject(block) ? block["type"] : undefined;
    if (!isObject(block) || typeof type !== "string") return [`${path}.type: Field required`];
    if (allowed === undefined)
      return type === "tool_result"
        ? [`${path}: tool_result blocks can only be in user messages`]
        : checkSaid(block, type, path);
    if (!allowed.includes(type))
      return [
        `${path}: Input tag '${type}' found using 'type' does not match any of the expected tags: ${allowed.join(", ")}`,
      ];
    return [...checkKnown(block, KNOWN[type] ?? [], `${path}.${type}.`), ...checkHeard(block, type, path)];
  });
}

function checkHeard(block: Fields, type: string, at: string): string[] {
  switch (type) {
    case "text":
      return checkText(block["text"], at);
    case "tool_result":
      return checkResult(block, at);
    case "image":
    case "document":
      return checkSource(block["source"], type, `${at}.${type}.source`);
    default:
      return [];
  }
}

function checkSaid(block: Fields, type: string, at: string): string[] {
  switch (type) {
    case "text":
      return checkText(block["text"], at);
    case "tool_use":
      return checkUse(block, at);
    case "thinking":
      return [
        ...(typeof block["thinking"] === "string" ? [] : [`${at}.thinking.thinking: Field required`]),
        ...(typeof block["signature"] === "string" && block["signature"] !== ""
          ? []
          : [`${at}.thinking.signature: Field required`]),
        ...("cache_control" in block ? [`${at}.thinking.cache_control: Extra inputs are not permitted`] : []),
      ];
    case "redacted_thinking":
      return typeof block["data"] === "string" && block["data"] !== ""
        ? []
        : [`${at}.redacted_thinking.data: Field required`];
    default:
      // What a model of tomorrow says is taken back by it.
      return /^[a-z][\w.:-]*$/.test(type) ? [] : [`${at}.type: Invalid value: ${JSON.stringify(type)}.`];
  }
}

function checkText(text: unknown, at: string): string[] {
  if (typeof text !== "string") return [`${at}.text.text: Input should be a valid string, but got ${kindOf(text)}.`];
  if (text === "") return [`${at}: text content blocks must be non-empty`];
  if (text.trim() === "") return [`${at}: text content blocks must contain non-whitespace text`];
  return text.isWellFormed() ? [] : [`${at}: holds half a surrogate pair, which is not valid Unicode.`];
}

function checkUse({ id, name, input }: Fields, at: string): string[] {
  const problems = checkId(id, `${at}.tool_use.id`);
  if (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(name))
    problems.push(`${at}.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'`);
  if (!isObject(input)) problems.push(`${at}.tool_use.input: Input should be a valid dictionary`);
  return problems;
}

function checkId(id: unknown, at: string): string[] {
  return typeof id === "string" && /^[a-zA-Z0-9_-]+$/.test(id)
    ? []
    : [`${at}: String should match pattern '^[a-zA-Z0-9_-]+$'`];
}

function checkResult({ tool_use_id: id, content, is_error: failed }: Fields, at: string): string[] {
  const problems = checkId(id, `${at}.tool_result.tool_use_id`);
  if (failed !== undefined && typeof failed !== "boolean")
    problems.push(`${at}.tool_result.is_error: Input should be a valid boolean`);
  if (content === undefined) return problems;
  if (typeof content === "string")
    return content.isWellFormed()
      ? problems
      : [...problems, `${at}: holds half a surrogate pair, which is not valid Unicode.`];
  if (!Array.isArray(content))
    return [...problems, `${at}.tool_result.content: Input should be a valid string or list`];
  return [...problems, ...checkBlocks(content, `${at}.tool_result.content`, IN_RESULTS)];
}

function checkSource(source: unknown, kind: string, at: string): string[] {
  if (!isObject(source)) return [`${at}: Field required`];
  const { type, media_type: media, data } = source;
  if (type !== "base64" && type !== "text") return [];
  if (typeof data !== "string" || data === "") return [`${at}.data: Field required`];
  if (type === "text")
    return kind === "document" && media === "text/plain" ? [] : [`${at}.text.media_type: Input should be 'text/plain'`];
  const fits = kind === "image" ? IMAGES.includes(media) : media === "application/pdf";
  const valid = /^[A-Za-z0-9+/]+={0,2}$/.test(data) && data.length % 4 === 0;
  return [
    ...(fits
      ? []
      : [`${at}.base64.media_type: Input should be ${kind === "image" ? IMAGES.join(", ") : "application/pdf"}`]),
    ...(valid ? [] : [`${at}.base64.data: invalid base64 data`]),
  ];
}

/** Each call answered once by the message right after it, its results before anything else, and no result anywhere else. */
export function checkPlaces(messages: readonly unknown[]): string[] {
  const seen = new Set<unknown>();
  const contents = messages.map((message) => blocksOf(message));
  return contents.flatMap((blocks, i) => {
    const at = `messages.${i}`;
    if (isObject(messages[i]) && messages[i]["role"] === "user") return checkResults(blocks, contents[i - 1] ?? [], at);
    const problems: string[] = [];
    const uses = idsOf(blocks, "tool_use", "id");
    for (const id of uses) {
      if (seen.has(id)) problems.push(`${at}: \`tool_use\` ids must be unique`);
      seen.add(id);
    }
    const answered = idsOf(contents[i + 1] ?? [], "tool_result", "tool_use_id");
    const missing = uses.filter((id) => !answered.includes(id));
    if (missing.length > 0)
      problems.push(
        `${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.map(String).join(", ")}.`,
      );
    const last = blocks.at(-1)?.["type"];
    if (last === "thinking" || last === "redacted_thinking")
      problems.push(`${at}: The final block in an assistant message cannot be \`thinking\`.`);
    return [...problems, ...checkServerTools(blocks, at, i === contents.length - 1)];
  });
}

function checkResults(blocks: readonly Fields[], before: readonly Fields[], at: string): string[] {
  const uses = idsOf(before, "tool_use", "id");
  const results = idsOf(blocks, "tool_result", "tool_use_id");
  const problems = results
    .filter((id) => !uses.includes(id))
    .map(
      (id) =>
        `${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${String(id)}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
    );
  if (new Set(results).size < results.length)
    problems.push(`${at}: each tool_use must have a single result. Found multiple \`tool_result\` blocks.`);
  const first = blocks.findIndex(({ type }) => type !== "tool_result");
  if (first >= 0 && first < results.length)
    problems.push(`${at}: \`tool_result\` blocks must come before other content.`);
  return problems;
}

/** What the provider did by itself goes back whole; an unfinished call only at the very end, to be gone on with. */
function checkServerTools(blocks: readonly Fields[], at: string, last: boolean): string[] {
  const uses = blocks.filter(({ type }) => type === "server_tool_use" || type === "mcp_tool_use").map(({ id }) => id);
  const results = blocks
    .filter(({ type }) => String(type).endsWith("_tool_result"))
    .map((block) => block["tool_use_id"]);
  const open = uses.filter((id) => !results.includes(id));
  const stray = results.filter((id) => !uses.includes(id));
  const goesOn = uses.length > 0;
  return [
    ...(open.length > 0 && !last ? [`${at}: server tool uses without results: ${open.map(String).join(", ")}`] : []),
    ...(stray.length > 0 ? [`${at}: server tool results without their use: ${stray.map(String).join(", ")}`] : []),
    ...(last && !goesOn
      ? [`${at}: This model does not support assistant message prefill. The conversation must end with a user message.`]
      : []),
  ];
}

function idsOf(blocks: readonly Fields[], type: string, field: string): unknown[] {
  return blocks.filter((block) => block["type"] === type).map((block) => block[field]);
}

function blocksOf(message: unknown): readonly Fields[] {
  const content = isObject(message) ? message["content"] : undefined;
  return Array.isArray(content) ? content.filter(isObject) : [];
}

/** At most four marks, each well formed. */
export function checkCache(body: Fields): string[] {
  const marks: unknown[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (isObject(value)) {
      if ("cache_control" in value) marks.push(value["cache_control"]);
      walk(value["content"]);
    }
  };
  walk(body["tools"]);
  walk(body["system"]);
  walk(body["messages"]);
  const wrong = marks.filter((mark) => {
    const ttl = isObject(mark) ? mark["ttl"] : undefined;
    return !isObject(mark) || mark["type"] !== "ephemeral" || !(ttl === undefined || ttl === "5m" || ttl === "1h");
  });
  return [
    ...(marks.length > 4 ? [`A maximum of 4 blocks with cache_control may be provided. Found ${marks.length}.`] : []),
    ...wrong.map((mark) => `cache_control: Input should be { type: 'ephemeral' }, but got ${JSON.stringify(mark)}.`),
  ];
}
