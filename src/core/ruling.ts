/** Whose word about a tool counts: the app's review, its code, the review that comes with Errand, a trusted server's hints, or nobody's. */
import type { Effect } from "./effects.ts";
import type { ManifestEntry } from "./manifest.ts";

/** A review that comes with Errand: the effect of a tool, and the definitions that were looked at. */
export interface ShippedReview {
  readonly effect: Effect;
  readonly hashes: readonly string[];
}

/** What a server says of its own tool, such as MCP's annotations. Never believed unless the operator trusts the server. */
export interface TrustHints {
  readonly trusted: boolean;
  readonly readOnly?: boolean;
  readonly idempotent?: boolean;
}

/** All that is said of a tool with this definition. */
export interface Sayings {
  readonly hash: string;
  readonly entry?: ManifestEntry | undefined;
  /** `ToolUse.effect`: what the agent's code says. */
  readonly declared?: Effect | undefined;
  readonly shipped?: ShippedReview | undefined;
  readonly hints?: TrustHints | undefined;
}

/** Whose word it is. `unreviewed`: an entry that waits for its review. `nobody`: nobody has said anything. */
export type Source = "manifest" | "unreviewed" | "code" | "shipped" | "hints" | "nobody";

export type Ruling =
  | { readonly is: "enabled"; readonly effect: Effect; readonly from: Source }
  /** The app reviewed another definition of the tool: it is disabled until somebody has read this one. */
  | { readonly is: "changed"; readonly reviewed: string };

/** Whether the effect is only the strictest one because nobody knows another. */
export function isUnsaid(from: Source): boolean {
  return from === "nobody" || from === "unreviewed";
}

/** In this order; the first who says something counts, but no code makes a reviewed effect laxer, nor a review what the code says. */
export function ruleOn({ hash, entry, declared, shipped, hints }: Sayings): Ruling {
  const enabled = (effect: Effect, from: Source): Ruling => ({ is: "enabled", effect, from });
  if (entry !== undefined) {
    if (entry.hash !== hash) return { is: "changed", reviewed: entry.hash };
    if (!entry.reviewed) return enabled("unsafe", "unreviewed");
    if (declared === undefined || isStricter(entry.effect, declared)) return enabled(entry.effect, "manifest");
    return enabled(declared, declared === entry.effect ? "manifest" : "code");
  }
  if (declared !== undefined) return enabled(declared, "code");
  if (shipped?.hashes.includes(hash) === true) return enabled(shipped.effect, "shipped");
  // The place for MCP: its own defaults (nothing said: destructive, not idempotent) are `unsafe` as well.
  if (hints?.trusted === true && hints.readOnly === true) return enabled("read", "hints");
  if (hints?.trusted === true && hints.idempotent === true) return enabled("idempotent", "hints");
  return enabled("unsafe", "nobody");
}

/** `staged` and `verifiable` are as strict as each other: of these two the code's word counts, since only code can say how to look. */
const STRICTNESS: Readonly<Record<Effect, number>> = {
  read: 0,
  idempotent: 1,
  keyed: 2,
  staged: 3,
  verifiable: 3,
  unsafe: 4,
};

function isStricter(one: Effect, other: Effect): boolean {
  return STRICTNESS[one] > STRICTNESS[other];
}
