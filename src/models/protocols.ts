/** Model profiles by their wire protocol. */
import type { Model } from "../ports/model.ts";
import { chatModel, type ChatProfile } from "./chat.ts";
import { checkChatProfile } from "./chat-profile.ts";
import { refuse } from "./profile.ts";
import { responsesModel, type ResponsesProfile } from "./responses.ts";
import { checkResponsesProfile } from "./responses-profile.ts";

/** How to reach one provider's models. `protocol` says how they are spoken to; chat completions, which most know, by default. */
export type ModelProfile = ChatProfile | ResponsesProfile;

/** @throws ErrandError `option-invalid` on a profile that can never work */
export function modelOf(profile: ModelProfile): Model {
  checkProfile(profile);
  return profile.protocol === "responses" ? responsesModel(profile) : chatModel(profile);
}

/** @throws ErrandError `option-invalid`, never with a key or header value in it */
export function checkProfile(profile: ModelProfile): void {
  const { protocol = "chat" }: { readonly protocol?: unknown } = profile;
  if (protocol !== "chat" && protocol !== "responses")
    refuse(`protocol: expected "chat" or "responses", got ${JSON.stringify(protocol)}.`);
  if (profile.protocol === "responses") checkResponsesProfile(profile);
  else checkChatProfile(profile);
}
