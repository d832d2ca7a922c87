/** The proof of parking (DESIGN §5): whoever meets a run that is about to park or waits, in whatever order, it goes on exactly when it should. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { redisUrl } from "../support/store.ts";
import { exploreAll, sample } from "./explore.ts";
import { findMutant } from "./find-mutant.ts";
import { type Mutant, MUTANTS } from "./mutants.ts";
import type { Played, Scenario } from "./play.ts";
import { drawScenario, FEW_ZOMBIES, PAIRS, TRIPLES } from "./scenarios.ts";
import { openStage } from "./stage.ts";

const stage = openStage(redisUrl());
after(() => stage.close());

const SAMPLES = 1_200;

function holds(broken: Played | undefined, where: string): void {
  assert.equal(broken, undefined, `${where}: ${broken?.broken}\n  ${broken?.story.join("\n  ")}`);
}

for (const [name, scenarios, least] of [
  ["the worker and one other", PAIRS, 40],
  ["the worker and two others", TRIPLES, 4_000],
  ["two workers, one of which stands still beyond its lease", FEW_ZOMBIES, 550],
] as const)
  test(`all interleavings of ${name}`, async (t) => {
    let played = 0;
    for (const scenario of scenarios) {
      const found = await exploreAll(stage, scenario);
      holds(found.broken, scenario.actors.join("+"));
      assert.equal(found.all, true);
      played += found.played;
    }
    t.diagnostic(`${scenarios.length} sets, ${played} interleavings`);
    // A model that lost its steps proves nothing.
    assert.ok(played >= least, `${played} interleavings`);
  });

test(`${SAMPLES} interleavings of up to six actors, three runs, two accounts and two workers`, async (t) => {
  const seed = fc.readConfigureGlobal()?.seed ?? Math.floor(Math.random() * 2 ** 31);
  const { played, broken } = await sample(stage, drawScenario, seed, { most: SAMPLES });
  holds(broken, `from seed ${seed} on`);
  t.diagnostic(`${played} different ones from seed ${seed} on`);
});

test("one order of turns is one story", async () => {
  const scenario: Scenario = { actors: ["connects", "webhook"] };
  const [one, again] = [await exploreAll(stage, scenario), await exploreAll(stage, scenario)];
  assert.deepEqual([one.played, one.alike], [again.played, again.alike]);
});

for (const [mutant, rule] of Object.entries(MUTANTS))
  test(`without "${rule}" (${mutant}) a rule breaks`, async (t) => {
    const { played, broken } = await findMutant(stage.with(mutant as Mutant));
    assert.notEqual(broken, undefined, `not found in ${played} interleavings`);
    t.diagnostic(`${played} interleavings: ${broken?.broken}`);
  });
