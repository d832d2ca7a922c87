/** Order among things that are done at the same time. */

/** A round of everything that can go on now. */
export async function afterOthers(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/** At most so many at once, in the order in which they come. */
export function turnstile(places: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = places;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
