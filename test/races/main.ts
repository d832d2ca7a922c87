/**
 * `node --import tsx test/races/main.ts [--seconds N] [--seed S] [--mutants]`, with REDIS_URL, or a Redis of its own: all pairs and
 * triples, zombies and quadruples for half of the time, then more of them at once by a dice. Ends with 1 and the steps that led there when a rule
 * breaks; prints one JSON line last. `--mutants`: how many interleavings it takes to find each.
 */
import { parseArgs } from "node:util";
import { startRedis } from "../../src/testing/index.ts";
import { exploreAll, type Explored, sample } from "./explore.ts";
import { type Mutant, MUTANTS } from "./mutants.ts";
import type { Scenario } from "./play.ts";
import { drawScenario, PAIRS, QUADRUPLES, TRIPLES, ZOMBIES } from "./scenarios.ts";
import { findMutant } from "./find-mutant.ts";
import { type OpenStage, openStage } from "./stage.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    mutants: { type: "boolean", default: false },
  },
});
const seconds = whole("seconds", values.seconds);
const seed = whole("seed", values.seed);
const started = performance.now();
const isOver = (share: number) => (): boolean => performance.now() - started > share * seconds * 1_000;

const given = process.env["REDIS_URL"];
const own = given === undefined ? await startRedis() : undefined;
const stage = openStage(given ?? own?.url ?? "");
try {
  process.stdout.write(`${JSON.stringify(values.mutants ? await mutants(stage) : await races(stage))}\n`);
} finally {
  await stage.close();
  await own?.stop();
}

function whole(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new Error(`--${name}: expected a whole number from 1 on, got ${text}`);
}

async function races(on: OpenStage): Promise<object> {
  const small = { pairs: await all(on, PAIRS, () => false), triples: await all(on, TRIPLES, () => false) };
  const large = { zombies: await all(on, ZOMBIES, isOver(0.5)), quadruples: await all(on, QUADRUPLES, isOver(0.5)) };
  const { played, broken } = await sample(on, drawScenario, seed, { until: isOver(1) });
  told(`more at once, from seed ${seed} on`, broken);
  return { seconds: Math.round((performance.now() - started) / 1_000), ...small, ...large, sampled: { seed, played } };
}

interface Sum {
  readonly sets: number;
  /** Of these all interleavings were played. */
  readonly whole: number;
  readonly played: number;
}

async function all(on: OpenStage, scenarios: readonly Scenario[], until: () => boolean): Promise<Sum> {
  const found: Explored[] = [];
  for (const scenario of scenarios) {
    if (until()) break;
    const explored = await exploreAll(on, scenario, { until });
    found.push(explored);
    process.stderr.write(`park+${scenario.actors.join("+")}: ${explored.played}${explored.all ? "" : " of more"}\n`);
    told(scenario.actors.join("+"), explored.broken);
  }
  return {
    sets: scenarios.length,
    whole: found.filter((it) => it.all).length,
    played: found.reduce((sum, it) => sum + it.played, 0),
  };
}

function told(where: string, broken: Explored["broken"]): void {
  if (broken === undefined) return;
  process.stderr.write(`${where}: ${broken.broken ?? ""}\n  ${broken.story.join("\n  ")}\n`);
  process.exitCode = 1;
}

async function mutants(on: OpenStage): Promise<object> {
  const found: Record<string, number | "not found"> = {};
  for (const mutant of Object.keys(MUTANTS) as Mutant[]) {
    const { played, broken } = await findMutant(on.with(mutant));
    found[mutant] = broken === undefined ? "not found" : played;
    process.stderr.write(`${mutant}: ${broken?.broken ?? "not found"}\n  ${broken?.story.join("\n  ") ?? ""}\n`);
    if (broken === undefined) process.exitCode = 1;
  }
  return { mutants: found };
}
