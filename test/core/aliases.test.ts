/** Names that no provider takes: an alias for each, which always leads back to its tool. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { shownName, toolNamed, withAliases } from "../../src/core/aliases.ts";
import type { FrozenTool } from "../../src/core/run.ts";

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
const clash = (): string => "00000000";

function tools(...names: readonly string[]): FrozenTool[] {
  return names.map((name) => ({
    name,
    description: "",
    parameters: {},
    connection: "",
    effect: "read",
    hash: "",
  }));
}

const LONG = `amplitudeexperimentmanagement_${"get_experiment_".repeat(4)}by_key`;

const rows: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["accepted names stay", ["gmail_fetch_mails", "a-b"], ["gmail_fetch_mails", "a-b"]],
  ["dots", ["gmail.fetch.mails"], ["gmail_fetch_mails"]],
  ["a dotted name whose plain form is another tool's", ["a.b", "a_b"], [`a_b_${hash("a.b").slice(0, 8)}`, "a_b"]],
  ["two names with one plain form", ["a.b", "a:b"], ["a_b", `a_b_${hash("a:b").slice(0, 8)}`]],
  ["too long", [LONG], [`${LONG.slice(0, 55)}_${hash(LONG).slice(0, 8)}`]],
  ["nothing of it can be kept", ["ツール"], ["_"]],
];

test("aliases", () => {
  for (const [name, names, expected] of rows) {
    const shown = withAliases(tools(...names), hash).map(shownName);
    assert.deepEqual(shown, expected, name);
  }
});

test("digests that are equal do not make two tools one", () => {
  const shown = withAliases(tools(`${LONG}1`, `${LONG}2`), (text) => (text.includes("\n") ? hash(text) : clash())).map(
    shownName,
  );
  assert.equal(new Set(shown).size, 2, shown.join(" "));
});

test("a tool is found by what it is shown as, else by its own name", () => {
  const frozen = withAliases(tools("a.b", "a_b", "x.y"), hash);
  assert.equal(toolNamed(frozen, "a_b")?.name, "a_b");
  assert.equal(toolNamed(frozen, "a.b")?.name, "a.b");
  assert.equal(toolNamed(frozen, "x_y")?.name, "x.y");
  assert.equal(toolNamed(frozen, "x_z"), undefined);
});

test("any names: aliases are accepted ones, each its own, and lead back; and the same again from the same names", () => {
  const name = fc.oneof(
    fc.string({ minLength: 1, maxLength: 90 }),
    fc.constantFrom("a.b", "a:b", "a_b", LONG, `${LONG}x`, `${LONG}y`),
    fc.string({ minLength: 60, maxLength: 90, unit: fc.constantFrom("a", "b", ".") }),
  );
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 12 }), (names) => {
      const frozen = withAliases(tools(...names), hash);
      const shown = frozen.map(shownName);
      assert.equal(new Set(shown).size, names.length, shown.join(" "));
      for (const [i, one] of shown.entries()) {
        assert.match(one, /^[a-zA-Z0-9_-]{1,64}$/);
        assert.equal(toolNamed(frozen, one)?.name, names[i]);
      }
      assert.deepEqual(withAliases(tools(...names), hash), frozen);
    }),
    { numRuns: 500 },
  );
});
