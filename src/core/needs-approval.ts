/** Which calls need a person's word before they are made. */
import { type Effect, EFFECTS } from "./effects.ts";
import type { Json } from "./json.ts";

/** A call that a model asks for, or a tool of the app's own. */
export interface ProposedCall {
  readonly identifier: string;
  readonly tool: string;
  readonly args: Json;
  readonly effect: Effect;
  /** The run has read something before that does not come from the app itself. */
  readonly afterReads: boolean;
}

/**
 * `true`: each call. A list: calls of these effects. `after-reads`: once the run has read anything that does not come from the app
 * itself, such as a mail, which may hold instructions of a stranger. A function that throws, or does not answer within the agent's `toolTimeoutMs`, means yes.
 */
export type NeedsApproval =
  | boolean
  | "after-reads"
  | readonly Effect[]
  | ((call: ProposedCall) => boolean | Promise<boolean>);

/** Which rule asks for it; stands in the journal. */
export type ApprovalPolicy = "always" | "effect" | "after-reads" | "function";

/** An approval that is not used by then must be asked for again; one that nobody gave is denied. */
export const APPROVAL_MS: number = 86_400_000;

export async function policyOf(needs: NeedsApproval, call: ProposedCall): Promise<ApprovalPolicy | undefined> {
  if (typeof needs === "boolean") return needs ? "always" : undefined;
  if (needs === "after-reads") return call.afterReads ? "after-reads" : undefined;
  if (typeof needs !== "function") return needs.includes(call.effect) ? "effect" : undefined;
  try {
    return (await needs(call)) === false ? undefined : "function";
  } catch {
    return "function";
  }
}

/** @param refuse throws, with what was expected */
export function checkNeedsApproval(needs: unknown, where: string, refuse: (message: string) => never): void {
  if (typeof needs === "boolean" || typeof needs === "function" || needs === "after-reads") return;
  const known: readonly unknown[] = EFFECTS;
  if (!Array.isArray(needs) || needs.length === 0 || !needs.every((effect) => known.includes(effect)))
    refuse(
      `${where}: expected true, false, "after-reads", a list of effects (${EFFECTS.join(", ")}), or a function, got ${JSON.stringify(needs) ?? typeof needs}.`,
    );
}
