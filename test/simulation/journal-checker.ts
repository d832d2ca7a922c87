/** Reads one run's journal as it grows and says what must not stand there. Written from DESIGN §4, not from core/next.ts. */
import type { CallClaimed, Decision, PlannedCall, TurnCommitted, TurnRequested } from "../../src/core/journal.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import type { ToolSend } from "../../src/ports/toolbox.ts";
import { effectOf, LIMITS } from "./agents.ts";
import type { Need } from "../../src/core/run.ts";
import type { StoredRun } from "./memory-state.ts";
import { start } from "./reading.ts";
import type { World } from "./world.ts";

/** What the reader learns from the other parts. */
export interface Known {
  claimed(run: StoredRun, epoch: number, nonce: string): void;
  released(run: StoredRun, epoch: number): void;
  /** Redis ms when the user last connected. */
  connectedAt(run: StoredRun, connection: string): number;
  /** ms for which all accounts have been ACTIVE. */
  connectedFor(run: StoredRun): number;
  promptOf(run: StoredRun, epoch: number): ReadonlyMap<string, string> | undefined;
}

export interface JournalReader {
  /** Reads what was written since the last time. */
  read(run: StoredRun): void;
  /** The store lost writes: what is left is taken as it is. */
  restart(run: StoredRun | undefined): void;
  delivered(evidence: Omit<Evidence, "at">): void;
  prompted(run: string, texts: ReadonlyMap<string, string>): void;
  sent(call: ToolSend): void;
  /** Long after all faults: whom a run still waits for has not done what it asks. */
  stillAsked(run: StoredRun): void;
}

/** A run goes on within this time after its accounts are connected: well above all faults, well below its expiry. */
const WAKES_WITHIN_MS = 200_000;

