/**
 * I3 an unsafe call is executed once at most, once exactly when the model was told so, and nobody knows of it only when it says unknown ·
 * I4 what may be repeated is repeated only for a new intent · I5 nothing is executed that no journal announces · I7 nothing is done again
 * whose result is known · I11 nothing is done for anyone but the run's own identifier.
 */
import { isDeepStrictEqual } from "node:util";
import type { Effect } from "../../src/core/effects.ts";
import type { CallClaimed, Decision, Looked, RunnableCall } from "../../src/core/journal.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import { type Findings, indexed } from "./findings.ts";
import type { Executed, FinalRun } from "./recorded.ts";
import { effectsOf } from "./tools.ts";

/** How often one call may be executed: as often as it was announced; or once, and again only when a look says that it did not happen. */
const MOST: Readonly<Record<Effect, "each intent" | "once">> = {
  read: "each intent",
  idempotent: "each intent",
  keyed: "each intent",
  staged: "once",
  verifiable: "once",
  unsafe: "once",
};

/** Everything about one call that the journal holds, and what its tool says. */
interface Told {
  readonly run: FinalRun;
  readonly call: RunnableCall;
  readonly intents: readonly Intent[];
  readonly executed: readonly Executed[];
}
type Intent = Decision<CallClaimed> & {
  readonly evidence: Evidence | undefined;
  readonly looked: Looked["says"] | undefined;
};

export function checkCalls(run: FinalRun, ledger: readonly Executed[], findings: Findings): void {
  const executed = indexed(ledger, ({ call }) => call);
  const planned = run.decisions.flatMap((d) => (d.kind === "turn-committed" ? d.plan : []));
  const looks = run.decisions.flatMap((d) => (d.kind === "look-planned" ? [d.look] : []));
  const calls = [...planned.filter((call) => call.verdict === "run"), ...looks];
  for (const call of calls) {
    const told = { run, call, intents: intentsOf(run, call.id), executed: executed.get(call.id) ?? [] };
    announced(told, findings);
    repeated(told, findings);
    if (MOST[call.effect] === "once") reconciled(told, findings);
    const effects = effectsOf(
      call.effect,
      told.executed.map(({ args }) => args),
    );
    if (call.effect === "keyed" && effects > 1)
      findings.problem("I4", "repeated", run.id, `${call.id} was made with ${effects} different keys`);
    findings.count(`executed: ${call.effect}`, told.executed.length);
  }
  for (const { call, tool } of ledger)
    if (!calls.some(({ id }) => id === call))
      findings.problem("I5", "unannounced", run.id, `${tool} was executed as ${call}, which was never planned`);
}

function intentsOf({ decisions, evidence }: FinalRun, call: string): Intent[] {
  const outcomes = new Map(evidence.map((one) => [one.nonce, one]));
  const looked = new Map(decisions.flatMap((d) => (d.kind === "looked" ? [[d.intent, d.says] as const] : [])));
  return decisions
    .flatMap((d) => (d.kind === "call-claimed" && d.call === call ? [d] : []))
    .map((claim) => ({ ...claim, evidence: outcomes.get(claim.intent), looked: looked.get(claim.intent) }));
}

function announced({ run, call, intents, executed }: Told, { problem }: Findings): void {
  const identifier = run.decisions[0]?.kind === "created" ? run.decisions[0].identifier : "";
  for (const one of executed) {
    if (one.tool !== call.name || !isDeepStrictEqual(one.args, call.args))
      problem("I5", "changed", run.id, `${call.id} was executed as ${one.tool} ${JSON.stringify(one.args)}`);
    if (one.identifier !== identifier)
      problem("I11", "foreign", run.id, `${call.id} was executed for ${one.identifier}, not for ${identifier}`);
  }
  const most = MOST[call.effect] === "once" ? Math.min(1, intents.length) : intents.length;
  if (executed.length <= most) return;
  const text = `${call.id} (${call.effect}) was executed ${executed.length} times for ${intents.length} intents`;
  if (executed.length > intents.length) problem("I5", "unannounced", run.id, text);
  else problem(call.effect === "unsafe" ? "I3" : "I4", "repeated", run.id, text);
}

