/**
 * Known gateways as data: where they are and what they do otherwise than OpenAI or Anthropic (facts/seeds.md C.2). A profile's own
 * settings come first. One that is not here needs no row: every setting is a profile's as well.
 */
import type { ChatFeatures } from "./chat-profile.ts";
import type { MessagesFeatures } from "./messages-profile.ts";
import type { GatewayName } from "./profile.ts";
import type { ResponsesFeatures } from "./responses-profile.ts";

export interface Gateway {
  /** Undefined: it is everybody's own server, and a profile must say where. */
  readonly baseURL?: string;
  /** A base URL with this host is this gateway's, without its name being said. */
  readonly host?: string;
  /** How it can be spoken to, and with which settings. */
  readonly chat?: ChatFeatures;
  readonly responses?: ResponsesFeatures;
  readonly messages?: MessagesFeatures;
}

/** All of them know `max_tokens`; OpenAI's own newer name is not known to each model behind them. */
const OLD_NAME = { maxTokensField: "max_tokens" } as const;

export const GATEWAYS: Readonly<Record<GatewayName, Gateway>> = {
  fastrouter: { baseURL: "https://api.fastrouter.ai/api/v1", host: "api.fastrouter.ai", chat: OLD_NAME, responses: {} },
  openrouter: {
    baseURL: "https://openrouter.ai/api/v1",
    host: "openrouter.ai",
    chat: OLD_NAME,
    responses: {},
    messages: {},
  },
  litellm: { chat: OLD_NAME, responses: {}, messages: {} },
  // Answers 400 to fields that it does not know; no other protocol.
  gemini: {
    baseURL: "https://generativelanguage.googleapis.com/v1beta/openai",
    host: "generativelanguage.googleapis.com",
    chat: { ...OLD_NAME, structuredOutputWithTools: false },
  },
  // Guided decoding of an answer leaves no room for calls. Without a tool parser of its own it knows no `tool_choice: "none"` that leaves the tools in the prompt; thoughts are in the open.
  vllm: {
    chat: { ...OLD_NAME, toolChoiceNone: false, structuredOutputWithTools: false },
    responses: { encryptedReasoning: false, structuredOutputWithTools: false },
    messages: {},
  },
};

export const GATEWAY_NAMES: readonly string[] = Object.keys(GATEWAYS);

export function gatewayOf(name: string | undefined, baseURL: string | undefined): Gateway | undefined {
  const all: Readonly<Record<string, Gateway>> = GATEWAYS;
  if (name !== undefined) return Object.hasOwn(all, name) ? all[name] : undefined;
  const host = baseURL !== undefined && URL.canParse(baseURL) ? new URL(baseURL).hostname : undefined;
  return host === undefined ? undefined : Object.values(all).find((one) => one.host === host);
}
