/**
 * Kills Redis, and tells whether Redis itself lost anything that it had acknowledged. It normally does not: what a reply was sent for is
 * in the AOF's file, and the page cache survives the process. But with `everysec` it puts off that write while a slow fsync is under
 * way; then the end of the file is missing, and no queue on earth could know. A counter that is raised until the last moment shows it.
 */
import { setTimeout as after } from "node:timers/promises";
import { Redis } from "ioredis";
import type { RedisServer } from "../../src/testing/index.ts";
import type { Loss } from "./recorded.ts";

/** Counting starts so long before the kill. */
const COUNT_FOR_MS = 40;
/** Redis puts a write off for at most two seconds. */
const MOST_PUT_OFF_MS = 2_500;
const KEY = "torture-witness";

/** @param direct a connection past the proxy. Resolves when Redis answers again. */
export async function killRedis(server: RedisServer, direct: Redis): Promise<Loss | undefined> {
  /** When which count was acknowledged. */
  const acked: { readonly count: number; readonly at: number }[] = [];
  // It must not send again what was under way.
  const counter = new Redis(server.url, { retryStrategy: null });
  counter.on("error", () => undefined);
  const counting = (async () => {
    for (;;) acked.push({ count: await counter.incr(KEY), at: Date.now() });
  })();
  const ended = counting.catch(() => undefined);
  await after(COUNT_FOR_MS);
  await server.kill("SIGKILL");
  await ended;
  counter.disconnect();
  const to = Date.now();
  const last = acked.at(-1);
  await server.restart();
  const found = Number((await direct.get(KEY)) ?? 0);
  if (last === undefined || found >= last.count) return undefined;
  const kept = acked.findLast(({ count }) => count <= found);
  return { from: kept?.at ?? to - MOST_PUT_OFF_MS, to, writes: last.count - found };
}
