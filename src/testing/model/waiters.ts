/** Tests wait for a request instead of sleeping: predicates over the requests that came and those to come. */

interface Waiter<T> {
  readonly predicate: (item: T) => boolean;
  readonly resolve: (item: T) => void;
  readonly reject: (error: Error) => void;
}

export interface Waiters<T> {
  waitFor(predicate: (item: T) => boolean): Promise<T>;
  /** To be called when an item arrived or changed. */
  look(item: T): void;
  /** Rejects all who wait and all who will. */
  end(): void;
}

export function createWaiters<T>(items: readonly T[]): Waiters<T> {
  const waiting = new Set<Waiter<T>>();
  let ended = false;
  const over = (): Error => new Error(`The scripted model was closed; no request matched (${items.length} came)`);

  // A predicate that throws fails the test that gave it, not the request it looked at.
  function offer(waiter: Waiter<T>, item: T): boolean {
    try {
      if (!waiter.predicate(item)) return false;
      waiter.resolve(item);
    } catch (error) {
      waiter.reject(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  return {
    waitFor(predicate) {
      return new Promise((resolve, reject) => {
        const waiter = { predicate, resolve, reject };
        if (items.some((item) => offer(waiter, item))) return;
        if (ended) reject(over());
        else waiting.add(waiter);
      });
    },
    look(item) {
      for (const waiter of waiting) if (offer(waiter, item)) waiting.delete(waiter);
    },
    end() {
      ended = true;
      for (const waiter of waiting) waiter.reject(over());
      waiting.clear();
    },
  };
}
