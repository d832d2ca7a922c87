/** What a tool does to the world, and what follows from it when a call was started and no result is known. */

/**
 * - `read`: no effect. `idempotent`: the same arguments again change nothing more. `keyed`: carries our key to a provider that drops repeats.
 * - `staged`: commits, by id, something that was prepared before. `verifiable`: a reading call can tell whether it happened.
 * - `unsafe`: none of these, and the default for whatever nobody has reviewed.
 */
export type Effect = "read" | "idempotent" | "keyed" | "staged" | "verifiable" | "unsafe";

export const EFFECTS: readonly Effect[] = ["read", "idempotent", "keyed", "staged", "verifiable", "unsafe"];

/**
 * What is done about a call that may have been executed, once nothing can find it out:
 * `tell` the model that nobody knows, and refuse an equal call · `ask` a person, until then the run waits · `fail` the run.
 * `verify`: look with a reading tool first, as for `verifiable`; what the look cannot tell is told to the model.
 */
export type OnUnknown = "tell" | "verify" | "ask" | "fail";

export const ON_UNKNOWN: readonly OnUnknown[] = ["tell", "verify", "ask", "fail"];

/** What of a tool decides about a call without a result. Times in ms. */
export interface Repeatability {
  readonly effect: Effect;
  readonly onUnknown?: OnUnknown;
  /** Of `keyed`: how long after the first attempt the provider still drops a repeat. */
  readonly keyWindowMs?: number;
  /** Of a tool that can be looked after: how long after it has finished a look can be trusted to see what happened. */
  readonly settleMs?: number;
  /**
   * A tool of the app's own that changes nothing but by calls of its own (`ctx.tools.execute`). Those are in the journal, each with
   * its own effect, so it is run again as it is, at once.
   */
  readonly composite?: boolean;
}

/** Stripe keeps keys for at least 24 hours (facts/reliability.md §1.1); less than half of the shortest window that is known. */
export const KEY_WINDOW_MS: number = 8 * 3_600_000;

/** `again`: send it once more. `wait`: its own worker may still settle it. `look`: ask whether it happened. `never`: nobody can know. */
export type Resolution =
  | { readonly do: "again" }
  | { readonly do: "wait"; readonly until: number }
  | { readonly do: "look" }
  | { readonly do: "never" };

/**
 * Redis ms: of the intent of the first attempt that may have been executed; when the last announced send can no longer happen; when the
 * provider is taken to be done with it, whoever still listens; now. `windowMs`: how long after its intent an attempt may still be sent
 * and answered.
 */
export interface Doubt {
  readonly first: number;
  readonly deadline: number;
  readonly finished: number;
  readonly now: number;
  readonly windowMs: number;
}

/**
 * An intent without a definite result, left by another epoch. A `read` may be sent again at once; all others only after the intent's
 * deadline, when the send it announced can no longer happen.
 */
export function resolve(tool: Repeatability, { first, deadline, finished, now, windowMs }: Doubt): Resolution {
  if (tool.effect === "read" || tool.composite === true) return { do: "again" };
  if (now < deadline) return { do: "wait", until: deadline };
  switch (tool.effect) {
    case "idempotent":
      return { do: "again" };
    case "keyed":
      // The next attempt must reach the provider while it still knows the key, not only be decided by then.
      return now + windowMs < first + (tool.keyWindowMs ?? KEY_WINDOW_MS) ? { do: "again" } : { do: "never" };
    case "staged":
    case "verifiable":
      return look(tool, finished, now);
    case "unsafe":
      return tool.onUnknown === "verify" ? look(tool, finished, now) : { do: "never" };
  }
}

function look({ settleMs = 0 }: Repeatability, finished: number, now: number): Resolution {
  const until = finished + settleMs;
  return now < until ? { do: "wait", until } : { do: "look" };
}

/** Whether a tool of this kind is sent again as it is, without a look. */
export function isRepeatable(effect: Effect): boolean {
  return effect === "read" || effect === "idempotent" || effect === "keyed";
}
