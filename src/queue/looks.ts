/** Wishes for a look, put among the next looks on Redis: a worker that wakes takes them from there (waker.ts). */
import { createHash } from "node:crypto";
import { accountGate } from "../core/gate.ts";
import type { Looks } from "../ports/looks.ts";
import { ASK } from "./scripts/ask.ts";
import type { Store } from "./store.ts";
import { openSubscriber } from "./subscriber.ts";

/** More than the ten minutes during which a signed message is good: five before its time, five after. */
const REMEMBERED_MS = 15 * 60_000;
const SPREAD_MS = 500;

/**
 * Calls `listener` soon after each wish, from any process, over a connection of its own. It is a hint: lost while that connection is
 * away, and then the next pass finds the wish.
 */
export function hearWishes(store: Store, listener: () => void, onError: (error: Error) => void): { close(): void } {
  const subscriber = openSubscriber(store.redis, { onMessage: listener, onError });
  subscriber.add(`${store.prefix}looks`).catch(() => undefined);
  return subscriber;
}

export function redisLooks(store: Store): Looks {
  return {
    ask: async ({ identifier, connection }, message) => {
      const heard = createHash("sha256").update(message).digest("base64url");
      const [answer] = await store.run(ASK, accountGate(identifier, connection), heard, REMEMBERED_MS, SPREAD_MS);
      return answer === "asked";
    },
  };
}
