/** What a chat completions endpoint is and can do; checked once, where it is written down. */
import { checkEndpoint, type Endpoint, FEATURES, type Features, type Values } from "./profile.ts";

/** Without `tool_choice`, or its value `none`, the last turn is asked for with no tools at all. Tool results hold texts only: no images. */
export interface ChatFeatures extends Omit<Features, "vision"> {
  /** Instructions go out in role `developer` instead of `system`; default false, as gateways do not know it. */
  readonly developerRole?: boolean;
  /** Default `max_completion_tokens`. */
  readonly maxTokensField?: "max_completion_tokens" | "max_tokens";
}

/** One OpenAI-compatible endpoint: OpenAI, FastRouter, LiteLLM, OpenRouter, Gemini's compatible endpoint, vLLM, … */
export interface ChatProfile extends Endpoint {
  /** Default. The other ones: `ResponsesProfile`, `MessagesProfile`. */
  readonly protocol?: "chat";
  readonly features?: ChatFeatures;
}

const TOKENS = ["max_tokens", "max_completion_tokens"];
const OURS = ["model", "messages", "tools", "tool_choice", "functions", "function_call", "stream", "n", ...TOKENS];

const { vision: _none, ...SHARED } = FEATURES;
const KNOWN: Readonly<Record<keyof ChatFeatures, Values>> = {
  ...SHARED,
  developerRole: "boolean",
  maxTokensField: ["max_completion_tokens", "max_tokens"],
};

/** @throws ErrandError `option-invalid`, never with a key or header value in it */
export function checkChatProfile(profile: ChatProfile): void {
  checkEndpoint(profile, { ours: OURS, features: KNOWN });
}
