/**
 * What must hold of all that runs share, by DESIGN §6 and docs/limits.md: nothing begins that is stopped or cools down, no budget is
 * overdrawn for a moment, what was used is counted, and nothing stays kept aside for who has ended.
 */
import type { Decision } from "../../src/core/journal.ts";
import type { ModelAnswer, ModelRequest } from "../../src/core/messages.ts";
import { isFinal } from "../../src/core/run.ts";
import type { Used } from "../../src/ports/asking.ts";
import { TOOLS } from "./agents.ts";
import type { Hold } from "./checker.ts";
import { entry } from "./maps.ts";
import type { Cooled } from "./memory-cooling.ts";
import type { StoredRun } from "./memory-state.ts";
import type { World } from "./world.ts";

export interface SharedChecker {
  /** An intent stands in a journal. */
  begun(run: StoredRun, d: Decision): void;
  /** A model is asked. @returns to be called when it has answered */
  called(hold: Hold, request: ModelRequest): () => void;
  /** The provider has worked. */
  billed(hold: Hold, answer: ModelAnswer): void;
  afterScript(): void;
  afterFailover(): void;
  atEnd(): void;
}

const CONNECTION_OF: ReadonlyMap<string, string> = new Map(TOOLS.map(({ name, connection }) => [name, connection]));

