/** What the reader of a journal remembers of what it has read, and whom it talks to. */
import type {
  CallClaimed,
  Decision,
  Looked,
  LookPlanned,
  Parked,
  TurnAccepted,
  TurnCommitted,
  TurnRequested,
  Unknown,
} from "../../src/core/journal.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import type { Need } from "../../src/core/run.ts";
import type { ToolSend } from "../../src/ports/toolbox.ts";
import type { StoredRun } from "./memory-state.ts";

/** Nothing of a call that a suspended worker sent after its lease: nobody can know when it wakes. */
export interface Truth {
  effectsOf(run: string, call: string, tool: string): number | undefined;
  executionsOf(run: string, call: string, intent: string): number | undefined;
}

/** What the reader learns from the other parts. */
export interface Known {
  claimed(run: StoredRun, epoch: number, nonce: string): void;
  released(run: StoredRun, epoch: number): void;
  /** Redis ms when the user last connected. */
  connectedAt(run: StoredRun, connection: string): number;
  /** ms for which all accounts have been ACTIVE. */
  connectedFor(run: StoredRun): number;
  /** An intent, in the moment when it is written. */
  begun(run: StoredRun, d: Decision): void;
  promptOf(run: StoredRun, epoch: number): ReadonlyMap<string, string> | undefined;
  readonly truth: Truth;
  recorded(): void;
}

export interface JournalReader {
  /** Reads what was written since the last time. */
  read(run: StoredRun): void;
  /** The store lost writes: what is left is taken as it is. */
  restart(run: StoredRun | undefined): void;
  delivered(evidence: Omit<Evidence, "at">): void;
  prompted(run: string, texts: ReadonlyMap<string, string>): void;
  sent(call: ToolSend): void;
  /** The provider executes what was sent. */
  executed(call: string, intent: string): void;
  /** Long after all faults: whom a run still waits for has not done what it asks. */
  stillAsked(run: StoredRun): void;
}

export interface Reading {
  count: number;
  seen: Decision | undefined;
  leased: Decision | undefined;
  /** Nothing may follow but a claim. */
  left: boolean;
  ended: boolean;
  turns: Decision<TurnCommitted>[];
  requested: Decision<TurnRequested> | undefined;
  /** The answer that a provider works on in the background. */
  accepted: Decision<TurnAccepted> | undefined;
  /** It was there before this decision. */
  fetched: boolean;
  claims: Map<string, Decision<CallClaimed>[]>;
  /** By the intent that they are about. */
  unknowns: Map<string, Decision<Unknown>>;
  looks: Map<string, Decision<LookPlanned>>;
  looked: Map<string, Decision<Looked>>;
  /** When it first parked for accounts that have not been seen ACTIVE since. */
  waitsSince: number | undefined;
  /** When it first parked for a switch, since anything else was done. */
  pausedSince: number | undefined;
  /** Call → what the model was told when it gave a committed answer. */
  told: Map<string, string>;
  leasesSinceProgress: number;
  /** Failed attempts of this turn's model call. */
  failures: number;
  /** The epoch whose last reply told of a cancel. */
  cancelTold: number;
}

export function start(): Reading {
  return {
    count: 0,
    seen: undefined,
    leased: undefined,
    left: false,
    ended: false,
    turns: [],
    requested: undefined,
    accepted: undefined,
    fetched: false,
    claims: new Map(),
    unknowns: new Map(),
    looks: new Map(),
    looked: new Map(),
    waitsSince: undefined,
    pausedSince: undefined,
    told: new Map(),
    leasesSinceProgress: 0,
    failures: 0,
    cancelTold: -1,
  };
}

export type Said = "happened" | "not-executed" | "stop" | "unsure";

/** What a person said of an attempt. */
export function answerTo(evidence: ReadonlyMap<string, Evidence>, intent: string): Evidence | undefined {
  return evidence.get(`answer:${intent}`);
}

export function wordOf(answer: Evidence | undefined): Exclude<Said, "unsure"> | undefined {
  return answer?.outcome.kind === "answered" ? answer.outcome.says : undefined;
}

export function saysWhy({ reason, needs = [], until, about }: Parked): boolean {
  if (reason === "account") return needs.length > 0;
  const isOthers = reason === "review" || reason === "approval" || reason === "paused";
  return isOthers ? about !== undefined : until !== undefined;
}

/** What is known of all attempts. */
export function allAttempts({ claims }: Reading, evidence: ReadonlyMap<string, Evidence>): readonly Evidence[] {
  return Array.from(claims.values()).flatMap((made) => made.flatMap(({ intent }) => evidence.get(intent) ?? []));
}

/**
 * @param connected Redis ms when the user last connected
 * @param before a connection that was made later could not be known
 * @returns how, if the user has connected anew since the last refusal
 */
export function askedTwice(
  { connection, reason }: Need,
  attempts: readonly Evidence[],
  connected: number,
  before: number,
): string | undefined {
  if (reason !== "refused" && reason !== "missing-scope") return undefined;
  const refused = attempts.filter(
    ({ outcome }) => outcome.kind === "not-executed" && (outcome.why === "account" || outcome.why === "scope"),
  );
  const last = Math.max(...refused.map(({ at }) => at));
  const twice = connected > last && connected < before;
  return twice ? `${connection} ${reason} at ${last}, but connected anew at ${connected}` : undefined;
}
