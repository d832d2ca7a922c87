/** What is a lost account, and when many of them are an outage: tables, without I/O. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../../src/core/journal.ts";
import { afterMassLoss, isHeld, lossesIn } from "../../src/core/losses.ts";
import type { AccountStatus, Need, NeedReason } from "../../src/core/run.ts";
import { afterLook, type SeenAccount } from "../../src/core/waiting.ts";
import * as b from "./build.ts";

type Given = readonly (Entry & { readonly at?: number })[];

const WITHIN = 60_000;
const NOW = 1_000_000;
const call = b.call("t0c0");
const refusal = b.evidence(call, 1, b.refused("account"), NOW - 500);
/** Prepared long ago, so gmail was ACTIVE for it. */
const acting: Given = [b.LEASED, b.prepared(), b.turn(0, [call]), b.claim(call)];
const need = (reason: NeedReason, connection = "gmail"): Need => ({ connection, reason });
const park = (at: number, reason: "account" | "outage", needs: readonly Need[] = [need("expired")]): Given => [
  b.at(at, { kind: "parked", reason, needs }),
  b.at(at + 1, b.LEASED),
];

function losses(entries: Given, status: AccountStatus, updatedAt?: number, refused = false): string[] {
  const state = b.run(entries, refused ? [refusal] : []);
  const account: SeenAccount = { connection: "gmail", status, accountId: "ca_1" };
  const seen = [updatedAt === undefined ? account : { ...account, updatedAt }];
  const after = afterLook(state, seen, 1e9, NOW, 0);
  return lossesIn(state, seen, after, WITHIN, NOW).map(
    ({ need: { reason }, fresh, at }) => `${reason} ${fresh ? "fresh" : "old"} ${NOW - at}`,
  );
}

const first: Given = [b.LEASED];

const table: readonly (readonly [what: string, found: readonly string[], expected: readonly string[]])[] = [
  ["first time NONE", losses(first, "NONE"), []],
  ["first time NONE, although the list tells a moment", losses(first, "NONE", NOW), []],
  ["first time PENDING_AUTH", losses(first, "PENDING_AUTH", NOW), []],
  ["first time PENDING_VERIFICATION", losses(first, "PENDING_VERIFICATION", NOW), []],
  ["first time EXPIRED, just now", losses(first, "EXPIRED", NOW - 1_000), ["expired fresh 1000"]],
  ["first time DISCONNECTED, just now", losses(first, "DISCONNECTED", NOW - WITHIN), ["disconnected fresh 60000"]],
  ["first time EXPIRED, by a clock that is ahead", losses(first, "EXPIRED", NOW + 5_000), ["expired fresh -5000"]],
  ["first time EXPIRED, some time ago", losses(first, "EXPIRED", NOW - WITHIN - 1), ["expired old 60001"]],
  ["first time EXPIRED, and nobody knows when", losses(first, "EXPIRED"), []],
  ["it was ACTIVE for this run, and is EXPIRED", losses(acting, "EXPIRED"), ["expired fresh 0"]],
  ["it was ACTIVE, and has gone", losses(acting, "NONE"), ["not-connected fresh 0"]],
  ["it was ACTIVE, and is PENDING_AUTH", losses(acting, "PENDING_AUTH", 5), ["pending-auth fresh 0"]],
  ["ACTIVE", losses(acting, "ACTIVE"), []],
  ["ACTIVE, and it refuses", losses(acting, "ACTIVE", 5, true), ["refused fresh 0"]],
  [
    "the run has just parked for it: the same loss",
    losses([...acting, ...park(NOW - 2_000, "account")], "EXPIRED"),
    ["expired fresh 0"],
  ],
  [
    "the run has waited for it: no news",
    losses([...acting, ...park(NOW - WITHIN - 2, "account")], "EXPIRED", NOW - WITHIN - 5),
    ["expired old 60005"],
  ],
  [
    "the run has waited for another account meanwhile",
    losses([...acting, ...park(NOW - WITHIN - 2, "account", [need("expired", "slack")])], "EXPIRED"),
    ["expired fresh 0"],
  ],
  [
    "the run was held for it in this turn: it counts no more",
    losses([...acting, ...park(NOW - 900_000, "outage")], "EXPIRED"),
    ["expired old 0"],
  ],
  [
    "an outage that had nothing to do with it",
    losses([...acting, ...park(NOW - 900_000, "outage", [])], "EXPIRED"),
    ["expired fresh 0"],
  ],
];

for (const [what, found, expected] of table) test(what, () => assert.deepEqual(found, expected));

test("a scope that is missing is no loss, however many miss it", () => {
  const state = b.run(acting, [b.evidence(call, 1, b.refused("scope"), NOW)]);
  const seen: SeenAccount[] = [{ connection: "gmail", status: "ACTIVE", accountId: "ca_1" }];
  const after = afterLook(state, seen, 1e9, NOW, 0);
  assert.equal(after.do, "park");
  assert.deepEqual(lossesIn(state, seen, after, WITHIN, NOW), []);
});

test("held in an earlier turn: a new loss counts again", () => {
  const held = park(NOW - 900_000, "outage");
  const later: Given = [
    ...acting,
    ...held,
    b.at(NOW - 800_000, b.turn(1, [b.call("t1c0")])),
    b.at(NOW - 799_000, b.claim(b.call("t1c0"))),
  ];
  assert.deepEqual(losses(later, "EXPIRED"), ["expired fresh 0"]);
});

test("what belongs to an outage that began at a moment", () => {
  const at = (ms: number) => ({ need: need("expired"), fresh: false, at: ms });
  assert.equal(isHeld(at(NOW), undefined, WITHIN), false, "nothing is held");
  assert.equal(isHeld(at(NOW), NOW - 500, WITHIN), true);
  assert.equal(isHeld(at(NOW - WITHIN), NOW, WITHIN), true, "the first losses came before it was known");
  assert.equal(isHeld(at(NOW - WITHIN - 1), NOW, WITHIN), false, "lost before: the user's matter");
});

test("a held run waits for the operator, longer each time, and goes on with the refused call meanwhile", () => {
  const delays = [0, 1, 2, 9].map((times) => {
    const parks = Array.from({ length: times }, (_, i) => park(10_000 + i * 10, "outage")).flat();
    const after = afterMassLoss(b.run([...acting, ...parks]), [need("expired")], 1);
    assert.ok(after.do === "park", after.do);
    assert.deepEqual([after.park.reason, after.park.about, after.park.needs], ["outage", "prepare", [need("expired")]]);
    return after.delayMs;
  });
  assert.deepEqual(delays, [30_000, 60_000, 120_000, 900_000]);
  const seen: SeenAccount[] = [{ connection: "gmail", status: "ACTIVE", accountId: "ca_1" }];
  const waited = b.run([...acting, ...park(NOW, "outage", [need("refused")])], [refusal]);
  assert.deepEqual(afterLook(waited, seen, 1e9, NOW + 1, 0), { do: "go-on" }, "only the call itself can tell");
  const other = b.run([...acting, ...park(NOW, "outage", [])], [refusal]);
  assert.equal(afterLook(other, seen, 1e9, NOW + 1, 0).do, "probe");
});
