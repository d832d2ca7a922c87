/**
 * I1 what was acknowledged is there and came to its end · I2 nothing is there twice, nothing ended twice, and the end is what the app
 * was told. In Jepsen's words: lost, duplicated, recovered (the app never learned that it had worked), unexpected.
 */
import { isDeepStrictEqual } from "node:util";
import { isFinal } from "../../src/core/run.ts";
import { lastWords } from "./agents.ts";
import { type Findings, indexed, keyOf } from "./findings.ts";
import type { Enqueued, FinalRun, Recorded } from "./recorded.ts";

export function checkRuns(recorded: Recorded, findings: Findings): void {
  const { problem, count } = findings;
  const byKey = indexed(recorded.runs, keyOf);
  const wanted = new Map(recorded.enqueues.map((enqueued) => [enqueued.key, enqueued]));

  for (const enqueued of recorded.enqueues) {
    const { key, ids } = enqueued;
    const there = byKey.get(key) ?? [];
    const [run] = there;
    if (ids.length > 0) count("acked");
    else count(run === undefined ? "never enqueued" : "recovered");
    if (run === undefined && ids.length > 0)
      problem("I1", "lost", ids[0], `${key} was acknowledged, and there is no run for it`);
    if (there.length > 1 || new Set(ids).size > 1)
      problem(
        "I2",
        "duplicated",
        ids[0],
        `${key} has the runs ${[...new Set([...there.map((r) => r.id), ...ids])].join(", ")}`,
      );
    if (run !== undefined) isAsWanted(run, enqueued, findings);
  }
  for (const run of recorded.runs) {
    if (!wanted.has(keyOf(run))) problem("I2", "unexpected", run.id, "nobody enqueued it");
    ended(run, wanted.get(keyOf(run))?.cancelAsked === true, findings);
  }
  const runs = new Map(recorded.runs.map((run) => [run.id, run]));
  for (const seen of recorded.results) {
    const { status, output } = endOf(runs.get(seen.id));
    if (status !== seen.status || !isDeepStrictEqual(output, seen.output))
      problem(
        "I2",
        "unstable",
        seen.id,
        `the app was told ${seen.status} ${JSON.stringify(seen.output)}, it is ${String(status)}`,
      );
  }
  for (const left of recorded.leftovers) problem("I13", "left", undefined, left);
}

function isAsWanted(
  { id, decisions: [created] }: FinalRun,
  { agent, identifier }: Enqueued,
  { problem }: Findings,
): void {
  if (created?.kind !== "created" || created.agent !== agent || created.identifier !== identifier)
    problem("I1", "changed", id, `expected a run of ${agent} for ${identifier}`);
}

function ended(run: FinalRun, cancelAsked: boolean, { problem, count }: Findings): void {
  const { id, status, decisions } = run;
  count(status);
  const made = decisions.filter(({ kind }) => kind === "created").length;
  if (made !== 1 || decisions[0]?.kind !== "created")
    problem("I2", "duplicated", id, `it was created ${made} times, its first entry is ${decisions[0]?.kind}`);
  if (!isFinal(status)) return problem("I1", "stuck", id, `it is ${status}, and nothing is left to be done`);
  const ends = decisions.filter(({ kind }) => kind === "ended");
  const last = decisions.at(-1);
  if (ends.length !== 1 || last?.kind !== "ended" || last.status !== status)
    return problem("I2", "ended", id, `${ends.length} ends, the last entry is ${last?.kind}, its status ${status}`);
  if (status === "cancelled" && !cancelAsked) problem("I2", "ended", id, "cancelled, and nobody asked for that");
  if (status === "failed" || status === "expired")
    problem(
      "I9",
      "failed",
      id,
      `it survived no fault that it should have: ${last.code ?? status} ${last.message ?? ""}`,
    );
  if (status === "completed" && last.output !== expectedOutput(run))
    problem("I2", "output", id, `its answer is ${JSON.stringify(last.output)}, expected ${expectedOutput(run)}`);
}

/** The model repeats what it was told of each call; that is what the decisions name. */
function expectedOutput(run: FinalRun): string {
  const outcomes = new Map(run.evidence.map((evidence) => [evidence.nonce, evidence.outcome.kind]));
  const shown = new Map(
    run.decisions.flatMap((d) => (d.kind === "turn-requested" ? [[d.turn, d.shown] as const] : [])),
  );
  const words = [...shown.values()]
    .flat()
    .map((one) => ("evidence" in one ? (outcomes.get(one.evidence) ?? "?") : one.as));
  return lastWords(keyOf(run), words);
}

function endOf(run: FinalRun | undefined): { status?: string; output?: unknown } {
  const last = run?.decisions.at(-1);
  return last?.kind === "ended"
    ? { status: last.status, ...(last.status === "completed" && { output: last.output }) }
    : {};
}
