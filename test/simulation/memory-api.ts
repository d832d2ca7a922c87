/** What can be asked of the memory store: the scripts of src/queue/scripts. */
import type { Decided } from "./memory-approvals.ts";
import type { Entry } from "../../src/core/journal.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import type { ClaimReply, Commit, CommitReply, Journal, Kept } from "../../src/ports/journal.ts";
import type { Ticket } from "../../src/queue/codec.ts";
import type { Turns } from "../../src/core/turns.ts";
import type { LookedAt } from "../../src/queue/journal.ts";
import type { MemoryAsking } from "./memory-asking-api.ts";
import type { StoredAuthorization, StoredEvent } from "./memory-needs.ts";
import type { StoredGate, StoredRun } from "./memory-state.ts";

export interface CreateRequest {
  readonly run: string;
  readonly nonce: string;
  readonly queue: string;
  readonly priority: number;
  /** Hash of the idempotency key, or empty. */
  readonly idem: string;
  readonly inputHash: string;
  readonly created: Extract<Entry, { kind: "created" }>;
  readonly coalesce?: "all" | "latest" | "skip";
}

export type CreateReply =
  | { readonly answer: "ok" | "same" | "conflict" | "skipped"; readonly run: string }
  | { readonly answer: "tenant"; readonly tenant: string };

/** Each function is one script: it happens at once and as a whole. */
export interface MemoryStore {
  readonly runs: ReadonlyMap<string, StoredRun>;
  readonly gates: ReadonlyMap<string, StoredGate>;
  readonly turns: Pick<Turns, "lines" | "busy" | "waits">;
  /** What an operator stopped. */
  readonly off: ReadonlySet<string>;
  readonly looks: ReadonlyMap<string, number>;
  readonly unknowns: ReadonlySet<string>;
  /** `<run> <approval>` of calls that wait for a person's word. */
  readonly approvals: ReadonlySet<string>;
  readonly auths: ReadonlyMap<string, StoredAuthorization>;
  readonly events: readonly StoredEvent[];
  readonly asking: MemoryAsking;
  create(request: CreateRequest): CreateReply;
  claim(run: string, options: Parameters<Journal["claim"]>[1]): ClaimReply;
  renew(run: string, epoch: number): Awaited<ReturnType<Journal["renew"]>>;
  commit(commit: Commit): CommitReply;
  evidence(run: string, evidence: Omit<Evidence, "at">): Evidence | undefined;
  keep(run: string, nonce: string, text: string): Kept | undefined;
  /** What was kept, whole. */
  kept(run: string, nonce: string): string | undefined;
  answer(run: string, intent: string, answer: Omit<Evidence, "at">): "ok" | "was" | "gone";
  decide(run: string, asked: string, call: string, said: Omit<Evidence, "at">): Decided;
  cancel(run: string): "held" | "free" | "final" | "gone";
  open(gate: string, version: number | undefined, most: number, changedAt?: number): { version: number; left: number };
  /** @returns whether it was on, or off, before */
  pause(name: string): boolean;
  resume(name: string): boolean;
  /** @returns what it was before */
  weigh(name: string, weight: number): number;
  looked(seen: readonly LookedAt[]): number;
  /** @returns how many of them are needed */
  remind(nonce: string, gates: readonly string[]): number;
  due(most: number): { nextMs: number | undefined; gates: readonly string[] };
  version(gate: string): number;
  /** The tickets that scripts made since the last time. */
  takeTickets(): Ticket[];
}
