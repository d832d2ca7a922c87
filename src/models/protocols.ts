/** Model profiles by their wire protocol. */
import { ErrandError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Model } from "../ports/model.ts";
import { chatModel, type ChatProfile } from "./chat.ts";
import { checkChatProfile } from "./chat-profile.ts";
import type { ModelOptions } from "./exchange.ts";
import { GATEWAY_NAMES, gatewayOf } from "./gateways.ts";
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
  const resolved = resolveProfile(profile);
  if (resolved.protocol === "responses") return responsesModel(resolved, options);
  return resolved.protocol === "messages" ? messagesModel(resolved, options) : chatModel(resolved, options);
}

/**
 * All of them, by the names that agents use for them.
 * @throws ErrandError `option-invalid`, which says whose profile it is
 */
export function modelsOf(profiles: Readonly<Record<string, ModelProfile>>): Record<string, Model> {
  return Object.fromEntries(
    Object.entries(profiles).map(([name, profile]) => {
      try {
        if (name === "" || name.includes("/"))
          refuse("expected a name without a slash: an agent's model is `profile/model`, up to its first slash.");
        if (!isObject(profile)) refuse("expected an object with at least an apiKey.");
        return [name, modelOf(profile)];
      } catch (error) {
        if (!(error instanceof ErrandError) || error.code !== "option-invalid") throw error;
        const message = error.message.replace(/^model profile:/, `model profile ${JSON.stringify(name)}:`);
        throw new ErrandError("option-invalid", message);
      }
    }),
  );
}

/** @throws ErrandError `option-invalid` on a name that is none of them, where there are any */
export function needProfile(where: string, name: string, profiles: object = {}): string {
  const names = Object.keys(profiles);
  if (names.length === 0 || names.includes(name)) return name;
  throw new ErrandError(
    "option-invalid",
    `${where}: there is no model profile ${JSON.stringify(name)}.${didYouMean(String(name), names)} Known: ${names.join(", ")}.`,
  );
}

/** With what is known of its gateway. @throws ErrandError `option-invalid`, never with a key or header value in it */
export function resolveProfile(profile: ModelProfile): ModelProfile {
  const { protocol = "chat", gateway }: { readonly protocol?: Protocol; readonly gateway?: string } = profile;
  if (!PROTOCOLS.includes(protocol))
    refuse(`protocol: expected ${PROTOCOLS.map((one) => `"${one}"`).join(", ")}, got ${JSON.stringify(protocol)}.`);
  checkOwn(profile);
  if (gateway !== undefined && !GATEWAY_NAMES.includes(gateway))
    refuse(
      `gateway: expected one of ${GATEWAY_NAMES.join(", ")}, got ${JSON.stringify(gateway)}. For any other set baseURL.`,
    );
  const known = gatewayOf(gateway, profile.baseURL);
  if (known === undefined) return profile;
  const preset = known[protocol];
  const name = gateway ?? `of ${profile.baseURL}`;
  if (preset === undefined) refuse(`protocol: the gateway ${name} does not speak "${protocol}".`);
  const baseURL = profile.baseURL ?? known.baseURL;
  if (baseURL === undefined)
    refuse(`baseURL: missing; gateway "${name}" is a server of your own, such as http://127.0.0.1:4000/v1.`);
  // One protocol's features are added to a profile of that protocol.
  return { ...profile, baseURL, features: { ...preset, ...profile.features } } as ModelProfile;
}

function checkOwn(profile: ModelProfile): void {
  if (profile.protocol === "responses") checkResponsesProfile(profile);
  else if (profile.protocol === "messages") checkMessagesProfile(profile);
  else checkChatProfile(profile);
}
