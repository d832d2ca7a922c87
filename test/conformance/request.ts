/** What creates a run. */
import { randomUUID } from "node:crypto";
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
