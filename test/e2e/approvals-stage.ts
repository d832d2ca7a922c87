/** An agent whose calls need approval, and all that is around it. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { z } from "zod";
import { agent, type NeedsApproval, type PendingApproval, type RunHandle, type ToolUse } from "../../src/index.ts";
import { call, type Fault, type Script } from "../../src/testing/index.ts";
import { testWorld, untilEvent, type World } from "../support/world.ts";

export const WAIT: { readonly timeoutMs: number } = { timeoutMs: 60_000 };
export const letter = (to: string): Record<string, string> => ({ to, subject: "Report", body: "All is well." });
export const send = (to = "grace@example.com"): ReturnType<typeof call> => call("gmail_send_message", letter(to));

export interface Scene extends World {
  readonly run: RunHandle<string>;
  sent(): unknown[];
  told(): string;
  /** What waits once the run has parked for the nth time. */
  waiting(nth?: number): Promise<readonly PendingApproval[]>;
}

export interface Given {
  readonly script: Script;
  readonly tools?: readonly (string | ToolUse)[];
  readonly needsApproval?: NeedsApproval;
  readonly expiresMs?: number;
  readonly faults?: readonly Fault[];
  readonly toolTimeoutMs?: number;
}

export async function start(
  t: TestContext,
  { script, tools, needsApproval, expiresMs, faults = [], toolTimeoutMs }: Given,
): Promise<Scene> {
  const made = agent({
    name: "sender",
    model: "openai/scripted",
    instructions: "Send the report.",
    connections: ["gmail"],
    tools: tools ?? ["gmail_send_message", "gmail_fetch_mails"],
    ...(needsApproval !== undefined && { needsApproval }),
    ...(expiresMs !== undefined && { approvalExpiresAfterMs: expiresMs }),
    ...(toolTimeoutMs !== undefined && { limits: { toolTimeoutMs } }),
    input: z.object({}),
  });
  const world = await testWorld(t, { script, errand: { agents: [made] } });
  world.scalekit.connect("ada", "gmail");
  for (const fault of faults) world.scalekit.faults.add(fault);
  world.errand.worker({ wakeEveryMs: 20 });
  const run = await world.errand.enqueue(made, { identifier: "ada", input: {} });
  return {
    ...world,
    run,
    sent: () => world.scalekit.ledger.filter((it) => it.tool === "gmail_send_message").map((it) => it.input["to"]),
    told: () => JSON.stringify(world.model.requests.at(-1)?.body ?? {}),
    waiting: async (nth = 1) => {
      await untilEvent(run, "run.parked", nth);
      return (await world.errand.approvals.list()).approvals;
    },
  };
}

export function only(list: readonly PendingApproval[]): PendingApproval {
  const [one] = list;
  assert.ok(one !== undefined && list.length === 1, `one approval, not ${list.length}`);
  return one;
}
