/** The adapter against a scripted model over HTTP, as the tests of this folder use it. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Message, ModelAnswer, ModelFailure, ModelReply, ModelRequest } from "../../src/core/messages.ts";
import type { ChatProfile } from "../../src/models/chat.ts";
import { chatRequest } from "../../src/models/chat-request.ts";
import { type ModelProfile, modelOf } from "../../src/models/protocols.ts";
import type { ResponsesProfile } from "../../src/models/responses.ts";
import { responsesRequest } from "../../src/models/responses-request.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Model } from "../../src/ports/model.ts";
import {
  checkChatRequest,
  checkResponsesRequest,
  type Script,
  type ScriptedModel,
  type ScriptedModelOptions,
  startScriptedModel,
} from "../../src/testing/model/index.ts";

/** 2026-11-21T10:00:00Z, and a monotonic clock that moves 7 ms each time it is read. */
export function steppedClock(): Clock {
  let monotonic = 1_000;
  return { now: () => Date.UTC(2026, 10, 21, 10), monotonic: () => (monotonic += 7) };
}

export interface Lab {
  readonly server: ScriptedModel;
  readonly model: Model;
  readonly ask: (request?: Partial<ModelRequest>, signal?: AbortSignal) => Promise<ModelReply>;
  readonly answer: (request?: Partial<ModelRequest>) => Promise<ModelAnswer>;
  readonly failure: (request?: Partial<ModelRequest>) => Promise<ModelFailure>;
}

export type ProtocolName = "chat" | "responses" | "messages";
export const PROTOCOLS: readonly ProtocolName[] = ["chat", "responses", "messages"];

/** A server that closes with the test. */
export async function serve(
  t: Pick<TestContext, "after">,
  script: Script,
  options: ScriptedModelOptions = {},
): Promise<ScriptedModel> {
  const server = await startScriptedModel({ script, ...options });
  t.after(() => server.close());
  return server;
}

export function answered(reply: ModelReply): ModelAnswer {
  assert.equal(reply.kind, "answer", JSON.stringify(reply));
  return reply;
}

export function failed(reply: ModelReply): ModelFailure {
  assert.equal(reply.kind, "failure", JSON.stringify(reply));
  return reply;
}

/** A model that closes with the test, or with the whole suite of a file. */
export async function lab(
  t: Pick<TestContext, "after">,
  script: Script,
  profile: Partial<ModelProfile> = {},
  timeoutMs = 5_000,
): Promise<Lab> {
  const server = await serve(t, script);
  const model = modelWith({ apiKey: server.apiKey, baseURL: server.url, ...profile } as ModelProfile);
  const ask: Lab["ask"] = (request = {}, signal = new AbortController().signal) =>
    model.respond({ ...REQUEST, ...request }, { timeoutMs, signal });
  return {
    server,
    model,
    ask,
    answer: async (request) => answered(await ask(request)),
    failure: async (request) => failed(await ask(request)),
  };
}

function modelWith(profile: ModelProfile): Model {
  return modelOf(profile, { clock: steppedClock() });
}

export const TOOL = {
  name: "gmail_fetch_mails",
  description: "Lists mails.",
  parameters: { type: "object", properties: { query: { type: "string" } } },
} as const;

export const REQUEST: ModelRequest = {
  profile: "openai",
  model: "m-1",
  system: "You help.",
  messages: [{ role: "user", text: "What is new?" }],
  tools: [TOOL],
  toolChoice: "auto",
};

export function user(text: string): Message {
  return { role: "user", text };
}

export function tool(callId: string, text = "{}"): Message {
  return { role: "tool", callId, name: TOOL.name, text };
}

/** The body as it goes over the wire, accepted by the validator. */
export function wire(request: Partial<ModelRequest>, profile: Partial<ChatProfile> = {}): Record<string, unknown> {
  const sent = chatRequest({ ...REQUEST, ...request }, { apiKey: "k", ...profile });
  const body = JSON.parse(JSON.stringify(sent)) as Record<string, unknown>;
  assert.deepEqual(checkChatRequest(body), []);
  return body;
}

/** The same for Responses. */
export function responsesWire(
  request: Partial<ModelRequest>,
  profile: Partial<ResponsesProfile> = {},
): Record<string, unknown> {
  const sent = responsesRequest({ ...REQUEST, ...request }, { apiKey: "k", protocol: "responses", ...profile });
  const body = JSON.parse(JSON.stringify(sent)) as Record<string, unknown>;
  assert.deepEqual(checkResponsesRequest(body), [], JSON.stringify(body));
  return body;
}
