/** Model profiles by their wire protocol. */
import type { Model } from "../ports/model.ts";
import { chatModel, type ChatProfile } from "./chat.ts";
import { checkChatProfile } from "./chat-profile.ts";
import type { ModelOptions } from "./exchange.ts";
import { messagesModel, type MessagesProfile } from "./messages.ts";
import { checkMessagesProfile } from "./messages-profile.ts";
import { refuse } from "./profile.ts";
import { responsesModel, type ResponsesProfile } from "./responses.ts";
import { checkResponsesProfile } from "./responses-profile.ts";

/** How to reach one provider's models. `protocol` says how they are spoken to; chat completions, which most know, by default. */
export type ModelProfile = ChatProfile | ResponsesProfile | MessagesProfile;

export const PROTOCOLS = ["chat", "responses", "messages"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** @throws ErrandError `option-invalid` on a profile that can never work */
export function modelOf(profile: ModelProfile, options: ModelOptions = {}): Model {
  checkProfile(profile);
  if (profile.protocol === "responses") return responsesModel(profile, options);
  return profile.protocol === "messages" ? messagesModel(profile, options) : chatModel(profile, options);
}

/** @throws ErrandError `option-invalid`, never with a key or header value in it */
export function checkProfile(profile: ModelProfile): void {
  const { protocol = "chat" }: { readonly protocol?: unknown } = profile;
  if (!PROTOCOLS.some((known) => known === protocol))
    refuse(`protocol: expected ${PROTOCOLS.map((one) => `"${one}"`).join(", ")}, got ${JSON.stringify(protocol)}.`);
  if (profile.protocol === "responses") checkResponsesProfile(profile);
  else if (profile.protocol === "messages") checkMessagesProfile(profile);
  else checkChatProfile(profile);
}
