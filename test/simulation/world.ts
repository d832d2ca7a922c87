/** One simulated world: what its parts share, and processes that live, stand still and die. */
import type { Caps } from "../../src/core/turns.ts";
import type { Log } from "../../src/ports/log.ts";
import { type Dice, rollDice } from "./dice.ts";
import { drawFaults, type Faults } from "./faults.ts";
import type { MemoryStore } from "./memory-api.ts";
import { drawShared, type Shared } from "./shared.ts";
import { createReplica, type Replica } from "./replica.ts";
import { createTimeline, type Timeline } from "./timeline.ts";

export const LEASE_MS = 10_000;
const SWEEP_MS = 15_000;
const NO_SWEEP_MS = 1e12;
/** Redis ms at the start. */
const EPOCH = 1_700_000_000_000;

/** An operating system's process: dead for ever once it died; a new one takes its place. */
export interface Process {
  readonly name: string;
  readonly isWorker: boolean;
  readonly immortal: boolean;
  dead: boolean;
  pausedUntil: number;
  /** Its monotonic clock once stood still: a lease may have ended without its knowledge. */
  suspended: boolean;
  /** The last virtual ms at which something was wrong with it or with its way to the store. */
  faultedAt: number;
  /** What its clock missed while it was suspended. */
  missedMs: number;
  readonly drift: number;
  readonly onDeath: (() => void)[];
}

export interface World {
  readonly seed: number;
  readonly dice: Dice;
  readonly time: Timeline;
  readonly mutants: ReadonlySet<string>;
  faults: Faults;
  calm: boolean;
  readonly replica: Replica;
  /** The replica's: another one after a failover. */
  store: MemoryStore;
  readonly caps: Caps;
  /** None: no limits are shared, and nobody stops anything. */
  readonly shared: Shared | undefined;
  readonly switches: WhatIsOff;
  readonly processes: Process[];
  /** Runs that a failover took writes from: some duplicates are allowed for them. */
  readonly tainted: Set<string>;
  /** Runs whose enqueue was answered. */
  readonly acknowledged: Set<string>;
  readonly counts: Map<string, number>;
  /** The first broken invariant. */
  failure: Broken | undefined;
  redisNow(): number;
  /** @param immortal it neither dies nor stands still */
  spawn(name: string, immortal?: boolean): Process;
  monotonic(process: Process): number;
  nonce(): string;
  count(what: string): void;
  trace(text: () => string): void;
  /** Throws, and the world ends; the loop under test may catch it, so it is kept as well. */
  broken(invariant: string, detail: string): never;
  /** For promises that may fail with the store; anything else is a find. */
  caught: (error: unknown) => void;
}

/** What somebody has stopped, as the store has heard it. */
export interface WhatIsOff {
  readonly off: ReadonlySet<string>;
  /** Redis ms since when nothing was stopped; Infinity while anything is. */
  since(): number;
  pause(name: string): void;
  resume(name: string): void;
  /** The store lost writes: what is left is taken as it is. */
  found(off: ReadonlySet<string>): void;
}

class Switches implements WhatIsOff {
  off: Set<string> = new Set();
  readonly #now: () => number;
  #resumedAt = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  since(): number {
    return this.off.size > 0 ? Infinity : this.#resumedAt;
  }

  pause(name: string): void {
    this.off.add(name);
  }

  resume(name: string): void {
    this.off.delete(name);
    this.#resumedAt = this.#now();
  }

  found(left: ReadonlySet<string>): void {
    this.off = new Set(left);
    this.#resumedAt = this.#now();
  }
}

export class Broken extends Error {
  readonly invariant: string;
  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}

export const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** These show only where many runs wait for answers. */
const HIDDEN: readonly string[] = ["park-ignores-answer", "key-window-ignored", "look-guesses"];
/** This one only where providers refuse many at once. */
const SHY = "cool-shortens";

export interface WorldOptions {
  readonly mutants?: ReadonlySet<string>;
  readonly onTrace?: (line: string) => void;
}

export function createWorld(seed: number, { mutants = new Set(), onTrace }: WorldOptions = {}): World {
  const dice = rollDice(seed);
  const time = createTimeline();
  const faults = drawFaults(
    dice,
    HIDDEN.some((name) => mutants.has(name)),
  );
  const perIdentifier = 1 + dice.below(2);
  const perTenant = dice.chance(0.5) ? 1 + dice.below(3) : undefined;
  const maxLive = dice.chance(0.4) ? 1 + dice.below(4) : undefined;
  const agentCaps = new Map(dice.chance(0.3) ? [["mailer", 1]] : []);
  const caps: Caps = {
    identifier: perIdentifier,
    tenant: perTenant ?? Infinity,
    total: maxLive ?? Infinity,
    agents: agentCaps,
  };
  const redisNow = (): number => EPOCH + Math.floor(time.now);
  const replica = createReplica(
    {
      perIdentifier,
      ...(perTenant !== undefined && { perTenant }),
      ...(maxLive !== undefined && { maxLive }),
      agentCaps,
      leaseMs: LEASE_MS,
      sweepMs: faults.sweep ? SWEEP_MS : NO_SWEEP_MS,
      keepMs: 30 * 86_400_000,
      remindAfterMs: [20_000, 90_000],
      now: redisNow,
      mutants,
    },
    faults.failovers > 0,
  );
  let nonces = 0;
  const world: World = {
    seed,
    dice,
    time,
    mutants,
    faults,
    calm: false,
    replica,
    store: replica.store,
    caps,
    shared: drawShared(seed, mutants.has(SHY)),
    switches: new Switches(redisNow),
    processes: [],
    tainted: new Set(),
    acknowledged: new Set(),
    counts: new Map(),
    failure: undefined,
    redisNow,
    spawn(name, immortal = false) {
      const process: Process = {
        name,
        immortal,
        isWorker: name.startsWith("worker"),
        dead: false,
        pausedUntil: 0,
        suspended: false,
        faultedAt: -1,
        missedMs: dice.between(-1e9, 1e9),
        drift: 1 + dice.between(-0.002, 0.002),
        onDeath: [],
      };
      world.processes.push(process);
      return process;
    },
    monotonic: (process) => time.now * process.drift - process.missedMs,
    nonce: () => `n${++nonces}`,
    count: (what) => void world.counts.set(what, (world.counts.get(what) ?? 0) + 1),
    trace: (text) => onTrace?.(`${time.now.toFixed(1).padStart(10)}  ${text()}`),
    caught: (error) => {
      if (error instanceof Error && error.name === "StoreGone") return;
      world.failure ??= new Broken(
        "the code under test threw",
        error instanceof Error ? (error.stack ?? "") : String(error),
      );
    },
    broken(invariant, detail) {
      world.trace(() => `BROKEN ${invariant}: ${detail}`);
      throw (world.failure ??= new Broken(invariant, detail));
    },
  };
  return world;
}

export function kill(world: World, process: Process): void {
  if (process.dead) return;
  process.dead = true;
  process.faultedAt = world.time.now;
  world.count("crash");
  world.trace(() => `${process.name} CRASHES`);
  for (const tell of process.onDeath) tell();
}

export function pause(world: World, process: Process, ms: number, suspended: boolean): void {
  process.pausedUntil = Math.max(process.pausedUntil, world.time.now + ms);
  process.faultedAt = Math.max(process.faultedAt, process.pausedUntil);
  if (suspended) {
    process.suspended = true;
    process.missedMs += ms * process.drift;
  }
  world.count(suspended ? "suspend" : "pause");
  world.trace(() => `${process.name} ${suspended ? "SUSPENDED" : "PAUSED"} for ${Math.round(ms)} ms`);
}
