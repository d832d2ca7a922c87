/** Layer L1 of the proof: the real loop over a memory store, with everything that can go wrong (docs/reliability.md). */
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { traceOf } from "./explore.ts";
import { exploreInJobs, exploreMutants } from "./jobs.ts";
import { MUTANTS } from "./mutants.ts";

/** Two processors with other work beside it made 274 of them a second, quiet ones before db58d62 450 (docs/reliability.md, "Speed"). */
const SEEDS = 50_000;
const LEAST = 1_000;
const WITHIN_MS = 60_000;
/** Within so many seeds each mutant must break an invariant. */
const SEEDS_FOR_A_MUTANT = 3_000;

test(`${SEEDS} seeds, or as many as fit into a minute: no invariant breaks, and every fault and every end was met`, async (t) => {
  const jobs = Math.min(4, availableParallelism());
  const found = await exploreInJobs({ first: 1, seeds: SEEDS, jobs, withinMs: WITHIN_MS });
  t.diagnostic(
    `${found.seeds} seeds in ${found.seconds} s, ${found.perSecond} seeds/s, ${found.steps} steps, ${JSON.stringify(found.counts)}`,
  );
  const { broken } = found;
  assert.equal(
    broken,
    undefined,
    `seed ${broken?.seed}: ${broken?.message}; node --import tsx test/simulation/simulate.ts --trace --seed ${broken?.seed}`,
  );
  assert.ok(found.seeds >= LEAST, `only ${found.seeds} seeds were run`);
  // A simulation in which nothing happens proves nothing.
  const met = [
    "crash",
    "pause",
    "suspend",
    "resend",
    "twin",
    "give-up",
    "store-down",
    "failover",
    "lost",
    "yielded",
    "unknown",
    "unknown recorded",
    "dropped repeat",
    "shown happened",
    "shown repeat",
    "said happened",
    "said not-executed",
    "said stop",
    "approval asked",
    "lapsed",
    "shown denied",
    "fallback",
    "summed up",
    "accepted",
    "fetched by another",
    "asked anew",
    "paused",
    "parked paused",
    "parked rate-limit",
    "parked budget",
  ];
  const ends = ["completed", "failed", "cancelled", "expired"].map((status) => `end ${status}`);
  for (const what of [...met, ...ends])
    assert.ok((found.counts[what] ?? 0) > found.seeds / 1_000, `${what} was met more than once in 1,000 seeds`);
});

test("one seed is one story, and another seed another", async () => {
  const [one, again, other] = await Promise.all([traceOf(7), traceOf(7), traceOf(8)]);
  assert.ok(one.length > 20);
  assert.deepEqual(again, one);
  assert.notDeepEqual(other, one);
});

test("each mutant breaks an invariant", async (t) => {
  const jobs = Math.min(4, availableParallelism());
  const found = await exploreMutants(Object.keys(MUTANTS), { first: 1, seeds: SEEDS_FOR_A_MUTANT, jobs });
  for (const [mutant, rule] of Object.entries(MUTANTS))
    await t.test(`without "${rule}" (${mutant})`, (one) => {
      const broken = found.get(mutant)?.broken;
      assert.ok(broken, `no invariant breaks within ${SEEDS_FOR_A_MUTANT} seeds`);
      one.diagnostic(`seed ${broken.seed}: ${broken.message}`);
    });
});
