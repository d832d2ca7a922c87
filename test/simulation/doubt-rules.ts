/**
 * What must be true of calls whose outcome is in doubt, by DESIGN §4 ("A call") and facts/reliability.md §1.2 to 1.5: when a call may be
 * made again, when it is looked after, what is written down, who is asked, and what the model is told.
 */
import type {
  CallClaimed,
  Decision,
  Looked,
  LookPlanned,
  Parked,
  PlannedCall,
  Unknown,
} from "../../src/core/journal.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import { canBeLookedAfter, effectOf, KEY_WINDOW_MS, LIMITS, policyOf, SETTLE_MS } from "./agents.ts";
import type { StoredRun } from "./memory-state.ts";
import { LEASE_MS } from "./world.ts";
import { answerTo, type Reading, type Said, type Truth, wordOf } from "./reading.ts";

/** What the rules learn from the reader and from the other parts. */
export interface Doubts {
  readonly at: () => Reading;
  /** A failover may have lost what this follows from. */
  readonly unlessLost: (run: StoredRun, invariant: string, detail: string) => void;
  /** Of an attempt, what the owner may know, or surely knows: a claim that is sent twice is answered with what came in between. */
  readonly seenBy: (claim: Decision<CallClaimed>, surely: boolean) => Evidence | undefined;
  readonly truth: Truth;
  readonly isListed: (run: string, intent: string) => boolean;
}

export interface DoubtRules {
  /** @param before the attempts before this one */
  claimed(run: StoredRun, d: Decision<CallClaimed>, before: readonly Decision<CallClaimed>[]): void;
  planned(run: StoredRun, d: Decision<LookPlanned>): void;
  looked(run: StoredRun, d: Decision<Looked>): void;
  recorded(run: StoredRun, d: Decision<Unknown>): void;
  shown(run: StoredRun, call: PlannedCall, as: "unknown" | "happened"): void;
  repeated(run: StoredRun, call: PlannedCall, of: string): void;
  asked(run: StoredRun, d: Decision<Parked>): void;
  /** A run that could not go on without knowing. */
  failed(run: StoredRun): void;
  stopped(run: StoredRun): boolean;
  gaveUp(run: StoredRun, call: PlannedCall): void;
  /** After every script. */
  waits(run: StoredRun): void;
}

/** Send bound, time-out and grace of an attempt: so long before the window's end its key is no longer relied on. */
const WINDOW_MS = 19_000;

