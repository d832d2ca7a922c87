/** Pages of the accounts that runs need, and what an operator does about many of them; and whose keys an opening touches. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { accountGate } from "../../src/core/gate.ts";
import type { AccountStatus, NeedReason } from "../../src/core/run.ts";
import { type Settings, storeOptions } from "../../src/options.ts";
import type { Accounts, Outage } from "../../src/ports/accounts.ts";
import {
  type AuthorizationFilter,
  cancelAll,
  checkAll,
  listAuthorizations,
  remindAll,
} from "../../src/queue/authorizations.ts";
import { cancelRun } from "../../src/queue/canceller.ts";
import { createGatekeeper } from "../../src/queue/gatekeeper.ts";
import { redisLooks } from "../../src/queue/looks.ts";
import { redisStates } from "../../src/queue/states.ts";
import { chance, clock, noteAgent, quiet, type TestStore, testStore } from "../support/store.ts";

async function parked(
  s: TestStore,
  identifier: string,
  connections: readonly string[],
  { reason = "expired", after }: { readonly reason?: NeedReason; readonly after?: number } = {},
): Promise<string> {
  const run = await s.producer.create(noteAgent, { identifier, input: { n: 1 } });
  const claim = await s.journal.claim(run, { nonce: `claim-${run}`, worker: "w" });
  assert.ok(claim.answer === "claimed", "it is claimed");
  const needs = await Promise.all(
    connections.map(async (connection) => {
      const gate = accountGate(identifier, connection);
      return { gate, version: await s.gates.version(gate), reason };
    }),
  );
  const reply = await s.journal.commit({
    run,
    epoch: claim.epoch,
    length: claim.decisions.length,
    nonce: `park-${run}`,
    entries: [{ kind: "parked", reason: "account" }],
    move: { to: "accounts", needs, until: 4e12, ...(after !== undefined && { after }) },
  });
  assert.equal(reply.answer, "ok");
  return run;
}

const names = async (s: TestStore, filter: AuthorizationFilter = {}): Promise<string[]> =>
  (await listAuthorizations(s.store, filter)).authorizations.map((it) => `${it.identifier} ${it.connection}`);

const cancelWith =
  ({ store, journal }: TestStore) =>
  (run: string): Promise<boolean> =>
    cancelRun(store, { journal, clock, chance, worker: "w" }, run);

const statusOf = ({ store }: TestStore, run: string): Promise<string | null> =>
  store.redis.hget(`${store.prefix}run:${run}`, "status");

const OUTAGE: Outage = { ok: false, why: "unavailable", message: "down" };

/** @param down connections that cannot be asked about */
function seeing(statuses: Readonly<Record<string, AccountStatus>>, down: readonly string[] = []): Accounts {
  const see = (identifier: string, connection: string) =>
    ({
      identifier,
      connection,
      accountId: "ca_1",
      status: statuses[`${identifier} ${connection}`] ?? "EXPIRED",
    }) as const;
  return {
    look: async (identifier, connections) => ({ ok: true, accounts: connections.map((it) => see(identifier, it)) }),
    async *survey(connection, identifiers) {
      if (down.includes(connection)) yield OUTAGE;
      else yield { ok: true, accounts: identifiers.map((it) => see(it, connection)) };
    },
    link: () => Promise.resolve(OUTAGE),
    verify: () => Promise.resolve(OUTAGE),
    connections: () => Promise.resolve(OUTAGE),
  };
}

