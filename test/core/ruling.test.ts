/** Whose word about a tool counts, as a table. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Effect, EFFECTS } from "../../src/core/effects.ts";
import type { ManifestEntry } from "../../src/core/manifest.ts";
import { type Ruling, ruleOn, type Sayings, type TrustHints } from "../../src/core/ruling.ts";

const entry = (effect: Effect, reviewed = true, hash = "now"): ManifestEntry => ({ hash, effect, reviewed });
const shipped = (effect: Effect, ...hashes: string[]): Sayings["shipped"] => ({ effect, hashes });
const hints = (more: Omit<TrustHints, "trusted">, trusted = true): TrustHints => ({ trusted, ...more });

function word(ruling: Ruling): string {
  return ruling.is === "changed" ? `changed since ${ruling.reviewed}` : `${ruling.effect} by ${ruling.from}`;
}

const RULES: readonly (readonly [name: string, says: Omit<Sayings, "hash">, ruling: string])[] = [
  ["nobody says anything", {}, "unsafe by nobody"],
  ["reviewed", { entry: entry("read") }, "read by manifest"],
  ["reviewed as unsafe", { entry: entry("unsafe") }, "unsafe by manifest"],
  ["another definition was reviewed", { entry: entry("read", true, "old") }, "changed since old"],
  ["another definition waits for its review", { entry: entry("read", false, "old") }, "changed since old"],
  [
    "another was reviewed, and the code says read",
    { entry: entry("read", true, "old"), declared: "read" },
    "changed since old",
  ],
  [
    "another was reviewed, Errand knows this one",
    { entry: entry("read", true, "old"), shipped: shipped("read", "now") },
    "changed since old",
  ],
  ["waits for its review", { entry: entry("read", false) }, "unsafe by unreviewed"],
  [
    "waits for its review, whatever the code says",
    { entry: entry("read", false), declared: "read" },
    "unsafe by unreviewed",
  ],
  [
    "waits for its review, whatever Errand says",
    { entry: entry("read", false), shipped: shipped("read", "now") },
    "unsafe by unreviewed",
  ],
  ["the code says", { declared: "idempotent" }, "idempotent by code"],
  [
    "the code wins over Errand's review, stricter",
    { declared: "unsafe", shipped: shipped("read", "now") },
    "unsafe by code",
  ],
  [
    "the code wins over Errand's review, laxer",
    { declared: "read", shipped: shipped("unsafe", "now") },
    "read by code",
  ],
  ["Errand's review", { shipped: shipped("read", "older", "now") }, "read by shipped"],
  ["Errand's review of another definition", { shipped: shipped("read", "older") }, "unsafe by nobody"],
  ["Errand's review of no definition", { shipped: shipped("read") }, "unsafe by nobody"],
  [
    "the app's review wins over Errand's",
    { entry: entry("unsafe"), shipped: shipped("read", "now") },
    "unsafe by manifest",
  ],
  ["a trusted server: read only", { hints: hints({ readOnly: true }) }, "read by hints"],
  ["a trusted server: idempotent", { hints: hints({ idempotent: true }) }, "idempotent by hints"],
  [
    "a trusted server: both; idempotent means nothing then",
    { hints: hints({ readOnly: true, idempotent: true }) },
    "read by hints",
  ],
  ["a trusted server that says no", { hints: hints({ readOnly: false, idempotent: false }) }, "unsafe by nobody"],
  ["a trusted server that says nothing", { hints: hints({}) }, "unsafe by nobody"],
  ["an untrusted server: read only", { hints: hints({ readOnly: true }, false) }, "unsafe by nobody"],
  ["an untrusted server: idempotent", { hints: hints({ idempotent: true }, false) }, "unsafe by nobody"],
  ["hints are the last", { declared: "unsafe", hints: hints({ readOnly: true }) }, "unsafe by code"],
  [
    "hints after Errand's review",
    { shipped: shipped("unsafe", "now"), hints: hints({ readOnly: true }) },
    "unsafe by shipped",
  ],
  [
    "hints after the app's",
    { entry: entry("unsafe", false), hints: hints({ readOnly: true }) },
    "unsafe by unreviewed",
  ],
];

for (const [name, says, ruling] of RULES)
  test(`${name}: ${ruling}`, () => assert.equal(word(ruleOn({ hash: "now", ...says })), ruling));

test("review and code disagree: the stricter of the two, in every pair", () => {
  const order: readonly (readonly Effect[])[] = [
    ["read"],
    ["idempotent"],
    ["keyed"],
    ["staged", "verifiable"],
    ["unsafe"],
  ];
  const rank = (effect: Effect): number => order.findIndex((group) => group.includes(effect));
  assert.deepEqual(order.flat(), EFFECTS);
  for (const reviewed of EFFECTS)
    for (const declared of EFFECTS) {
      // Of staged and verifiable the code's: it alone can say how to look.
      const strict = rank(reviewed) > rank(declared) ? reviewed : declared;
      const by = strict === reviewed ? "manifest" : "code";
      assert.equal(word(ruleOn({ hash: "now", entry: entry(reviewed), declared })), `${strict} by ${by}`);
    }
});
