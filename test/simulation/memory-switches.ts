/** Stop switches and weights over plain memory: the counterpart of src/queue/scripts/switches.ts and weights.ts, and of what commit.ts asks of them. */
import { isIntent } from "../../src/core/intents.ts";
import type { Entry } from "../../src/core/journal.ts";
import { switchGate } from "../../src/core/switches.ts";
import type { Turns } from "../../src/core/turns.ts";
import type { CommitReply } from "../../src/ports/journal.ts";
import { byScore } from "./maps.ts";
import type { StoredGate, StoredRun } from "./memory-state.ts";
import type { StoreMutant } from "./store-mutants.ts";

export interface MemorySwitches {
  pause(name: string): boolean;
  resume(name: string): boolean;
  weigh(name: string, weight: number): number;
  /** What stops these intents. */
  stopped(
    run: StoredRun,
    entries: readonly Entry[],
    uses?: readonly string[],
  ): Extract<CommitReply, { answer: "stopped" }> | undefined;
}

export interface SwitchParts {
  readonly off: Set<string>;
  readonly weights: Map<string, number>;
  readonly turns: Turns;
  readonly tenants: ReadonlyMap<string, string>;
  readonly find: (id: string) => StoredRun | undefined;
  readonly gateOf: (name: string) => StoredGate;
  readonly raise: (last: number) => number;
  readonly toLine: (run: StoredRun) => void;
  readonly moveMany: (work: () => void) => void;
  readonly is: (mutant: StoreMutant) => boolean;
}

export function createMemorySwitches(parts: SwitchParts): MemorySwitches {
  const { off, weights, turns, tenants, find, gateOf, raise, toLine, moveMany, is } = parts;
  return {
    pause(name) {
      const isNew = !off.has(name);
      off.add(name);
      return isNew;
    },
    resume(name) {
      const was = off.delete(name);
      const gate = gateOf(switchGate(name));
      gate.version = raise(gate.version);
      moveMany(() => {
        for (const [id, saw] of Array.from(gate.waiters).toSorted(byScore)) {
          if (saw >= gate.version || is("resume-wakes-nobody")) continue;
          gate.waiters.delete(id);
          const run = find(id);
          if (run?.place === "gate") toLine(run);
        }
      });
      return was;
    },
    weigh(name, weight) {
      const was = weights.get(name) ?? 1;
      if (weight !== 1) weights.set(name, weight);
      else {
        weights.delete(name);
        turns.evenOut(name);
      }
      return was;
    },
    stopped({ agent, identifier }, entries, uses = []) {
      const claims = entries.flatMap((it) => (it.kind === "call-claimed" ? [`tool:${it.tool}`] : []));
      if (claims.length === 0 && !entries.some(isIntent)) return undefined;
      const whose = [`agent:${agent}`, `identifier:${identifier}`, `tenant:${tenants.get(identifier) ?? ""}`];
      const by = [...whose, ...claims, ...uses.map((name) => `connection:${name}`)].find((name) => off.has(name));
      return by === undefined || is("switch-ignored")
        ? undefined
        : { answer: "stopped", by, version: gateOf(switchGate(by)).version };
    },
  };
}