test("a record tells who waits for what, since when, for how many runs, and what happens next", async (t) => {
  const s = testStore(t, { remindAfterMs: [60_000], sweepMs: 5_000 });
  const before = Date.now();
  await parked(s, "ada@example.com/x", ["Google Drive", "slack"]);
  await parked(s, "ada@example.com/x", ["slack"], { reason: "pending-verification" });
  const { authorizations, cursor } = await listAuthorizations(s.store, {});
  assert.equal(cursor, undefined);
  const [drive, slack] = authorizations;
  assert.ok(drive !== undefined && slack !== undefined, "both are there");
  assert.deepEqual(
    [drive.identifier, drive.connection, drive.reason, drive.action, drive.runs, drive.reminders],
    ["ada@example.com/x", "Google Drive", "expired", "reconnect", 1, 0],
  );
  assert.deepEqual([slack.reason, slack.action, slack.runs], ["pending-verification", "verify", 2]);
  assert.ok(drive.forUser.includes("Google Drive") && drive.forOperator.includes("Google Drive"), "texts name it");
  assert.ok(drive.since >= before && drive.lastLookAt >= drive.since, "times");
  assert.equal(drive.nextReminderAt, drive.since + 60_000);
  assert.ok((drive.nextLookAt ?? 0) > drive.since && (drive.nextLookAt ?? 0) <= drive.since + 6_000, "the next round");
});

test("pages fit together, by identifier, by connection, by both, longest waited for first", async (t) => {
  const s = testStore(t);
  for (const who of ["u3", "u1", "u2"]) await parked(s, who, ["gmail", "slack"]);
  const all = ["u3 gmail", "u3 slack", "u1 gmail", "u1 slack", "u2 gmail", "u2 slack"];
  assert.deepEqual(await names(s), all);
  assert.deepEqual(await names(s, { identifier: "u1" }), ["u1 gmail", "u1 slack"]);
  assert.deepEqual(await names(s, { connection: "slack" }), ["u3 slack", "u1 slack", "u2 slack"]);
  assert.deepEqual(await names(s, { identifier: "u1", connection: "slack" }), ["u1 slack"]);
  assert.deepEqual(await names(s, { identifier: "u1", connection: "github" }), []);
  assert.deepEqual(await names(s, { identifier: "u" }), []);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await listAuthorizations(s.store, { limit: 2, ...(cursor !== undefined && { cursor }) });
    seen.push(...page.authorizations.map((it) => `${it.identifier} ${it.connection}`));
    // Those that leave in between take no others with them.
    if (seen.length === 2) await s.gates.open(accountGate("u3", "gmail"));
    cursor = page.cursor;
  } while (cursor !== undefined);
  assert.deepEqual(seen, all);
});

test("bad filters say what was expected", async (t) => {
  const s = testStore(t);
  await assert.rejects(listAuthorizations(s.store, { limit: 0 }), {
    code: "option-invalid",
    message: /^parked: limit: expected a whole number from 1 to 1000, got 0/,
  });
  await assert.rejects(listAuthorizations(s.store, { cursor: "x" }), { code: "option-invalid" });
  await assert.rejects(listAuthorizations(s.store, { connection: "" }), { code: "option-invalid" });
  await assert.rejects(listAuthorizations(s.store, { identifier: "a b" }), { code: "identifier-invalid" });
  await assert.rejects(cancelAll(s.store, cancelWith(s), {}), { code: "option-invalid", message: /whose runs to end/ });
});

test("check looks at all of them: who is ACTIVE goes on, the others' reasons are news, outages are told apart", async (t) => {
  const s = testStore(t);
  const [ada, bob] = [await parked(s, "ada", ["gmail"]), await parked(s, "bob", ["gmail"])];
  await parked(s, "ada", ["slack"]);
  const accounts = seeing({ "ada gmail": "ACTIVE", "bob gmail": "DISCONNECTED" }, ["slack"]);
  const gatekeeper = createGatekeeper(s.gates, accounts, quiet);
  const counts = await checkAll(s.store, gatekeeper, {});
  assert.deepEqual(counts, { checked: 3, active: 1, unseen: 1 });
  assert.deepEqual([await statusOf(s, ada), await statusOf(s, bob)], ["queued", "parked"]);
  const [gmail] = (await listAuthorizations(s.store, { identifier: "bob" })).authorizations;
  assert.equal(gmail?.reason, "disconnected");
  assert.deepEqual(await checkAll(s.store, gatekeeper, { identifier: "nobody" }), { checked: 0, active: 0, unseen: 0 });
});

