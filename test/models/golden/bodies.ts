/** From a journal to the body of its next request, as the loop and the adapters make it. */
import { project } from "../../../src/core/project.ts";
import { foldRun } from "../../../src/core/state.ts";
import { chatRequest } from "../../../src/models/chat-request.ts";
import { messagesRequest } from "../../../src/models/messages-request.ts";
import { responsesRequest } from "../../../src/models/responses-request.ts";
import type { ModelRequest } from "../../../src/core/messages.ts";
import type { ProtocolName } from "../lab.ts";
import { type Journal, spokenIn } from "./record.ts";

const WRITE: Readonly<Record<ProtocolName, (request: ModelRequest) => unknown>> = {
  chat: (request) => chatRequest(request, { apiKey: "k" }),
  responses: (request) => responsesRequest(request, { apiKey: "k", protocol: "responses" }),
  messages: (request) => messagesRequest(request, { apiKey: "k", protocol: "messages" }),
};

/** As JSON carries it. @param journal whose last decision is the request that is about to be sent */
export function bodyOf(journal: Journal, protocol: ProtocolName): unknown {
  const { decisions, evidence } = spokenIn(journal, protocol);
  const state = foldRun("golden", decisions, evidence);
  const { context, requested } = state;
  if (context === undefined || requested === undefined) throw new Error("a journal that does not end with a request");
  const request = project(state, context, requested.shown, requested.final, requested.asked);
  return JSON.parse(JSON.stringify(WRITE[protocol](request)));
}
