/** What runs ask for before they do it, and cool-downs: the counterpart of src/queue/scripts/admit.ts and cool.ts. */
import { DAY_COUNTS, type DayCount, type DayCounts } from "../../src/core/day-counts.ts";
import type { Parked } from "../../src/core/journal.ts";
import type { Ask, CallBound, Counting, Used } from "../../src/ports/asking.ts";
import { byScore, entry } from "./maps.ts";
import type { Aside, AskingParts, Denied, MemoryAsking, Spend } from "./memory-asking-api.ts";
import { createMemoryCooling } from "./memory-cooling.ts";
import type { StoredRun } from "./memory-state.ts";

const SLOT = 10_000;

const NONE: Used = { tokens: 0, nano: 0 };
const NO_RESERVE: NonNullable<Ask["reserve"]> = { tokens: 0, nano: 0, budgets: [] };
const NO_SPEND: Spend = { spent: NONE, kept: NONE, extra: NONE, counts: {}, more: {} };
const WORDS = {
  cool: "a cool-down of ",
  calls: "calls a minute to ",
  busy: "calls at once to model/",
  rate: "requests a minute to model/",
  tpm: "tokens a minute to model/",
};
const PARKS = { "rate-limit": "rate-limit", billing: "budget", credentials: "outage" } as const;

function added(a: Partial<DayCounts>, b: Partial<DayCounts>): Partial<DayCounts> {
  return Object.fromEntries(DAY_COUNTS.map((it) => [it, (a[it] ?? 0) + (b[it] ?? 0)]));
}

function changed({ spent, kept, extra, counts, more }: Spend, to: Partial<Spend>): Spend {
  return {
    spent: to.spent ?? spent,
    kept: to.kept ?? kept,
    extra: to.extra ?? extra,
    counts: to.counts ?? counts,
    more: to.more ?? more,
  };
}

