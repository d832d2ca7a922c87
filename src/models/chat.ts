/** The `Model` port over OpenAI chat completions, for OpenAI and every gateway that speaks it. One request, no retries. */
import type { Model } from "../ports/model.ts";
import { chatAnswer } from "./chat-answer.ts";
import { type ChatProfile, checkChatProfile } from "./chat-profile.ts";
import { chatRequest } from "./chat-request.ts";
import { endpointModel, type ModelOptions } from "./exchange.ts";
import { openaiTransport } from "./openai.ts";
import { withoutOutput } from "./output-format.ts";
import { CHAT_STREAM } from "./streaming.ts";

export type { ChatFeatures, ChatProfile } from "./chat-profile.ts";

/** @throws ErrandError `option-invalid` on a profile that can never work */
export function chatModel(profile: ChatProfile, options: ModelOptions = {}): Model {
  checkChatProfile(profile);
  const output = withoutOutput("response_format");
  return endpointModel(
    profile,
    {
      path: "/chat/completions",
      request: (request) => output.sent({ ...chatRequest(request, profile) }),
      instead: output.instead,
      streaming: CHAT_STREAM,
      answer: chatAnswer,
      said: ["messages"],
    },
    openaiTransport(profile),
    options,
  );
}
