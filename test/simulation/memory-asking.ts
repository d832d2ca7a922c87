/** What runs ask for before they do it, and cool-downs: the counterpart of src/queue/scripts/admit.ts and cool.ts. */
import type { Ask, Closing, CoolReason, DayBudget, Settlement, Used } from "../../src/ports/asking.ts";
import { byScore, entry } from "./maps.ts";
import type { StoredRun } from "./memory-state.ts";

const SLOT = 10_000;
const WIDER = 3;
const REMEMBER_MS = 3_600_000;

interface Cooled {
  until: number;
  why: CoolReason;
  strikes: number;
  by: string;
  first: boolean;
}

interface Kept extends Used {
  readonly profile: string;
  readonly budgets: readonly string[];
  readonly cool: readonly string[];
  readonly busy: boolean;
  readonly slot: number | undefined;
}

/** What was spent, kept aside, and given on top. */
export interface Spend {
  readonly spent: Used;
  readonly kept: Used;
  readonly extra: Used;
}

export type Denied =
  | {
      readonly is: "wait";
      readonly reason: "rate-limit" | "budget" | "outage";
      readonly till: number;
      readonly message: string;
    }
  | ({ readonly is: "short"; readonly budget: string } & Partial<Used>);

export interface AskingParts {
  readonly leaseMs: number;
  readonly now: () => number;
  readonly looks: Map<string, number>;
  readonly find: (id: string) => StoredRun | undefined;
  readonly toLine: (run: StoredRun) => void;
}

export interface MemoryAsking {
  readonly spends: ReadonlyMap<string, Spend>;
  settle(run: StoredRun, used: Settlement | undefined): void;
  admit(run: StoredRun, nonce: string, ask: Ask): Denied | undefined;
  close(key: string, closing: Closing): { readonly until: number; readonly first: boolean };
  closed(keys: readonly string[]): { readonly until: number; readonly why: CoolReason } | undefined;
  reopen(key: string): boolean;
  give(budget: DayBudget): void;
}

const NONE: Used = { tokens: 0, nano: 0 };
const WORDS = {
  cool: "a cool-down of ",
  busy: "calls at once to model/",
  rate: "requests a minute to model/",
  tpm: "tokens a minute to model/",
};
const PARKS = { "rate-limit": "rate-limit", billing: "budget", credentials: "outage" } as const;