export function createDoubtRules({ at, unlessLost, seenBy, truth, isListed }: Doubts): DoubtRules {
  const claimsOf = (call: string): readonly Decision<CallClaimed>[] => at().claims.get(call) ?? [];
  const claimOf = (call: string, intent: string): Decision<CallClaimed> | undefined =>
    claimsOf(call).find((claim) => claim.intent === intent);
  const callOf = (call: string): PlannedCall | undefined =>
    at()
      .turns.flatMap((turn) => turn.plan)
      .find(({ id }) => id === call);

  /** A person's word that the owner has read counts more than a look's. */
  const said = (run: StoredRun, intent: string, surely = true): Said | undefined => {
    const answer = answerTo(run.evidence, intent);
    const read = answer !== undefined && (!surely || answer.at < (at().leased?.at ?? 0));
    return (read ? wordOf(answer) : undefined) ?? at().looked.get(intent)?.says;
  };

  /** Nobody has said anything of this unknown outcome, and no result has come, by what the store has. */
  const isOpen = (run: StoredRun, { call, intent }: Unknown): boolean =>
    answerTo(run.evidence, intent) === undefined && !claimsOf(call).some((claim) => isSettledBy(run, claim, intent));

  /** Failed attempts; waits for an account or an operator are none. */
  const failures = (call: string): number =>
    claimsOf(call).filter((claim) => {
      const outcome = seenBy(claim, true)?.outcome;
      return outcome?.kind !== "not-executed" || outcome.why === "rate-limit" || outcome.why === "unavailable";
    }).length;

  /** Attempts that may have been executed, since the last one of which it was said that the call was not. */
  const doubtful = (run: StoredRun, call: string): readonly Decision<CallClaimed>[] => {
    const claims = claimsOf(call);
    const denied = claims.findLastIndex((claim) => said(run, claim.intent) === "not-executed");
    return claims.slice(denied + 1).filter((claim) => (seenBy(claim, true)?.outcome.kind ?? "unknown") === "unknown");
  };

  const equalAndOpen = (run: StoredRun, call: PlannedCall): Unknown | undefined =>
    Array.from(at().unknowns.values()).find((unknown) => {
      const other = callOf(unknown.call);
      return unknown.call !== call.id && other !== undefined && isEqual(call, other) && isOpen(run, unknown);
    });

  return {
    claimed(run, d, before) {
      const effect = effectOf(d.tool, run.agent);
      const call = callOf(d.call);
      const equal =
        call === undefined || effect === "read" || effect === "idempotent" ? undefined : equalAndOpen(run, call);
      if (equal !== undefined)
        unlessLost(run, "an equal call is not made while the outcome is unknown", `${d.call} like ${equal.call}`);
      const last = before.at(-1);
      if (last !== undefined) again(run, d, last);
      const [first] = doubtful(run, d.call);
      if (effect === "keyed" && first !== undefined && d.at > first.at + KEY_WINDOW_MS + 2 * LEASE_MS)
        unlessLost(run, "a key is not relied on after its window", `${d.call}: ${d.at - first.at} ms after the first`);
    },
    planned(run, d) {
      const claim = claimOf(d.call, d.intent);
      const tool = callOf(d.call)?.name ?? "";
      if (!canBeLookedAfter(tool, run.agent)) unlessLost(run, "only what can be looked after is", d.call);
      if (d.look.effect !== "read") unlessLost(run, "a look only reads", `${d.call}: ${d.look.name}`);
      if (claim === undefined || claim !== claimsOf(d.call).at(-1)) {
        unlessLost(run, "a look is about the last attempt", `${d.call} ${d.intent}`);
        return;
      }
      const sure = seenBy(claim, true)?.outcome.kind ?? "unknown";
      if (sure !== "unknown") unlessLost(run, "only what is in doubt is looked after", `${d.call} was ${sure}`);
      const given = Math.min(claim.at + claim.windowMs, seenBy(claim, false)?.at ?? Infinity);
      const early = given + SETTLE_MS - d.at;
      if (early > 0) unlessLost(run, "a look is made when it can be trusted", `${d.call}: ${early} ms early`);
    },
    looked(run, d) {
      const planned = at().looks.get(d.intent);
      if (d.says === "unsure") return;
      const made = (planned === undefined ? [] : claimsOf(planned.look.id)).map((it) => seenBy(it, false));
      if (!made.some((evidence) => evidence?.outcome.kind === "ok"))
        unlessLost(run, "only a look tells", `${d.call}: ${d.says}, and nobody has looked`);
      tellsTheTruth(run, d.call, d.intent, d.says);
    },
    recorded(run, d) {
      const claim = claimOf(d.call, d.intent);
      const tool = callOf(d.call)?.name ?? "";
      const effect = effectOf(tool, run.agent);
      const doubt = `${d.call}, ${effect}`;
      if (effect === "read") unlessLost(run, "a read is made again", doubt);
      const open = doubtful(run, d.call);
      const later = claim === undefined ? open : open.slice(open.indexOf(claim) + 1);
      const isLast = later.every((it) => (seenBy(it, false)?.outcome.kind ?? "unknown") !== "unknown");
      if (claim === undefined || !open.includes(claim) || !isLast) {
        unlessLost(run, "only what is in doubt is unknown", doubt);
        return;
      }
      const early = claim.at + claim.windowMs - d.at;
      if (seenBy(claim, false) === undefined && early > 0)
        unlessLost(run, "nothing is unknown before its deadline", `${doubt}: ${early} ms early`);
      const word = said(run, d.intent);
      const usedUp = failures(d.call) >= LIMITS.attempts;
      if (word !== undefined && word !== "unsure")
        unlessLost(run, "what is known is told", `${doubt}: recorded, though it was said: ${word}`);
      if (canBeLookedAfter(tool, run.agent) && !usedUp && word !== "unsure")
        unlessLost(run, "what can be looked after is looked after first", doubt);
      const first = open[0]?.at ?? 0;
      const repeatable = effect === "idempotent" || (effect === "keyed" && d.at < first + KEY_WINDOW_MS - WINDOW_MS);
      if (repeatable && !usedUp)
        unlessLost(run, "attempts are failures", `${doubt} was given up after ${failures(d.call)}`);
    },
    shown(run, call, as) {
      const claims = claimsOf(call.id);
      const words = claims.map((claim) => said(run, claim.intent));
      if (as === "happened") {
        if (!claims.some((claim) => said(run, claim.intent, false) === "happened"))
          unlessLost(run, "results are not invented", `${call.id}: nobody said so`);
        if (truth.effectsOf(run.id, call.id, call.name) === 0)
          unlessLost(run, "happened means executed", `${call.id}: it was not`);
        return;
      }
      if (claims.length === 0) unlessLost(run, "unknown only after a send", call.id);
      if (effectOf(call.name, run.agent) === "read") {
        gaveUp(run, call);
        return;
      }
      if (!claims.some((claim) => at().unknowns.has(claim.intent)))
        unlessLost(run, "an unknown outcome is written down before anybody is told", call.id);
      if (words.some((word) => word === "happened" || word === "stop"))
        unlessLost(run, "what is known is told", `${call.id}: unknown, though it was said: ${words.join()}`);
      const policy = policyOf(call.name, run.agent);
      if (policy === "ask" || policy === "fail")
        unlessLost(run, "who is to be asked is asked", `${call.id}: the model was told, and the policy is ${policy}`);
    },
    repeated(run, call, of) {
      if (claimsOf(call.id).length > 0) unlessLost(run, "a call is refused or made", `${call.id} was made`);
      const other = callOf(of);
      if (other === undefined || !isEqual(call, other))
        unlessLost(run, "only an equal call is refused", `${call.id} for ${of}`);
      const unknown = Array.from(at().unknowns.values()).filter((it) => it.call === of);
      if (!unknown.some((it) => !isRead(run, it)))
        unlessLost(run, "only while the outcome is unknown", `${call.id} for ${of}`);
    },
    asked(run, d) {
      const call = callOf(d.about ?? "");
      const unknown = Array.from(at().unknowns.values()).some((it) => it.call === d.about);
      if (call === undefined || !unknown || policyOf(call.name, run.agent) !== "ask")
        unlessLost(run, "only who is to be asked is asked", `about ${d.about ?? "nothing"}`);
    },
    failed(run) {
      const last = Array.from(at().unknowns.values()).at(-1);
      const tool = last === undefined ? undefined : callOf(last.call)?.name;
      if (last === undefined || policyOf(tool ?? "", run.agent) !== "fail" || isRead(run, last))
        unlessLost(run, "only what says so fails the run", `${last?.call ?? "no call"} ${tool ?? ""}`);
    },
    stopped: (run) => Array.from(at().unknowns.keys()).some((intent) => said(run, intent, false) === "stop"),
    gaveUp,
    waits(run) {
      for (const unknown of at().unknowns.values()) listed(run, unknown);
      if (run.place !== "gate" || !run.gates.includes(`review/${run.id}`)) return;
      const parked = at().seen;
      const about = parked?.kind === "parked" ? parked.about : undefined;
      const asked = Array.from(at().unknowns.values()).findLast((it) => it.call === about);
      if (asked !== undefined && answerTo(run.evidence, asked.intent) !== undefined)
        unlessLost(run, "no answer is lost", `${run.id} waits for the answer about ${about ?? ""}, which is there`);
    },
  };

  /** A result that came before it was written down that nobody knows is found when somebody reads the list. */
  function listed(run: StoredRun, unknown: Decision<Unknown>): void {
    const own = run.evidence.get(unknown.intent);
    const late = own !== undefined && own.outcome.kind !== "unknown" && own.at > unknown.at;
    const answered = answerTo(run.evidence, unknown.intent) !== undefined;
    const isThere = isListed(run.id, unknown.intent);
    if (isThere && (late || answered))
      unlessLost(run, "an outcome that is known again leaves the list", `${unknown.call} ${unknown.intent}`);
    if (!isThere && isOpen(run, unknown))
      unlessLost(run, "an unknown outcome stands on the list", `${unknown.call} ${unknown.intent}`);
  }

  /** The owner knows of this unknown outcome what became of it. */
  function isRead(run: StoredRun, { call, intent }: Unknown): boolean {
    const word = said(run, intent);
    if (word !== undefined && word !== "unsure") return true;
    return claimsOf(call).some((claim) => {
      const kind = seenBy(claim, true)?.outcome.kind;
      return kind === "ok" || kind === "error";
    });
  }

  function again(run: StoredRun, d: Decision<CallClaimed>, last: Decision<CallClaimed>): void {
    const effect = effectOf(d.tool, run.agent);
    const sure = seenBy(last, true)?.outcome.kind;
    if (sure === "ok" || sure === "error") unlessLost(run, "a settled call is not made again", `${d.call} was ${sure}`);
    const kind = seenBy(last, false)?.outcome.kind;
    if (kind !== undefined && kind !== "unknown") return;
    const word = said(run, last.intent);
    if (word === "happened" || word === "stop")
      unlessLost(run, "a settled call is not made again", `${d.call}: it was said: ${word}`);
    if (word === "not-executed" || wordOf(answerTo(run.evidence, last.intent)) === "not-executed") {
      tellsTheTruth(run, d.call, last.intent, "not-executed");
      return;
    }
    if (effect !== "read" && effect !== "idempotent" && effect !== "keyed")
      unlessLost(run, "an unknown call is not made again", `${d.call}, ${effect}`);
    const early = last.at + last.windowMs - d.at;
    if (kind === undefined && effect !== "read" && early > 0)
      unlessLost(run, "a call is made again only after its deadline", `${d.call}: ${early} ms early`);
  }

  function tellsTheTruth(run: StoredRun, call: string, intent: string, says: Said): void {
    const executions = truth.executionsOf(run.id, call, intent);
    if (executions === undefined) return;
    if (says === "happened" && executions !== 1)
      unlessLost(run, "a look says the truth", `${call} happened: executed ${executions} times`);
    if (says === "not-executed" && executions !== 0)
      unlessLost(run, "a look says the truth", `${call} not executed: executed ${executions} times`);
  }

  function gaveUp(run: StoredRun, call: PlannedCall): void {
    const failed = failures(call.id);
    if (failed < LIMITS.attempts) unlessLost(run, "attempts are failures", `${call.id} was given up after ${failed}`);
  }
}

/** A definite result of any attempt of the call settles it; of this attempt also that it was not executed. */
export function isSettledBy(run: StoredRun, claim: CallClaimed, intent: string): boolean {
  const kind = run.evidence.get(claim.intent)?.outcome.kind;
  return kind === "ok" || kind === "error" || (claim.intent === intent && kind === "not-executed");
}

/** By what the model wrote, which our key is no part of. */
function isEqual(one: PlannedCall, other: PlannedCall): boolean {
  if (one.verdict !== "run" || other.verdict !== "run" || one.name !== other.name) return false;
  const written = ({ args }: typeof one): string => JSON.stringify({ ...(args as object), key: undefined });
  return written(one) === written(other);
}
