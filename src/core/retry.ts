/** Waiting times, and which failures are waited for. Pure: the random number comes in. */
import type { FailureClass } from "./messages.ts";
import type { Refusal } from "./outcome.ts";
import type { FailureCode, ParkReason } from "./run.ts";

export interface Backoff {
  /** ms before the second attempt, before jitter. */
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): uniform in [0, min(cap, base·2^(attempt−1))], but never
 * below a tenth of it, so that a retry is never immediate. A provider's Retry-After wins when it is longer.
 * @param attempt failed attempts so far, from 1
 * @param random in [0, 1)
 */
export function backoffMs(attempt: number, random: number, backoff: Backoff, retryAfterMs = 0): number {
  const ceiling = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.max(Math.round(ceiling * (0.1 + 0.9 * random)), Math.round(retryAfterMs));
}

const MODEL: Backoff = { baseMs: 2_000, capMs: 300_000 };
const TOOL: Backoff = { baseMs: 1_000, capMs: 60_000 };
export const OPERATOR_BACKOFF: Backoff = { baseMs: 30_000, capMs: 900_000 };

/**
 * What is done about a failed attempt of one step. `counts`: against the step's attempts, and when those are used up it is over. What
 * does not count is waited for as long as it takes: it is no fault of the step's.
 */
export interface Retry {
  readonly parks: ParkReason;
  readonly counts: boolean;
  readonly backoff: Backoff;
  /** No wait helps: the run ends with it, at once. */
  readonly ends?: FailureCode;
}

export const MODEL_RETRY: Readonly<Record<FailureClass, Retry>> = {
  retry: { parks: "retry", counts: true, backoff: MODEL },
  "rate-limit": { parks: "rate-limit", counts: false, backoff: MODEL },
  billing: { parks: "budget", counts: false, backoff: OPERATOR_BACKOFF },
  credentials: { parks: "outage", counts: false, backoff: OPERATOR_BACKOFF },
  context: { parks: "retry", counts: true, backoff: MODEL, ends: "context-overflow" },
  invalid: { parks: "retry", counts: true, backoff: MODEL, ends: "model-invalid-request" },
};

/**
 * A tool call that was certainly not executed; why the run parks then, and what counts, says `reasonOf`. Replicas come back, and people
 * approve, sooner than somebody changes a secret or deploys a tool.
 */
export const TOOL_RETRY: Readonly<Record<Refusal, Backoff>> = {
  account: TOOL,
  scope: TOOL,
  "rate-limit": TOOL,
  unavailable: TOOL,
  suspended: TOOL,
  store: MODEL,
  approval: MODEL,
  credentials: OPERATOR_BACKOFF,
  version: OPERATOR_BACKOFF,
};

/** Scalekit itself, asked about accounts. */
export const OUTAGE_BACKOFF: Backoff = MODEL;
