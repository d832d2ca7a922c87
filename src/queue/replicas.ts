/**
 * Scripts whose writes must survive a failover: after them, WAIT until replicas of Redis have confirmed (facts/reliability.md F8).
 *
 * WAIT blocks its connection, and counts what was written on it: so both go over one connection that nothing else uses, and what comes
 * while a WAIT is under way shares the next one. A confirmation counts only if script and WAIT went over the same connection to the
 * same server: ioredis sends a pipeline again as a whole or not at all, and what it gave up we send again; scripts carry nonces.
 */
import type { Redis } from "ioredis";
import { TAKES_NO_WRITES } from "./connect.ts";

export interface Durability {
  /** Replicas that must confirm an intent before its call is sent, at least 1. */
  readonly replicas: number;
  /** ms that is waited for them, from 1 to a quarter of `leaseMs`. Default 1,000, or a quarter of `leaseMs` if that is less. */
  readonly timeoutMs?: number;
}

export interface ScriptCall {
  readonly sha: string;
  readonly script: string;
  readonly keys: readonly string[];
  readonly args: readonly (string | number | Buffer)[];
}

export interface KeptReply {
  readonly reply: unknown;
  /** Replicas that have confirmed it in time. */
  readonly replicas: number;
}

export interface Replicas {
  /** Runs the script once, and waits. Rejects as a script does; then it is unknown whether it ran. */
  run(call: ScriptCall): Promise<KeptReply>;
  close(): void;
}

interface Waiting {
  readonly call: ScriptCall;
  readonly resolve: (kept: KeptReply) => void;
  readonly reject: (error: Error) => void;
  /** Redis did not know it by its digest. */
  inFull: boolean;
}

type Result = readonly [error: Error | null, value: unknown];

/** @param mark a key of ours, written before each WAIT */
export function openReplicas(redis: Redis, mark: string, { replicas, timeoutMs }: Required<Durability>): Replicas {
  let lane: Redis | undefined;
  let waiting: Waiting[] = [];
  let sending = false;

  const open = (): Redis => {
    if (lane !== undefined) return lane;
    // A refused script is not sent again by itself, behind the back of its WAIT.
    const reconnectOnError = (error: Error): boolean => TAKES_NO_WRITES.test(error.message);
    lane = redis.duplicate({ lazyConnect: false, reconnectOnError });
    // What is wrong with Redis, the connection it was made from tells.
    lane.on("error", () => undefined);
    return lane;
  };

  /** @returns those to be sent again */
  const round = async (calls: readonly Waiting[]): Promise<Waiting[]> => {
    const pipeline = open().pipeline();
    for (const { call, inFull } of calls) {
      const rest = [call.keys.length, ...call.keys, ...call.args] as const;
      if (inFull) pipeline.eval(call.script, ...rest);
      else pipeline.evalsha(call.sha, ...rest);
    }
    // From Redis 7.2 on, WAIT asks about this connection's own writes; a script that is sent again may write nothing.
    pipeline.set(mark, "1", "PX", 60_000);
    pipeline.wait(replicas, timeoutMs);
    const results = ((await pipeline.exec()) ?? []) as readonly Result[];
    const [refused, confirmed] = results[calls.length + 1] ?? [new Error("no answer to WAIT"), 0];
    return calls.filter((it, i) => {
      const [error, reply] = results[i] ?? [new Error("no answer"), undefined];
      if (error?.message.startsWith("NOSCRIPT") === true) return (it.inFull = true);
      const failure = error ?? refused;
      if (failure !== null && isCut(failure)) return true;
      if (failure !== null) it.reject(failure);
      else it.resolve({ reply, replicas: Number(confirmed) });
      return false;
    });
  };

  const send = async (): Promise<void> => {
    if (sending) return;
    sending = true;
    while (waiting.length > 0) {
      const calls = waiting;
      waiting = [];
      try {
        waiting.unshift(...(await round(calls)));
      } catch (error) {
        for (const { reject } of calls) reject(error instanceof Error ? error : new Error(String(error)));
      }
    }
    sending = false;
  };

  return {
    run: (call) =>
      new Promise((resolve, reject) => {
        waiting.push({ call, resolve, reject, inFull: false });
        void send();
      }),
    close: () => lane?.disconnect(),
  };
}

/** The connection ended amid the pipeline, or its server takes no writes now: ask again, over the next one. */
function isCut({ name, message }: Error): boolean {
  return name === "AbortError" || TAKES_NO_WRITES.test(message) || message.includes("WAIT cannot be used with replica");
}
