/** What creates a run. */
import { randomUUID } from "node:crypto";
import { answerNonce, type Answer, type Evidence } from "../../src/core/outcome.ts";
import type { CreateRequest } from "../simulation/memory-api.ts";

export function createRequest(
  options: Partial<Omit<CreateRequest, "created">> & {
    identifier?: string;
    agent?: string;
    tenant?: string;
    from?: number;
  } = {},
): CreateRequest {
  const { identifier = "user_1", agent = "note", tenant, from, ...rest } = options;
  const named = { ...(tenant !== undefined && { tenant }), ...(from !== undefined && { covers: { from } }) };
  return {
    run: `run_0_${randomUUID()}`,
    nonce: randomUUID(),
    queue: "default",
    priority: 0,
    idem: "",
    inputHash: "h",
    ...rest,
    created: { kind: "created", agent, identifier, input: { n: 1 }, ...named },
  };
}

/** What a person says of an attempt. */
export function answerOf(intent: string, says: Answer["says"]): Omit<Evidence, "at"> {
  const outcome = { kind: "answered", says } as const;
  return { nonce: answerNonce(intent), call: "t0c0", tool: "x", argsHash: "h", tookMs: 0, outcome };
}
