/** What a weight may be, and what the error tells whoever wants another. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrandError } from "../../src/core/errors.ts";
import { checkWeight, parseWeightName, weighedOf, weightName, type WeightTarget } from "../../src/core/weights.ts";

const acme = { kind: "tenant", name: "acme" } as const;

for (const weight of [1, 2, 100])
  test(`${weight} turns in each round`, () => assert.equal(checkWeight(acme, weight), weight));

const REFUSED: readonly (readonly [weight: unknown, says: RegExp])[] = [
  [
    0,
    /from 1 to 100, got 0\. One turn in each round is the least: to stop it, pause it \(errand pause tenant acme\); .*lower its cap \(perTenant\)/,
  ],
  [-3, /got -3\. .*pause it/],
  [0.5, /got 0\.5\. .*lower its cap/],
  [1.5, /got 1\.5\. It is how many turns it has in each round/],
  [Number.NaN, /got NaN/],
  [Infinity, /got Infinity/],
  [101, /got 101/],
  ["3", /got "3"/],
  [undefined, /got undefined/],
];

for (const [weight, says] of REFUSED)
  test(`a weight of ${typeof weight} ${String(weight)} is refused, and the error says what to do`, () => {
    assert.throws(
      () => checkWeight(acme, weight),
      (error) => error instanceof ErrandError && error.code === "option-invalid" && says.test(error.message),
    );
  });

const TARGETS: readonly (readonly [unknown, RegExp])[] = [
  [{ agent: "digest" }, /expected \{ tenant: "…" \} or \{ identifier: "…" \}, got .*Agents have caps/],
  [{}, /got \{\}/],
  [{ tenant: "a", identifier: "b" }, /expected \{ tenant/],
  [null, /got null/],
  ["acme", /got "acme"/],
  [{ tenant: "two words" }, /printable ASCII/],
  [{ identifier: "" }, /1 to 100/],
  [{ identifier: "jösé" }, /printable ASCII/],
];

for (const [target, says] of TARGETS)
  test(`${JSON.stringify(target)} has no weight`, () => {
    // As JavaScript may call it.
    const given = target as WeightTarget;
    assert.throws(
      () => weighedOf(given),
      (error) => error instanceof ErrandError && error.code === "option-invalid" && says.test(error.message),
    );
  });

test("names in the store read back, whatever is in them", () => {
  for (const name of ["acme", "a:b", "tenant:x"]) {
    const whose = weighedOf({ tenant: name });
    assert.deepEqual(parseWeightName(weightName(whose)), whose);
  }
  assert.equal(parseWeightName("agent:x"), undefined);
});
