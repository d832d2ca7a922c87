/** Losses on Redis: distinct users within a window, over all processes; one hold, one alarm. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { accountGate } from "../../src/core/gate.ts";
import type { Entry } from "../../src/core/journal.ts";
import type { Loss, MassLoss } from "../../src/core/losses.ts";
import type { Log, LogFields } from "../../src/ports/log.ts";
import type { Losses } from "../../src/ports/losses.ts";
import { storeOptions } from "../../src/options.ts";
import { redisLosses } from "../../src/queue/losses.ts";
import { noteAgent, quiet, type TestStore, testStore } from "../support/store.ts";

const RULES: MassLoss = { accounts: 5, withinMs: 60_000, holdMs: 60_000 };

interface Lab {
  readonly s: TestStore;
  readonly losses: Losses;
  readonly alarms: LogFields[];
  readonly lose: (identifier: string, loss?: Partial<Loss>, connection?: string) => Promise<boolean>;
}

function lab(t: TestContext, rules: Partial<MassLoss> = {}): Lab {
  const s = testStore(t);
  const alarms: LogFields[] = [];
  const log: Log = { ...quiet, error: (event, fields) => void alarms.push({ event, ...fields }) };
  const losses = redisLosses(s.store, { ...RULES, ...rules }, log);
  const lose: Lab["lose"] = (identifier, loss = {}, connection = "gmail") =>
    losses.report(identifier, { need: { connection, reason: "expired" }, fresh: true, at: Date.now(), ...loss });
  return { s, losses, alarms, lose };
}

const users = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `user_${from + i}`);

test("the fifth user is one too many: held, one alarm, and no other connection is", async (t) => {
  const { lose, alarms } = lab(t);
  const told: boolean[] = [];
  for (const user of users(8)) told.push(await lose(user));
  assert.deepEqual(told, [false, false, false, false, true, true, true, true]);
  const { accounts, withinMs, holdMs } = RULES;
  assert.deepEqual(alarms, [{ event: "accounts.mass-loss", connection: "gmail", accounts, withinMs, holdMs }]);
  assert.equal(await lose("user_1"), true, "the first ones, when they look again");
  assert.equal(await lose("ann", {}, "slack"), false);
});

test("one user counts once, however many runs he has; an old loss does not count at all", async (t) => {
  const { lose, alarms } = lab(t);
  for (let i = 0; i < 50; i++) assert.equal(await lose("ann"), false);
  for (const user of users(50)) assert.equal(await lose(user, { fresh: false }), false);
  for (const user of users(3)) assert.equal(await lose(user), false);
  assert.deepEqual(alarms, []);
  assert.equal(await lose("user_9"), true);
});

test("during a hold: who lost the account before the outage is asked as usual", async (t) => {
  const { lose } = lab(t);
  for (const user of users(5)) await lose(user);
  const before = Date.now() - RULES.withinMs - 5_000;
  assert.equal(await lose("ann", { fresh: false, at: before }), false);
  assert.equal(await lose("bob", { fresh: false, at: before + 10_000 }), true);
});

test("losses leave the window; a hold ends by itself, and nothing that came during it begins the next one", async (t) => {
  const { s, lose, alarms } = lab(t);
  const { redis, prefix } = s.store;
  for (const user of users(4)) await lose(user);
  for (const user of users(4))
    await redis.zincrby(`${prefix}losses:gmail`, -RULES.withinMs - 1, accountGate(user, "gmail"));
  assert.equal(await lose("user_4"), false, "the others are too long ago");
  assert.equal(await redis.zcard(`${prefix}losses:gmail`), 1);
  for (const user of users(4)) await lose(user);
  assert.equal(alarms.length, 1);
  for (const user of users(100, 10)) await lose(user);
  assert.equal(await redis.zcard(`${prefix}losses:gmail`), 0);
  assert.ok((await redis.pttl(`${prefix}held:gmail`)) > 0, "it ends by itself");
  await redis.del(`${prefix}held:gmail`);
  for (const user of users(4)) assert.equal(await lose(user), false, "after the hold the count starts anew");
  assert.ok((await redis.pttl(`${prefix}losses:gmail`)) > 0, "the window leaves nothing behind");
});

test("300 users at once, by many processes: one alarm, and the first ones look again", async (t) => {
  const { s, lose, alarms } = lab(t);
  const told = await Promise.all(users(300).map((user) => lose(user)));
  assert.equal(alarms.length, 1);
  const asked = users(300).filter((_, i) => told[i] === false);
  assert.equal(asked.length, 4);
  for (const user of asked) assert.ok((await s.gates.version(accountGate(user, "gmail"))) > 0, `${user} looks again`);
});

/** A run of this user waits for gmail. @param after it was refused then, by an ACTIVE account */
async function parkRun(s: TestStore, identifier: string, after?: number): Promise<string> {
  const run = await s.producer.create(noteAgent, { identifier, input: { n: 1 } });
  const claim = await s.journal.claim(run, { nonce: run, worker: "w" });
  if (claim.answer !== "claimed") throw new Error(claim.answer);
  const { epoch, decisions } = claim;
  const entries: Entry[] = [{ kind: "parked", reason: "account" }];
  const refused = after === undefined ? {} : { after };
  const needs = [{ gate: accountGate(identifier, "gmail"), version: 0, reason: "expired" }] as const;
  const move = { to: "accounts", needs, ...refused, until: 4e12 } as const;
  const reply = await s.journal.commit({ run, epoch, length: decisions.length, nonce: "p", entries, move });
  assert.equal(reply.answer, "ok");
  return run;
}