export function createMemoryAsking({ leaseMs, now, looks, find, toLine, is }: AskingParts): MemoryAsking {
  const cooling = createMemoryCooling(now, is);
  const { cools } = cooling;
  const coolOf = (key: string): ReturnType<typeof cooling.coolOf> => cooling.coolOf(key);
  const waits = new Map<string, Map<string, number>>();
  const busy = new Map<string, Map<string, number>>();
  const rates = new Map<string, Map<string, number>>();
  const minutes = new Map<string, Map<number, number>>();
  const spends = new Map<string, Spend>();
  const keeps = new Map<string, Aside>();
  const counted = new Map<string, Partial<DayCounts>>();

  const waitsOf = (key: string): Map<string, number> => entry(waits, key, () => new Map<string, number>());
  const spendOf = (name: string): Spend => spends.get(name) ?? NO_SPEND;

  const wakeOne = (key: string): void => {
    for (const [id] of Array.from(waitsOf(key)).toSorted(byScore)) {
      waitsOf(key).delete(id);
      const run = find(id);
      if (run?.place !== "moment" || run.reason !== "rate-limit") continue;
      toLine(run);
      return;
    }
  };
  const wakeAll = (key: string): void => {
    for (const [i, [id]] of Array.from(waitsOf(key)).toSorted(byScore).slice(0, 1_000).entries()) {
      const member = `run:${id}`;
      const at = looks.get(member);
      if (find(id)?.place === "moment" && at !== undefined) looks.set(member, Math.min(at, now() + (i + 1) * 20));
    }
    waits.delete(key);
  };
  const reopen = (key: string): boolean => {
    const was = coolOf(key) !== undefined;
    cools.delete(key);
    wakeAll(`cool:${key}`);
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
    if (calls.size < most || is("busy-uncounted")) return false;
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
  const callsFrom = ({ key, most, calls }: CallBound): number => {
    const made = entry(rates, `calls:${key}`, () => new Map<string, number>());
    for (const [nonce, at] of Array.from(made)) if (at <= now() - 60_000) made.delete(nonce);
    const over = made.size + Math.max(1, calls) - most;
    if (over <= 0 || is("calls-uncounted")) return 0;
    return (Array.from(made.values()).toSorted((a, b) => a - b)[over - 1] ?? 0) + 60_000;
  };
  const tokensFrom = (profile: string, most: number, tokens: number): number => {
    const slots = entry(minutes, profile, () => new Map<number, number>());
    const slot = Math.floor(now() / SLOT);
    for (const at of Array.from(slots.keys())) if (at < slot - 6) slots.delete(at);
    const sum = Array.from(slots.values()).reduce((a, b) => a + b, 0);
    const oldest = Math.min(...Array.from(slots).flatMap(([at, used]) => (used > 0 ? [at] : [])));
    return sum <= 0 || sum + tokens <= most ? 0 : (oldest + 7) * SLOT;
  };
  const checkBudgets = (reserve: NonNullable<Ask["reserve"]>, begins: number): Denied | undefined => {
    if (is("budget-unchecked")) return undefined;
    let short: ({ is: "short"; budget: string } & Partial<Used>) | undefined;
    for (const budget of reserve.budgets) {
      for (const unit of ["tokens", "nano"] as const) {
        const most = budget[unit];
        if (most === undefined) continue;
        const { spent, kept, extra } = spendOf(budget.name);
        const left = most + extra[unit] - spent[unit] - kept[unit];
        if (reserve[unit] <= left) continue;
        short = { ...(short ?? { is: "short", budget: budget.name }), [unit]: Math.min(short?.[unit] ?? left, left) };
      }
      const { counts, more } = spendOf(budget.name);
      const met = DAY_COUNTS.find((it) => {
        const next = it === "toolCalls" ? Math.max(1, begins) : 1;
        return (counts[it] ?? 0) + next > (budget.counts?.[it] ?? Infinity) + (more[it] ?? 0);
      });
      if (met !== undefined) return { is: "short", budget: budget.name, met };
    }
    return short;
  };

  const countMore = (run: StoredRun, more: Partial<DayCounts>, days: Counting["days"]): void => {
    counted.set(run.id, added(counted.get(run.id) ?? {}, more));
    for (const { name } of days) {
      const spend = spendOf(name);
      spends.set(name, changed(spend, { counts: added(spend.counts, more) }));
    }
  };
  /** @returns how it is taken back, where nothing is written */
  const count = (run: StoredRun, { totals, days }: Counting): (() => void) => {
    const before = is("counts-again") ? {} : (counted.get(run.id) ?? {});
    const more: { [K in DayCount]?: number } = {};
    for (const it of DAY_COUNTS) more[it] = Math.max(0, totals[it] - (before[it] ?? 0));
    countMore(run, more, days);
    const less = Object.fromEntries(Object.entries(more).map(([it, n]) => [it, -n]));
    return () => countMore(run, less, days);
  };

  const admit = (run: StoredRun, nonce: string, ask: Ask): Denied | undefined => {
    const { model, random, waited } = ask;
    const stands = (kind: keyof typeof WORDS, name: string, wait: () => Denied): Denied =>
      ask.stays === true ? { is: "short", budget: `${kind}:${name}` } : wait();
    const rate = model?.requestsPerMinute;
    const spacing = rate === undefined ? 20 : 60_000 / rate;
    const probed: string[] = [];
    for (const key of ask.cool) {
      const cool = coolOf(key);
      if (cool === undefined) continue;
      const isClosed = cool.until > now() && !is("cool-ignored");
      if (isClosed && ask.stays === true) return { is: "closed", key, until: cool.until };
      if (isClosed) return waitFor(run, "cool", key, cool.until, spacing, random, PARKS[cool.why]);
      probed.push(key);
    }
    const reserve = ask.reserve ?? NO_RESERVE;
    const profile = model?.profile ?? "";
    const room = (kind: "busy" | "rate" | "tpm", from: number, gap: number): Denied | undefined => {
      const queued = Array.from(waitsOf(`${kind}:${profile}`).values()).some((till) => till > now());
      const at = from <= now() && !waited && queued ? now() : from;
      return at > 0 ? waitFor(run, kind, profile, at, gap, random) : undefined;
    };
    const { concurrency, tokensPerMinute } = model ?? {};
    const wait =
      (concurrency === undefined ? undefined : room("busy", isBusy(profile, concurrency) ? now() + leaseMs : 0, 20)) ??
      (rate === undefined ? undefined : room("rate", requestsFrom(profile, rate), spacing)) ??
      (tokensPerMinute === undefined
        ? undefined
        : room("tpm", tokensFrom(profile, tokensPerMinute, reserve.tokens), spacing));
    if (wait !== undefined) return wait;
    const begins = ask.begins ?? 0;
    const short = checkBudgets(reserve, begins);
    if (short !== undefined) return short;
    const queued = (key: string): boolean =>
      !waited && Array.from(waitsOf(`calls:${key}`).values()).some((till) => till > now());
    for (const bound of ask.calls ?? []) {
      const { key, most } = bound;
      const room = callsFrom(bound);
      const from = room <= now() && queued(key) ? now() : room;
      if (from > 0) return stands("calls", key, () => waitFor(run, "calls", key, from, 60_000 / most, random));
    }
    for (const { key, calls } of ask.calls ?? [])
      for (let i = 1; i <= calls; i++) entry(rates, `calls:${key}`, () => new Map()).set(`${nonce}:${i}`, now());
    if (begins > 0 && !is("calls-begin-uncounted")) countMore(run, { toolCalls: begins }, reserve.budgets);

    if (model === undefined) return undefined;
    for (const { name } of reserve.budgets) {
      const spend = spendOf(name);
      const { kept } = spend;
      const aside = is("reserve-forgotten")
        ? kept
        : { tokens: kept.tokens + reserve.tokens, nano: kept.nano + reserve.nano };
      spends.set(name, changed(spend, { kept: aside }));
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
  };

  return {
    spends,
    keeps,
    cools,
    waits(run, move) {
      if (!run.cancel && move.to === "moment" && move.waits !== undefined) waitsOf(move.waits).set(run.id, move.until);
    },
    allowed(run, nonce, entries, move, { ask, count: counting }) {
      const uncount = counting && count(run, counting);
      const denied = ask && admit(run, nonce, ask);
      if (ask === undefined || denied === undefined) return { entries, move, park: undefined };
      if (denied.is === "closed" || denied.is === "short") uncount?.();
      if (denied.is === "closed") return { answer: "closed", key: denied.key, until: denied.until };
      if (denied.is === "short") {
        const { budget, tokens, nano, met } = denied;
        return {
          answer: "short",
          budget,
          ...(tokens !== undefined && { tokens }),
          ...(nano !== undefined && { nano }),
          ...(met !== undefined && { met }),
        };
      }
      const { reason, till, message } = denied;
      const park: Parked = { kind: "parked", reason, about: ask.about, until: till, message };
      const kept = entries.slice(0, entries.length - ask.entries);
      return { entries: [...kept, park], move: { to: "moment", until: till }, park };
    },
    settle(run, used, move) {
      const kept = keeps.get(run.id);
      if (kept === undefined || (is("end-keeps-reserve") && move.to === "end")) return;
      keeps.delete(run.id);
      const { tokens, nano } = used ?? (is("lost-call-free") ? NONE : kept);
      for (const name of kept.budgets) {
        const spend = spendOf(name);
        const { spent, kept: aside } = spend;
        const change = {
          kept: { tokens: aside.tokens - kept.tokens, nano: aside.nano - kept.nano },
          spent: { tokens: spent.tokens + tokens, nano: spent.nano + nano },
        };
        spends.set(name, changed(spend, change));
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
    close: (key, closing) => cooling.close(key, closing),
    closed: (keys) => cooling.closed(keys),
    reopen,
    give({ name, tokens = 0, nano = 0, counts = {} }) {
      const spend = spendOf(name);
      const { extra, more } = spend;
      const given = { tokens: extra.tokens + tokens, nano: extra.nano + nano };
      spends.set(name, changed(spend, { extra: given, more: added(more, counts) }));
      wakeAll(`spend:${name}`);
    },
  };
}
