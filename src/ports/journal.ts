import type { DayCount } from "../core/day-counts.ts";
import type { Decision, Entry, Parked } from "../core/journal.ts";
import type { Evidence } from "../core/outcome.ts";
import type { FinalStatus, NeedReason } from "../core/run.ts";
import type { Ask, Counting, Settlement } from "./asking.ts";

export interface Claim {
  readonly answer: "claimed";
  readonly run: string;
  readonly epoch: number;
  /** Redis ms when the claim was made. */
  readonly now: number;
  readonly cancelled: boolean;
  readonly decisions: readonly Decision[];
  readonly evidence: readonly Evidence[];
}

/** It was leased, but its journal cannot be read: nothing can be done but to let it go. */
export interface Unreadable {
  readonly answer: "unreadable";
  readonly run: string;
  readonly epoch: number;
  readonly cancelled: boolean;
  /** Entries in the journal, and how many of them, at its end, are leases, this one included. */
  readonly length: number;
  readonly leases: number;
  /** Without what stands in the journal. */
  readonly why: string;
}

/**
 * `busy`: another worker's lease lives. `stale`: not the run's current ticket, or nothing to do. `gone`: no such run.
 * `newer`: a newer Errand wrote its journal. It has been parked, and is offered again after a while: another worker may know more.
 */
export type ClaimReply =
  | Claim
  | Unreadable
  | { readonly answer: "busy"; readonly until: number }
  | { readonly answer: "stale" }
  | { readonly answer: "gone" }
  | { readonly answer: "newer" };

/** An account's gate, the version of it that was read before the account was looked at, and what was seen then. */
export interface NeededGate {
  readonly gate: string;
  readonly version: number;
  readonly reason: NeedReason;
}

/** What becomes of the run's slot and lease, in the same step as the entries. */
export type Move =
  | { readonly to: "stay" }
  /**
   * Redis ms. `until`: the run's expiry. `unless`: evidence with this nonce is what the run waits for; if it is there already, the
   * answer is `gate-moved`.
   */
  | {
      readonly to: "gate";
      readonly gate: string;
      readonly version: number;
      readonly unless?: string;
      readonly until: number;
    }
  /**
   * At the gates of all accounts that the run needs, until the last of them is open. What it needs is kept as a record of each account
   * until the run is prepared, ends, or parks with other needs. `after`: the gates open only for an account that was connected anew
   * since then. `until`: the run's expiry. Both Redis ms. `kept`: it does not wait there, but still needs them if it did before.
   */
  | {
      readonly to: "accounts";
      readonly needs: readonly NeededGate[];
      readonly kept?: readonly string[];
      readonly after?: number;
      readonly until: number;
    }
  /** Redis ms. `waits`: what it waits for, so that it can be woken before. */
  | { readonly to: "moment"; readonly until: number; readonly waits?: string }
  /** `keeps`: an answer that it asked for is on its way, and what was kept aside for that stays so. */
  | { readonly to: "line"; readonly keeps?: true }
  | { readonly to: "end"; readonly status: FinalStatus };

export interface Commit {
  readonly run: string;
  readonly epoch: number;
  /** Length of the journal before these entries. */
  readonly length: number;
  readonly nonce: string;
  readonly entries: readonly Entry[];
  readonly move: Move;
  /** Connections that its intents use. */
  readonly uses?: readonly string[];
  /** Of a move to `stay`. */
  readonly ask?: Ask;
  /** Of the last model call that was asked for. Without it, a run that asks again or lets go has lost it: all that was kept aside counts. */
  readonly settle?: Settlement;
  /** Where a day's counts are limited. It is written with the entries, and a park in their place. */
  readonly count?: Counting;
}

/**
 * `unkept`: it is written, but not where a failover of the store would leave it (see the option `durability`), so nothing may be sent
 * that its intents announce. `gate-moved`: a gate opened since its version was read, or what it stands for is there; nothing was written,
 * look again.
 */
export type CommitReply =
  | { readonly answer: "ok" | "unkept"; readonly at: number; readonly cancelled: boolean }
  /** Not allowed now: the run has parked instead, with this entry in place of those that it asked for. */
  | { readonly answer: "parked"; readonly at: number; readonly park: Parked }
  /** It does not fit into a day's budget; nothing was written. What is left of it: whichever of the two is too little, or what is used up. */
  | {
      readonly answer: "short";
      readonly budget: string;
      readonly tokens?: number;
      readonly nano?: number;
      readonly met?: DayCount;
    }
  /** Of an `ask` that stays: a cool-down of `key` is under way until then (Redis ms); nothing was written. */
  | { readonly answer: "closed"; readonly key: string; readonly until: number }
  /** An operator stopped what these intents begin, by this switch; nothing was written. `version`: of the switch's gate. */
  | { readonly answer: "stopped"; readonly by: string; readonly version: number }
  /** The time in which one of its intents was approved is over; nothing was written. Redis ms. */
  | { readonly answer: "lapsed"; readonly until: number }
  | { readonly answer: "fenced" }
  | { readonly answer: "conflict" }
  | { readonly answer: "gate-moved" };

/** How many pieces; `cut`: its end is missing, because it is larger than what is kept of one result. */
export interface Kept {
  readonly pieces: number;
  readonly cut?: true;
}

/**
 * A run's journal. Contract: every call may be sent twice with the same nonce and has its effect once. Throws only when the store
 * cannot be reached; then it is unknown whether the call was executed, and the same call may be made again.
 */
export interface Journal {
  /** @param ticket the number of the ticket that asks; none for a claim from line or gate (cancel, expiry) */
  claim(
    run: string,
    options: { readonly ticket?: string; readonly nonce: string; readonly worker: string },
  ): Promise<ClaimReply>;
  renew(
    run: string,
    epoch: number,
  ): Promise<{ readonly answer: "ok"; readonly cancelled: boolean } | { readonly answer: "fenced" }>;
  commit(commit: Commit): Promise<CommitReply>;
  /** First write wins; answers the winner, or nothing when the run is gone. Accepted from any epoch. */
  evidence(run: string, evidence: Omit<Evidence, "at">): Promise<Evidence | undefined>;
  /**
   * Keeps the text of a large result beside the journal, before its evidence is written; from any epoch. It expires with the run and is
   * not part of a claim. Answers nothing when it could not be kept: no room, too slow, or the run is gone.
   */
  keep(run: string, nonce: string, text: string): Promise<Kept | undefined>;
  /** What was kept, whole, of so many pieces; nothing when one is missing. */
  kept(run: string, nonce: string, pieces: number): Promise<string | undefined>;
  /** How long a lease lives without renewal, ms. */
  readonly leaseMs: number;
}
