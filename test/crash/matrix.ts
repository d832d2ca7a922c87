/**
 * The whole crash matrix by hand: `node --import tsx test/crash/matrix.ts [--alone] [--lane L] [--rounds N]`.
 * Prints one line of JSON last; ends with 1 when anything is wrong. `--alone` kills one process for each point instead of one for all.
 */
import { parseArgs } from "node:util";
import { startRedis } from "../../src/testing/index.ts";
import { die, dieTwice, type Outcome, sleepOver, throwUp, wakeAmid } from "./deaths.ts";
import { type Lab, LEASE_MS, openLab } from "./lab.ts";
import { AMID, POINTS, TWICE } from "./story.ts";

const LANES = 3;

const { values } = parseArgs({
  options: {
    alone: { type: "boolean", default: false },
    lane: { type: "string" },
    rounds: { type: "string", default: "1" },
  },
});
const LANES_BY_NAME = ["kill", "exit", "throw", "sleep", "amid", "twice"];
if (values.lane !== undefined && !LANES_BY_NAME.includes(values.lane))
  throw new Error(`--lane: expected one of ${LANES_BY_NAME.join(", ")}, got ${values.lane}`);
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds: expected a whole number of at least 1, got ${values.rounds}`);

const started = performance.now();
const leaving: (() => Promise<unknown>)[] = [];
const given = process.env["REDIS_URL"];
const own = given === undefined ? await startRedis() : undefined;
const lab = await openLab(given ?? own?.url ?? "", { onLeave: (work) => leaving.push(work) });
const outcomes: Record<string, Outcome[]> = {};
try {
  for (let round = 0; round < rounds; round++) await (values.alone ? oneByOne(lab) : together(lab));
} finally {
  for (const leave of leaving.toReversed()) await leave();
  await own?.stop();
}
const all = Object.values(outcomes).flat();
const problems = all.flatMap((outcome) => outcome.problems);
for (const problem of problems) process.stderr.write(`${problem}\n`);
const sum = (list: readonly Outcome[], of: "runs" | "deaths"): number =>
  list.reduce((total, one) => total + one[of], 0);
const byWay = Object.fromEntries(Object.entries(outcomes).map(([way, list]) => [way, sum(list, "deaths")]));
process.stdout.write(
  `${JSON.stringify({
    points: POINTS.length,
    runs: sum(all, "runs"),
    deaths: sum(all, "deaths"),
    byWay,
    executions: lab.scalekit.ledger.length,
    leaseMs: LEASE_MS,
    seconds: Math.round((performance.now() - started) / 1_000),
    problems: problems.length,
  })}\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

function note(way: string, outcome: Outcome): void {
  (outcomes[way] ??= []).push(outcome);
}

async function together(on: Lab): Promise<void> {
  const [survivor, killed, exited, throwing, zombie, first, second, other, owner] = await on.startWorkers(9);
  const lanes: Readonly<Record<string, () => Promise<Outcome>>> = {
    kill: () => die("kill", on, POINTS, killed, survivor),
    exit: () => die("exit", on, POINTS, exited, survivor),
    throw: () => throwUp(on, POINTS, throwing),
    sleep: () => sleepOver(on, POINTS, zombie, survivor),
    amid: () => wakeAmid(on, AMID, other, owner),
    twice: () => dieTwice(on, TWICE, [first, second], survivor),
  };
  const chosen = Object.entries(lanes).filter(([name]) => values.lane === undefined || name === values.lane);
  await Promise.all(chosen.map(async ([name, work]) => note(name, await work())));
}

/** Nothing else is in the process that dies. */
async function oneByOne(on: Lab): Promise<void> {
  const [survivor] = await on.startWorkers(1);
  const left = POINTS.flatMap((point) => (["kill", "sleep"] as const).map((way) => ({ point, way })));
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { point, way } = next;
      const [victim] = await on.startWorkers(1);
      note(
        way,
        await (way === "kill" ? die(way, on, [point], victim, survivor) : sleepOver(on, [point], victim, survivor)),
      );
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
