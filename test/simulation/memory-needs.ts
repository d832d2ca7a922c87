/** What runs need, over plain memory: the counterpart of src/queue/scripts/needs.ts. */
import type { NeedReason } from "../../src/core/run.ts";
import type { Entry } from "../../src/core/journal.ts";
import type { Move } from "../../src/ports/journal.ts";
import type { LookedAt } from "../../src/queue/journal.ts";
import { byScore, entry } from "./maps.ts";

export type StoredNeed = LookedAt;

/** What is asked of a run here. */
export interface NeedyRun {
  readonly id: string;
  readonly cancel: boolean;
  needs: readonly StoredNeed[];
}

/** One account that runs need. */
export interface StoredAuthorization {
  reason: NeedReason;
  /** Store ms. */
  readonly since: number;
  looked: number;
  reminded: number;
  asked: string;
  readonly sequence: number;
  /** Run → store ms when it first named it. */
  readonly names: Map<string, number>;
}

/** As it stands in the stream. */
export interface StoredEvent {
  readonly type: "required" | "reminded" | "granted" | "expired";
  readonly run?: string;
  readonly needs: readonly StoredNeed[];
  readonly number?: number;
  readonly manual?: boolean;
}

export interface MemoryNeeds {
  readonly auths: Map<string, StoredAuthorization>;
  readonly events: StoredEvent[];
  /** What a run needs after a commit. A cancelled run waits for nothing, so it names nobody. */
  committed(run: NeedyRun, entries: readonly Entry[], move: Move): void;
  /** A run gives way to another, which needs what it needed. */
  handOver(run: NeedyRun, to: NeedyRun): void;
  ended(run: NeedyRun, status: string): void;
  dropNeed(run: NeedyRun, need: StoredNeed, why?: "granted" | "expired"): void;
  /** A reminder that is due. @returns whether it is to be told */
  due(gate: string): boolean;
  remind(gates: readonly string[], manual: boolean): void;
  /** An operator asks. @returns how many of them are needed */
  askToRemind(nonce: string, gates: readonly string[]): number;
  /** @returns how many of them are needed */
  looked(seen: readonly LookedAt[]): number;
}

export interface NeedsOptions {
  readonly looks: Map<string, number>;
  readonly remindAfterMs: readonly number[];
  readonly now: () => number;
  readonly next: () => number;
}

export function createMemoryNeeds({ looks, remindAfterMs, now, next }: NeedsOptions): MemoryNeeds {
  const auths = new Map<string, StoredAuthorization>();
  const events: StoredEvent[] = [];

  const addNeed = (run: NeedyRun, { gate, reason }: StoredNeed): boolean => {
    const isNew = !auths.has(gate);
    const fresh = (): StoredAuthorization => ({
      reason,
      since: now(),
      looked: now(),
      reminded: 0,
      asked: "",
      sequence: next(),
      names: new Map(),
    });
    const found = entry(auths, gate, fresh);
    Object.assign(found, { reason, looked: now() });
    if (!found.names.has(run.id)) found.names.set(run.id, now());
    const [first] = remindAfterMs;
    if (isNew && first !== undefined) looks.set(`remind:${gate}`, now() + first);
    return isNew;
  };
  const dropNeed: MemoryNeeds["dropNeed"] = (run, need, why) => {
    const found = auths.get(need.gate);
    found?.names.delete(run.id);
    if (found === undefined || found.names.size > 0) return;
    auths.delete(need.gate);
    looks.delete(`remind:${need.gate}`);
    if (why !== undefined) events.push({ type: why, run: run.id, needs: [{ ...need, reason: found.reason }] });
  };
  const setNeeds = (
    run: NeedyRun,
    needs: readonly StoredNeed[],
    why?: "granted" | "expired",
    keep: readonly string[] = [],
  ): boolean => {
    const added = needs.map((need) => addNeed(run, need));
    const others = run.needs.filter(({ gate }) => !needs.some((need) => need.gate === gate));
    for (const need of others) if (!keep.includes(need.gate)) dropNeed(run, need, why);
    run.needs = [...needs, ...others.filter(({ gate }) => keep.includes(gate))];
    return added.includes(true);
  };
  const remind: MemoryNeeds["remind"] = (gates, manual) => {
    const told = new Map<string, { number: number; needs: StoredNeed[] }>();
    for (const gate of gates) {
      const found = auths.get(gate);
      if (found === undefined) continue;
      const number = ++found.reminded;
      const key = `${gate.split("/")[1] ?? ""} ${number}`;
      entry(told, key, () => ({ number, needs: [] })).needs.push({ gate, reason: found.reason });
    }
    for (const one of told.values()) events.push({ type: "reminded", ...one, manual });
  };
  return {
    auths,
    events,
    dropNeed,
    remind,
    committed(run, entries, move) {
      const prepared = entries.some((it) => it.kind === "prepared");
      if (move.to === "accounts" ? run.cancel : !prepared) return;
      const needs = move.to === "accounts" ? move.needs.map(({ gate, reason }) => ({ gate, reason })) : [];
      const kept = move.to === "accounts" ? move.kept : [];
      if (setNeeds(run, needs, "granted", kept)) events.push({ type: "required", run: run.id, needs });
    },
    handOver(run, to) {
      for (const { gate } of run.needs) {
        const names = auths.get(gate)?.names;
        const since = names?.get(run.id) ?? now();
        if (names?.has(to.id) === false) names.set(to.id, since);
        names?.delete(run.id);
      }
      to.needs = [...to.needs, ...run.needs.filter(({ gate }) => !to.needs.some((need) => need.gate === gate))];
      run.needs = [];
    },
    ended: (run, status) => void setNeeds(run, [], status === "expired" ? status : undefined),
    askToRemind(nonce, gates) {
      const needed = gates.filter((gate) => auths.has(gate));
      // One that is named twice is told once.
      const anew = needed.filter((gate) => {
        const isNew = auths.get(gate)?.asked !== nonce;
        Object.assign(auths.get(gate) ?? {}, { asked: nonce });
        return isNew;
      });
      remind(anew, true);
      return needed.length;
    },
    looked(seen) {
      const needed = seen.filter(({ gate }) => auths.has(gate));
      for (const { gate, reason } of needed) Object.assign(auths.get(gate) ?? {}, { reason, looked: now() });
      return needed.length;
    },
    due(gate) {
      const found = auths.get(gate);
      looks.delete(`remind:${gate}`);
      if (found === undefined || remindAfterMs.length === 0) return false;
      const after = remindAfterMs.find((ms) => found.since + ms > now());
      if (after !== undefined) looks.set(`remind:${gate}`, found.since + after);
      return true;
    },
  };
}

/** Oldest first. */
export function authorizations(auths: ReadonlyMap<string, StoredAuthorization>): string[] {
  return Array.from(auths, ([gate, { sequence }]): [string, number] => [gate, sequence])
    .toSorted(byScore)
    .map(([gate]) => gate);
}
