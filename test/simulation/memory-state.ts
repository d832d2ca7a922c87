/** What the memory store holds, and what several of its scripts do with it: the counterpart of src/queue/scripts/shared.ts. */
import type { Decision, Entry } from "../../src/core/journal.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import { isFinal, type RunStatus } from "../../src/core/run.ts";
import type { Move } from "../../src/ports/journal.ts";
import { type Caps, createTurns, lineOf, type Path, pathOf as pathIn, type Turns } from "../../src/core/turns.ts";
import { entry } from "./maps.ts";
import { createMemoryNeeds, type MemoryNeeds, type StoredNeed } from "./memory-needs.ts";
import type { StoreMutant } from "./store-mutants.ts";
import type { Ticket } from "../../src/queue/codec.ts";
import type { StoreOptions } from "../../src/queue/store.ts";

export type Place = "line" | "live" | "gate" | "moment" | "none";

export interface StoredRun {
  readonly id: string;
  readonly agent: string;
  readonly identifier: string;
  readonly queue: string;
  line: string;
  /** Where it has its slot. */
  path: Path | undefined;
  readonly tenant: string | undefined;
  readonly rank: number;
  readonly createdBy: string;
  readonly idem: string;
  status: RunStatus;
  place: Place;
  ticket: number;
  epoch: number;
  lease: number;
  claim: string;
  cancel: boolean;
  reason: string;
  /** Of the newest Errand that wrote its journal. */
  version: number;
  /** Where it stands while its place is "gate". */
  gates: readonly string[];
  /** The accounts that it names. */
  needs: readonly StoredNeed[];
  /** Of a run that an ACTIVE account refused: store ms since when the user must have connected again. */
  after: number | undefined;
  /** A turn has been committed. */
  turned: boolean;
  /** From when the run covers, if anybody said so. */
  readonly from: number | undefined;
  supersededBy: string;
  /** Store ms after which it is no more; 0 while it is not final. */
  expires: number;
  readonly journal: Decision[];
  /** By whom each decision was written, side by side with the journal. */
  readonly nonces: string[];
  readonly evidence: Map<string, Evidence>;
}

export interface StoredGate {
  version: number;
  /** Run → the version it saw. */
  readonly waiters: Map<string, number>;
}

export interface MemoryOptions extends StoreOptions {
  /** Store ms, whole. */
  readonly now: () => number;
  readonly mutants?: ReadonlySet<string>;
}

/** The keys of one shard, and the functions of the shared Lua. */
export interface MemoryState {
  readonly runs: Map<string, StoredRun>;
  readonly gates: Map<string, StoredGate>;
  readonly turns: Turns;
  readonly tenants: Map<string, string>;
  /** What an operator stopped. */
  readonly off: Set<string>;
  /** And who has more than one turn in each round. */
  readonly weights: Map<string, number>;
  readonly looks: Map<string, number>;
  /** "<run> <intent>" of attempts whose outcome nobody knows. */
  readonly unknowns: Set<string>;
  readonly needs: MemoryNeeds;
  /** A number that no run and no authorization had before. */
  readonly next: () => number;
  readonly is: (mutant: StoreMutant) => boolean;
  readonly raise: (last: number) => number;
  readonly find: (id: string) => StoredRun | undefined;
  readonly gateOf: (name: string) => StoredGate;
  readonly leaveGates: (run: StoredRun) => void;
  readonly fill: () => void;
  /** Slots are given at the end, when all stand in their lines. */
  readonly moveMany: (work: () => void) => void;
  readonly ticket: (run: StoredRun) => void;
  /** @param ends it only has to end */
  readonly toLine: (run: StoredRun, ends?: boolean) => void;
  readonly enter: (run: StoredRun, ends?: boolean) => void;
  readonly pathOf: (run: StoredRun) => Path;
  readonly unseat: (run: StoredRun) => void;
  readonly goOn: (run: StoredRun, gate: string) => void;
  readonly goTo: (run: StoredRun, move: Move, reason: string) => void;
  readonly look: (id: string) => void;
  readonly write: (run: StoredRun, epoch: number, nonce: string, entries: readonly Entry[]) => void;
  readonly takeTickets: () => Ticket[];
}

