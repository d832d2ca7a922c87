/**
 * A run in the hands of the worker that claimed it: its state, its lease, and the entries that wait to be written.
 *
 * H1 Entries may wait in memory only until the next effect: `flush` before anything is sent, so that an effect has its intent written.
 * H2 Nothing is sent unless the lease, counted on the monotonic clock from the moment its last confirmation was asked for, lives.
 * H3 An intent that is certainly not sent says so by evidence, so that nobody has to wonder later.
 * H4 A fenced or conflicting commit ends this hold for good: somebody else owns the run.
 */
import type { DayCount } from "../core/day-counts.ts";
import { isIntent } from "../core/intents.ts";
import type { Decision, Entry } from "../core/journal.ts";
import { apply, applyEvidence, foldRun, type RunState } from "../core/state.ts";
import type { Evidence, Refusal } from "../core/outcome.ts";
import type { Chance, Clock } from "../ports/clock.ts";
import type { Ask, Counting, Settlement } from "../ports/asking.ts";
import type { Claim, CommitReply, Journal, Kept, Move } from "../ports/journal.ts";
import { Reading } from "./reading.ts";

/** Thrown inside the loop when the run is no longer ours; caught by `advance`. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

/**
 * Thrown by `flush` and `ask`: what the intents announce must not be sent. They are written, and their evidence says that it was not; or
 * an approval's time ended before they were, and nothing was. What follows is for `next` to say.
 */
export class NotSent extends Error {
  override readonly name = "NotSent";
}

/** Thrown for a call of a tool that is under way: a limit that all runs share has no room for it now. Nothing was written of it. */
export class NoRoom extends Error {
  override readonly name = "NoRoom";
  constructor() {
    super("a limit of calls has no room for it now");
  }
}

/** Thrown by `flush` and `ask`: an operator stopped what would begin. Its intents are dropped, all else still waits to be written. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  /** The switch, and the version of its gate. */
  readonly by: string;
  readonly version: number;
  constructor(by: string, version: number) {
    super(`${by} is paused`);
    this.by = by;
    this.version = version;
  }
}

/** Thrown for a call of a tool that is under way, when what it goes through cools down. Nothing was written of it. */
export class Cooled extends Error {
  override readonly name = "Cooled";
  /** Redis ms. */
  readonly until: number;
  constructor({ key, until }: Extract<Asked, { is: "closed" }>) {
    super(`a cool-down of ${key}`);
    this.until = until;
  }
}

export type Asked =
  | { readonly is: "ok" }
  | { readonly is: "parked" }
  /** Of one that stays. Redis ms. */
  | { readonly is: "closed"; readonly key: string; readonly until: number }
  | {
      readonly is: "short";
      readonly budget: string;
      readonly tokens?: number;
      readonly nano?: number;
      readonly met?: DayCount;
    };

export interface HeldRun {
  readonly id: string;
  /** Committed entries and those that wait. */
  readonly state: RunState;
  readonly cancelled: boolean;
  /** Aborted when the lease is lost or the worker stops at once. */
  readonly signal: AbortSignal;
  /** Aborted then, and when the run is cancelled: for what may be given up half-way without leaving anything behind. */
  readonly stop: AbortSignal;
  readonly leaseMs: number;
  /** Redis ms, by the last reading and the monotonic clock: never ahead, so that no deadline of a lost worker is over too early. */
  now(): number;
  note(entry: Entry): void;
  /**
   * Writes what waits, with an optional move. Answers false when the gate moved: nothing was written, the noted entries are dropped.
   * @throws NotSent, Stopped, LeaseLost
   */
  flush(move?: Move): Promise<boolean>;
  /**
   * Writes what waits and these entries, if what they announce is allowed; else the run has parked. `short`: nothing was written.
   * @throws NotSent, Stopped, LeaseLost
   */
  ask(entries: readonly Entry[], ask: Omit<Ask, "entries">): Promise<Asked>;
  /** What the last model call has used. It is told with the next thing that is written. */
  settle(settlement: Settlement): void;
  /** @throws LeaseLost when nothing may be sent any more */
  assertLease(): void;
  addEvidence(evidence: Omit<Evidence, "at">): Promise<void>;
  /** Puts a large result beside the journal. Never rejects: that something was executed counts more than what it said. */
  keep(nonce: string, text: string): Promise<Kept | undefined>;
  /** What was kept, whole; nothing when it is not there any more. */
  kept(nonce: string, pieces: number): Promise<string | undefined>;
  /** Asks for more time. To be called from a timer; aborts the signal when the lease is lost. */
  renew(): Promise<void>;
}

