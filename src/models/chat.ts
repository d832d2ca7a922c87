/** The `Model` port over OpenAI chat completions, for OpenAI and every gateway that speaks it. One request, no retries. */
import type { Model } from "../ports/model.ts";
import { chatAnswer } from "./chat-answer.ts";
import { type ChatProfile, checkChatProfile } from "./chat-profile.ts";
import { chatRequest } from "./chat-request.ts";
import { type ModelOptions, openaiModel } from "./openai.ts";

export type { ChatFeatures, ChatProfile } from "./chat-profile.ts";

/** @throws ErrandError `option-invalid` on a profile that can never work */
export function chatModel(profile: ChatProfile, options: ModelOptions = {}): Model {
  checkChatProfile(profile);
  return openaiModel(
    profile,
    {
      path: "/chat/completions",
      request: (request) => ({ ...chatRequest(request, profile) }),
      answer: chatAnswer,
      said: ["messages"],
    },
    options,
  );
}
