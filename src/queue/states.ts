/**
 * Links and OAuth states on Redis. Whether a second link ends the first is not documented, so there is one at a time: clicks of a
 * user within its life share it, whichever process they reach.
 *
 * L1 A link's URL bears the user's consent. It is in Redis in clear, for at most half of the link's life and ten minutes, and is
 *    taken away when the user returns. States are there only as their hash.
 * L2 Whoever gets a shared link has at least half of its life left to consent.
 * L3 Whether a link is used up by opening it is not documented either: it is given out a few times only, so that a dead one never
 *    keeps a user out for long.
 */
import { createHash } from "node:crypto";
import { accountGate } from "../core/gate.ts";
import type { AuthorizationRequest, AuthorizationStates } from "../ports/states.ts";
import { LINK_BEGIN, LINK_GIVE_UP, LINK_KEEP, STATE_TAKE } from "./scripts/link.ts";
import type { Store } from "./store.ts";

/** A caller that takes longer, or died, has lost its turn. */
const CLAIM_MS = 15_000;
const SHARED_MS = 10 * 60_000;
const GIVEN_OUT_AGAIN = 2;
/** Clicks so close to each other are one: a double click, a reload, tabs opened together. */
const BURST_MS = 5_000;

export function redisStates(store: Store, now: () => number): AuthorizationStates {
  return {
    begin: async (request, nonce) => {
      const [kind, url] = await store.run(LINK_BEGIN, linkName(request), nonce, now(), CLAIM_MS, BURST_MS);
      if (kind === "link") return { kind, url: String(url) };
      return { kind: kind === "busy" ? "busy" : "make" };
    },
    keep: async (request, { stateHash, url, expiresAt }) => {
      const at = now();
      const left = Math.max(1_000, Math.round(expiresAt - at));
      const shared = Math.min(Math.floor(left / 2), SHARED_MS);
      const { identifier, connection } = request;
      const state = [stateHash, identifier, connection, url, at + left, left] as const;
      await store.run(LINK_KEEP, linkName(request), ...state, at + shared, shared, GIVEN_OUT_AGAIN, at);
    },
    giveUp: async (request, nonce) => {
      await store.run(LINK_GIVE_UP, linkName(request), nonce);
    },
    take: async (stateHash, nonce) => {
      const [answer, identifier, connection] = await store.run(STATE_TAKE, stateHash, nonce, now());
      if (answer === "none") return undefined;
      return { identifier: String(identifier), connection: String(connection), used: answer === "used" };
    },
  };
}

/** Another return address is another link: `errand connect` on a laptop and the app's own pages never share one. */
function linkName({ identifier, connection, returnTo }: AuthorizationRequest): string {
  const scope = createHash("sha256").update(returnTo).digest("hex").slice(0, 16);
  return `${scope}:${accountGate(identifier, connection)}`;
}
