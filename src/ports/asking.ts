/** What a step must be allowed before it is done, by limits that all runs and workers share. It is part of the commit that announces it. */
import type { DayCounts } from "../core/day-counts.ts";

/** Why a cool-down is under way. `billing` and `credentials` are the operator's matter: one run at a time looks whether they are over. */
export type CoolReason = "rate-limit" | "billing" | "credentials";

/** Limits of a model profile, of all workers together. */
export interface ProfileBounds {
  /** Calls at once. */
  readonly concurrency?: number;
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
}

/** What one identifier or tenant may use on one day. Money in billionths of a US dollar, whole. */
export interface DayBudget {
  /** `identifier:<name>:<day>`, `tenant:<name>:<day>`. */
  readonly name: string;
  /** Redis ms. */
  readonly endsAt: number;
  readonly tokens?: number;
  readonly nano?: number;
  /** The step is begun only below them: what is under way on other workers may pass all but `toolCalls`. */
  readonly counts?: Partial<DayCounts>;
}

/** What the run has come to, for the days that count it. Totals: what was told before does not count twice. */
export interface Counting {
  readonly totals: DayCounts;
  readonly days: readonly Pick<DayBudget, "name" | "endsAt">[];
}

export interface Used {
  readonly tokens: number;
  readonly nano: number;
}

/** Calls on behalf of one identifier, of all runs together. */
export interface CallBound {
  /** Whose, and of which account or source: a gate's name. */
  readonly key: string;
  /** In any minute. */
  readonly most: number;
  /** How many of them this is, at most `most`. 0: one is to come, and is only looked whether there is room for. */
  readonly calls: number;
}

export interface Ask {
  /** How many of the commit's last entries announce it. They are written only if it is allowed. */
  readonly entries: number;
  /** The step that waits otherwise: `t3`, or a call's id. */
  readonly about: string;
  /** No cool-down of these may be under way. */
  readonly cool: readonly string[];
  /** In [0, 1): those that wait together do not come back together. */
  readonly random: number;
  /** It has just waited for one of these limits. Who has not, does not overtake those that wait. */
  readonly waited: boolean;
  readonly calls?: readonly CallBound[];
  /** Tool calls that it begins: `toolCalls` of each budget must have room for all of them, and they are counted with it. Default 0. */
  readonly begins?: number;
  /**
   * It cannot park here: when it is not allowed, nothing is written. While a cool-down is under way the reply is `closed`; otherwise
   * `short` with what it would wait for.
   */
  readonly stays?: true;
  readonly model?: ProfileBounds & { readonly profile: string };
  /** The most that it may use, and the budgets that it must fit into. */
  readonly reserve?: Used & { readonly budgets: readonly DayBudget[] };
}

/** What became of the model call that the run was allowed before. `ok`: the model answered, so nothing is wrong with its profile. */
export interface Settlement extends Used {
  readonly ok: boolean;
}

export interface Closing {
  /** What kind of trouble, and when to look again if nobody told. */
  readonly why: CoolReason;
  readonly retryAfterMs?: number;
  readonly backoff: { readonly baseMs: number; readonly capMs: number };
  readonly random: number;
  readonly nonce: string;
  /** When so many keys of this one cool at once, it cools as well. */
  readonly wider?: string;
}

/** Cool-downs, by key, for all workers. Contract: throws only when the store does. Closing twice with one nonce counts once. */
export interface Cooling {
  /** `until`: Redis ms. `first`: nobody has closed it for this reason before. */
  close(key: string, closing: Closing): Promise<{ readonly until: number; readonly first: boolean }>;
  /** Whichever of them is closed longest. */
  closed(keys: readonly string[]): Promise<{ readonly until: number; readonly why: CoolReason } | undefined>;
  /** Lets what waits for it go on. @returns whether it was closed */
  reopen(key: string): Promise<boolean>;
}
