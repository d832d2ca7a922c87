/**
 * Long work on Redis, a slice at a time. Redis does one thing after the other, so slices back to back would make everybody wait for one at
 * each of their commands. After each slice Redis belongs to the others for twice as long as the slice took, its own waiting included: the
 * busier Redis is, the slower this goes. Nothing waits for its end: what a slice has moved goes on at once.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** ms. Below the first, a timer is no shorter; above the second, a Redis that stands still says nothing about its load. */
const [LEAST, MOST] = [1, 25];

/** Resolves after so many ms. */
export type Pause = (ms: number) => Promise<unknown>;

/** @param slice answers whether there is more to do */
export async function inSlices(slice: () => Promise<boolean>, pause: Pause = sleep): Promise<void> {
  for (;;) {
    const began = performance.now();
    if (!(await slice())) return;
    await pause(Math.min(MOST, Math.max(LEAST, 2 * (performance.now() - began))));
  }
}
