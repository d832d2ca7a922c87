/** The `Model` port over Anthropic's messages. One question, no retries; a paused answer goes on. */
import type { Model } from "../ports/model.ts";
import { anthropicTransport, needAnthropicSdk } from "./anthropic.ts";
import { endpointModel, type ModelOptions } from "./exchange.ts";
import { joinParts, messagesAnswer, pausedRequest } from "./messages-answer.ts";
import { checkMessagesProfile, type MessagesProfile } from "./messages-profile.ts";
import { messagesRequest } from "./messages-request.ts";
import { withoutOutput } from "./output-format.ts";
import { MESSAGES_STREAM } from "./streaming.ts";

export type { MessagesFeatures, MessagesProfile } from "./messages-profile.ts";

/** @throws ErrandError `option-invalid` on a profile that can never work, and without the package `@anthropic-ai/sdk` */
export function messagesModel(profile: MessagesProfile, options: ModelOptions = {}): Model {
  checkMessagesProfile(profile);
  needAnthropicSdk();
  const output = withoutOutput("output_config");
  return endpointModel(
    profile,
    {
      path: "/v1/messages",
      request: (request) => output.sent(messagesRequest(request, profile)),
      instead: output.instead,
      streaming: MESSAGES_STREAM,
      answer: messagesAnswer,
      said: ["system", "messages"],
      paused: { next: pausedRequest, join: joinParts },
    },
    anthropicTransport(profile, profile.features?.apiKeyHeader ?? false),
    options,
  );
}