export function createMemoryAsking({ leaseMs, now, looks, find, toLine }: AskingParts): MemoryAsking {
  const cools = new Map<string, Cooled>();
  const cooled = new Map<string, Map<string, number>>();
  const waits = new Map<string, Map<string, number>>();
  const busy = new Map<string, Map<string, number>>();
  const rates = new Map<string, Map<string, number>>();
  const minutes = new Map<string, Map<number, number>>();
  const spends = new Map<string, Spend>();
  const keeps = new Map<string, Kept>();

  const coolOf = (key: string): Cooled | undefined => {
    const found = cools.get(key);
    return found !== undefined && found.until + REMEMBER_MS > now() ? found : undefined;
  };
  const waitsOf = (key: string): Map<string, number> => entry(waits, key, () => new Map<string, number>());
  const spendOf = (name: string): Spend => spends.get(name) ?? { spent: NONE, kept: NONE, extra: NONE };

  const wakeOne = (key: string): void => {
    for (const [id] of Array.from(waitsOf(key)).toSorted(byScore)) {
      waitsOf(key).delete(id);
      const run = find(id);
      if (run?.place !== "moment" || run.reason !== "rate-limit") continue;
      toLine(run);
      return;
    }
  };
  const reopen = (key: string): boolean => {
    const was = coolOf(key) !== undefined;
    cools.delete(key);
    for (const [i, [id]] of Array.from(waitsOf(`cool:${key}`))
      .toSorted(byScore)
      .slice(0, 1_000)
      .entries()) {
      const member = `run:${id}`;
      const at = looks.get(member);
      if (find(id)?.place === "moment" && at !== undefined) looks.set(member, Math.min(at, now() + (i + 1) * 20));
    }
    waits.delete(`cool:${key}`);
    return was;
  };
  const waitFor = (
    run: StoredRun,
    kind: keyof typeof WORDS,
    name: string,
    from: number,
    spacing: number,
    random: number,
    reason: "rate-limit" | "budget" | "outage" = "rate-limit",
  ): Denied => {
    const queue = waitsOf(`${kind}:${name}`);
    for (const [id, till] of Array.from(queue)) if (till <= now() || id === run.id) queue.delete(id);
    const till = Math.ceil(Math.max(from, ...queue.values()) + (0.5 + random) * spacing);
    queue.set(run.id, till);
    return { is: "wait", reason, till, message: `${WORDS[kind]}${name}` };
  };
  const isBusy = (profile: string, most: number): boolean => {
    const calls = entry(busy, profile, () => new Map<string, number>());
    if (calls.size < most) return false;
    for (const [id, epoch] of Array.from(calls)) {
      const run = find(id);
      if (run?.epoch !== epoch || run.lease <= now()) calls.delete(id);
    }
    return calls.size >= most;
  };
  const requestsFrom = (profile: string, most: number): number => {
    const made = entry(rates, profile, () => new Map<string, number>());
    for (const [nonce, at] of Array.from(made)) if (at <= now() - 60_000) made.delete(nonce);
    return made.size < most ? 0 : Math.min(...made.values()) + 60_000;
  };
  const tokensFrom = (profile: string, most: number, tokens: number): number => {
    const slots = entry(minutes, profile, () => new Map<number, number>());
    const slot = Math.floor(now() / SLOT);
    for (const at of Array.from(slots.keys())) if (at < slot - 6) slots.delete(at);
    const sum = Array.from(slots.values()).reduce((a, b) => a + b, 0);
    const oldest = Math.min(...Array.from(slots).flatMap(([at, used]) => (used > 0 ? [at] : [])));
    return sum <= 0 || sum + tokens <= most ? 0 : (oldest + 7) * SLOT;
  };
  const checkBudgets = (reserve: NonNullable<Ask["reserve"]>): Denied | undefined => {
    let short: ({ is: "short"; budget: string } & Partial<Used>) | undefined;
    for (const budget of reserve.budgets)
      for (const unit of ["tokens", "nano"] as const) {
        const most = budget[unit];
        if (most === undefined) continue;
        const { spent, kept, extra } = spendOf(budget.name);
        const left = most + extra[unit] - spent[unit] - kept[unit];
        if (reserve[unit] <= left) continue;
        short = { ...(short ?? { is: "short", budget: budget.name }), [unit]: Math.min(short?.[unit] ?? left, left) };
      }
    return short;
  };

  return {
    spends,
    settle(run, used) {
      const kept = keeps.get(run.id);
      if (kept === undefined) return;
      keeps.delete(run.id);
      const { tokens, nano } = used ?? kept;
      for (const name of kept.budgets) {
        const { spent, kept: aside, extra } = spendOf(name);
        spends.set(name, {
          extra,
          kept: { tokens: aside.tokens - kept.tokens, nano: aside.nano - kept.nano },
          spent: { tokens: spent.tokens + tokens, nano: spent.nano + nano },
        });
      }
      const slots = minutes.get(kept.profile);
      const before = kept.slot === undefined ? undefined : slots?.get(kept.slot);
      if (kept.slot !== undefined && before !== undefined) slots?.set(kept.slot, before + tokens - kept.tokens);
      if (kept.busy) {
        busy.get(kept.profile)?.delete(run.id);
        wakeOne(`busy:${kept.profile}`);
      }
      if (used?.ok === true) for (const key of kept.cool) reopen(key);
    },
    admit(run, nonce, ask) {
      const { model, random, waited } = ask;
      const rate = model?.requestsPerMinute;
      const spacing = rate === undefined ? 20 : 60_000 / rate;
      const probed: string[] = [];
      for (const key of ask.cool) {
        const cool = coolOf(key);
        if (cool === undefined) continue;
        if (cool.until > now()) return waitFor(run, "cool", key, cool.until, spacing, random, PARKS[cool.why]);
        probed.push(key);
      }
      const reserve = ask.reserve ?? { ...NONE, budgets: [] };
      const profile = model?.profile ?? "";
      const room = (kind: "busy" | "rate" | "tpm", from: number, gap: number): Denied | undefined => {
        const queued = Array.from(waitsOf(`${kind}:${profile}`).values()).some((till) => till > now());
        const at = from <= now() && !waited && queued ? now() : from;
        return at > 0 ? waitFor(run, kind, profile, at, gap, random) : undefined;
      };
      const { concurrency, tokensPerMinute } = model ?? {};
      const wait =
        (concurrency === undefined
          ? undefined
          : room("busy", isBusy(profile, concurrency) ? now() + leaseMs : 0, 20)) ??
        (rate === undefined ? undefined : room("rate", requestsFrom(profile, rate), spacing)) ??
        (tokensPerMinute === undefined
          ? undefined
          : room("tpm", tokensFrom(profile, tokensPerMinute, reserve.tokens), spacing));
      if (wait !== undefined) return wait;
      const short = checkBudgets(reserve);
      if (short !== undefined) return short;

      if (model === undefined) return undefined;
      for (const { name } of reserve.budgets) {
        const { spent, kept, extra } = spendOf(name);
        const aside = { tokens: kept.tokens + reserve.tokens, nano: kept.nano + reserve.nano };
        spends.set(name, { spent, extra, kept: aside });
      }
      if (concurrency !== undefined) entry(busy, profile, () => new Map<string, number>()).set(run.id, run.epoch);
      if (rate !== undefined) entry(rates, profile, () => new Map<string, number>()).set(nonce, now());
      const slot = Math.floor(now() / SLOT);
      if (tokensPerMinute !== undefined) {
        const slots = entry(minutes, profile, () => new Map<number, number>());
        slots.set(slot, (slots.get(slot) ?? 0) + reserve.tokens);
      }
      for (const key of probed) {
        const cool = coolOf(key);
        if (cool !== undefined && cool.why !== "rate-limit") cool.until = now() + 60_000;
      }
      const { tokens, nano, budgets } = reserve;
      keeps.set(run.id, {
        profile,
        tokens,
        nano,
        budgets: budgets.map(({ name }) => name),
        cool: probed,
        busy: concurrency !== undefined,
        slot: tokensPerMinute === undefined ? undefined : slot,
      });
      return undefined;
    },
    close(key, { why, retryAfterMs, backoff, random, nonce, wider }) {
      const was = coolOf(key);
      if (was?.by === nonce) return { until: was.until, first: was.first };
      const last = was?.until ?? 0;
      const strikes = (was?.strikes ?? 0) + (last > now() && was?.why === why ? 0 : 1);
      const ceiling = Math.min(backoff.capMs, backoff.baseMs * 2 ** (Math.max(1, Math.min(strikes, 30)) - 1));
      const wish = retryAfterMs ?? Math.floor(ceiling * (0.1 + 0.9 * random) + 0.5);
      if (was !== undefined && last > now() && was.why !== "rate-limit" && why === "rate-limit")
        return { until: last, first: false };
      const longest = last > now() && was?.why === why && why === "rate-limit" ? last : 0;
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
    reopen,
    give({ name, tokens = 0, nano = 0 }) {
      const { spent, kept, extra } = spendOf(name);
      spends.set(name, { spent, kept, extra: { tokens: extra.tokens + tokens, nano: extra.nano + nano } });
    },
  };
}