test("check: an ACTIVE account that refused a run keeps it, and is neither active nor unseen", async (t) => {
  const s = testStore(t);
  const run = await parked(s, "ada", ["gmail"], { reason: "refused", after: 5_000 });
  const gatekeeper = createGatekeeper(s.gates, seeing({ "ada gmail": "ACTIVE" }), quiet);
  assert.deepEqual(await checkAll(s.store, gatekeeper, {}), { checked: 1, active: 0, unseen: 0 });
  assert.equal(await statusOf(s, run), "parked");
});

test("remind goes page by page, and counts", async (t) => {
  const s = testStore(t);
  for (const who of ["u1", "u2", "u3"]) await parked(s, who, ["gmail"]);
  const first = await remindAll(s.store, "n1", { limit: 2 });
  assert.equal(first.reminded, 2);
  const second = await remindAll(s.store, "n2", {
    limit: 2,
    ...(first.cursor !== undefined && { cursor: first.cursor }),
  });
  assert.deepEqual(second, { reminded: 1 });
  const { authorizations } = await listAuthorizations(s.store, {});
  assert.deepEqual(
    authorizations.map(({ reminders }) => reminders),
    [1, 1, 1],
  );
});

test("cancel ends the runs that need the account, a bounded number a call, and leaves the others", async (t) => {
  const s = testStore(t);
  const mine: string[] = [];
  for (let i = 0; i < 7; i++) mine.push(await parked(s, "ada", i % 2 === 0 ? ["gmail", "slack"] : ["gmail"]));
  const [slack, bob] = [await parked(s, "ada", ["slack"]), await parked(s, "bob", ["gmail"])];
  const filter = { identifier: "ada", connection: "gmail", limit: 3 };
  const counts: number[] = [];
  for (let cursor: string | undefined = "0"; cursor !== undefined;) {
    const done: Awaited<ReturnType<typeof cancelAll>> = await cancelAll(s.store, cancelWith(s), { ...filter, cursor });
    counts.push(done.cancelled);
    cursor = done.cursor;
  }
  assert.deepEqual(counts, [3, 3, 1]);
  for (const run of mine) assert.equal(await statusOf(s, run), "cancelled");
  assert.deepEqual([await statusOf(s, slack), await statusOf(s, bob)], ["parked", "parked"]);
  assert.deepEqual(await names(s), ["ada slack", "bob gmail"]);
});

test("cancel: a run that a worker has is told once, and keeps nobody busy", async (t) => {
  const s = testStore(t);
  const [held, free] = [await parked(s, "ada", ["gmail"]), await parked(s, "ada", ["gmail"])];
  const claim = await s.journal.claim(held, { nonce: "again", worker: "w" });
  assert.equal(claim.answer, "claimed");
  const done = await cancelAll(s.store, cancelWith(s), { connection: "gmail" });
  assert.deepEqual(done, { cancelled: 2 });
  assert.deepEqual([await statusOf(s, held), await statusOf(s, free)], ["running", "cancelled"]);
  assert.deepEqual(await cancelAll(s.store, cancelWith(s), { connection: "gmail" }), { cancelled: 0 });
});

test("opening one gate touches nothing of another account", async (t) => {
  const s = testStore(t);
  await parked(s, "ada", ["gmail", "slack"]);
  await parked(s, "ada", ["gmail"]);
  await parked(s, "bob", ["gmail", "slack"]);
  const dump = async (): Promise<Map<string, string>> => {
    const all = new Map<string, string>();
    for await (const keys of s.store.redis.scanStream({ match: `${s.store.prefix}*` }))
      for (const key of keys as string[]) all.set(key, (await s.store.redis.dumpBuffer(key))?.toString("base64") ?? "");
    return all;
  };
  const before = await dump();
  await s.gates.open(accountGate("ada", "gmail"));
  const after = await dump();
  const touched = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
  assert.ok(touched.length > 5, "it did something");
  assert.deepEqual(
    touched.filter((key) => /bob|slack/.test(key)),
    [],
  );
  assert.ok(touched.includes(`${s.store.prefix}gate:account/ada/gmail:w`), "its own waiters");
});