export function createMemoryState(options: MemoryOptions): MemoryState {
  const { leaseMs, sweepMs, keepMs } = options;
  const grace = Math.max(1_000, Math.round(leaseMs / 2));
  const now = options.now;
  const is = (mutant: StoreMutant): boolean => options.mutants?.has(mutant) ?? false;

  const runs = new Map<string, StoredRun>();
  const gates = new Map<string, StoredGate>();
  const tenants = new Map<string, string>();
  const looks = new Map<string, number>();
  const unknowns = new Set<string>();
  let tickets: Ticket[] = [];
  let sequence = 0;
  const next = (): number => ++sequence;
  const needs = createMemoryNeeds({ looks, remindAfterMs: options.remindAfterMs, now, next });

  const raise = (last: number): number => (is("no-raise") ? last + 1 : Math.max(last + 1, now()));
  const gateOf = (name: string): StoredGate => entry(gates, name, () => ({ version: 0, waiters: new Map() }));
  const find = (id: string): StoredRun | undefined => {
    const run = runs.get(id);
    if (run === undefined || run.expires === 0 || run.expires > now()) return run;
    runs.delete(id);
    return undefined;
  };
  const ticket = (run: StoredRun): void => {
    tickets.push({ run: run.id, number: String(run.ticket), queue: run.queue, agent: run.agent });
  };

  const caps: Caps = {
    identifier: is("fill-ignores-cap") ? Infinity : options.perIdentifier,
    tenant: options.perTenant ?? Infinity,
    total: options.maxLive ?? Infinity,
    agents: options.agentCaps ?? new Map(),
  };
  const off = new Set<string>();
  const weights = new Map<string, number>();
  const turns = createTurns(
    caps,
    (name) => off.has(name),
    (name) => weights.get(name) ?? 1,
  );
  let many = false;
  const fill = (): void => {
    if (many) return;
    for (const id of turns.fill()) {
      const run = find(id);
      if (run === undefined) continue;
      Object.assign(run, { ticket: raise(run.ticket), place: "live", path: pathOf(run), lease: 0 });
      looks.set(`run:${id}`, now() + grace);
      ticket(run);
    }
  };
  const moveMany = (work: () => void): void => {
    many = true;
    work();
    many = false;
    fill();
  };
  const pathOf = (run: StoredRun): Path => {
    const { queue, identifier, agent } = run;
    return pathIn({ queue, identifier, agent, ends: run.line.endsWith(" !") }, caps, tenants.get(identifier));
  };
  const enter = (run: StoredRun, ends: boolean = run.cancel): void => {
    const { queue, identifier, agent } = run;
    run.line = lineOf({ queue, identifier, agent, ends });
    turns.enter(run.id, pathOf(run), run.rank);
    fill();
  };
  const unseat = (run: StoredRun): void => {
    const path = run.path ?? pathOf(run);
    turns.unseat(run.id, path);
    turns.touch(path);
  };
  const leaveGates = (run: StoredRun): void => {
    for (const gate of run.gates) gateOf(gate).waiters.delete(run.id);
  };
  const toLine = (run: StoredRun, ends?: boolean): void => {
    Object.assign(run, { status: "queued", place: "line", reason: "", gates: [], after: undefined });
    looks.delete(`run:${run.id}`);
    enter(run, ends);
  };
  /** One of the gates at which it stands has opened. */
  const goOn = (run: StoredRun, name: string): void => {
    run.gates = run.gates.filter((gate) => gate !== name);
    const need = run.needs.find(({ gate }) => gate === name);
    if (need !== undefined && !is("open-keeps-need")) {
      run.needs = run.needs.filter((it) => it !== need);
      needs.dropNeed(run, need, "granted");
    }
    if (is("open-wakes-early")) leaveGates(run);
    if (run.gates.length === 0 || is("open-wakes-early")) toLine(run);
  };
  const write = (run: StoredRun, epoch: number, nonce: string, entries: readonly Entry[]): void => {
    for (const it of entries) {
      run.journal.push({ at: now(), epoch, ...it });
      run.nonces.push(nonce);
    }
  };
  const goTo = (run: StoredRun, move: Move, reason: string): void => {
    const member = `run:${run.id}`;
    switch (move.to) {
      case "stay":
        break;
      case "line":
        toLine(run);
        break;
      case "moment":
        Object.assign(run, { status: "parked", place: "moment", reason });
        looks.set(member, move.until);
        break;
      case "gate":
      case "accounts": {
        const gates = move.to === "gate" ? [move] : move.needs;
        Object.assign(run, { status: "parked", place: "gate", reason, gates: gates.map(({ gate }) => gate) });
        const answered = move.to === "gate" && (move.unless !== undefined || move.gate.startsWith("switch/"));
        run.after = move.to === "accounts" ? move.after : undefined;
        for (const { gate, version } of gates) {
          gateOf(gate).waiters.set(run.id, version);
          if (!answered && !looks.has(`gate:${gate}`)) looks.set(`gate:${gate}`, now() + sweepMs);
        }
        looks.set(member, move.until);
        break;
      }
      case "end":
        Object.assign(run, { status: move.status, place: "none", expires: now() + keepMs });
        if (!is("end-keeps-needs")) needs.ended(run, move.status);
        looks.delete(member);
        break;
    }
  };
  const look = (id: string): void => {
    const member = `run:${id}`;
    const run = find(id);
    if (run === undefined || isFinal(run.status) || run.place === "line") {
      looks.delete(member);
    } else if (run.place === "live" && run.lease > now()) {
      looks.set(member, run.lease);
    } else if (run.place === "live") {
      if (run.lease > 0) Object.assign(run, { ticket: raise(run.ticket), lease: 0 });
      looks.set(member, now() + grace);
      if (!is("due-makes-no-tickets")) ticket(run);
    } else {
      const isPaused = run.place === "gate" && run.gates.some((gate) => gate.startsWith("switch/"));
      if (run.place === "gate") leaveGates(run);
      toLine(run, run.cancel || isPaused);
    }
  };

  const takeTickets = (): Ticket[] => {
    const made = tickets;
    tickets = [];
    return made;
  };
  const ways = {
    leaveGates,
    fill,
    moveMany,
    ticket,
    toLine,
    enter,
    pathOf,
    unseat,
    goOn,
    goTo,
    look,
    write,
    takeTickets,
  };
  return { runs, gates, turns, tenants, off, weights, looks, unknowns, needs, next, is, raise, find, gateOf, ...ways };
}