/** A new intent needs a reason: the one before was not executed, or nobody knows and its deadline has passed. */
function repeated({ run, call, intents }: Told, { problem, count }: Findings): void {
  for (const [i, intent] of intents.entries()) {
    const readAt = run.decisions.findLast((d) => d.kind === "leased" && d.epoch === intent.epoch)?.at ?? 0;
    for (const former of intents.slice(0, i)) {
      const { evidence } = former;
      const outcome = evidence?.outcome.kind;
      // A worker knows the evidence that was there when it took the run, and its own; what a zombie brings later it may not see.
      const known = evidence !== undefined && (former.epoch === intent.epoch || evidence.at < readAt);
      if (known && (outcome === "ok" || outcome === "error"))
        problem("I7", "again", run.id, `${call.id} was made again, and its result was known`);
      const open = (evidence === undefined || outcome === "unknown") && former.looked !== "not-executed";
      if (open && MOST[call.effect] === "once")
        problem("I3", "again", run.id, `${call.id} (${call.effect}) was made again, and nobody knew what became of it`);
      const early = former.at + former.windowMs - intent.at;
      if (evidence === undefined && call.effect !== "read" && early > 0)
        problem(
          "I4",
          "early",
          run.id,
          `${call.id} was made again ${early} ms before the deadline of the former intent`,
        );
    }
  }
  const late = intents.filter(({ epoch, evidence }) => evidence !== undefined && ownerAt(run, evidence.at) !== epoch);
  count("zombies: brought a result", late.length);
  if (intents.length > 1) count(`again: ${call.effect}`, intents.length - 1);
}

/** The epoch that owned the run at that moment. */
function ownerAt({ decisions }: FinalRun, at: number): number | undefined {
  return decisions.findLast((d) => d.kind === "leased" && d.at <= at)?.epoch;
}

/** Each call that must not be repeated as it is: what the model was told, and what really became of it. */
function reconciled({ run, call, intents, executed }: Told, { problem, count }: Findings): void {
  const times = executed.length;
  const turn = Number(/^t(\d+)c/.exec(call.id)?.[1]);
  const shown = run.decisions.findLast((d) => d.kind === "turn-requested" && d.turn === turn + 1);
  const as = shown?.kind === "turn-requested" ? shown.shown.find((one) => one.call === call.id) : undefined;
  const outcomes = intents.map(({ evidence }) => evidence?.outcome.kind);
  const word = as === undefined ? "untold" : "evidence" in as ? (evidenceKind(run, as.evidence) ?? "nothing") : as.as;
  if (outcomes.includes("ok") && times !== 1)
    problem("I3", "phantom", run.id, `${call.id} has the result ok, and was executed ${times} times`);
  if (intents.length > 0 && outcomes.every((kind) => kind === "not-executed") && times > 0)
    problem("I3", "denied", run.id, `${call.id} has the result not-executed, and was executed`);
  if (intents.some(({ looked }) => looked === "happened") && times !== 1)
    problem("I3", "phantom", run.id, `a look says that ${call.id} happened, and it was executed ${times} times`);
  const group = `${call.effect}:`;
  switch (word) {
    case "ok":
      return count(`${group} ok`);
    case "happened":
      return count(`${group} happened, result lost`);
    case "unknown":
      return count(times === 0 ? `${group} unknown, not executed` : `${group} unknown, executed`);
    case "untold":
      return count(times === 0 ? `${group} run ended first, not executed` : `${group} run ended first, executed`);
    default:
      return problem("I3", "told", run.id, `the model was told ${word} of ${call.id}`);
  }
}

function evidenceKind({ evidence }: FinalRun, nonce: string): string | undefined {
  return evidence.find((one) => one.nonce === nonce)?.outcome.kind;
}
