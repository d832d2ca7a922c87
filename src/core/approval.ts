/** Where a call stands that needs a person's word before it is made. */
import type { ApprovalAsked, PlannedCall, RunnableCall } from "./journal.ts";
import type { Approval, Evidence } from "./outcome.ts";
import type { RunState } from "./state.ts";

/** The nonce of the evidence that decides. */
export function approvalNonce(id: string): string {
  return `approval:${id}`;
}

export type ApprovalStanding =
  /** Nobody was asked yet, or what was given was not used in time. */
  | { readonly is: "unasked" }
  /** Redis ms. */
  | { readonly is: "approving"; readonly id: string; readonly until: number }
  | { readonly is: "denied"; readonly evidence: Evidence }
  | { readonly is: "approved" };

export function approvalStanding(state: RunState, call: RunnableCall, now: number): ApprovalStanding {
  if (call.approval === undefined) return { is: "approved" };
  const asked = state.approvals[call.id];
  if (asked === undefined) return { is: "unasked" };
  const evidence = state.evidence[approvalNonce(asked.id)];
  if (evidence === undefined) return { is: "approving", id: asked.id, until: asked.until };
  if (evidence.outcome.kind !== "approved") return { is: "denied", evidence };
  const isUsed = (state.claims[call.id] ?? []).length > 0;
  return isUsed || now < asked.until ? { is: "approved" } : { is: "unasked" };
}

/** The decision on a call that was asked about; nothing before it. */
export function decisionOn(state: RunState, { id }: Pick<ApprovalAsked, "id">): Approval | undefined {
  const outcome = state.evidence[approvalNonce(id)]?.outcome;
  return outcome?.kind === "approved" || outcome?.kind === "denied" ? outcome : undefined;
}

/** As it is made: with the arguments that the approver wrote, if he did. */
export function approvedCall<C extends PlannedCall>(state: RunState, call: C): C {
  const asked = state.approvals[call.id];
  const decision = asked && decisionOn(state, asked);
  if (call.verdict !== "run" || decision?.kind !== "approved" || decision.args === undefined) return call;
  return { ...call, args: decision.args, argsHash: decision.argsHash, edited: true };
}

/** Whether the model, or a tool, may have read a stranger's words by now: also by what tools call, and by tools that nobody knows. */
export function hasRead(state: RunState, planned: readonly PlannedCall[]): boolean {
  const tools = state.context?.tools ?? [];
  const trusted = new Set(tools.filter((tool) => tool.trusted === true).map(({ name }) => name));
  const unsaid = new Set(tools.filter((tool) => tool.unsaid === true).map(({ name }) => name));
  const below = Object.values(state.subs).flatMap((subs) => subs.map(({ call }) => call));
  return [...planned, ...below].some(
    (call) => call.verdict === "run" && (call.effect === "read" || unsaid.has(call.name)) && !trusted.has(call.name),
  );
}
