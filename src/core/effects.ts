/** What a tool does to the world, and what follows from it when a call was started and no result is known. */

/**
 * - `read`: no effect. `idempotent`: the same arguments again change nothing more. `keyed`: carries our key to a provider that drops repeats.
 * - `staged`: prepares something harmless, then commits it by id. `verifiable`: a reading call can tell whether it happened.
 * - `unsafe`: none of these, and the default for whatever nobody has reviewed.
 */
export type Effect = "read" | "idempotent" | "keyed" | "staged" | "verifiable" | "unsafe";

export const EFFECTS: readonly Effect[] = ["read", "idempotent", "keyed", "staged", "verifiable", "unsafe"];

/** `again`: send it once more. `wait`: its own worker may still settle it. `never`: settle it as unknown. */
export type Resolution =
  | { readonly do: "again" }
  | { readonly do: "wait"; readonly until: number }
  | { readonly do: "never" };

/**
 * An intent without evidence, left by another epoch. A `read` may be sent again at once; all others only after the
 * intent's deadline (Redis ms), when the send it announced can no longer happen.
 * `staged` and `verifiable` need a second tool to look with; until an agent can name one, they are never repeated.
 */
export function resolve(effect: Effect, deadline: number, now: number): Resolution {
  if (effect === "read") return { do: "again" };
  if (now < deadline) return { do: "wait", until: deadline };
  switch (effect) {
    case "idempotent":
    case "keyed":
      return { do: "again" };
    case "staged":
    case "verifiable":
    case "unsafe":
      return { do: "never" };
  }
}