/** A send needs this much of the lease left: the time between the check and the first byte. */
const SEND_MARGIN = 0.1;
const TOO_FEW = "not sent: too few replicas of Redis confirmed in time that it was about to be";
const CANCELLED = "the run was cancelled";
const TOO_LATE = "not sent: the worker's lease ended while its intent was written";

export type Meter = (state: RunState, now: number) => Counting | undefined;

export interface Holding {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly abort: AbortController;
  /** What each commit tells of the run to the days that count it. */
  readonly meter?: Meter | undefined;
  /** Monotonic ms when the claim was asked for. */
  readonly askedAt: number;
}

export function holdRun(claim: Claim, { journal, clock, chance, abort, meter, askedAt }: Holding): HeldRun {
  const id = claim.run;
  let committed = foldRun(id, claim.decisions, claim.evidence);
  let length = claim.decisions.length;
  let waiting: readonly Entry[] = [];
  /** On their way: a tool's own calls write while others are written. */
  let sending: readonly Entry[] = [];
  let before: Promise<unknown> = Promise.resolve();
  let settlement: Settlement | undefined;
  let confirmedAt = askedAt;
  let cancelled = claim.cancelled;
  let stopping: AbortController | undefined;
  /** A renewal has said that the run was cancelled. */
  let isTold = false;
  /** Made when it is first asked for: many claims end before that. One listener, not AbortSignal.any, which takes three times as long. */
  const stop = (): AbortSignal => {
    if (stopping !== undefined) return stopping.signal;
    const made = new AbortController();
    stopping = made;
    if (abort.signal.aborted) made.abort(abort.signal.reason);
    else abort.signal.addEventListener("abort", () => made.abort(abort.signal.reason), { once: true });
    if (isTold) made.abort(new Error(CANCELLED));
    return made.signal;
  };

  /** Redis ms and the monotonic ms when it was told: each reading is behind by the time that its reply took, never ahead. */
  let told = { at: claim.now, heardAt: clock.monotonic() };
  const now = (): number => told.at + Math.max(0, clock.monotonic() - told.heardAt);
  const hear = (at: number): void => {
    if (at > now()) told = { at, heardAt: clock.monotonic() };
  };
  const stamp = <E extends Entry>(entry: E, at: number): Decision<E> => ({ at, epoch: claim.epoch, ...entry });
  const lost = (why: string): never => {
    abort.abort(new LeaseLost(why));
    throw new LeaseLost(why);
  };
  /** With what waits, dated when it is first read: `next` and its kin ask for it many times between two changes. */
  let read = { from: committed, sending, waiting, state: committed };
  const current = (): RunState => {
    if (read.from === committed && read.sending === sending && read.waiting === waiting) return read.state;
    const at = now();
    const state = [...sending, ...waiting].reduce((state, entry) => apply(state, stamp(entry, at)), committed);
    read = { from: committed, sending, waiting, state };
    return state;
  };
  const leaseLives = (): boolean => clock.monotonic() - confirmedAt <= journal.leaseMs * (1 - SEND_MARGIN);
  const assertLease = (): void => {
    if (abort.signal.aborted) lost("aborted");
    if (!leaseLives()) lost("the lease ended before it was renewed");
  };
  const addEvidence = async (evidence: Omit<Evidence, "at">): Promise<void> => {
    const winner = await journal.evidence(id, evidence);
    if (winner === undefined) return lost("the run is gone");
    hear(winner.at);
    committed = applyEvidence(committed, winner);
  };
  /** Only this hold could have sent what these intents announce. @returns whether there are any */
  const refuse = async (entries: readonly Entry[], why: Refusal, message: string): Promise<boolean> => {
    const intents = entries.filter((entry) => entry.kind === "call-claimed");
    for (const { intent, call, tool, argsHash } of intents)
      await addEvidence({
        nonce: intent,
        call,
        tool,
        argsHash,
        outcome: { kind: "not-executed", why, message },
        tookMs: 0,
      });
    return intents.length > 0;
  };

  const connectionsOf = (entries: readonly Entry[]): readonly string[] => {
    const names = entries.flatMap((it) => (it.kind === "call-claimed" ? [it.tool] : []));
    const used = (committed.context?.tools ?? []).filter(({ name }) => names.includes(name));
    return [...new Set(used.flatMap(({ connection }) => (connection === "" ? [] : [connection])))];
  };

  type Written = Exclude<CommitReply, { readonly answer: "fenced" | "conflict" | "stopped" | "lapsed" }>;
  const write = async (move: Move, asked: readonly Entry[] = [], ask?: Ask): Promise<Written> => {
    const mine = waiting;
    const entries = [...mine, ...asked];
    const settle = settlement;
    if (entries.length === 0 && move.to === "stay" && settle === undefined)
      return { answer: "ok", at: now(), cancelled };
    const count = meter?.(current(), now());
    [waiting, sending] = [[], entries];
    let reply: CommitReply;
    const began = clock.monotonic();
    try {
      const more = {
        ...(ask !== undefined && { ask }),
        ...(settle !== undefined && { settle }),
        ...(count !== undefined && { count }),
      };
      const nonce = chance.nonce();
      const uses = connectionsOf(entries);
      reply = await journal.commit({ run: id, epoch: claim.epoch, length, nonce, entries, uses, move, ...more });
      if (reply.answer === "stopped" || reply.answer === "lapsed")
        waiting = [...mine.filter((it) => !isIntent(it)), ...waiting];
      else if (reply.answer !== "gate-moved" && settlement === settle) settlement = undefined;
      if (reply.answer === "short" || reply.answer === "closed") waiting = [...mine, ...waiting];
      if (reply.answer === "ok" || reply.answer === "unkept" || reply.answer === "parked") {
        const { at } = reply;
        const written = reply.answer === "parked" ? [...mine, reply.park] : entries;
        committed = written.reduce((state, entry) => apply(state, stamp(entry, at)), committed);
        length += written.length;
      }
    } finally {
      sending = [];
    }
    if (reply.answer === "stopped") throw new Stopped(reply.by, reply.version);
    if (reply.answer === "lapsed") {
      hear(reply.until);
      throw new NotSent("not sent: the time in which it was approved is over");
    }
    if (reply.answer === "gate-moved" || reply.answer === "short" || reply.answer === "closed") return reply;
    if (reply.answer === "fenced" || reply.answer === "conflict") return lost(reply.answer);
    hear(reply.at);
    if (reply.answer === "parked") return reply;
    confirmedAt = Math.max(confirmedAt, began);
    cancelled ||= reply.cancelled;
    const unsent = reply.answer === "unkept" ? TOO_FEW : leaseLives() ? undefined : TOO_LATE;
    const why = unsent === TOO_FEW ? "store" : "unavailable";
    if (unsent === undefined || !(await refuse(entries, why, unsent))) return reply;
    if (unsent === TOO_FEW) throw new NotSent(TOO_FEW);
    return lost(TOO_LATE);
  };

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = before.then(work);
    before = mine.catch(() => undefined);
    return mine;
  };

  const reading = new Reading({ state: current, cancelled: () => cancelled, signal: () => abort.signal, stop });
  return Object.assign(reading, {
    id,
    leaseMs: journal.leaseMs,
    now,
    assertLease,
    note(entry: Entry) {
      waiting = [...waiting, entry];
    },
    flush: async (move: Move = { to: "stay" }) => (await inTurn(() => write(move))).answer !== "gate-moved",
    ask: async (entries: readonly Entry[], ask: Omit<Ask, "entries">): Promise<Asked> => {
      const all = { entries: entries.length, ...ask };
      const reply = await inTurn(() => write({ to: "stay" }, entries, all));
      if (reply.answer === "short") return { is: "short", ...reply };
      if (reply.answer === "closed") return { is: "closed", ...reply };
      return { is: reply.answer === "parked" ? "parked" : "ok" };
    },
    settle(used: Settlement) {
      settlement = used;
    },
    addEvidence,
    keep: (nonce: string, text: string) => journal.keep(id, nonce, text).catch(() => undefined),
    kept: (nonce: string, pieces: number) => journal.kept(id, nonce, pieces),
    async renew() {
      const asked = clock.monotonic();
      const reply = await journal.renew(id, claim.epoch);
      if (reply.answer === "fenced") return abort.abort(new LeaseLost("fenced at renewal"));
      confirmedAt = Math.max(confirmedAt, asked);
      cancelled ||= reply.cancelled;
      isTold ||= cancelled;
      if (isTold) stopping?.abort(new Error(CANCELLED));
    },
  });
}
