/** Bounds for waiting: in time, and in how many do it at once. */

/** The promise's result, or what `late` makes when `ms` have passed or the signal is aborted first. The promise itself goes on. */
export async function within<T>(
  promise: Promise<T>,
  ms: number,
  signal: AbortSignal | undefined,
  late: () => Error,
): Promise<T> {
  const { promise: ended, reject } = promiseWithReject();
  const giveUp = (): void => reject(late());
  if (signal?.aborted === true) giveUp();
  const timer = setTimeout(giveUp, Math.min(Math.max(0, ms), 2 ** 31 - 1));
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([ended, promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}

function promiseWithReject(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<never>((_resolve, no) => {
    reject = no;
  });
  return { promise, reject };
}

export interface Slots {
  /** Waits for a slot, first come first served. Answers the function that gives it back; to be called once. */
  take(ms: number, signal: AbortSignal | undefined, late: () => Error): Promise<() => void>;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting = new Set<() => void>();
  const giveBack = (): void => {
    const [next] = waiting;
    if (next === undefined) return void free++;
    waiting.delete(next);
    next();
  };
  return {
    async take(ms, signal, late) {
      if (free > 0) {
        free--;
        return giveBack;
      }
      let turn: () => void = () => undefined;
      const granted = new Promise<void>((resolve) => {
        turn = resolve;
      });
      waiting.add(turn);
      try {
        await within(granted, ms, signal, late);
      } catch (error) {
        // Granted in the very moment of giving up: somebody else may have it.
        if (!waiting.delete(turn)) giveBack();
        throw error;
      }
      return giveBack;
    },
  };
}
