/** What an endpoint of Anthropic's messages is and can do; checked once, where it is written down. */
import { checkEndpoint, type Endpoint, refuse } from "./profile.ts";

export interface MessagesFeatures {
  /** `false` asks for one call at a time (`disable_parallel_tool_use`); left out by default. */
  readonly parallelToolCalls?: boolean;
  /** The endpoint knows `tool_choice`; default true. Without it the last turn is asked for with no tools at all. */
  readonly toolChoice?: boolean;
  /**
   * How long the unchanged beginning of a run's requests is kept at the provider, which makes it cheaper to read again; default `5m`.
   * `false`: for gateways that do not know `cache_control`.
   */
  readonly promptCache?: "5m" | "1h" | false;
  /** The key goes out as `Authorization: Bearer` instead of `x-api-key`, as gateways want it; default false. */
  readonly bearerToken?: boolean;
}

/** One endpoint that speaks Anthropic's messages. Needs the package `@anthropic-ai/sdk`. */
export interface MessagesProfile extends Endpoint {
  readonly protocol: "messages";
  readonly features?: MessagesFeatures;
}

const OURS = ["model", "messages", "system", "tools", "tool_choice", "stream", "max_tokens"];

/** @throws ErrandError `option-invalid`, never with a key or header value in it */
export function checkMessagesProfile(profile: MessagesProfile): void {
  checkEndpoint(profile, OURS);
  const cache: unknown = profile.features?.promptCache;
  if (cache !== undefined && cache !== "5m" && cache !== "1h" && cache !== false)
    refuse(`features.promptCache: expected "5m", "1h" or false, got ${JSON.stringify(cache)}.`);
}
