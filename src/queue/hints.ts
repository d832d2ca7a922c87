/** Hints that a run changed: one subscriber connection for all watched runs. Hints may be lost; a slow poll is the net. */
import type { Store } from "./store.ts";
import { openSubscriber, type Subscriber } from "./subscriber.ts";

export interface Hint {
  /** Resolves at the next change since `watch` or the last `next`, at the latest after the poll time, or when `signal` aborts. */
  next(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface Hints {
  watch(run: string): Promise<Hint>;
  close(): Promise<void>;
}

const POLL_MS = 5_000;

interface Watcher {
  /** A change came that nobody has waited for yet. */
  changed: boolean;
  wake: () => void;
}

export function openHints(store: Store, onError: (error: Error) => void, pollMs: number = POLL_MS): Hints {
  const watchers = new Map<string, Set<Watcher>>();
  let subscriber: Subscriber | undefined;
  const onMessage = (channel: string): void => {
    for (const watcher of watchers.get(channel) ?? []) {
      watcher.changed = true;
      watcher.wake();
    }
  };
  const connect = (): Subscriber => (subscriber ??= openSubscriber(store.redis, { onMessage, onError }));
  return {
    watch: async (run) => {
      const channel = `${store.prefix}run:${run}`;
      const watcher: Watcher = { changed: false, wake: () => undefined };
      const same = watchers.get(channel) ?? new Set();
      watchers.set(channel, same.add(watcher));
      if (same.size === 1) await connect().add(channel);
      return {
        next: (signal) => waitForChange(watcher, pollMs, signal),
        close: async () => {
          same.delete(watcher);
          if (same.size > 0 || watchers.get(channel) !== same) return;
          watchers.delete(channel);
          await subscriber?.remove(channel);
        },
      };
    },
    close: async () => {
      watchers.clear();
      subscriber?.close();
      subscriber = undefined;
    },
  };
}

async function waitForChange(watcher: Watcher, pollMs: number, signal?: AbortSignal): Promise<void> {
  if (!watcher.changed && signal?.aborted !== true) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        watcher.wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(done, pollMs);
      signal?.addEventListener("abort", done);
      watcher.wake = done;
    });
  }
  watcher.changed = false;
}
