/** What the stories have in common: an agent with a tool that reads and one that sends, and what becomes of their calls. */
import type { Json } from "../../../src/core/json.ts";
import { DEFAULT_LIMITS } from "../../../src/core/limits.ts";
import type { Outcome } from "../../../src/core/outcome.ts";
import type { FrozenTool, RunContext } from "../../../src/core/run.ts";
import { call } from "../../../src/testing/model/reply.ts";

const OBJECT = { type: "object", additionalProperties: false } as const;
export const READ: FrozenTool = {
  name: "gmail_read",
  description: "Reads a mail.",
  parameters: { ...OBJECT, properties: { id: { type: "string" } }, required: ["id"] },
  effect: "read",
  connection: "gmail",
  hash: "read/1",
};
const SEND: FrozenTool = {
  name: "gmail_send",
  description: "Sends a mail.",
  parameters: {
    ...OBJECT,
    properties: { to: { type: "string", format: "email" }, body: { type: "string" } },
    required: ["to"],
  },
  effect: "unsafe",
  connection: "gmail",
  hash: "send/1",
};

export const CONTEXT: RunContext = {
  instructions: "Sum up the mails.",
  prompt: "What is new?",
  profile: "openai",
  model: "m-1",
  limits: DEFAULT_LIMITS,
  tools: [READ, SEND],
  connections: ["gmail"],
  expiresAfterMs: 604_800_000,
};

export function limited(limits: Partial<RunContext["limits"]>, more: Partial<RunContext> = {}): RunContext {
  return { ...CONTEXT, ...more, limits: { ...DEFAULT_LIMITS, ...limits } };
}

export const ok = (data: Json): Outcome => ({ kind: "ok", data });
export const MAIL: Outcome = ok({ subject: "Invoice 7", from: "ann@example.org" });
export const GONE: Outcome = { kind: "error", type: "NotFound", message: "No such mail.", retryable: false };
export const read = (id: string, providerId = `call_${id}`): ReturnType<typeof call> =>
  call("gmail_read", { id }, { id: providerId });
export const send = (to: string, providerId = `call_${to}`): ReturnType<typeof call> =>
  call("gmail_send", { to }, { id: providerId });
