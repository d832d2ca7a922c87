/** Cool-downs: the counterpart of src/queue/scripts/cool.ts. */
import type { Closing, CoolReason } from "../../src/ports/asking.ts";
import { entry } from "./maps.ts";
import type { StoreMutant } from "./store-mutants.ts";

const WIDER = 3;
const REMEMBER_MS = 3_600_000;

export interface Cooled {
  until: number;
  why: CoolReason;
  strikes: number;
  by: string;
  first: boolean;
}

export interface MemoryCooling {
  readonly cools: Map<string, Cooled>;
  coolOf(key: string): Cooled | undefined;
  close(key: string, closing: Closing): { readonly until: number; readonly first: boolean };
  closed(keys: readonly string[]): { readonly until: number; readonly why: CoolReason } | undefined;
}

export function createMemoryCooling(now: () => number, is: (mutant: StoreMutant) => boolean): MemoryCooling {
  const cools = new Map<string, Cooled>();
  const cooled = new Map<string, Map<string, number>>();
  const coolOf = (key: string): Cooled | undefined => {
    const found = cools.get(key);
    return found !== undefined && found.until + REMEMBER_MS > now() ? found : undefined;
  };
  return {
    cools,
    coolOf,
    close(key, { why, retryAfterMs, backoff, random, nonce, wider }) {
      const was = coolOf(key);
      if (was?.by === nonce) return { until: was.until, first: was.first };
      const last = was?.until ?? 0;
      const strikes = (was?.strikes ?? 0) + (last > now() && was?.why === why ? 0 : 1);
      const ceiling = Math.min(backoff.capMs, backoff.baseMs * 2 ** (Math.max(1, Math.min(strikes, 30)) - 1));
      const wish = retryAfterMs ?? Math.floor(ceiling * (0.1 + 0.9 * random) + 0.5);
      if (was !== undefined && last > now() && was.why !== "rate-limit" && why === "rate-limit")
        return { until: last, first: false };
      const longest = !is("cool-shortens") && last > now() && was?.why === why && why === "rate-limit" ? last : 0;
      const until = Math.max(longest, now() + wish);
      const first = was?.why !== why;
      cools.set(key, { until, why, strikes, by: nonce, first });
      if (wider !== undefined) {
        const narrow = entry(cooled, wider, () => new Map<string, number>());
        narrow.set(key, now());
        for (const [name, at] of Array.from(narrow)) if (at <= now() - 60_000) narrow.delete(name);
        const above = Math.max(coolOf(wider)?.until ?? 0, until);
        if (narrow.size >= WIDER) cools.set(wider, { until: above, why, strikes: 1, by: nonce, first: false });
      }
      return { until, first };
    },
    closed(keys) {
      const found = keys.flatMap((key) => coolOf(key) ?? []).filter(({ until }) => until > now());
      const [longest] = found.toSorted((a, b) => b.until - a.until);
      return longest && { until: longest.until, why: longest.why };
    },
  };
}
