/** Reads one run's journal as it grows and says what must not stand there. Written from DESIGN §4, not from core/next.ts. */
import { isIntent } from "../../src/core/intents.ts";
import type {
  CallClaimed,
  Decision,
  PlannedCall,
  Shown,
  TurnCommitted,
  TurnRequested,
} from "../../src/core/journal.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import { effectOf, LIMITS } from "./agents.ts";
import { createApprovalRules } from "./approval-rules.ts";
import { createDoubtRules } from "./doubt-rules.ts";
import type { Need } from "../../src/core/run.ts";
import { boughtTwice } from "./bought.ts";
import { lessIsShown } from "./less.ts";
import type { StoredRun } from "./memory-state.ts";
import { allAttempts, askedTwice, type JournalReader, type Known, saysWhy, start, wordOf } from "./reading.ts";
import { createWaitRules, WAKES_WITHIN_MS } from "./wait-rules.ts";
import type { World } from "./world.ts";

export function createReader(world: World, known: Known): JournalReader {
  let [at, highest, lenient] = [start(), 0, false];
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
      if (at.seen?.kind === "parked") waits.over(run, at.seen, d.at);
      Object.assign(at, { leased: d, left: false });
      at.leasesSinceProgress++;
      if (!lenient) known.claimed(run, d.epoch, nonce);
    } else if (d.kind !== "created") {
      if (d.epoch !== at.leased?.epoch)
        broken(run, "only the owner writes", `${d.kind} of epoch ${d.epoch}, the owner's is ${at.leased?.epoch ?? 0}`);
      if (at.left) broken(run, "only the owner writes", `${d.kind} after the run was let go`);
    }
    if (d.epoch === at.cancelTold && isIntent(d)) broken(run, "a cancelled run starts nothing", d.kind);
    for (const twice of boughtTwice(world, at, d)) unlessLost(run, "an answer is bought once", twice);
    if (isIntent(d) && !lenient) known.begun(run, d);
    step(run, d);
    at.count++;
    at.seen = d;
  };

  const step = (run: StoredRun, d: Decision): void => {
    switch (d.kind) {
      case "prepared":
        at.waitsSince = undefined;
        break;
      case "turn-requested":
        requested(run, d);
        break;
      case "turn-committed":
        committed(run, d);
        break;
      case "call-claimed":
        claimed(run, d);
        break;
      case "look-planned":
        doubts.planned(run, d);
        at.looks.set(d.intent, d);
        break;
      case "looked":
        doubts.looked(run, d);
        at.looked.set(d.intent, d);
        break;
      case "approval-asked":
        approvals.asked(
          run,
          d,
          at.turns.at(-1)?.plan.find((it) => it.id === d.call),
        );
        if (!lenient) known.recorded();
        break;
      case "unknown":
        world.count("unknown recorded");
        doubts.recorded(run, d);
        at.unknowns.set(d.intent, d);
        if (!lenient) known.recorded();
        break;
      case "parked":
        world.count(`parked ${d.reason}`);
        if (!saysWhy(d)) broken(run, "a parked run says why", JSON.stringify(d));
        if (d.reason === "review") doubts.asked(run, d);
        if (d.reason === "account") at.waitsSince ??= d.at;
        at.pausedSince = d.reason === "paused" ? (at.pausedSince ?? d.at) : undefined;
        for (const need of d.needs ?? []) askedFor(run, need, at.leased?.at ?? 0);
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
        if (d.code === "unknown-outcome") doubts.failed(run);
        if (d.status === "cancelled" && !run.cancel && !doubts.stopped(run))
          unlessLost(run, "only who is told to stop stops", JSON.stringify(d));
        if (d.status === "expired") waits.expired(run, at, d.at);
        if (d.code === "model-unavailable" && at.failures < LIMITS.attempts - 1)
          broken(run, "attempts are failures", `${d.code} after ${at.failures + 1} failed attempts`);
        at.ended = true;
        letGo(run, d);
        break;
      default:
        lessIsShown(world, at, d);
    }
  };

  const letGo = (run: StoredRun, d: Decision): void => {
    Object.assign(at, { left: true, leasesSinceProgress: 0 });
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
      if (call !== undefined) shown(run, call, s);
    }
    at.requested = d;
  };

  const shown = (run: StoredRun, call: PlannedCall, as: Shown): void => {
    const claims = at.claims.get(call.id) ?? [];
    if (("as" in as && as.as === "rejected") !== (call.verdict === "reject"))
      broken(run, "a rejected call is not made", call.id);
    if ("evidence" in as) {
      const nonce = as.evidence;
      const result = run.evidence.get(nonce);
      if (result === undefined)
        unlessLost(run, "results are not invented", `${call.id}: there is no evidence ${nonce}`);
      if (result?.outcome.kind === "denied") return approvals.refused(run, call, result, claims.length);
      if (!claims.some((claim) => claim.intent === nonce))
        unlessLost(run, "results are not invented", `${call.id}: ${nonce} is not its intent`);
      if (result?.outcome.kind !== "not-executed") return;
      doubts.gaveUp(run, call);
      if (effectOf(call.name) !== "read" && (known.truth.effectsOf(run.id, call.id, call.name) ?? 0) > 0)
        unlessLost(run, "not executed means not executed", `${call.id}: the model was told so, and it was`);
      return;
    }
    world.count(`shown ${as.as}`);
    if (as.as === "repeat") doubts.repeated(run, call, as.of);
    if (as.as !== "unknown" && as.as !== "happened") return;
    doubts.shown(run, call, as.as);
    const there = claims.find((claim) => (came.get(claim.intent) ?? Infinity) < (at.leased?.at ?? 0));
    if (there !== undefined)
      unlessLost(run, "what is known is told", `${call.id}: ${as.as}, though the result of ${there.intent} had come`);
  };

  /** What the owner may know of an attempt; `surely`: its own results, and what had come before it took the run. */
  const seenBy = (claim: Decision<CallClaimed>, surely: boolean): Evidence | undefined => {
    const found = evidence.get(claim.intent);
    const sure = found !== undefined && (claim.epoch === at.leased?.epoch || found.at < (at.leased?.at ?? 0));
    return sure || !surely ? found : undefined;
  };

  /** @param before Redis ms: a connection that was made later could not be known */
  const askedFor = (run: StoredRun, need: Need, before: number): void => {
    const twice = askedTwice(need, allAttempts(at, evidence), known.connectedAt(run, need.connection), before);
    if (twice !== undefined) unlessLost(run, "nobody is asked twice", twice);
  };

  const doubts = createDoubtRules({
    at: () => at,
    unlessLost,
    seenBy,
    truth: known.truth,
    isListed: (run, intent) => world.store.unknowns.has(`${run} ${intent}`),
  });

  const approvals = createApprovalRules(world, { unlessLost, truth: known.truth, withinMs: WAKES_WITHIN_MS });
  const waits = createWaitRules({
    unlessLost,
    connectedFor: (run) => known.connectedFor(run),
    goesOnSince: () => world.switches.since(),
    approval: (run, now, parkedAt) => approvals.taken(run, now, parkedAt),
  });

  const committed = (run: StoredRun, d: Decision<TurnCommitted>): void => {
    if (d.turn !== at.turns.length || at.requested?.turn !== d.turn || (!at.fetched && at.requested.epoch !== d.epoch))
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
    Object.assign(at, { leasesSinceProgress: 1, failures: 0, pausedSince: undefined });
  };

  const claimed = (run: StoredRun, d: Decision<CallClaimed>): void => {
    const call = at.turns.at(-1)?.plan.find((it) => it.id === d.call) ?? lookOf(d.call);
    if (call?.verdict !== "run" || call.argsHash !== d.argsHash || call.name !== d.tool) {
      broken(run, "only planned calls are made", d.call);
      return;
    }
    const before = at.claims.get(d.call) ?? [];
    at.claims.set(d.call, [...before, d]);
    if (d.attempt !== before.length + 1) unlessLost(run, "attempts are counted", `${d.call}: ${d.attempt}`);
    approvals.claimed(run, d, call);
    doubts.claimed(run, d, before);
  };

  const lookOf = (id: string): PlannedCall | undefined =>
    Array.from(at.looks.values(), (it) => it.look).find((it) => it.id === id);

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
      doubts.waits(run);
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
        for (const need of parked.needs ?? []) askedFor(run, need, Infinity);
    },
    sent({ call, args }) {
      const planned = at.turns.flatMap(({ plan }) => plan).find((it) => it.id === call) ?? lookOf(call);
      if (planned?.verdict !== "run" || JSON.stringify(planned.args) !== JSON.stringify(args))
        world.broken("only planned calls are made", call);
    },
    executed(call, intent) {
      const answer = wordOf(evidence.get(`answer:${intent}`)) ?? at.looked.get(intent)?.says;
      if (answer === "not-executed") world.broken("a look says the truth", `${call}: executed after all`);
    },
  };
}
