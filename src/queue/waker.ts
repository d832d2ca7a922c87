/**
 * The net below everything: reads the next looks that are due, makes tickets again, wakes runs, and sweeps the gates (DESIGN §4). Runs
 * never wait for Scalekit: a sweep goes on beside the passes, however long it takes. A wish for a look brings the next pass forward.
 */
import type { Log } from "../ports/log.ts";
import { decodeTickets } from "./codec.ts";
import type { Gatekeeper } from "./gatekeeper.ts";
import { hearWishes } from "./looks.ts";
import { DUE } from "./scripts/due.ts";
import { SWEEP } from "./scripts/sweep.ts";
import type { Store } from "./store.ts";
import type { Tickets } from "./tickets.ts";

export interface Waker {
  /** One pass over what is due; answers in how many ms the next look is due, if any is known. Starts sweeps and does not wait for them. */
  pass(): Promise<number | undefined>;
  /** Resolves when no sweep is under way. */
  idle(): Promise<void>;
  start(): void;
  /** Waits for what is under way; a sweep ends after the calls that it has made. */
  close(): Promise<void>;
}

const MOST_AT_ONCE = 100;
/** Gates taken into a round by one script: it must not keep others waiting. */
const GATES_AT_ONCE = 2_000;
/** Between two passes at least: wishes that come together are looked at together. */
const SOON_MS = 20;

export function createWaker(store: Store, tickets: Tickets, gatekeeper: Gatekeeper, log: Log, everyMs: number): Waker {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let closed = false;
  let wishes: ReturnType<typeof hearWishes> | undefined;
  const stopping = new AbortController();
  /** By connection. A round that comes while the last one is still under way is left out: its gates are in the next one. */
  const sweeps = new Map<string | symbol, Promise<unknown>>();
  const failed = (error: unknown): void =>
    log.warn("waker.failed", { error: error instanceof Error ? error.message.slice(0, 200) : "unknown" });

  const pass = async (): Promise<number | undefined> => {
    const [next, rounds, asked, ...made] = await store.run(DUE, MOST_AT_ONCE);
    for (const round of words(rounds)) if (!sweeps.has(round)) start(round, sweep(round));
    const gates = words(asked);
    // No round under way makes these wait: whoever asked knows something that it may have missed.
    if (gates.length > 0) start(Symbol("asked"), gatekeeper.sweep(gates, stopping.signal));
    await tickets.add(decodeTickets(made));
    return next === "" ? undefined : Number(next);
  };

  const start = (name: string | symbol, work: Promise<unknown>): void => {
    const sweeping = work.catch(failed).finally(() => sweeps.delete(name));
    sweeps.set(name, sweeping);
  };

  /** All gates of the round first, so that one listing of the connection's accounts serves them all. */
  const sweep = async (round: string): Promise<void> => {
    const due: string[] = [];
    for (let moment = "", more = true; more && !stopping.signal.aborted;) {
      const [at, read, ...gates] = await store.run(SWEEP, round, GATES_AT_ONCE, moment);
      for (const gate of gates) due.push(String(gate));
      moment = String(at);
      more = Number(read) === GATES_AT_ONCE;
    }
    await gatekeeper.sweep(due, stopping.signal);
  };

  /** `wished`: a wish came since the last pass began. */
  let [passing, wished] = [false, false];
  const schedule = (delayMs: number): void => {
    if (closed) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      [passing, wished] = [true, false];
      running = pass()
        .then(
          (next) => Math.min(everyMs, Math.max(SOON_MS, next ?? everyMs)),
          (error: unknown) => {
            failed(error);
            return everyMs;
          },
        )
        .then((next) => {
          passing = false;
          schedule(wished ? SOON_MS : next);
        });
    }, delayMs);
  };
  const hurry = (): void => {
    if (wished) return;
    wished = true;
    if (!passing) schedule(SOON_MS);
  };

  const idle = async (): Promise<void> => void (await Promise.all(sweeps.values()));

  return {
    pass,
    idle,
    start: () => {
      schedule(0);
      wishes = hearWishes(store, hurry, (error) => log.warn("wishes.error", { error: error.name }));
    },
    close: async () => {
      closed = true;
      wishes?.close();
      clearTimeout(timer);
      stopping.abort();
      await running;
      await idle();
    },
  };
}

function words(text: unknown): string[] {
  return String(text).split(" ").filter(Boolean);
}