test("too many: those who wait look again now; who was refused does not, nor who was not counted; who is about to park looks first", async (t) => {
  const { s, lose } = lab(t);
  const { redis, prefix } = s.store;
  const [first, refused, other] = [await parkRun(s, "user_0"), await parkRun(s, "user_1", 5), await parkRun(s, "ann")];
  const claimed = await s.producer.create(noteAgent, { identifier: "user_2", input: { n: 1 } });
  const claim = await s.journal.claim(claimed, { nonce: claimed, worker: "w" });
  const version = await s.gates.version(accountGate("user_2", "gmail"));
  for (const user of users(5)) await lose(user);
  const due = async (run: string): Promise<boolean> =>
    Number(await redis.zscore(`${prefix}looks`, `run:${run}`)) <= Date.now();
  assert.deepEqual([await due(first), await due(refused), await due(other)], [true, false, false]);
  if (claim.answer !== "claimed") throw new Error(claim.answer);
  const needs = [{ gate: accountGate("user_2", "gmail"), version, reason: "expired" }] as const;
  const move = { to: "accounts", needs, until: 4e12 } as const;
  const { epoch, decisions } = claim;
  const late = await s.journal.commit({
    run: claimed,
    epoch,
    length: decisions.length,
    nonce: "p",
    entries: [{ kind: "parked", reason: "account" }],
    move,
  });
  assert.equal(late.answer, "gate-moved");
});

test("options of massLoss that make no sense are refused, each with what to do", () => {
  const base = { redis: "redis://127.0.0.1:1", agents: [] };
  const refuses = (massLoss: unknown, message: RegExp): void =>
    assert.throws(() => storeOptions({ ...base, massLoss: massLoss as MassLoss }), { code: "config-invalid", message });
  refuses({ accounts: 1 }, /massLoss: accounts: expected at least 2.*massLoss: false/);
  refuses({ accounts: 2.5 }, /massLoss: accounts: expected a whole number/);
  refuses({ withinMs: 0 }, /massLoss: withinMs/);
  refuses({ holdMs: "15m" }, /massLoss: holdMs/);
  refuses(7, /massLoss: expected/);
  refuses(null, /massLoss: expected/);
  refuses(true, /massLoss: expected/);
  assert.equal(storeOptions({ ...base, massLoss: false }).massLoss, undefined);
  assert.deepEqual(storeOptions(base).massLoss, { accounts: 20, withinMs: 60_000, holdMs: 900_000 });
  assert.deepEqual(storeOptions({ ...base, massLoss: { accounts: 3 } }).massLoss?.accounts, 3);
});
