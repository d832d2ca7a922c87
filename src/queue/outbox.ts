/**
 * Tells the app what happened to authorizations: the scripts write events to a stream, and the processes that wake read it as one
 * consumer group. An event is told at least once, and is done when the app's function has returned. Whoever died with an event in his
 * hands, and whatever failed, is found by the time that nobody has touched it. All waiting is Redis's: nothing is lost with a process.
 */
import type { Redis } from "ioredis";
import type { AuthorizationEvent } from "../core/authorization.ts";
import type { Need } from "../core/run.ts";
import type { Log } from "../ports/log.ts";
import { decodeEvent, type StreamEntry } from "./events.ts";

export interface Outbox {
  /** Takes what is new and what is due again. Resolves when these were told, or failed. */
  pass(): Promise<void>;
  start(): void;
  /** Takes no more; waits for those that are being told. */
  close(): Promise<void>;
}

export interface OutboxOptions {
  readonly redis: Redis;
  /** Of all keys. */
  readonly prefix: string;
  readonly tell: (event: AuthorizationEvent<Need>) => void | Promise<void>;
  readonly log: Log;
  readonly everyMs: number;
  /** Default 10 s. After it the event counts as failed; the app's function may go on. */
  readonly timeoutMs?: number;
  /** ms until an event is told again that was told so many times; longer than the time-out. */
  readonly retryAfterMs?: (told: number) => number;
  /** How often an event is told at most. Default 10. */
  readonly attempts?: number;
}

/** Names in the group are of no use to us: what is due again is found by its age, whoever had it. */
const [GROUP, NAME] = ["app", "any"];
/** A new group starts with what happened a little before it: a worker may have parked runs before this process was there. */
const BEFORE_MS = 3_600_000;
const AT_ONCE = 20;
const READ_AT_ONCE = 100;

/** 15 s, 1 min, 4 min, 16 min, then every hour. */
function backoff(told: number): number {
  return Math.min(15_000 * 4 ** (told - 1), 3_600_000);
}

export function createOutbox(options: OutboxOptions): Outbox {
  const { redis, tell, log, everyMs, timeoutMs = 10_000, retryAfterMs = backoff, attempts = 10 } = options;
  const stream = `${options.prefix}events`;
  /** Identifier → its last event under way: a user's events are told one after the other. */
  const chains = new Map<string, Promise<void>>();
  const underWay = new Set<string>();
  /** Where in the list of those that are not done the next pass looks. */
  let from = "-";
  let isThere = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let closed = false;

  const createGroup = async (): Promise<void> => {
    const [seconds] = await redis.time();
    const start = `${Math.max(0, Number(seconds) * 1_000 - BEFORE_MS)}-0`;
    await redis.xgroup("CREATE", stream, GROUP, start, "MKSTREAM").catch((error: unknown) => {
      if (!(error instanceof Error && error.message.startsWith("BUSYGROUP"))) throw error;
    });
    isThere = true;
  };

  const fresh = async (): Promise<readonly StreamEntry[]> => {
    const free = AT_ONCE - underWay.size;
    if (free <= 0 || closed) return [];
    const read = await redis.xreadgroup("GROUP", GROUP, NAME, "COUNT", free, "STREAMS", stream, ">");
    return (read as [string, StreamEntry[]][] | null)?.[0]?.[1] ?? [];
  };

  /** A part of those that are not done; passes go through all of them by turns. */
  const again = async (): Promise<readonly StreamEntry[]> => {
    const found: StreamEntry[] = [];
    const pending = await redis.xpending(stream, GROUP, "IDLE", retryAfterMs(1), from, "+", READ_AT_ONCE);
    const all = pending as [id: string, consumer: string, idle: number, told: number][];
    from = all.length < READ_AT_ONCE ? "-" : `(${all.at(-1)?.[0] ?? ""}`;
    for (const [id, , idle, told] of all) {
      if (idle < retryAfterMs(told) || underWay.has(id)) continue;
      if (told >= attempts) await giveUp(id, told);
      else if (underWay.size + found.length < AT_ONCE) {
        // Of two who find it only one gets it: claiming makes it young.
        const claimed = await redis.xclaim(stream, GROUP, NAME, retryAfterMs(told), id);
        found.push(...(claimed as StreamEntry[]).filter((entry) => Array.isArray(entry)));
      }
    }
    return found;
  };

  const giveUp = async (id: string, told: number): Promise<void> => {
    await redis.xack(stream, GROUP, id);
    log.error("event.given-up", { id, told });
  };

  const take = (entry: StreamEntry): Promise<void> => {
    const [id] = entry;
    const failed = (error: unknown): void =>
      log.warn("event.not-told", { id, error: error instanceof Error ? error.name : "unknown" });
    let event: AuthorizationEvent<Need>;
    try {
      event = decodeEvent(entry);
    } catch (error) {
      failed(error);
      return Promise.resolve();
    }
    underWay.add(id);
    const told = (chains.get(event.identifier) ?? Promise.resolve())
      .then(() => within(timeoutMs, async () => tell(event)))
      .then(() => redis.xack(stream, GROUP, id))
      .then(() => undefined, failed)
      .finally(() => {
        underWay.delete(id);
        if (chains.get(event.identifier) === told) chains.delete(event.identifier);
      });
    chains.set(event.identifier, told);
    return told;
  };

  /** @returns what it took, each of which resolves when it was told */
  const takeAll = async (): Promise<readonly Promise<void>[]> => {
    if (!isThere) await createGroup();
    try {
      const due = (await again()).map(take);
      return [...due, ...(await fresh()).map(take)];
    } catch (error) {
      // Somebody emptied Redis, or it lost its last writes.
      isThere = !(error instanceof Error && error.message.startsWith("NOGROUP"));
      throw error;
    }
  };

  const schedule = (delayMs: number): void => {
    if (closed) return;
    timer = setTimeout(() => {
      running = takeAll().then(
        (taken) => schedule(taken.length === 0 ? everyMs : 0),
        (error: unknown) => {
          log.warn("outbox.failed", { error: error instanceof Error ? error.message.slice(0, 200) : "unknown" });
          schedule(everyMs);
        },
      );
    }, delayMs);
  };

  return {
    pass: async () => void (await Promise.all(await takeAll())),
    start: () => schedule(0),
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await running;
      await Promise.all(chains.values());
    },
  };
}

async function within(ms: number, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException("it took too long", "TimeoutError")), ms);
  });
  try {
    await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
