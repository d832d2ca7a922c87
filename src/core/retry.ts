/** Waiting times. Pure: the random number comes in. */

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
