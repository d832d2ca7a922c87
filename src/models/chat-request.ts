/** A model request as OpenAI's chat completions take it. Pure: equal requests give equal bodies. */
import type OpenAI from "openai";
import { isObject, type Json } from "../core/json.ts";
import type { Message, ModelRequest, ToolSpec } from "../core/messages.ts";
import type { ReadCall } from "./chat-calls.ts";
import type { ChatProfile } from "./chat-profile.ts";
import { type Fields, said } from "./fields.ts";
import { chatCalls } from "./foreign.ts";
import { asMessage } from "./messages-blocks.ts";
import { type OpenaiFormat, openaiOutput, wantedOutput } from "./output-format.ts";
import { answerTokens, knowsNone } from "./profile.ts";
import { wireSchema } from "./schema.ts";
import { isStrict } from "./strict.ts";
import { type Result, resultsAfter } from "./results.ts";

type Body = OpenAI.ChatCompletionCreateParamsNonStreaming;
type Assistant = Extract<Message, { role: "assistant" }>;

/** OpenAI refuses more calls than this in one message; the rest is left out together with its answers. */
const MAX_CALLS = 128;

export function chatRequest(request: ModelRequest, profile: ChatProfile): Body {
  const { features = {}, extraBody = {} } = profile;
  const maxOutputTokens = answerTokens(request, profile);
  const format = openaiOutput(wantedOutput(request, features));
  const role = features.developerRole === true ? "developer" : "system";
  const system = request.system.trim() === "" ? [] : [{ role, content: request.system.toWellFormed() }];
  const limit = { [features.maxTokensField ?? "max_completion_tokens"]: maxOutputTokens };
  const body: Fields = {
    ...extraBody,
    ...(maxOutputTokens !== undefined && limit),
    model: request.model,
    messages: [...system, ...transcript(request.messages)],
    ...toolFields(request, profile),
    ...(format !== undefined && { response_format: chatFormat(format) }),
  };
  return body as unknown as Body;
}

function chatFormat({ type, ...told }: OpenaiFormat): Fields {
  return type === "json_schema" ? { type, json_schema: told } : { type };
}

function toolFields({ tools, toolChoice }: ModelRequest, { features = {} }: ChatProfile): Fields {
  const { parallelToolCalls, strictTools = false } = features;
  if (tools.length === 0 || (toolChoice === "none" && !knowsNone(features))) return {};
  return {
    tools: tools.map((tool) => toolOf(tool, strictTools)),
    ...((features.toolChoice ?? true) && { tool_choice: toolChoice }),
    ...(parallelToolCalls !== undefined && { parallel_tool_calls: parallelToolCalls }),
  };
}

function toolOf({ name, description, parameters }: ToolSpec, strictTools: boolean): Fields {
  const described = description === "" ? {} : { description };
  const schema = wireSchema(parameters);
  return {
    type: "function",
    function: {
      name,
      ...described,
      parameters: schema,
      ...(strictTools && isStrict(schema, "openai") && { strict: true }),
    },
  };
}

/**
 * Keeps what makes a valid transcript, whatever the journal holds: each call of an assistant message with exactly one answer right
 * behind it. A call that was never answered (it stood in an answer that finished or was sent back) is left out.
 */
function transcript(messages: readonly Message[]): Fields[] {
  const sent: Fields[] = [];
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i];
    if (message?.role === "user") sent.push({ role: "user", content: said(message.text) });
    if (message?.role !== "assistant") continue;
    sent.push(...turn(message, resultsAfter(messages, i)));
  }
  return sent;
}

function turn(message: Assistant, results: readonly Result[]): Fields[] {
  const answers = new Map(results.toReversed().map((result) => [result.callId, result.text]));
  const calls = chatCalls(message.verbatim, message.foreign).flatMap((call, i) => {
    const id = message.callIds[i];
    return id !== undefined && answers.has(id) ? [{ id, call }] : [];
  });
  const kept = calls.slice(0, MAX_CALLS);
  return [
    assistant(message, kept),
    ...kept.map(({ id }) => ({ role: "tool", tool_call_id: id, content: (answers.get(id) ?? "").toWellFormed() })),
  ];
}

/** The provider's own message with its unknown fields; calls carry our ids, since providers repeat and omit theirs. */
function assistant({ verbatim, text, foreign }: Assistant, calls: readonly { id: string; call: ReadCall }[]): Fields {
  const isOwn = foreign !== true && isObject(verbatim) && asMessage(verbatim) === undefined;
  const own = isOwn ? verbatim : {};
  const { tool_calls: _calls, function_call: _call, content, ...rest } = own;
  const ids = new Map(calls.toReversed().map(({ id, call }) => [call.requested.providerId, id]));
  return {
    ...rest,
    role: "assistant",
    content: contentOf(content, text, calls.length > 0),
    ...(Array.isArray(rest["reasoning_details"]) && { reasoning_details: rest["reasoning_details"].map(renamed(ids)) }),
    ...(calls.length > 0 && { tool_calls: calls.map(({ id, call }) => call.replay(id)) }),
  };
}

/** OpenRouter ties an encrypted thought to its call by the call's id (Roo-Code#10640): it has to change with the id. */
function renamed(ids: ReadonlyMap<string, string>): (detail: unknown) => unknown {
  return (detail) => {
    if (!isObject(detail) || typeof detail["id"] !== "string" || detail["id"] === "") return detail;
    return { ...detail, id: ids.get(detail["id"]) ?? detail["id"] };
  };
}

/** Parts that requests do not take (thinking, output_text) are dropped for the text they stand beside. */
function contentOf(content: unknown, text: string, calls: boolean): Json {
  if (Array.isArray(content) && content.length > 0 && content.every(isPlainPart)) return content as Json;
  const plain = typeof content === "string" ? content : text;
  if (!calls) return said(plain);
  return typeof content !== "string" && plain === "" ? null : plain.toWellFormed();
}

function isPlainPart(part: unknown): boolean {
  if (!isObject(part) || (part["type"] !== "text" && part["type"] !== "refusal")) return false;
  const text = part[part["type"]];
  return typeof text === "string" && text.trim() !== "" && text.isWellFormed();
}