test("settings that make no sense are refused", () => {
  const base = { redis: "redis://127.0.0.1:1", agents: [] };
  const settings = (given: unknown): Settings => storeOptions({ ...base, authorization: given as { baseUrl: string } });
  const refuses = (given: unknown, message: RegExp): void =>
    assert.throws(() => settings(given), { code: "config-invalid", message });
  refuses({ remindAfter: [2, 1] }, /authorization\.remindAfter: expected whole numbers of ms, .*, got \[2,1\]/);
  refuses({ remindAfter: [0] }, /remindAfter/);
  refuses({ remindAfter: "1d" }, /remindAfter.*got "1d"/);
  refuses({ onEvent: "mail" }, /authorization\.onEvent: expected a function, got "mail"/);
  assert.deepEqual(settings({ remindAfter: [] }).remindAfterMs, []);
  assert.deepEqual(storeOptions(base).remindAfterMs, [86_400_000, 259_200_000]);
});

test("a wish that names no connection is one for each account that the user's runs need, and is heard once", async (t) => {
  const s = testStore(t);
  const looks = redisLooks(s.store);
  const asked = async (): Promise<string[]> =>
    (await s.store.redis.zrange(`${s.store.prefix}looks`, "0", "-1")).filter((it) => it.startsWith("gate:")).toSorted();
  assert.equal(await looks.ask({ identifier: "ada" }, "m"), false, "nobody waits");
  await parked(s, "ada", ["Google Drive", "slack"]);
  await parked(s, "bob", ["slack"]);
  assert.deepEqual(
    [await looks.ask({ identifier: "ada" }, "m"), await looks.ask({ identifier: "ada" }, "m")],
    [true, false],
  );
  assert.deepEqual(await asked(), ["gate:account/ada/Google%20Drive", "gate:account/ada/slack"]);
});

test("what became of the last link: opened, opened again, come back; and it goes with the need for it", async (t) => {
  const s = testStore(t);
  let now = 1_000_000;
  const states = redisStates(s.store, () => now);
  const request = { identifier: "ada", connection: "Google Drive", returnTo: "https://app.example.com/callback" };
  const url = "https://scalekit.example.com/magicLink/s3cr3t";
  const links = async (): Promise<unknown[]> =>
    (await listAuthorizations(s.store, {})).authorizations.map(({ link }) => link);
  const make = async (stateHash: string): Promise<void> => {
    assert.deepEqual(await states.begin(request, stateHash), { kind: "make" });
    await states.keep(request, { stateHash, url, expiresAt: now + 60_000 });
  };
  await make("before");
  await states.take("before", "n0");
  await parked(s, "ada", ["Google Drive"]);
  await parked(s, "ada", ["slack"]);
  assert.deepEqual(await links(), [undefined, undefined], "that was before anything needed it");
  await make("first");
  assert.deepEqual(await links(), [{ madeAt: now, openedAt: now, expiresAt: now + 60_000 }, undefined]);
  const [madeAt, expiresAt] = [now, now + 60_000];
  now += 6_000;
  assert.deepEqual(await states.begin(request, "n1"), { kind: "link", url });
  assert.deepEqual((await links())[0], { madeAt, openedAt: now, expiresAt });
  now += 1;
  await states.take("first", "n2");
  assert.deepEqual((await links())[0], { madeAt, openedAt: now - 1, expiresAt, returnedAt: now });
  await make("second");
  assert.deepEqual((await links())[0], { madeAt: now, openedAt: now, expiresAt: now + 60_000 });
  const record = await s.store.redis.hgetall(`${s.store.prefix}auth:account/ada/Google%20Drive`);
  assert.doesNotMatch(JSON.stringify(record), /s3cr3t|second/);
  await s.gates.open(accountGate("ada", "Google Drive"));
  await parked(s, "ada", ["Google Drive"]);
  assert.deepEqual(await links(), [undefined, undefined]);
});
