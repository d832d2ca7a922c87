/** What an endpoint of Anthropic's messages is and can do; checked once, where it is written down. */
import { checkEndpoint, type Endpoint, FEATURES, type Features, type Values } from "./profile.ts";

/**
 * Without `tool_choice`, or its value `none`, the last turn is asked for with its tools all the same: the protocol wants them as long as
 * their calls are shown.
 */
export interface MessagesFeatures extends Features {
  /**
   * How long the unchanged beginning of a run's requests is kept at the provider, which makes it cheaper to read again; default `5m`.
   * `false`: for gateways that do not know `cache_control`.
   */
  readonly promptCache?: "5m" | "1h" | false;
  /** The key goes out as `x-api-key`, as some servers want it; default false: as a bearer token, like the SDK of today does. */
  readonly apiKeyHeader?: boolean;
}

/** One endpoint that speaks Anthropic's messages. Needs the package `@anthropic-ai/sdk`. */
export interface MessagesProfile extends Endpoint {
  readonly protocol: "messages";
  readonly features?: MessagesFeatures;
}

const OURS = ["model", "messages", "system", "tools", "tool_choice", "stream", "max_tokens"];

const KNOWN: Readonly<Record<keyof MessagesFeatures, Values>> = {
  ...FEATURES,
  promptCache: ["5m", "1h", false],
  apiKeyHeader: "boolean",
};

/** @throws ErrandError `option-invalid`, never with a key or header value in it */
export function checkMessagesProfile(profile: MessagesProfile): void {
  checkEndpoint(profile, { ours: OURS, features: KNOWN });
}
