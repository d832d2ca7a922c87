/** A neutral answer as each provider's API would write its body. */
import type { JsonObject } from "../../src/core/json.ts";
import { completion } from "../../src/testing/model/chat-answer.ts";
import { message } from "../../src/testing/model/messages-answer.ts";
import type { ScriptRequest } from "../../src/testing/model/protocol.ts";
import type { Answer } from "../../src/testing/model/reply.ts";
import { response } from "../../src/testing/model/responses-answer.ts";
import type { ProtocolName } from "./lab.ts";

const ASKED: ScriptRequest = { model: "m-1", messages: [], tools: [], toolChoice: "auto", stream: false, body: {} };

/** @param seed of its ids */
export const SPOKEN: Readonly<Record<ProtocolName, (answer: Answer, seed: string) => JsonObject>> = {
  chat: (answer, seed) => completion(ASKED, answer, seed),
  responses: (answer, seed) => response(ASKED, answer, seed),
  messages: (answer, seed) => message(ASKED, answer, seed),
};
