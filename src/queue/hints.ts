/** Hints that a run changed: one subscriber connection for all watched runs. Hints may be lost; a slow poll is the net. */
import type { Store } from "./store.ts";
import { decodeWords, type HeardWords, wordsChannel } from "./words.ts";
import { openSubscriber, type Subscriber } from "./subscriber.ts";

export interface Hint {
  /**
   * Resolves at the next change since `watch` or the last `next`, at the latest after the poll time, or when `signal` aborts.
   * @returns false when there were only words
   */
  next(signal?: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

export interface Hints {
  /** @param onWords told what the run's model writes while it writes it */
  watch(run: string, onWords?: (words: HeardWords) => void): Promise<Hint>;
  close(): Promise<void>;
}

const POLL_MS = 5_000;

interface Watcher {
  /** A change came that nobody has waited for yet. */
  changed: boolean;
  wake: () => void;
  /** Of one that listens to words: told instead. */
  readonly hear?: (message: string) => void;
}

export function openHints(store: Store, onError: (error: Error) => void, pollMs: number = POLL_MS): Hints {
  const watchers = new Map<string, Set<Watcher>>();
  let subscriber: Subscriber | undefined;
  const onMessage = (channel: string, message: string): void => {
    for (const watcher of watchers.get(channel) ?? []) {
      if (watcher.hear === undefined) watcher.changed = true;
      watcher.hear?.(message);
      watcher.wake();
    }
  };
  const connect = (): Subscriber => (subscriber ??= openSubscriber(store.redis, { onMessage, onError }));
  const add = async (channel: string, watcher: Watcher): Promise<() => Promise<void>> => {
    const same = watchers.get(channel) ?? new Set();
    watchers.set(channel, same.add(watcher));
    if (same.size === 1) await connect().add(channel);
    return async () => {
      same.delete(watcher);
      if (same.size > 0 || watchers.get(channel) !== same) return;
      watchers.delete(channel);
      await subscriber?.remove(channel);
    };
  };
  return {
    watch: async (run, onWords) => {
      const watcher: Watcher = { changed: false, wake: () => undefined };
      const stops = [await add(`${store.prefix}run:${run}`, watcher)];
      const hear = (message: string): void => {
        const words = decodeWords(message);
        if (words !== undefined) onWords?.(words);
      };
      if (onWords !== undefined)
        stops.push(await add(wordsChannel(store.prefix, run), { changed: false, wake: () => watcher.wake(), hear }));
      return {
        next: (signal) => waitForChange(watcher, pollMs, signal),
        close: async () => void (await Promise.all(stops.map((stop) => stop()))),
      };
    },
    close: async () => {
      watchers.clear();
      subscriber?.close();
      subscriber = undefined;
    },
  };
}

async function waitForChange(watcher: Watcher, pollMs: number, signal?: AbortSignal): Promise<boolean> {
  let polled = false;
  if (!watcher.changed && signal?.aborted !== true) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        watcher.wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(() => {
        polled = true;
        done();
      }, pollMs);
      signal?.addEventListener("abort", done);
      watcher.wake = done;
    });
  }
  const changed = watcher.changed || polled || signal?.aborted === true;
  watcher.changed = false;
  return changed;
}
