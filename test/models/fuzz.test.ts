/** A few thousand generated answers for each protocol, and what the checks are worth; a million by `npm run fuzz:models`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzz } from "./fuzz/fuzz.ts";
import { MUTANTS } from "./fuzz/mutants.ts";
import { PROTOCOLS } from "./lab.ts";

const COUNT = 2_000;

for (const protocol of PROTOCOLS)
  test(`${protocol}: no answer throws, breaks a transcript, or has a call made that policy forbids`, () => {
    const { answers, faults, runs, rejections, requests } = fuzz(protocol, COUNT, 1);
    const seen = `${answers} answers, ${faults} faults, ${runs} calls, ${rejections} rejections, ${requests} requests`;
    assert.ok(answers > COUNT / 3 && faults > 50 && runs > 100 && rejections > 100 && requests > 500, `blind: ${seen}`);
  });

for (const protocol of PROTOCOLS)
  test(`${protocol}: each defect is found`, () => {
    for (const { name, way, found } of MUTANTS)
      assert.throws(() => fuzz(protocol, 4 * COUNT, 1, way), found, `${name}: not found`);
  });
