/** Pieces of answers under way, published on Redis: gathered for a moment, lost if nobody listens, and never waited for. */
import type { Clock } from "../ports/clock.ts";
import type { Words } from "../ports/words.ts";
import type { Store } from "./store.ts";

/** As often as an eye sees. */
const GATHER_MS = 50;
const MOST_CHARS = 4_000;

export interface HeardWords {
  /** Wall clock of the worker, ms. */
  readonly at: number;
  readonly turn: number;
  readonly attempt: number;
  readonly text: string;
}

export function wordsChannel(prefix: string, run: string): string {
  return `${prefix}words:${run}`;
}

export function redisWords({ redis, prefix }: Store, clock: Clock): Words {
  return {
    open(run, { turn, attempt }) {
      let text = "";
      let timer: NodeJS.Timeout | undefined;
      const send = (): void => {
        clearTimeout(timer);
        timer = undefined;
        if (text === "") return;
        const words: HeardWords = { at: clock.now(), turn, attempt, text };
        text = "";
        redis.publish(wordsChannel(prefix, run), JSON.stringify(words)).catch(() => undefined);
      };
      return {
        write(piece) {
          text += piece;
          if (text.length >= MOST_CHARS) send();
          else timer ??= setTimeout(send, GATHER_MS).unref();
        },
        close: send,
      };
    },
  };
}

/** Nothing for what is none. */
export function decodeWords(message: string): HeardWords | undefined {
  try {
    const { at, turn, attempt, text } = JSON.parse(message) as Partial<HeardWords>;
    if (typeof at !== "number" || typeof turn !== "number" || typeof attempt !== "number" || typeof text !== "string")
      return undefined;
    return { at, turn, attempt, text };
  } catch {
    return undefined;
  }
}
