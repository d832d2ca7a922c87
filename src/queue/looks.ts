/** Wishes for a look, put among the next looks on Redis: a worker that wakes takes them from there (waker.ts). */
import { createHash } from "node:crypto";
import { accountGate } from "../core/gate.ts";
import type { Looks } from "../ports/looks.ts";
import { ASK } from "./scripts/ask.ts";
import type { Store } from "./store.ts";

/** More than the ten minutes during which a signed message is good: five before its time, five after. */
const REMEMBERED_MS = 15 * 60_000;
const SPREAD_MS = 500;

export function redisLooks(store: Store): Looks {
  return {
    ask: async ({ identifier, connection }, message) => {
      const heard = createHash("sha256").update(message).digest("base64url");
      const [answer] = await store.run(ASK, accountGate(identifier, connection), heard, REMEMBERED_MS, SPREAD_MS);
      return answer === "asked";
    },
  };
}
