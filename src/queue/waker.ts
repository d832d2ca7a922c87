/** The net below everything: reads the next looks that are due, makes tickets again, wakes runs, and looks at gates (DESIGN §4). */
import type { Log } from "../ports/log.ts";
import { decodeTickets } from "./codec.ts";
import type { Gatekeeper } from "./gatekeeper.ts";
import { DUE } from "./scripts/due.ts";
import type { Store } from "./store.ts";
import type { Tickets } from "./tickets.ts";

export interface Waker {
  /** One pass over what is due; answers in how many ms the next look is due, if any is known. */
  pass(): Promise<number | undefined>;
  start(): void;
  close(): Promise<void>;
}

const MOST_AT_ONCE = 100;
/** Accounts looked at side by side: the Scalekit client bounds its own calls as well. */
const LOOKS_AT_ONCE = 10;

export function createWaker(store: Store, tickets: Tickets, gatekeeper: Gatekeeper, log: Log, everyMs: number): Waker {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let closed = false;

  const pass = async (): Promise<number | undefined> => {
    const [next, due, ...made] = await store.run(DUE, MOST_AT_ONCE);
    await tickets.add(decodeTickets(made));
    const gates = String(due).split(" ").filter(Boolean);
    for (let i = 0; i < gates.length; i += LOOKS_AT_ONCE)
      await Promise.all(gates.slice(i, i + LOOKS_AT_ONCE).map((gate) => gatekeeper.look(gate)));
    return next === "" ? undefined : Number(next);
  };

  const schedule = (delayMs: number): void => {
    if (closed) return;
    timer = setTimeout(() => {
      running = pass().then(
        (next) => schedule(Math.min(everyMs, Math.max(20, next ?? everyMs))),
        (error: unknown) => {
          log.warn("waker.failed", { error: error instanceof Error ? error.message.slice(0, 200) : "unknown" });
          schedule(everyMs);
        },
      );
    }, delayMs);
  };

  return {
    pass,
    start: () => schedule(0),
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
