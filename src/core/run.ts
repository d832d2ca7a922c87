/** A run: one execution of an agent for one identifier. */
import type { Repeatability } from "./effects.ts";
import type { AtLimit, Limits, RunLimit } from "./limits.ts";
import type { ModelName, Trouble } from "./messages.ts";
import type { JsonSchema } from "./schema.ts";

export const STATUSES = ["queued", "running", "parked", "completed", "failed", "cancelled", "expired"] as const;
export type RunStatus = (typeof STATUSES)[number];
export type FinalStatus = "completed" | "failed" | "cancelled" | "expired";

export function isFinal(status: RunStatus): status is FinalStatus {
  return status === "completed" || status === "failed" || status === "cancelled" || status === "expired";
}

/** The six values of Scalekit's ConnectorStatus (facts/scalekit.md §1.4) and what we add: no account yet. */
export type AccountStatus =
  | "ACTIVE"
  | "EXPIRED"
  | "PENDING_AUTH"
  | "PENDING_VERIFICATION"
  | "DISCONNECTED"
  | "UNSPECIFIED"
  | "NONE";

/** Why an account keeps a run waiting. Each has its own next action. */
export type NeedReason =
  | "not-connected"
  | "pending-auth"
  | "pending-verification"
  | "expired"
  | "disconnected"
  | "missing-scope"
  | "refused";

/** One account that a run waits for. */
export interface Need {
  readonly connection: string;
  readonly reason: NeedReason;
}

/**
 * `rate-limit`: a limit of ours or of a provider, until a moment. `account`: the user must connect. `retry`: a failed attempt, until a moment. `probe`: an ACTIVE account that still refuses.
 * `settling`: a call of a lost worker may still be under way. `outage`, `budget`: the operator's matter, looked at again by itself; `budget` also a limit of tokens or money.
 * `newer-version`: a newer Errand wrote the journal; this one would misread it. `review`: a person must decide, because a tool's
 * definition changed or nobody can know a call's outcome. `approval`: a person must say whether a call may be made.
 * `paused`: an operator stopped what it would begin.
 */
export type ParkReason =
  | "newer-version"
  | "account"
  | "retry"
  | "rate-limit"
  | "probe"
  | "settling"
  | "outage"
  | "budget"
  | "review"
  | "approval"
  | "paused";

/** A tool as frozen into the run. */
export interface FrozenTool extends Repeatability {
  readonly name: string;
  /** What models call it, if `name` is none that providers take. */
  readonly alias?: string;
  readonly description: string;
  readonly parameters: JsonSchema;
  /** Empty for a tool that needs no account. */
  readonly connection: string;
  /** Who makes its calls; absent: Scalekit. */
  readonly source?: string;
  /** Of a source that keeps several: the one that this run started with. It never calls another. */
  readonly version?: string;
  /** The model does not see it: other tools call it, or a look does. */
  readonly hidden?: boolean;
  /** What it reads comes from the app itself, and holds no stranger's words. */
  readonly trusted?: boolean;
  /** Nobody has said what it does: it is `unsafe`, and may read a stranger's words all the same. */
  readonly unsaid?: boolean;
  /** ms for one call; absent: the run's limit. */
  readonly timeoutMs?: number;
  /** Failed attempts of one call before the model is told, if these are fewer than the run's limit. */
  readonly attempts?: number;
  /** Of a keyed tool: the argument that carries our key. The model does not see it. */
  readonly keyArgument?: string;
  /** sha256 of name, description and parameters: what a reviewer has seen. */
  readonly hash: string;
  /** Asked again and again on purpose: its calls are no loop. */
  readonly polling?: boolean;
}

/** What a run keeps from its first preparation, whatever is deployed meanwhile. */
export interface RunContext {
  readonly instructions: string;
  readonly prompt: string;
  readonly profile: string;
  readonly model: string;
  readonly limits: Limits;
  /** Without it: `answer`. */
  readonly atLimit?: AtLimit;
  readonly tools: readonly FrozenTool[];
  readonly connections: readonly string[];
  readonly expiresAfterMs: number;
  /** ms that a person has to approve a call; older journals lack it. */
  readonly approvalMs?: number;
  readonly outputSchema?: JsonSchema;
  /** Asked one after the other when `model` does not answer. */
  readonly fallbacks?: readonly ModelName[];
  /** What differs from `FALLBACK_ON`. */
  readonly fallbackOn?: Readonly<Partial<Record<Trouble, boolean>>>;
}

/** The tools that the model may call. */
export function visibleTools({ tools }: Pick<RunContext, "tools">): readonly FrozenTool[] {
  return tools.filter(({ hidden }) => hidden !== true);
}

/** Why a run failed; a word for programs. */
export type FailureCode =
  | "agent-error"
  | "crashed"
  | "context-overflow"
  | "cost-limit"
  | "empty-answer"
  | "journal-unreadable"
  | "loop"
  | "model-invalid-request"
  | "model-unavailable"
  | "output-invalid"
  | "output-truncated"
  | "refused"
  | "result-limit"
  | "time-limit"
  | "token-limit"
  | "tool-call-limit"
  | "tools-missing"
  | "turn-limit"
  | "unknown-outcome";

/** What a run that fails at a limit says. */
export const LIMIT_CODE: Readonly<Record<RunLimit, FailureCode>> = {
  turns: "turn-limit",
  toolCalls: "tool-call-limit",
  activeMs: "time-limit",
  runResultChars: "result-limit",
  tokens: "token-limit",
  costUsd: "cost-limit",
  loop: "loop",
};
