/** Time and chance, handed in wherever they matter. */

export interface Clock {
  /** Wall clock, ms since 1970. For messages and links; never for a decision shared between processes (that is Redis time). */
  now(): number;
  /** ms that never go back; for leases and time-outs inside one process. */
  monotonic(): number;
}

export interface Chance {
  /** In [0, 1). For jitter. */
  random(): number;
  /** Unique among all processes, at most 36 characters of letters, digits and dashes. */
  nonce(): string;
}
