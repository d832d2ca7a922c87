/**
 * How far this process's clock is from Redis's. No decision that processes share is made by it, but BullMQ counts delays by it, messages
 * and links carry it, and people compare logs: a wrong one is told at the start, and for as long as it is wrong.
 */
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Store } from "./store.ts";

/** More than any answer takes. */
export const MOST_SKEW_MS = 2_000;
const EVERY_MS = 60_000;

export interface SkewWatch {
  /** ms by which this clock is ahead of Redis's, behind it below 0; none before the first look. */
  readonly skewMs: number | undefined;
  /** Looks now. */
  look(): Promise<void>;
  start(): void;
  close(): void;
}

export function watchSkew({ redis }: Store, clock: Clock, log: Log, everyMs: number = EVERY_MS): SkewWatch {
  let skewMs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    const before = clock.monotonic();
    const [seconds = 0, micros = 0] = (await redis.time()).map(Number);
    const took = clock.monotonic() - before;
    const ahead = clock.now() - took / 2 - (seconds * 1_000 + micros / 1_000);
    // Half of the way is all that an answer may have been on it.
    const sure = Math.abs(ahead) - took / 2;
    skewMs = Math.round(ahead);
    if (sure > MOST_SKEW_MS) log.error("clock.skewed", { ms: skewMs, atMost: MOST_SKEW_MS });
  };
  const quietly = (): void =>
    void look().catch((error: unknown) =>
      log.warn("clock.unknown", { error: error instanceof Error ? error.name : "unknown" }),
    );
  return {
    get skewMs() {
      return skewMs;
    },
    look,
    start: () => {
      quietly();
      timer ??= setInterval(quietly, everyMs);
    },
    close: () => clearInterval(timer),
  };
}
