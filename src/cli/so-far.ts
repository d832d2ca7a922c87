/** The events of a live run up to now, out of a stream that goes on until the run ends. */
import type { RunEvent, RunHandle } from "../index.ts";

/** What is written down comes in one piece, without waiting in between: the first event that has to be waited for is in the future. */
export async function* eventsSoFar(run: RunHandle<unknown>): AsyncGenerator<RunEvent, void, void> {
  const events = run.events();
  let next = await events.next();
  while (next.done !== true) {
    yield next.value;
    const coming = events.next();
    const later = new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)));
    const seen = await Promise.race([coming, later]);
    if (seen === undefined) {
      coming.catch(() => undefined); // our connection closes while it waits
      return;
    }
    next = seen;
  }
}