export function createSharedChecker(world: World): SharedChecker {
  const { shared } = world;
  /** As they were before this script. */
  let cools = new Map<string, Pick<Cooled, "until" | "why">>();
  /** Profile → who asks it. */
  const calls = new Map<string, Set<Hold>>();
  /** Identifier and connection → when calls were claimed, Redis ms. */
  const claimed = new Map<string, readonly number[]>();
  /** Identifier → tokens that a provider has worked for. */
  const bills = new Map<string, number>();
  const broken = (invariant: string, detail: string): never => world.broken(invariant, detail);

  const stopped = ({ id, agent, identifier, tenant }: StoredRun, d: Decision): void => {
    const names = [`agent:${agent}`, `identifier:${identifier}`, `tenant:${tenant ?? ""}`];
    if (d.kind === "call-claimed") names.push(`tool:${d.tool}`, `connection:${CONNECTION_OF.get(d.tool) ?? ""}`);
    const by = names.find((name) => world.switches.off.has(name));
    if (by !== undefined) broken("what is stopped does not begin", `${d.kind} of ${id}, ${by}`);
  };
  const inAMinute = ({ identifier }: StoredRun, d: Decision): void => {
    if (d.kind !== "call-claimed" || shared?.calls === undefined) return;
    const key = `${identifier} ${CONNECTION_OF.get(d.tool) ?? ""}`;
    const made = (claimed.get(key) ?? []).filter((at) => at > d.at - 60_000).concat(d.at);
    claimed.set(key, made);
    if (made.length > shared.calls && world.tainted.size === 0)
      broken("no more calls in a minute than are allowed", `${key}: ${made.length}, ${shared.calls} allowed`);
  };
  const coolKeys = ({ identifier }: StoredRun, d: Decision): readonly string[] => {
    if (d.kind === "turn-requested" || d.kind === "summary-requested") return [`model/${d.asked?.profile ?? ""}`];
    if (d.kind !== "call-claimed") return [];
    const connection = CONNECTION_OF.get(d.tool) ?? "";
    return ["scalekit", `connection/${connection}`, `account/${identifier}/${connection}`];
  };

  const budgets = (): void => {
    const { spends, keeps } = world.store.asking;
    const kept = new Map<string, Used>();
    for (const [id, { tokens, nano, budgets }] of keeps) {
      const run = world.store.runs.get(id);
      if (run === undefined || isFinal(run.status))
        broken("nothing stays kept aside for who has ended", `${id}: ${tokens}`);
      for (const name of budgets) {
        const sum = kept.get(name);
        kept.set(name, { tokens: (sum?.tokens ?? 0) + tokens, nano: (sum?.nano ?? 0) + nano });
      }
    }
    for (const [name, spend] of spends) {
      const own = name.startsWith("tenant:") ? shared?.tenant : shared?.identifier;
      for (const unit of ["tokens", "nano"] as const) {
        const most = (own as { readonly tokens?: number; readonly nano?: number } | undefined)?.[unit];
        const used = spend.spent[unit] + spend.kept[unit];
        if (most !== undefined && used > most + spend.extra[unit])
          broken("no budget is overdrawn", `${name}: ${used} ${unit} of ${most + spend.extra[unit]}`);
        if (spend.kept[unit] !== (kept.get(name)?.[unit] ?? 0))
          broken("what is kept aside is some run's", `${name}: ${spend.kept[unit]} ${unit}`);
      }
    }
    const calls = shared?.counts !== undefined && "toolCalls" in shared.counts ? shared.counts.toolCalls : Infinity;
    for (const [name, { counts, more }] of spends)
      if ((counts.toolCalls ?? 0) > calls + (more.toolCalls ?? 0) && world.tainted.size === 0)
        broken("no more tool calls in a day than are allowed", `${name}: ${counts.toolCalls} of ${calls}`);
    for (const [identifier, tokens] of bills) {
      let counted = 0;
      for (const [name, { spent, kept: aside }] of spends)
        if (name.startsWith(`identifier:${identifier}:`)) counted += spent.tokens + aside.tokens;
      if (tokens > counted) broken("what was used is counted", `${identifier}: ${tokens}, counted ${counted}`);
    }
  };

  const counted = (): void => {
    const turns = new Map<string, number>();
    for (const { identifier, journal } of world.store.runs.values()) {
      const made = journal.filter(({ kind }) => kind === "turn-committed").length;
      turns.set(identifier, (turns.get(identifier) ?? 0) + made);
    }
    for (const [name, { counts }] of world.store.asking.spends) {
      const [, identifier = ""] = /^identifier:(.*):\d+$/.exec(name) ?? [];
      turns.set(identifier, (turns.get(identifier) ?? 0) - (counts.turns ?? 0));
    }
    for (const [identifier, uncounted] of turns)
      if (identifier !== "" && uncounted !== 0)
        broken("what a run has done counts once", `${identifier}: ${uncounted} turns more than were counted`);
  };

  const coolDowns = (): void => {
    const now = world.redisNow();
    const after = world.store.asking.cools;
    for (const [key, { until, why }] of cools) {
      const found = after.get(key);
      if (until > now && why === "rate-limit" && found?.why === why && found.until < until)
        broken("a cool-down is not cut short", `${key}: ${until} became ${found.until}`);
    }
    if (cools.size > 0 || after.size > 0)
      cools = new Map(Array.from(after, ([key, { until, why }]) => [key, { until, why }]));
  };

  return {
    begun(run, d) {
      if (shared === undefined) return;
      stopped(run, d);
      inAMinute(run, d);
      // What the same commit told of the call before may have ended it.
      const isCool = (key: string): boolean =>
        (cools.get(key)?.until ?? 0) > world.redisNow() && world.store.asking.cools.has(key);
      const key = coolKeys(run, d).find(isCool);
      if (key !== undefined) broken("nothing is asked of what cools down", `${d.kind} of ${run.id}, ${key}`);
    },
    called(hold, { profile }) {
      const under = entry(calls, profile, () => new Set());
      under.add(hold);
      const owns = ({ run, epoch, process }: Hold): boolean => {
        const there = world.store.runs.get(run);
        return !process.dead && there?.epoch === epoch && there.lease > world.redisNow();
      };
      const most = shared?.profile.concurrency ?? Infinity;
      // Whoever has slept over its lease does not know it yet.
      const living = Array.from(under).filter(owns).length;
      if (owns(hold) && living > most && world.tainted.size === 0)
        broken("no more calls at once than a model takes", `${profile}: ${living}, ${most} allowed`);
      return () => void under.delete(hold);
    },
    billed({ run }, { usage }) {
      if (shared?.identifier === undefined || world.tainted.size > 0) return;
      const identifier = world.store.runs.get(run)?.identifier ?? "";
      bills.set(identifier, (bills.get(identifier) ?? 0) + usage.input + usage.output);
    },
    afterScript() {
      if (shared === undefined) return;
      budgets();
      coolDowns();
    },
    afterFailover() {
      bills.clear();
      cools = new Map();
      world.switches.found(world.store.off);
    },
    atEnd() {
      for (const [name, { kept }] of world.store.asking.spends)
        if (kept.tokens !== 0 || kept.nano !== 0)
          broken("nothing stays kept aside for who has ended", `${name}: ${kept.tokens} tokens, ${kept.nano} nano`);
      if (shared?.counts !== undefined && world.tainted.size === 0) counted();
    },
  };
}
