/** Many accounts by few calls: the decision as a table, and the calls that the emulator counts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Accounts, SurveyedAccount } from "../../src/ports/accounts.ts";
import { cheaper } from "../../src/scalekit/sweep.ts";
import type { ScalekitEmulator } from "../../src/testing/scalekit/index.ts";
import { start } from "./start.ts";

const decisions: readonly (readonly [
  sought: number,
  unread: number | undefined,
  way: "page" | "singles",
  why: string,
])[] = [
  [1, undefined, "singles", "one user is one call either way"],
  [2, undefined, "page", "a page tells how many there are"],
  [1, 50, "singles", "a tie goes to the exact answer"],
  [2, 50, "page", ""],
  [2, 100, "page", "one page"],
  [2, 101, "singles", "two pages"],
  [3, 101, "page", ""],
  [1_000, 1_000, "page", "10 calls and not 1,000"],
  [1_000, 99_900, "page", "999 pages"],
  [1_000, 99_901, "singles", "1,000 pages"],
  [5, 1_000_000, "singles", "few wait in a large environment"],
  [1, 0, "singles", "there is still a page, whatever the total said"],
  [2, 0, "page", ""],
];

for (const [sought, unread, way, why] of decisions)
  test(`${sought} sought of ${unread ?? "an unknown number"} unread: ${way} ${why}`, () =>
    assert.equal(cheaper(sought, unread), way));

interface Read {
  readonly seen: readonly SurveyedAccount[];
  readonly outage: string | undefined;
}

async function read(accounts: Accounts, identifiers: readonly string[], connection = "gmail"): Promise<Read> {
  const seen: SurveyedAccount[] = [];
  let outage: string | undefined;
  for await (const some of accounts.survey(connection, identifiers)) {
    assert.equal(outage, undefined, "an outage comes last");
    if (some.ok) seen.push(...some.accounts);
    else outage = some.why;
  }
  return { seen, outage };
}

const users = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `user_${from + i}`);
const calls = (emulator: ScalekitEmulator): number => emulator.calls.count("ListConnectedAccounts");

test("a thousand users are ten calls; a user without an account is NONE once all pages were read", async (t) => {
  const { emulator, accounts } = await start(t);
  for (const user of users(1_000)) emulator.setStatus(user, "gmail", user.endsWith("7") ? "ACTIVE" : "EXPIRED");
  const { seen, outage } = await read(accounts, users(1_000));
  assert.equal(outage, undefined);
  assert.equal(calls(emulator), 10);
  assert.equal(new Set(seen.map((one) => one.identifier)).size, 1_000);
  assert.equal(seen.filter((one) => one.status === "ACTIVE").length, 100);
  assert.equal(seen[7]?.accountId, emulator.account("user_7", "gmail")?.id);

  const missing = await read(accounts, [...users(20, 990)]);
  assert.equal(calls(emulator), 20, "20 users, ten pages");
  assert.deepEqual(
    missing.seen.map((one) => one.status).toSorted(),
    [...users(1, 0).flatMap(() => ["ACTIVE"]), ...users(9).map(() => "EXPIRED"), ...users(10).map(() => "NONE")],
    "ten of them have no account",
  );
});

test("pages stop as soon as nobody is sought any more, and change to single reads when few are left", async (t) => {
  const { emulator, accounts } = await start(t);
  for (const user of users(1_000)) emulator.setStatus(user, "gmail", "EXPIRED");
  const early = await read(accounts, users(100));
  assert.deepEqual([calls(emulator), early.seen.length], [1, 100]);

  emulator.calls.clear();
  const { seen } = await read(accounts, [...users(99), "user_999"]);
  assert.equal(calls(emulator), 2, "one page, and the last one alone");
  assert.deepEqual(
    emulator.calls.all.map((call) => call.identifier ?? ""),
    ["", "user_999"],
  );
  assert.equal(seen.length, 100);
});

test("few users of a large environment are read one by one, once it is known to be large", async (t) => {
  const { emulator, accounts, clock } = await start(t);
  for (const user of users(700)) emulator.setStatus(user, "gmail", "EXPIRED");
  await read(accounts, users(5, 600));
  assert.equal(calls(emulator), 6, "one page told that there are seven, and nothing of these five");
  await read(accounts, users(5, 600));
  assert.equal(calls(emulator), 11);
  clock.advance(3_600_001);
  await read(accounts, users(5, 600));
  assert.equal(calls(emulator), 17, "after an hour it is asked again");
});

test("nobody else's accounts, no other connection's, and each user once", async (t) => {
  const { emulator, accounts } = await start(t, { connections: ["gmail", "slack"] });
  for (const user of users(4)) emulator.setStatus(user, "slack", "ACTIVE");
  for (const user of ["user_0", "USER_1", "user_10"]) emulator.setStatus(user, "gmail", "ACTIVE");
  const { seen } = await read(accounts, ["user_0", "user_1", "user_1", "user_2"]);
  assert.deepEqual(
    seen.map(({ identifier, connection, status }) => [identifier, connection, status]),
    [
      ["user_0", "gmail", "ACTIVE"],
      ["user_1", "gmail", "NONE"],
      ["user_2", "gmail", "NONE"],
    ],
  );
  assert.deepEqual(await read(accounts, []), { seen: [], outage: undefined });
});

test("an outage on a page: those seen before it are seen, nobody is NONE, and no more is asked", async (t) => {
  const { emulator, accounts } = await start(t);
  for (const user of users(300)) emulator.setStatus(user, "gmail", "EXPIRED");
  emulator.faults.add({ method: "ListConnectedAccounts", delayMs: 1 });
  emulator.faults.add({ method: "ListConnectedAccounts", code: "Internal", times: 99 });
  const { seen, outage } = await read(accounts, users(400));
  assert.equal(outage, "unavailable");
  assert.deepEqual([seen.length, calls(emulator)], [100, 2]);
  assert.ok(
    seen.every((one) => one.status === "EXPIRED"),
    "nobody is NONE",
  );
});

test("single reads that all fail are an outage for the rest; one that fails keeps nobody else from being seen", async (t) => {
  const { emulator, accounts } = await start(t);
  for (const user of users(6_000)) emulator.setStatus(user, "gmail", "EXPIRED");
  await read(accounts, users(2));
  const failing = emulator.faults.add({
    method: "ListConnectedAccounts",
    identifier: "user_5",
    code: "Internal",
    times: 99,
  });
  const one = await read(accounts, users(30));
  assert.deepEqual([one.seen.length, one.outage], [29, "unavailable"]);
  failing.remove();
  emulator.faults.add({ method: "ListConnectedAccounts", code: "Internal", times: Infinity });
  emulator.calls.clear();
  const all = await read(accounts, users(30));
  assert.deepEqual([all.seen.length, all.outage, calls(emulator)], [0, "unavailable", 10]);
});

test("property: whatever waits, it costs at most the smaller of both ways, and one call to learn the total", async (t) => {
  const { emulator, accounts } = await start(t);
  for (const user of users(450)) emulator.setStatus(user, "gmail", "EXPIRED");
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 0, max: 600 }), { maxLength: 40 }), async (numbers) => {
      emulator.calls.clear();
      const sought = numbers.map((number) => `user_${number}`);
      const { seen } = await read(accounts, sought);
      assert.deepEqual(seen.map((one) => one.identifier).toSorted(), sought.toSorted());
      for (const { identifier, status } of seen)
        assert.equal(status, Number(identifier.slice(5)) < 450 ? "EXPIRED" : "NONE", identifier);
      assert.ok(calls(emulator) <= Math.min(sought.length, 5) + 1, `${calls(emulator)} calls for ${sought.length}`);
    }),
    { numRuns: 60 },
  );
});
