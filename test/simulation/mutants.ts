/** The protocol with one rule left out, as options of the memory store or as wrappers of a port. Every one must be caught. */
import type { CallClaimed, Decision, Entry } from "../../src/core/journal.ts";
import type { HeldRun } from "../../src/loop/held.ts";
import type { Claim, ClaimReply, Journal } from "../../src/ports/journal.ts";
import type { StoreMutant } from "./store-mutants.ts";
import type { ToolMutant } from "./mutated-tools.ts";
import { LEASE_MS, type World } from "./world.ts";

/** Name → the rule that it breaks. */
export const MUTANTS: Readonly<Record<StoreMutant | PortMutant | ToolMutant, string>> = {
  "answer-unread": "a run that goes on knows the answer",
  "answer-wakes-nobody": "an answer lets the run go on that waits for it",
  "ask-told": "who is to be asked is asked",
  "budget-unchecked": "a model call fits into its day's budget",
  "busy-uncounted": "no more calls at once than a model takes",
  "calls-begin-uncounted": "no more tool calls in a day than are allowed",
  "calls-uncounted": "no more calls in a minute than are allowed",
  "cancel-not-told": "replies carry the cancel flag",
  "cancelled-parks": "a cancelled run waits for nothing",
  "claim-ignores-final": "an ended run cannot be claimed",
  "claim-ignores-lease": "a claim waits until the lease has ended",
  "claim-ignores-ticket": "only the run's current ticket claims it",
  "cool-ignored": "nothing is asked of what cools down",
  "cool-shortens": "while it cools down, the longest wish counts",
  "counts-again": "what a run has done counts once",
  "deadline-ignored": "a call that may still be sent is not made again",
  "due-makes-no-tickets": "a ticket that was lost is made again",
  "end-forgets-fill": "a slot that gets free is filled",
  "end-keeps-needs": "a run that ended needs no account",
  "end-keeps-reserve": "an end gives back what was kept aside",
  "evidence-fenced": "evidence is accepted from any epoch",
  "evidence-last-wins": "the first evidence wins",
  "fail-told": "an unknown outcome fails the run whose tool says so",
  "fill-ignores-cap": "no more live runs than the cap",
  "intent-after-send": "an intent is committed before its call is sent",
  "key-per-attempt": "all attempts of a call carry one key",
  "key-window-ignored": "a key is not relied on after its window",
  "lapse-unsaid": "a worker whose approval is over keeps its run",
  "late-evidence-shown": "a prompt shows only the evidence that its decision names",
  "lease-unchecked": "nothing is sent after the lease",
  "lost-call-free": "of a call that was lost, all that was kept aside is spent",
  "look-guesses": "a look that does not tell is no answer",
  "look-skipped": "staged and verifiable calls are looked after before they are made again",
  "no-fence": "a commit is fenced by epoch and length",
  "no-nonce": "what is sent again is done once",
  "no-raise": "a number lost in a failover is not used again",
  "now-ahead": "a worker's idea of the store's time is never ahead",
  "open-keeps-need": "an account that was seen ACTIVE is not needed any more",
  "open-keeps-version": "opening a gate raises its version",
  "open-wakes-early": "a run is woken by the last of its accounts",
  "park-ignores-answer": "a run does not wait for an answer that is there",
  "park-ignores-others": "parking is refused when any of its gates has opened meanwhile",
  "park-ignores-version": "parking at a gate that opened meanwhile is refused",
  "park-keeps-slot": "a parked run holds no slot",
  "repeat-allowed": "an equal call is not made while the outcome is unknown",
  "reserve-forgotten": "what a call may use is kept aside before it is made",
  "resume-wakes-nobody": "whoever waits for a switch goes on when it is on again",
  "settle-ignored": "a look is made when it can be trusted",
  "switch-ignored": "what is stopped does not begin",
  "unknown-not-listed": "an unknown outcome stands on the list",
  "unknown-retried": "an unsafe call with an unknown outcome is not repeated",
  "unknown-stays-listed": "an outcome that is known again leaves the list",
  "unknown-unwritten": "an unknown outcome is written down before anybody is told",
};

