/** What a chat completions endpoint is and can do; checked once, where it is written down. */
import { checkEndpoint, type Endpoint } from "./profile.ts";

export interface ChatFeatures {
  /** Sent as `parallel_tool_calls`; left out by default. */
  readonly parallelToolCalls?: boolean;
  /** The endpoint knows `tool_choice`; default true. Without it the last turn is asked for with no tools at all. */
  readonly toolChoice?: boolean;
  /** Instructions go out in role `developer` instead of `system`; default false, as gateways do not know it. */
  readonly developerRole?: boolean;
  /** Default `max_completion_tokens`. */
  readonly maxTokensField?: "max_completion_tokens" | "max_tokens";
}

/** One OpenAI-compatible endpoint: OpenAI, FastRouter, LiteLLM, OpenRouter, Gemini's compatible endpoint, vLLM, … */
export interface ChatProfile extends Endpoint {
  /** Default. The other one is `responses`: `ResponsesProfile`. */
  readonly protocol?: "chat";
  readonly features?: ChatFeatures;
}

const OURS = ["model", "messages", "tools", "tool_choice", "functions", "function_call", "stream", "n"];

/** @throws ErrandError `option-invalid`, never with a key or header value in it */
export function checkChatProfile(profile: ChatProfile): void {
  checkEndpoint(profile, OURS);
}
