/** Caps hold for all processes that share the keys: the worker that was started last says them, and lines go on by them at once. */
import type { Log } from "../ports/log.ts";
import { decodeTickets } from "./codec.ts";
import { CAPS, FILLED, REFILL } from "./scripts/refill.ts";
import { inSlices } from "./slices.ts";
import type { Store } from "./store.ts";
import type { Tickets } from "./tickets.ts";

export interface Refill {
  /** Resolves when the caps hold; the lines are gone through beside. @param agents all that this process knows */
  start(agents: readonly string[]): Promise<void>;
  /** Resolves when the lines have been gone through, or were left half-way: then the next worker does it. */
  close(): Promise<void>;
}

/** Small enough not to keep other scripts waiting. */
const SLICE = 25;

export function createRefill(store: Store, tickets: Tickets, log: Log): Refill {
  let going: Promise<void> = Promise.resolve();
  let closed = false;
  /** Those that have a slot come first: they count. */
  const goThrough = async (): Promise<void> => {
    for (const status of ["running", "queued"]) {
      let after = "-inf";
      await inSlices(async (): Promise<boolean> => {
        if (closed) return false;
        const [last, ...made] = await store.run(REFILL, status, after, SLICE);
        await tickets.add(decodeTickets(made));
        after = String(last);
        return last !== "";
      });
    }
    if (!closed) await store.run(FILLED);
  };
  return {
    start: async (agents) => {
      const { perIdentifier, perTenant = 0, maxLive = 0, agentCaps } = store.options;
      const own = agents.flatMap((name) => [`agent:${name}`, agentCaps?.get(name) ?? 0]);
      const [mustFill] = await store.run(
        CAPS,
        "identifier",
        perIdentifier,
        "tenant",
        perTenant,
        "total",
        maxLive,
        ...own,
      );
      if (mustFill !== "1" || closed) return;
      going = goThrough().catch((error: unknown) =>
        log.warn("lines.not-filled", { error: error instanceof Error ? error.message.slice(0, 200) : "unknown" }),
      );
    },
    close: async () => {
      closed = true;
      await going;
    },
  };
}
