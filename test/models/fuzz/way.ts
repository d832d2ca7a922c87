/** The way of an answer through the product, as parts that a mutant can replace one by one: so each check is known to be able to fail. */
import { judge, type Judgement, type Judging } from "../../../src/core/judge.ts";
import type { ModelAnswer, ModelFailure, ModelRequest } from "../../../src/core/messages.ts";
import type { Asked } from "../../../src/models/answer.ts";
import { chatAnswer } from "../../../src/models/chat-answer.ts";
import { chatRequest } from "../../../src/models/chat-request.ts";
import { type Fault, modelFailure, type Telling } from "../../../src/models/failure.ts";
import { messagesAnswer } from "../../../src/models/messages-answer.ts";
import { messagesRequest } from "../../../src/models/messages-request.ts";
import { responsesAnswer } from "../../../src/models/responses-answer.ts";
import { responsesRequest } from "../../../src/models/responses-request.ts";
import { CHAT_STREAM, MESSAGES_STREAM, RESPONSES_STREAM, type Streaming } from "../../../src/models/streaming.ts";
import { checkChatRequest, checkMessagesRequest, checkResponsesRequest } from "../../../src/testing/model/index.ts";
import type { Dice } from "../../simulation/dice.ts";
import type { ProtocolName } from "../lab.ts";

export interface Way {
  /** The body that the events of a stream come to; nothing if it ended before its end. */
  readonly collect: (protocol: ProtocolName, events: readonly unknown[]) => unknown;
  readonly read: (protocol: ProtocolName, body: unknown, asked: Asked) => ModelAnswer | Fault;
  readonly tell: (fault: Fault, telling: Telling) => ModelFailure;
  readonly judge: (answer: ModelAnswer, judging: Judging) => Judgement;
  /** Features of the profile are thrown by the dice. */
  readonly write: (protocol: ProtocolName, request: ModelRequest, dice: Dice) => unknown;
}

const READ: Readonly<Record<ProtocolName, (body: unknown, asked: Asked) => ModelAnswer | Fault>> = {
  chat: chatAnswer,
  responses: responsesAnswer,
  messages: messagesAnswer,
};

const flag = (dice: Dice): boolean => dice.chance(0.5);

const WRITE: Readonly<Record<ProtocolName, (request: ModelRequest, dice: Dice) => unknown>> = {
  chat: (request, d) =>
    chatRequest(request, {
      apiKey: "k",
      features: { developerRole: flag(d), toolChoiceNone: flag(d), strictTools: flag(d) },
    }),
  responses: (request, d) =>
    responsesRequest(request, {
      apiKey: "k",
      protocol: "responses",
      features: { encryptedReasoning: flag(d), toolChoiceNone: flag(d), strictTools: flag(d) },
    }),
  messages: (request, d) =>
    messagesRequest(request, {
      apiKey: "k",
      protocol: "messages",
      features: { promptCache: flag(d) ? "5m" : false, toolChoiceNone: flag(d), strictTools: flag(d) },
    }),
};

const STREAMS: Readonly<Record<ProtocolName, Streaming>> = {
  chat: CHAT_STREAM,
  responses: RESPONSES_STREAM,
  messages: MESSAGES_STREAM,
};

export const PRODUCT: Way = {
  collect(protocol, events) {
    const collector = STREAMS[protocol].collect(() => undefined);
    for (const event of events) collector.take(event);
    return collector.done();
  },
  read: (protocol, body, asked) => READ[protocol](body, asked),
  tell: modelFailure,
  judge,
  write: (protocol, request, dice) => WRITE[protocol](request, dice),
};

/** The protocol's rules, written apart from the product. */
export const RULES: Readonly<Record<ProtocolName, (body: unknown) => string[]>> = {
  chat: checkChatRequest,
  responses: checkResponsesRequest,
  messages: checkMessagesRequest,
};
