import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOptionNames, type OptionNames, strayOption } from "../../src/core/option-names.ts";

interface Options {
  readonly perTenant?: number;
  readonly maxLive?: number;
}
const KNOWN: OptionNames<Options> = { perTenant: true, maxLive: true };

const rows: readonly (readonly [object, string | undefined])[] = [
  [{}, undefined],
  [{ perTenant: 1, maxLive: 2 }, undefined],
  [{ perTenat: undefined }, undefined],
  [{ perTenat: 1 }, 'there is no "perTenat". Did you mean "perTenant"? Known: perTenant, maxLive.'],
  [{ maxLive: 1, perTenat: 0 }, 'there is no "perTenat". Did you mean "perTenant"? Known: perTenant, maxLive.'],
  [{ quota: null }, 'there is no "quota". Known: perTenant, maxLive.'],
  [{ constructor: 1 }, 'there is no "constructor". Known: perTenant, maxLive.'],
  [JSON.parse('{"__proto__": 1}') as object, 'there is no "__proto__". Known: perTenant, maxLive.'],
  [["perTenant"], 'there is no "0". Known: perTenant, maxLive.'],
];

for (const [given, said] of rows)
  test(`stray: ${JSON.stringify(given)}`, () => assert.equal(strayOption(given, KNOWN), said));

test("a long name is told shortened", () => {
  assert.match(strayOption({ ["x".repeat(5_000)]: 1 }, KNOWN) ?? "", /^there is no "x{64}"\. Known/);
});

test("what is no object is refused as well", () => {
  for (const given of [undefined, null, "perTenant", 5])
    assert.throws(() => checkOptionNames("lines", given, KNOWN), {
      code: "option-invalid",
      message: /^lines: expected \{ perTenant, maxLive \}, got (undefined|null|string|number)\.$/,
    });
});
