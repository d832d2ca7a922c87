/** A model request as OpenAI's Responses take it. Pure: equal requests give equal bodies. */
import { isObject } from "../core/json.ts";
import type { ModelRequest, ToolSpec } from "../core/messages.ts";
import type { Fields } from "./fields.ts";
import { openaiOutput, wantedOutput } from "./output-format.ts";
import { answerTokens, knowsNone } from "./profile.ts";
import { inputItems, plainMessage } from "./responses-input.ts";
import type { ResponsesProfile } from "./responses-profile.ts";
import { wireSchema } from "./schema.ts";
import { isStrict } from "./strict.ts";

const ENCRYPTED = "reasoning.encrypted_content";

/** All of the transcript; `store` only where the profile says so. */
export function responsesRequest(request: ModelRequest, profile: ResponsesProfile): Fields {
  const { features = {}, extraBody = {} } = profile;
  const maxOutputTokens = answerTokens(request, profile);
  const format = openaiOutput(wantedOutput(request, features));
  const text = isObject(extraBody["text"]) ? extraBody["text"] : {};
  const { encryptedReasoning = true, instructions: place = "field" } = features;
  const system = request.system.trim() === "" ? undefined : request.system.toWellFormed();
  const wanted: unknown[] = Array.isArray(extraBody["include"]) ? extraBody["include"] : [];
  const include = [...new Set([...(encryptedReasoning ? [ENCRYPTED] : []), ...wanted])];
  return {
    store: features.previousResponseId ?? false,
    ...extraBody,
    ...(maxOutputTokens !== undefined && { max_output_tokens: maxOutputTokens }),
    ...(include.length > 0 && { include }),
    model: request.model,
    ...(system !== undefined && place === "field" && { instructions: system }),
    input: [
      ...(system !== undefined && place !== "field" ? [plainMessage(place, system)] : []),
      ...inputItems(request.messages, features.vision ?? true),
    ],
    ...toolFields(request, profile),
    ...(format !== undefined && { text: { ...text, format } }),
  };
}

function toolFields({ tools, toolChoice }: ModelRequest, { features = {} }: ResponsesProfile): Fields {
  const { parallelToolCalls, strictTools = false } = features;
  if (tools.length === 0 || (toolChoice === "none" && !knowsNone(features))) return {};
  return {
    tools: tools.map((tool) => toolOf(tool, strictTools)),
    ...((features.toolChoice ?? true) && { tool_choice: toolChoice }),
    ...(parallelToolCalls !== undefined && { parallel_tool_calls: parallelToolCalls }),
  };
}

/** Flat, unlike chat completions'. Connectors' schemas have optional properties, which strict mode does not take; left out, `strict` is true. */
function toolOf({ name, description, parameters }: ToolSpec, strictTools: boolean): Fields {
  const described = description === "" ? {} : { description };
  const schema = wireSchema(parameters);
  return {
    type: "function",
    name,
    ...described,
    parameters: schema,
    strict: strictTools && isStrict(schema, "openai"),
  };
}
