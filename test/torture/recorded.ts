/** What a round of torture leaves behind: all that the checker reads. It holds data only, so a planted lie can be written by hand. */
import type { Decision } from "../../src/core/journal.ts";
import type { Json } from "../../src/core/json.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import type { RunStatus } from "../../src/core/run.ts";

/** One thing that the app wanted done. Its key stands in the input, and is also its idempotency key if it has one. */
export interface Enqueued {
  readonly key: string;
  readonly agent: string;
  readonly identifier: string;
  /** What `enqueue` answered, each time that it did. None: the app never learned whether it worked ("unsure"). */
  readonly ids: readonly string[];
  /** Of the first answer; Unix ms. */
  readonly ackedAt?: number;
  readonly cancelAsked: boolean;
}

/** A run as the store has it at the end, when all workers are gone. */
export interface FinalRun {
  readonly id: string;
  readonly status: RunStatus;
  readonly decisions: readonly Decision[];
  readonly evidence: readonly Evidence[];
}

/** One execution of a tool, told by the tool's own side. */
export interface Executed {
  readonly run: string;
  readonly call: string;
  readonly tool: string;
  readonly identifier: string;
  readonly args: Json;
  /** Unix ms. */
  readonly at: number;
}

/** A run as somebody saw it on the way. */
export type Snapshot = Pick<FinalRun, "id" | "decisions" | "evidence">;

/** What the app was told when it waited for a run. */
export interface SeenResult {
  readonly id: string;
  readonly status: RunStatus;
  readonly output?: Json;
}

/** Redis itself lost what it had acknowledged: its AOF was not written when it was killed. Unix ms. */
export interface Loss {
  readonly from: number;
  readonly to: number;
  readonly writes: number;
}

export interface Recorded {
  readonly enqueues: readonly Enqueued[];
  readonly runs: readonly FinalRun[];
  readonly ledger: readonly Executed[];
  readonly snapshots: readonly Snapshot[];
  readonly results: readonly SeenResult[];
  readonly losses: readonly Loss[];
  /** What stands in the store that should have gone with its run, in words. */
  readonly leftovers: readonly string[];
  /** Runs that one identifier may have at once. */
  readonly cap: number;
  /** As the journal names the process that enqueues and cancels: its claims need no slot. */
  readonly app: string;
}
