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
/** More connections than an agent may have. */
const MOST_GATES = 100;

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
      const ask = async (gate: string, told: string): Promise<boolean> => {
        const heard = createHash("sha256").update(told).digest("base64url");
        const [answer] = await store.run(ASK, gate, heard, REMEMBERED_MS, SPREAD_MS);
        return answer === "asked";
      };
      if (connection !== undefined) return ask(accountGate(identifier, connection), message);
      const index = `${store.prefix}auths:identifier:${encodeURIComponent(identifier)}`;
      const gates = await store.redis.zrange(index, "0", String(MOST_GATES - 1));
      // Each is heard by itself: told again because one was lost, the others are not looked at twice.
      return (await Promise.all(gates.map((gate) => ask(gate, `${message} ${gate}`)))).includes(true);
    },
  };
}
