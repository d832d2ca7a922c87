/** A model request as OpenAI's Responses take it. Pure: equal requests give equal bodies. */
import type { ModelRequest, ToolSpec } from "../core/messages.ts";
import type { Fields } from "./fields.ts";
import { inputItems, plainMessage } from "./responses-input.ts";
import type { ResponsesProfile } from "./responses-profile.ts";
import { wireSchema } from "./schema.ts";

const ENCRYPTED = "reasoning.encrypted_content";

export function responsesRequest(request: ModelRequest, profile: ResponsesProfile): Fields {
  const { features = {}, extraBody = {}, maxOutputTokens } = profile;
  const { encryptedReasoning = true, instructions: place = "field" } = features;
  const system = request.system.trim() === "" ? undefined : request.system.toWellFormed();
  const wanted: unknown[] = Array.isArray(extraBody["include"]) ? extraBody["include"] : [];
  const include = [...new Set([...(encryptedReasoning ? [ENCRYPTED] : []), ...wanted])];
  return {
    store: false,
    ...extraBody,
    ...(maxOutputTokens !== undefined && { max_output_tokens: maxOutputTokens }),
    ...(include.length > 0 && { include }),
    model: request.model,
    ...(system !== undefined && place === "field" && { instructions: system }),
    input: [
      ...(system !== undefined && place !== "field" ? [plainMessage(place, system)] : []),
      ...inputItems(request.messages),
    ],
    ...toolFields(request, profile),
  };
}

function toolFields({ tools, toolChoice }: ModelRequest, { features = {} }: ResponsesProfile): Fields {
  const knowsChoice = features.toolChoice ?? true;
  if (tools.length === 0 || (toolChoice === "none" && !knowsChoice)) return {};
  const { parallelToolCalls } = features;
  return {
    tools: tools.map(toolOf),
    ...(knowsChoice && { tool_choice: toolChoice }),
    ...(parallelToolCalls !== undefined && { parallel_tool_calls: parallelToolCalls }),
  };
}

/** Flat, unlike chat completions'. Connectors' schemas have optional properties, which strict mode does not take; left out, `strict` is true. */
function toolOf({ name, description, parameters }: ToolSpec): Fields {
  const described = description === "" ? {} : { description };
  return { type: "function", name, ...described, parameters: wireSchema(parameters), strict: false };
}
