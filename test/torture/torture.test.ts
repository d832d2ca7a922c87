/** A short torture: each fault once at least, and nothing is lost, done twice or left behind. The long one is `npm run torture`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawPlan, type Kind, WEIGHTS } from "./plan.ts";
import { torture } from "./torture.ts";

const KINDS = Object.keys(WEIGHTS) as Kind[];

test("a storm of all faults over two workers breaks nothing", async (t) => {
  const faults = KINDS.length + 2;
  const { ok, lines, summary } = await torture({ faults, runs: 90, seed: 7, workers: 2, onProgress: () => undefined });
  t.diagnostic(JSON.stringify(summary));
  assert.deepEqual(lines, []);
  assert.equal(ok, true);
});

test("equal seeds draw equal plans, other seeds others; each kind is in a plan that is long enough", () => {
  const draw = (seed: number) => drawPlan({ seed, faults: KINDS.length, runs: 10, kinds: KINDS });
  assert.deepEqual(draw(3), draw(3));
  assert.notDeepEqual(draw(3), draw(4));
  assert.deepEqual(new Set(draw(3).faults.map(({ kind }) => kind)), new Set(KINDS));
});
