/** A model request as Anthropic's messages take it. Pure: equal requests give equal bodies. */
import { isObject } from "../core/json.ts";
import type { ModelRequest, ToolSpec } from "../core/messages.ts";
import type { Fields } from "./fields.ts";
import { conversation, type Said } from "./messages-input.ts";
import type { MessagesProfile } from "./messages-profile.ts";
import { anthropicOutput, wantedOutput } from "./output-format.ts";
import { answerTokens, knowsNone } from "./profile.ts";
import { wireSchema } from "./schema.ts";
import { strictOnes } from "./strict.ts";

/** The protocol wants a bound. More than about 21,000 may take longer than the ten minutes that an answer in one piece has. */
const MOST_TOKENS = 8_192;

export function messagesRequest(request: ModelRequest, profile: MessagesProfile): Fields {
  const { features = {}, extraBody = {} } = profile;
  const schema = anthropicOutput(wantedOutput(request, features));
  const config = isObject(extraBody["output_config"]) ? extraBody["output_config"] : {};
  const mark = marker(features.promptCache ?? "5m");
  const system = request.system.trim() === "" ? [] : [{ type: "text", text: request.system.toWellFormed() }];
  const tools = toolFields(request, profile, system.length === 0 ? mark : (block) => block);
  return {
    ...extraBody,
    model: request.model,
    max_tokens: answerTokens(request, profile) ?? MOST_TOKENS,
    ...(system.length > 0 && { system: system.map(mark) }),
    messages: marked(conversation(request.messages, features.vision ?? true), mark),
    ...tools,
    ...(schema !== undefined && { output_config: { ...config, format: { type: "json_schema", schema } } }),
  };
}

type Mark = (block: Fields) => Fields;

/** Up to a marked block the provider keeps what it has read. */
function marker(promptCache: "5m" | "1h" | false): Mark {
  if (promptCache === false) return (block) => block;
  const cache = { type: "ephemeral", ...(promptCache === "1h" && { ttl: "1h" }) };
  return (block) => ({ ...block, cache_control: cache });
}

/** The end of this request, which the next one begins with, and the end of the last one, which is read from the cache now. */
function marked(messages: readonly Said[], mark: Mark): Said[] {
  const ends = messages.flatMap(({ role }, i) => (role === "user" ? [i] : [])).slice(-2);
  return messages.map((message, i) => {
    if (!ends.includes(i)) return message;
    const last = message.content.at(-1);
    return last === undefined ? message : { ...message, content: [...message.content.slice(0, -1), mark(last)] };
  });
}

function toolFields({ tools, toolChoice }: ModelRequest, { features = {} }: MessagesProfile, mark: Mark): Fields {
  if (tools.length === 0) return {};
  const { parallelToolCalls, strictTools = false } = features;
  const knowsChoice = (features.toolChoice ?? true) && (toolChoice !== "none" || knowsNone(features));
  const single = toolChoice === "auto" && parallelToolCalls !== undefined;
  const schemas = tools.map(({ parameters }) => wireSchema(parameters));
  const strict = strictTools ? strictOnes(schemas, "anthropic") : [];
  const all = tools.map((tool, i) => toolOf(tool, strict[i] ?? false));
  const last = all.length - 1;
  return {
    tools: all.map((tool, i) => (i === last ? mark(tool) : tool)),
    ...(knowsChoice && {
      tool_choice: { type: toolChoice, ...(single && { disable_parallel_tool_use: !parallelToolCalls }) },
    }),
  };
}

function toolOf({ name, description, parameters }: ToolSpec, strict: boolean): Fields {
  const described = description === "" ? {} : { description: description.toWellFormed() };
  return { name, ...described, input_schema: wireSchema(parameters), ...(strict && { strict }) };
}
