/** Calls that need a person's word: which of them do, asking for it, and waiting. */
import type { Agent } from "../core/agent.ts";
import { approvalNonce, hasRead } from "../core/approval.ts";
import { APPROVAL_MS, type ApprovalPolicy, policyOf } from "../core/needs-approval.ts";
import { approvalGate } from "../core/gate.ts";
import type { PlannedCall, RunnableCall } from "../core/journal.ts";
import type { Step } from "../core/next.ts";
import { useOf } from "../core/tool-use.ts";
import type { HeldRun } from "./held.ts";
import type { Left, LoopPorts } from "./loop.ts";

type Of<D extends Step["do"]> = Extract<Step, { do: D }>;

/** The plan, with the rule that asks for approval at each call that needs it. */
export async function withApprovals(
  plan: readonly PlannedCall[],
  held: HeldRun,
  agent: Agent,
  ports: Pick<LoopPorts, "sleep">,
): Promise<readonly PlannedCall[]> {
  const before = held.state.turns.flatMap((turn) => turn.plan);
  return Promise.all(
    plan.map(async (call) => {
      if (call.verdict !== "run") return call;
      const approval = await approvalFor(call, before, held, agent, ports);
      return approval === undefined ? call : { ...call, approval };
    }),
  );
}

/** @param before calls whose results whoever asks for this one may have seen */
export async function approvalFor(
  { name, args, effect }: Pick<RunnableCall, "name" | "args" | "effect">,
  before: readonly PlannedCall[],
  held: HeldRun,
  agent: Agent,
  { sleep }: Pick<LoopPorts, "sleep">,
): Promise<ApprovalPolicy | undefined> {
  const source = held.state.context?.tools.find((tool) => tool.name === name)?.source;
  const needs = useOf(agent.tools, { name, source })?.needsApproval ?? agent.needsApproval;
  const afterReads = hasRead(held.state, before);
  const { created, context } = held.state;
  const policy = policyOf(needs, { identifier: created.identifier, tool: name, args, effect, afterReads });
  if (typeof needs !== "function" || sleep === undefined || context === undefined) return policy;
  // The app's function may ask somebody who never answers, and its run would stand still: that means yes, like an error.
  const over = new AbortController();
  const late = sleep(context.limits.toolTimeoutMs, over.signal).then(() => "function" as const);
  return Promise.race([policy, late]).finally(() => over.abort());
}

/** One commit for all that can be asked about now: people see them together. */
export async function askApproval({ calls }: Of<"ask-approval">, held: HeldRun, ports: LoopPorts): Promise<Left> {
  const until = Math.round(held.now() + (held.state.context?.approvalMs ?? APPROVAL_MS));
  for (const { id: call, name: tool, argsHash, approval: policy = "always" } of calls)
    held.note({ kind: "approval-asked", call, id: ports.chance.nonce(), tool, argsHash, policy, until });
  await held.flush();
  return undefined;
}

/** Until somebody decides; at the end of its time it is denied. A decision that came since the run was taken is read by taking it again. */
export async function awaitApproval({ call, id, until }: Of<"await-approval">, held: HeldRun): Promise<Left> {
  if (held.now() >= until) {
    const { name: tool, argsHash } = call;
    const message = "Nobody approved it in time.";
    const outcome = { kind: "denied", argsHash, lapsed: true, message } as const;
    await held.addEvidence({ nonce: approvalNonce(id), call: call.id, tool, argsHash, outcome, tookMs: 0 });
    return undefined;
  }
  held.note({ kind: "parked", reason: "approval", about: call.id, until });
  const gate = approvalGate(held.id);
  if (await held.flush({ to: "gate", gate, version: 0, unless: approvalNonce(id), until })) return "parked";
  held.note({ kind: "yielded" });
  await held.flush({ to: "line" });
  return "yielded";
}
