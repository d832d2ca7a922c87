/** What runs ask of the memory store before they do it (memory-asking.ts), and what is kept of that. */
import type { Entry, Parked } from "../../src/core/journal.ts";
import type { Commit, CommitReply, Move } from "../../src/ports/journal.ts";
import type { DayCount, DayCounts } from "../../src/core/day-counts.ts";
import type { Closing, CoolReason, DayBudget, Settlement, Used } from "../../src/ports/asking.ts";
import type { Cooled } from "./memory-cooling.ts";
import type { StoredRun } from "./memory-state.ts";
import type { StoreMutant } from "./store-mutants.ts";

export interface Aside extends Used {
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
  /** What runs have told of themselves, and what was given on top of that. */
  readonly counts: Partial<DayCounts>;
  readonly more: Partial<DayCounts>;
}

export type Denied =
  | {
      readonly is: "wait";
      readonly reason: "rate-limit" | "budget" | "outage";
      readonly till: number;
      readonly message: string;
    }
  | { readonly is: "closed"; readonly key: string; readonly until: number }
  | ({ readonly is: "short"; readonly budget: string; readonly met?: DayCount } & Partial<Used>);

export interface AskingParts {
  readonly leaseMs: number;
  readonly now: () => number;
  readonly looks: Map<string, number>;
  readonly find: (id: string) => StoredRun | undefined;
  readonly toLine: (run: StoredRun) => void;
  readonly is: (mutant: StoreMutant) => boolean;
}

export type Allowed =
  | { readonly entries: readonly Entry[]; readonly move: Move; readonly park: Parked | undefined }
  | Extract<CommitReply, { answer: "short" | "closed" }>;

export interface MemoryAsking {
  readonly spends: ReadonlyMap<string, Spend>;
  /** Run → what its model call keeps aside. */
  readonly keeps: ReadonlyMap<string, Aside>;
  readonly cools: ReadonlyMap<string, Cooled>;
  settle(run: StoredRun, used: Settlement | undefined, move: Move): void;
  /** What of a commit is written, and where the run goes then. */
  allowed(
    run: StoredRun,
    nonce: string,
    entries: readonly Entry[],
    move: Move,
    told: { readonly [K in "ask" | "count"]: Commit[K] | undefined },
  ): Allowed;
  close(key: string, closing: Closing): { readonly until: number; readonly first: boolean };
  closed(keys: readonly string[]): { readonly until: number; readonly why: CoolReason } | undefined;
  reopen(key: string): boolean;
  /** It waits for this until then, or until somebody gives more. */
  waits(run: StoredRun, move: Move): void;
  give(budget: DayBudget): void;
}