export type PortMutant =
  | "answer-unread"
  | "deadline-ignored"
  | "intent-after-send"
  | "late-evidence-shown"
  | "lease-unchecked"
  | "now-ahead"
  | "unknown-unwritten";

export function mutatedHold(world: World, held: HeldRun): HeldRun {
  // The rest of the lease is without end (see below); what its intents announce is not.
  if (world.mutants.has("lease-unchecked")) return Object.assign(held, { leaseMs: LEASE_MS });
  const now = held.now.bind(held);
  if (world.mutants.has("now-ahead")) return Object.assign(held, { now: () => now() + 3_000 });
  return held;
}

export function mutatedJournal(world: World, journal: Journal): Journal {
  if (world.mutants.has("intent-after-send")) return intentsLate(journal);
  if (world.mutants.has("lease-unchecked")) return wrapped(journal, { leaseMs: Infinity });
  if (world.mutants.has("late-evidence-shown"))
    return wrapped(journal, { claim: async (...asked) => mapClaim(await journal.claim(...asked), showLate) });
  if (world.mutants.has("deadline-ignored"))
    return wrapped(journal, { claim: async (...asked) => mapClaim(await journal.claim(...asked), closeWindows) });
  if (world.mutants.has("answer-unread"))
    return wrapped(journal, { claim: async (...asked) => withoutAnswers(await journal.claim(...asked)) });
  if (world.mutants.has("unknown-unwritten"))
    return wrapped(journal, {
      commit: (commit) => journal.commit({ ...commit, entries: commit.entries.map(unwritten) }),
    });
  return journal;
}

/** Intents are kept back and written with the next commit. */
function intentsLate(journal: Journal): Journal {
  let late: Entry[] = [];
  return wrapped(journal, {
    commit: async (commit) => {
      const intents = commit.entries.filter((it) => it.kind === "call-claimed");
      const entries = [...late, ...commit.entries.filter((it) => it.kind !== "call-claimed")];
      const length = commit.length - late.length;
      late = intents;
      if (entries.length > 0) return journal.commit({ ...commit, entries, length });
      const reply = await journal.renew(commit.run, commit.epoch);
      return reply.answer === "ok" ? { ...reply, at: 0 } : reply;
    },
  });
}

function wrapped(journal: Journal, changed: Partial<Journal>): Journal {
  return {
    leaseMs: journal.leaseMs,
    claim: (...asked) => journal.claim(...asked),
    renew: (...asked) => journal.renew(...asked),
    commit: (...asked) => journal.commit(...asked),
    evidence: (...asked) => journal.evidence(...asked),
    keep: (...asked) => journal.keep(...asked),
    kept: (...asked) => journal.kept(...asked),
    ...changed,
  };
}

function mapClaim<T extends { answer: string }>(reply: T, change: (claim: Claim) => readonly Decision[]): T {
  if (reply.answer !== "claimed") return reply;
  const claim = reply as unknown as Claim;
  return { ...reply, decisions: change(claim) };
}

function showLate({ decisions, evidence }: Claim): readonly Decision[] {
  const claims = decisions.filter((it): it is Decision<CallClaimed> => it.kind === "call-claimed");
  return decisions.map((it) => {
    if (it.kind !== "turn-requested") return it;
    const shown = it.shown.map((s) => {
      const found = evidence.find(
        (e) => e.outcome.kind === "ok" && claims.some((c) => c.call === s.call && c.intent === e.nonce),
      );
      return found === undefined ? s : { call: s.call, evidence: found.nonce };
    });
    return { ...it, shown };
  });
}

function closeWindows({ decisions }: Claim): readonly Decision[] {
  return decisions.map((it) => (it.kind === "call-claimed" ? { ...it, windowMs: 0 } : it));
}

function withoutAnswers(reply: ClaimReply): ClaimReply {
  if (reply.answer !== "claimed") return reply;
  return { ...reply, evidence: reply.evidence.filter(({ outcome }) => outcome.kind !== "answered") };
}

/** Something else stands in its place. */
function unwritten(entry: Entry): Entry {
  return entry.kind === "unknown" ? { kind: "looked", call: entry.call, intent: entry.intent, says: "unsure" } : entry;
}
