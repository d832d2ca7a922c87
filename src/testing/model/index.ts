/** The scripted model server: public names, exported again from `errand/testing`. */
export { checkChatRequest } from "./check-chat.ts";
export { checkMessagesRequest } from "./check-messages.ts";
export { checkResponsesRequest } from "./check-responses.ts";
export type { Highlight, InboxDigest } from "./digest-answer.ts";
export { type InboxDigestOptions, inboxDigestScript } from "./digest.ts";
export {
  brokenArguments,
  disconnect,
  empty,
  errorBody,
  type ErrorOptions,
  finish,
  hang,
  html,
  httpError,
} from "./faults.ts";
export { late, manyCalls, noChoices, raw, refusal, slow, withUsage } from "./faults.ts";
export type { ScriptCall, ScriptMessage, ScriptRequest, ScriptTool } from "./protocol.ts";
export { answer, call, calls, json, say } from "./reply.ts";
export type { Answer, AnswerOptions, CallReply, ErrorReply, RawReply, Reply, ReplyUsage } from "./reply.ts";
export { attempts, type Script, type ScriptContext, type ScriptFunction } from "./script.ts";
export { type RecordedRequest, type ScriptedModel, type ScriptedModelOptions, startScriptedModel } from "./server.ts";
export type { Lookup } from "./stored.ts";
export { type ToolOutcome, toolOutcomes } from "./tool-results.ts";
