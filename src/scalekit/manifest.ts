/**
 * What the tools of Scalekit's connectors do to the world. How it was reviewed: each name against its description in Scalekit's
 * catalogue (facts/seeds.md C.6) and the provider's own reference, asking one question: after a call whose answer was lost, may it be
 * made once more with the same arguments?
 * - `read`: changes nothing. (That a message fetched by an API counts as read is not so at these providers.)
 * - `idempotent`: sets a state, or takes away what may be gone already; a repeat changes nothing more. A repeat may answer with an
 *   error (deleted already), which tells the truth.
 * - `unsafe`: makes or sends something new each time (messages, drafts, comments, events, labels), and none of these takes a key.
 *
 * A review is of one definition, pinned by its hash; these are the definitions of the emulated connectors (src/testing/connectors). A
 * tool with another one is nobody's until the app's own errand.tools.json says so.
 */
import type { Effect } from "../core/effects.ts";
import type { ShippedReview } from "../core/ruling.ts";
import { IDEMPOTENT, type Pins, READ, UNSAFE } from "./reviewed.ts";

const SHIPPED: ReadonlyMap<string, ShippedReview> = new Map([
  ...reviews(READ, "read"),
  ...reviews(IDEMPOTENT, "idempotent"),
  ...reviews(UNSAFE, "unsafe"),
]);

function reviews(pins: Pins, effect: Effect): (readonly [string, ShippedReview])[] {
  return Object.entries(pins).map(([name, hashes]) => [name, { effect, hashes: [hashes].flat() }]);
}

/** The review of the tool of this name, whichever definitions it was of. */
export function shippedReview(tool: string): ShippedReview | undefined {
  return SHIPPED.get(tool);
}
