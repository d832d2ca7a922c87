/** The checker: from what a round left behind to what is wrong with it. Pure; each invariant stands in the file that is named after it. */
import { checkCalls } from "./check-calls.ts";
import { checkCap, checkJournal, checkSnapshots } from "./check-journal.ts";
import { checkRuns } from "./check-runs.ts";
import { type Findings, indexed, type Problem } from "./findings.ts";
import type { FinalRun, Loss, Recorded } from "./recorded.ts";

export interface Checked {
  readonly problems: readonly Problem[];
  readonly counts: Readonly<Record<string, number>>;
}

export function check(recorded: Recorded): Checked {
  const problems: Problem[] = [];
  const counts: Record<string, number> = {};
  const findings: Findings = {
    problem: (invariant, what, run, text) => void problems.push({ invariant, what, run, text }),
    count: (what, by = 1) => void (counts[what] = (counts[what] ?? 0) + by),
  };
  const ledger = indexed(recorded.ledger, ({ run }) => run);
  const known = new Set(recorded.runs.map(({ id }) => id));
  checkRuns(recorded, findings);
  for (const run of recorded.runs) {
    checkJournal(run, findings);
    checkCalls(run, ledger.get(run.id) ?? [], findings);
  }
  checkSnapshots(recorded, findings);
  checkCap(recorded, findings);
  for (const { run, call, tool } of recorded.ledger)
    if (!known.has(run)) findings.problem("I5", "unannounced", run, `${tool} was executed as ${call} of no run`);
  findings.count("executions", recorded.ledger.length);
  const { spared, left } = apart(problems, recorded);
  if (spared.length > 0) findings.count("excused by what redis lost", spared.length);
  return { problems: left, counts };
}

/** Nothing can be promised of runs whose acknowledged writes Redis itself lost: what is wrong with them is counted, and no problem. */
function apart(
  problems: readonly Problem[],
  { runs, enqueues, losses }: Recorded,
): { readonly spared: readonly Problem[]; readonly left: readonly Problem[] } {
  const isIn = (at: number | undefined): boolean =>
    at !== undefined && losses.some(({ from, to }) => at >= from && at <= to);
  const hit = new Set([
    ...runs.filter((run) => losses.some((loss) => lived(run, loss))).map(({ id }) => id),
    ...enqueues.filter(({ ackedAt }) => isIn(ackedAt)).flatMap(({ ids }) => ids),
  ]);
  const isSpared = ({ run }: Problem): boolean => run !== undefined && hit.has(run);
  return { spared: problems.filter(isSpared), left: problems.filter((problem) => !isSpared(problem)) };
}

function lived({ decisions }: FinalRun, { from, to }: Loss): boolean {
  const [first, last] = [decisions[0]?.at ?? 0, decisions.at(-1)?.at ?? Infinity];
  return first <= to && last >= from;
}
