/**
 * A store whose scripts read the time from a key of the test's instead of from Redis: a year passes in a minute, and nothing of what runs
 * knows. The scripts are the real ones, but for that one line.
 */
import type { Store } from "../../src/queue/store.ts";

export interface ManualTime {
  readonly store: Store;
  now(): number;
  /** ms since 1970; only ever later. */
  set(ms: number): Promise<void>;
}

const READS_TIME = "local t = redis.call('TIME')";
const READS_OURS = "local t = redis.call('LRANGE', ARGV[1] .. 'manual-time', 0, 1)";

/** A store whose clock stands still: whatever is done there is done in one millisecond. */
export function stillTime(store: Store, at: number): Store {
  const ours = `local t = { ${Math.floor(at / 1_000)}, ${(at % 1_000) * 1_000} }`;
  const still = (script: string): string => script.replace(READS_TIME, ours);
  return {
    ...store,
    run: (script, ...args) => store.run(still(script), ...args),
    runKept: (script, ...args) => store.runKept(still(script), ...args),
  };
}

const changed = new Map<string, string>();

function withOurTime(script: string): string {
  const known = changed.get(script);
  if (known !== undefined) return known;
  if (!script.includes(READS_TIME)) throw new Error("expected a script that reads Redis' time as shared.ts does");
  const made = script.replace(READS_TIME, READS_OURS);
  changed.set(script, made);
  return made;
}

export async function manualTime(store: Store, start: number): Promise<ManualTime> {
  let now = start;
  const key = `${store.prefix}manual-time`;
  const set = async (ms: number): Promise<void> => {
    now = ms;
    await store.redis
      .multi()
      .del(key)
      .rpush(key, Math.floor(ms / 1000), (ms % 1000) * 1000)
      .exec();
  };
  await set(start);
  return {
    store: {
      ...store,
      run: (script, ...args) => store.run(withOurTime(script), ...args),
      runKept: (script, ...args) => store.runKept(withOurTime(script), ...args),
    },
    now: () => now,
    set,
  };
}
