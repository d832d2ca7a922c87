/**
 * Whether a wake of one account touches keys of another: MONITOR shows every command that Redis executes, those inside scripts too.
 * Also used by test/queue/wake-keys.test.ts.
 */
import { once } from "node:events";
import type { Redis } from "ioredis";

export interface Touched {
  readonly commands: number;
  /** Keys under the prefix, each once. */
  readonly keys: readonly string[];
  /** Every word of every command that concerns the prefix: members and values as well. */
  readonly words: readonly string[];
}

/** What commands name while `work` is done. Others may use the same Redis under prefixes of their own. */
export async function touchedBy(redis: Redis, prefix: string, work: () => Promise<unknown>): Promise<Touched> {
  const keys = new Set<string>();
  const words = new Set<string>();
  let commands = 0;
  const monitor = await redis.monitor();
  const end = `end of ${prefix}`;
  try {
    const seenAll = new Promise<void>((resolve) => {
      monitor.on("monitor", (_at: string, command: string[]) => {
        if (command[1] === end) return resolve();
        if (!command.some((word) => word.startsWith(prefix))) return;
        commands++;
        for (const word of command) {
          words.add(word);
          if (word.startsWith(prefix) && word.length > prefix.length) keys.add(word);
        }
      });
    });
    await work();
    await redis.echo(end);
    await Promise.race([seenAll, once(monitor, "end").then(() => Promise.reject(new Error("MONITOR ended")))]);
    return { commands, keys: [...keys].toSorted(), words: [...words] };
  } finally {
    monitor.disconnect();
  }
}

export interface Owner {
  readonly gate: string;
  readonly identifier: string;
  readonly agent: string;
  readonly runs: readonly string[];
}

/** What all share: lists, next looks, rounds, events, numbers, the queue. None of them grows with one account's runs alone. */
const SHARED =
  /^(looks|events|sequence|turn|caps|switches|weights|used|tenants|(busy|waits|ready):all|runs:(all|ended|status:[a-z]+)|auths(:connection:[^:]+)?|sweep:[^:]+|heard:[\w-]+|q:[\w.-]+:([a-z-]*|[a-z]+:[a-z]*))$/;

/** Keys that are neither the account's own nor everybody's, and words that name a neighbour. */
export function foreign(
  { keys, words }: Touched,
  prefix: string,
  owner: Owner,
  neighbours: readonly string[],
): string[] {
  const { gate, identifier, agent, runs } = owner;
  const own = new Set([
    ...["gate:", "auth:", "asked:"].map((kind) => kind + gate),
    `gate:${gate}:w`,
    `auth:${gate}:n`,
    ...["busy:i:", "waits:i:", "ready:i:", "auths:identifier:", "runs:identifier:", `unfinished:${agent}:`].map(
      (kind) => kind + identifier,
    ),
    ...["line", "live"].map((kind) => `${kind}:default:${identifier} ${agent}`),
  ]);
  const isOwnRun = (name: string): boolean => runs.some((run) => new RegExp(`^(run|q:default):${run}\\b`).test(name));
  const unknown = keys.filter((key) => {
    const name = key.slice(prefix.length);
    return !own.has(name) && !SHARED.test(name) && !isOwnRun(name);
  });
  const named = words.filter((word) => neighbours.some((neighbour) => word.includes(neighbour)));
  return [...new Set([...unknown, ...named])];
}