export function createReader(world: World, known: Known): JournalReader {
  let at = start();
  let highest = 0;
  let lenient = false;
  const evidence = new Map<string, Evidence>();
  /** Intent → when its first definite result reached the store, Redis ms. */
  const came = new Map<string, number>();

  const broken = (run: StoredRun, invariant: string, detail: string): void => {
    if (!lenient) world.broken(invariant, `${run.id}[${at.count}]: ${detail}`);
  };

  /** A failover may have lost what this follows from. */
  const unlessLost = (run: StoredRun, invariant: string, detail: string): void => {
    if (!world.tainted.has(run.id)) broken(run, invariant, detail);
  };

  const readOne = (run: StoredRun, d: Decision, nonce: string): void => {
    if ((at.count === 0) !== (d.kind === "created")) broken(run, "a journal starts with created", d.kind);
    if (at.ended) broken(run, "an ended run stays ended", `${d.kind} after the end`);
    if (d.kind === "leased") {
      if (d.epoch <= highest && !lenient) broken(run, "epochs only rise", `${d.epoch} after ${highest}`);
      highest = Math.max(highest, d.epoch);
      const { seen } = at;
      const waited = seen?.kind === "parked" && seen.reason === "account" ? d.at - seen.at : 0;
      if (Math.min(waited, known.connectedFor(run)) > WAKES_WITHIN_MS)
        unlessLost(run, "no wake is lost", `it waited ${waited} ms for accounts that were connected`);
      at.leased = d;
      at.left = false;
      at.leasesSinceProgress++;
      if (!lenient) known.claimed(run, d.epoch, nonce);
    } else if (d.kind !== "created") {
      if (d.epoch !== at.leased?.epoch)
        broken(run, "only the owner writes", `${d.kind} of epoch ${d.epoch}, the owner's is ${at.leased?.epoch ?? 0}`);
      if (at.left) broken(run, "only the owner writes", `${d.kind} after the run was let go`);
    }
    if (d.epoch === at.cancelTold && (d.kind === "call-claimed" || d.kind === "turn-requested"))
      broken(run, "a cancelled run starts nothing", d.kind);
    step(run, d);
    at.count++;
    at.seen = d;
  };

  const step = (run: StoredRun, d: Decision): void => {
    switch (d.kind) {
      case "turn-requested":
        requested(run, d);
        break;
      case "turn-committed":
        committed(run, d);
        break;
      case "call-claimed":
        claimed(run, d);
        break;
      case "parked":
        if (d.reason === "account" ? (d.needs ?? []).length === 0 : d.until === undefined)
          broken(run, "a parked run says why", JSON.stringify(d));
        for (const need of d.needs ?? []) asked(run, need, at.leased?.at ?? 0);
        if (d.reason === "retry" && d.about === `t${at.turns.length}`) at.failures++;
        letGo(run, d);
        break;
      case "yielded":
        letGo(run, d);
        break;
      case "ended":
        if (run.status !== d.status && run.place !== "line") broken(run, "the status is the journal's", run.status);
        if (d.code === "crashed" && at.leasesSinceProgress < LIMITS.crashes)
          unlessLost(run, "crashes are counted", `ended as crashed after ${at.leasesSinceProgress} claims`);
        if (d.code === "model-unavailable" && at.failures < LIMITS.attempts - 1)
          broken(run, "attempts are failures", `${d.code} after ${at.failures + 1} failed attempts`);
        at.ended = true;
        letGo(run, d);
        break;
      default:
        break;
    }
  };
  /** @param before Redis ms: a connection that was made later could not be known */
  const asked = (run: StoredRun, need: Need, before: number): void => {
    if (need.reason !== "refused" && need.reason !== "missing-scope") return;
    const refusals = Array.from(at.claims.values(), (claims) => claims.map((c) => evidence.get(c.intent)))
      .flat()
      .filter((e) => e?.outcome.kind === "not-executed" && (e.outcome.why === "account" || e.outcome.why === "scope"));
    const last = Math.max(...refusals.map((e) => e?.at ?? 0));
    const connected = known.connectedAt(run, need.connection);
    if (connected > last && connected < before)
      unlessLost(
        run,
        "nobody is asked twice",
        `${need.connection} ${need.reason} at ${last}, but connected anew at ${connected}`,
      );
  };
  const letGo = (run: StoredRun, d: Decision): void => {
    at.left = true;
    at.leasesSinceProgress = 0;
    known.released(run, d.epoch);
  };

  const requested = (run: StoredRun, d: Decision<TurnRequested>): void => {
    const turn = at.turns.at(-1);
    if (d.turn !== at.turns.length)
      broken(run, "turns come in order", `turn ${d.turn} asked for as number ${at.turns.length}`);
    if (d.attempt > LIMITS.attempts + 6) broken(run, "attempts are bounded", `attempt ${d.attempt} at turn ${d.turn}`);
    const plan = turn?.plan ?? [];
    if (d.shown.length !== plan.length || plan.some((call) => d.shown.filter((s) => s.call === call.id).length !== 1))
      broken(run, "every call is answered once", `shown ${JSON.stringify(d.shown)}`);
    for (const s of d.shown) {
      const call = plan.find((it) => it.id === s.call);
      if (call !== undefined) shown(run, call, "evidence" in s ? s.evidence : undefined, "as" in s ? s.as : undefined);
    }
    at.requested = d;
  };

  const shown = (run: StoredRun, call: PlannedCall, nonce: string | undefined, as: string | undefined): void => {
    const claims = at.claims.get(call.id) ?? [];
    if ((as === "rejected") !== (call.verdict === "reject")) broken(run, "a rejected call is not made", call.id);
    if (nonce !== undefined) {
      if (!run.evidence.has(nonce))
        unlessLost(run, "results are not invented", `${call.id}: there is no evidence ${nonce}`);
      if (!claims.some((claim) => claim.intent === nonce))
        unlessLost(run, "results are not invented", `${call.id}: ${nonce} is not its intent`);
    }
    if (nonce !== undefined && run.evidence.get(nonce)?.outcome.kind === "not-executed") gaveUp(run, call, claims);
    if (as !== "unknown") return;
    if (["read", "idempotent", "keyed"].includes(effectOf(call.name))) gaveUp(run, call, claims);
    if (claims.length === 0) unlessLost(run, "unknown only after a send", call.id);
    const known = claims.find((claim) => (came.get(claim.intent) ?? Infinity) < (at.leased?.at ?? 0));
    if (known !== undefined)
      unlessLost(run, "what is known is told", `${call.id}: unknown, though the result of ${known.intent} had come`);
  };

  /** What the owner knows of an attempt: its own results, and what had come before it took the run. */
  const seenBy = ({ intent, epoch }: Decision<CallClaimed>): Evidence | undefined => {
    const found = evidence.get(intent);
    const known = found !== undefined && (epoch === at.leased?.epoch || found.at < (at.leased?.at ?? 0));
    return known ? found : undefined;
  };

  /** A call that may be made again is given up after so many failures; waits for an account or an operator are none. */
  const gaveUp = (run: StoredRun, call: PlannedCall, claims: readonly Decision<CallClaimed>[]): void => {
    const failures = claims.filter((claim) => {
      const outcome = seenBy(claim)?.outcome;
      if (outcome?.kind !== "not-executed") return true;
      return outcome.why === "rate-limit" || outcome.why === "unavailable";
    });
    if (failures.length < LIMITS.attempts)
      unlessLost(run, "attempts are failures", `${call.id} was given up after ${failures.length}`);
  };

  const committed = (run: StoredRun, d: Decision<TurnCommitted>): void => {
    if (d.turn !== at.turns.length || at.requested?.turn !== d.turn || at.requested.epoch !== d.epoch)
      broken(run, "turns come in order", `turn ${d.turn} committed as number ${at.turns.length}`);
    const made = (plan: readonly PlannedCall[]): number => plan.filter((call) => call.verdict === "run").length;
    const all = [...at.turns, d].reduce((sum, turn) => sum + made(turn.plan), 0);
    if (d.turn >= LIMITS.turns || made(d.plan) > LIMITS.callsPerTurn || all > LIMITS.toolCalls)
      broken(run, "limits hold", `turn ${d.turn}, ${made(d.plan)} calls, ${all} in all`);
    if (at.requested?.final === true && d.leadsTo === "act") broken(run, "limits hold", "tools on the last turn");
    if (!lenient)
      for (const [call, text] of known.promptOf(run, d.epoch) ?? []) {
        const before = at.told.get(call);
        if (before !== undefined && before !== text)
          unlessLost(run, "what the model was told stays", `${call}: ${before} became ${text}`);
        at.told.set(call, text);
      }
    at.turns.push(d);
    at.leasesSinceProgress = 1;
    at.failures = 0;
  };

  const claimed = (run: StoredRun, d: Decision<CallClaimed>): void => {
    const call = at.turns.at(-1)?.plan.find((it) => it.id === d.call);
    if (call?.verdict !== "run" || call.argsHash !== d.argsHash || call.name !== d.tool) {
      broken(run, "only planned calls are made", d.call);
      return;
    }
    const before = at.claims.get(d.call) ?? [];
    at.claims.set(d.call, [...before, d]);
    if (d.attempt !== before.length + 1) unlessLost(run, "attempts are counted", `${d.call}: ${d.attempt}`);
    const last = before.at(-1);
    if (last === undefined) return;
    const effect = effectOf(d.tool);
    const seen = seenBy(last);
    const repeatable = effect === "read" || effect === "idempotent" || effect === "keyed";
    switch (seen?.outcome.kind) {
      case "ok":
      case "error":
        unlessLost(run, "a settled call is not made again", `${d.call} was ${seen.outcome.kind}`);
        break;
      case "unknown":
        if (!repeatable) unlessLost(run, "an unknown call is not made again", `${d.call}, ${effect}`);
        break;
      case "not-executed":
        break;
      case undefined:
        if (!repeatable) unlessLost(run, "an unknown call is not made again", `${d.call}, ${effect}`);
        else if (effect !== "read" && d.at < last.at + last.windowMs)
          unlessLost(
            run,
            "a call is made again only after its deadline",
            `${d.call}: ${last.at + last.windowMs - d.at} ms early`,
          );
    }
  };

  const reread = (run: StoredRun): void => {
    for (const [i, d] of run.journal.entries()) readOne(run, d, run.nonces[i] ?? "");
    for (const [nonce, found] of run.evidence) evidence.set(nonce, found);
    if (world.tainted.has(run.id)) at.told.clear();
  };

  return {
    read(run) {
      if (at.seen !== undefined && run.journal[at.count - 1] !== at.seen)
        broken(run, "a journal only grows", `entry ${at.count - 1} has changed`);
      const grown = at.count < run.journal.length;
      while (at.count < run.journal.length) {
        const d = run.journal[at.count];
        if (d === undefined) break;
        readOne(run, d, run.nonces[at.count] ?? "");
      }
      if (run.cancel && grown && at.seen !== undefined) at.cancelTold = at.seen.epoch;
      for (const [nonce, found] of run.evidence) {
        const before = evidence.get(nonce);
        if (before !== undefined && before !== found) unlessLost(run, "evidence stays", nonce);
        evidence.set(nonce, found);
      }
    },
    restart(run) {
      const { told } = at;
      at = { ...start(), told };
      lenient = true;
      evidence.clear();
      if (run !== undefined) reread(run);
      lenient = false;
    },
    delivered({ nonce, outcome }) {
      if ((outcome.kind === "ok" || outcome.kind === "error") && !came.has(nonce)) came.set(nonce, world.redisNow());
    },
    prompted(run, texts) {
      for (const [call, text] of texts) {
        const before = at.told.get(call);
        if (before !== undefined && before !== text && !world.tainted.has(run))
          world.broken("what the model was told stays", `${call}: ${before} became ${text}`);
      }
    },
    stillAsked(run) {
      const parked = run.journal.at(-1);
      if (run.place === "gate" && parked?.kind === "parked")
        for (const need of parked.needs ?? []) asked(run, need, Infinity);
    },
    sent({ call, args }) {
      const planned = at.turns.flatMap((turn) => turn.plan).find((it) => it.id === call);
      if (planned?.verdict !== "run" || JSON.stringify(planned.args) !== JSON.stringify(args))
        world.broken("only planned calls are made", call);
    },
  };
}
