/** The scripted model server: public names, exported again from `errand/testing`. */
export { checkChatRequest } from "./check-chat.ts";
export { inboxDigestScript } from "./digest.ts";
export type { InboxDigest, InboxDigestOptions } from "./digest.ts";
export {
  brokenArguments,
  disconnect,
  empty,
  errorBody,
  finish,
  hang,
  html,
  httpError,
  late,
  manyCalls,
  noChoices,
  raw,
  refusal,
  withUsage,
} from "./faults.ts";
export type { ErrorOptions } from "./faults.ts";
export type { ScriptCall, ScriptMessage, ScriptRequest, ScriptTool } from "./protocol.ts";
export { answer, call, calls, json, say } from "./reply.ts";
export type { Answer, AnswerOptions, CallReply, ErrorReply, RawReply, Reply, Usage } from "./reply.ts";
export { startScriptedModel } from "./server.ts";
export type {
  RecordedRequest,
  Script,
  ScriptContext,
  ScriptedModel,
  ScriptedModelOptions,
  ScriptFunction,
} from "./server.ts";
export { toolOutcomes } from "./tool-results.ts";
export type { ToolOutcome } from "./tool-results.ts";
