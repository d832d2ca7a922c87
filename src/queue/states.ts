/** OAuth states on Redis: hashed, bound to an identifier and a connection, used once, gone when they expire. */
import type { AuthorizationStates } from "../ports/states.ts";
import type { Store } from "./store.ts";

export function redisStates(store: Store, now: () => number): AuthorizationStates {
  const key = (hash: string): string => `${store.prefix}state:${hash}`;
  return {
    put: async (hash, { identifier, connection, expiresAt }) => {
      const left = Math.max(1_000, Math.round(expiresAt - now()));
      await store.redis.set(key(hash), JSON.stringify({ identifier, connection }), "PX", left);
    },
    take: async (hash) => {
      const text = await store.redis.getdel(key(hash));
      return text === null ? undefined : (JSON.parse(text) as { identifier: string; connection: string });
    },
  };
}
