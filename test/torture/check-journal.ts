/**
 * I6 each lease raises the epoch, and only its owner writes · I7 a journal only grows, what was recorded stays and is not bought or done
 * again · I12 every call is answered once · and, over all journals, the cap of an identifier.
 */
import { isDeepStrictEqual } from "node:util";
import { ROWS } from "./agents.ts";
import { type Findings, indexed } from "./findings.ts";
import type { FinalRun, Recorded, Snapshot } from "./recorded.ts";

export function checkJournal(run: FinalRun, findings: Findings): void {
  owners(run, findings);
  turns(run, findings);
}

function owners({ id, decisions }: FinalRun, { problem, count }: Findings): void {
  let epoch = 0;
  let held = false;
  for (const decision of decisions) {
    if (decision.kind === "leased") {
      if (decision.epoch <= epoch) problem("I6", "epoch", id, `epoch ${decision.epoch} after ${epoch}`);
      if (held) count("crashes");
      epoch = decision.epoch;
      held = true;
    } else {
      if (decision.epoch !== epoch)
        problem("I6", "zombie", id, `${decision.kind} of epoch ${decision.epoch}, while ${epoch} owned it`);
      if (isLeaving(decision.kind)) held = false;
      if (decision.kind === "parked") count(`parked: ${decision.reason}`);
    }
  }
}

function isLeaving(kind: string): boolean {
  return kind === "parked" || kind === "yielded" || kind === "ended";
}

function turns({ id, status, decisions }: FinalRun, { problem, count }: Findings): void {
  const committed = decisions.filter((d) => d.kind === "turn-committed");
  const requested = decisions.filter((d) => d.kind === "turn-requested");
  const created = decisions[0];
  const row = ROWS.find(({ name }) => created?.kind === "created" && name === created.agent);
  count("turns", committed.length);
  count("turns asked again", Math.max(0, requested.length - committed.length));
  for (const [i, { turn, plan }] of committed.entries()) {
    if (turn !== i) problem("I7", "turn", id, `turn ${turn} was committed as number ${i}`);
    const planned = plan.map(({ name }) => name);
    if (row !== undefined && !isDeepStrictEqual(planned, row.turns[turn] ?? []))
      problem("I5", "plan", id, `turn ${turn} plans ${planned.join(" ")}, which the model did not ask for`);
    const answers = requested.filter((d) => d.turn === turn + 1);
    for (const { shown } of answers) {
      const [calls, told] = [plan.map((call) => call.id), shown.map(({ call }) => call)];
      if (!isDeepStrictEqual(told.toSorted(), calls.toSorted()))
        problem("I12", "answered", id, `turn ${turn} made ${calls.join()}, and the model was told of ${told.join()}`);
    }
    if (answers.length === 0 && plan.length > 0 && status === "completed")
      problem("I12", "answered", id, `completed, and the model was never told what became of turn ${turn}`);
  }
  if (status === "completed" && row !== undefined && committed.length !== row.turns.length + 1)
    problem("I7", "turn", id, `completed after ${committed.length} turns, expected ${row.turns.length + 1}`);
}

/** Whoever looked on the way saw the beginning of what stands there now. */
export function checkSnapshots({ snapshots, runs }: Recorded, { problem, count }: Findings): void {
  const final = new Map(runs.map((run) => [run.id, run]));
  for (const seen of snapshots) {
    const now = final.get(seen.id);
    if (now === undefined) {
      problem("I7", "gone", seen.id, "it was there, and is not any more");
      continue;
    }
    count("snapshots");
    if (!isDeepStrictEqual(now.decisions.slice(0, seen.decisions.length), seen.decisions))
      problem("I7", "rewritten", seen.id, `its first ${seen.decisions.length} decisions have changed`);
    if (!evidenceStays(seen, now)) problem("I7", "rewritten", seen.id, "recorded evidence has changed or gone");
  }
}

function evidenceStays(seen: Snapshot, now: FinalRun): boolean {
  const byNonce = new Map(now.evidence.map((evidence) => [evidence.nonce, evidence]));
  return seen.evidence.every((evidence) => isDeepStrictEqual(byNonce.get(evidence.nonce), evidence));
}

/** From a run's lease to when it parks, is handed back or ends, it has a slot; a run whose worker died keeps it. */
export function checkCap({ runs, cap, app }: Recorded, { problem, count }: Findings): void {
  for (const [identifier, mine] of indexed(runs, identifierOf)) {
    const changes = mine.flatMap((run) => slots(run, app)).toSorted((a, b) => a.at - b.at || a.by - b.by);
    let [live, most] = [0, 0];
    for (const { by } of changes) most = Math.max(most, (live += by));
    count(`most runs at once of an identifier: ${most}`);
    if (most > cap) problem("cap", "cap", undefined, `${identifier} had ${most} runs live at once, its cap is ${cap}`);
  }
}

function identifierOf({ decisions: [created] }: FinalRun): string {
  return created?.kind === "created" ? created.identifier : "";
}

/** What the app claims from a line, to end it, needs no slot. */
function slots({ decisions }: FinalRun, app: string): { at: number; by: 1 | -1 }[] {
  const changes: { at: number; by: 1 | -1 }[] = [];
  let holder: string | undefined;
  for (const decision of decisions) {
    if (decision.kind === "leased" && holder === undefined) {
      holder = decision.worker;
      if (holder !== app) changes.push({ at: decision.at, by: 1 });
    } else if (isLeaving(decision.kind) && holder !== undefined) {
      if (holder !== app) changes.push({ at: decision.at, by: -1 });
      holder = undefined;
    }
  }
  return changes;
}
