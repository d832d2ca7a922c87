/** What only Redis has: tickets in BullMQ, keys that expire, producers that race. The rest of the journal is in test/conformance. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../../src/core/journal.ts";
import type { Claim, Commit, Move } from "../../src/ports/journal.ts";
import type { Store } from "../../src/queue/store.ts";
import { noteAgent, type TestStore, testStore } from "../support/store.ts";

const yielded: Entry = { kind: "yielded" };
const ended: Entry = { kind: "ended", status: "completed", output: "done" };

const header = (store: Store, run: string): Promise<Record<string, string>> =>
  store.redis.hgetall(`${store.prefix}run:${run}`);

async function enqueue(
  { producer }: TestStore,
  identifier = "user_1",
  options: { priority?: number; idempotencyKey?: string; n?: number } = {},
): Promise<string> {
  const { n = 1, ...rest } = options;
  return producer.create(noteAgent, { identifier, input: { n }, ...rest });
}

async function ticketOf(s: TestStore, run: string): Promise<string> {
  return (await header(s.store, run))["ticket"] ?? "";
}

async function claim(s: TestStore, run: string, nonce = `claim-${run}`): Promise<Claim> {
  const reply = await s.journal.claim(run, { ticket: await ticketOf(s, run), nonce, worker: "w1" });
  assert.equal(reply.answer, "claimed");
  return reply as Claim;
}

function commit(
  claimed: Claim,
  entries: readonly Entry[],
  move: Move,
  nonce = "n1",
  length = claimed.decisions.length,
): Commit {
  return { run: claimed.run, epoch: claimed.epoch, length, nonce, entries, move };
}

test("create makes the run live, gives it a ticket in BullMQ, and writes its first decision", async (t) => {
  const s = testStore(t);
  const run = await enqueue(s);
  const h = await header(s.store, run);
  assert.equal(h["status"], "queued");
  assert.equal(h["place"], "live");
  assert.deepEqual(await s.store.redis.lrange(`${s.store.prefix}q:default:wait`, 0, -1), [`${run}-${h["ticket"]}`]);
  const { decisions, evidence } = await claim(s, run);
  assert.deepEqual(
    decisions.map((d) => d.kind),
    ["created", "leased"],
  );
  assert.deepEqual(evidence, []);
});

test("the same idempotency key and input give the same run; another input is refused; another user's key is another key", async (t) => {
  const s = testStore(t);
  const first = await enqueue(s, "user_1", { idempotencyKey: "k" });
  assert.equal(await enqueue(s, "user_1", { idempotencyKey: "k" }), first);
  await assert.rejects(enqueue(s, "user_1", { idempotencyKey: "k", n: 2 }), { code: "idempotency-conflict" });
  assert.notEqual(await enqueue(s, "user_2", { idempotencyKey: "k" }), first);
});

test("a hundred producers with one idempotency key make one run", async (t) => {
  const s = testStore(t);
  const runs = await Promise.all(Array.from({ length: 100 }, () => enqueue(s, "user_1", { idempotencyKey: "same" })));
  assert.equal(new Set(runs).size, 1);
});

test("an identifier has one tenant", async (t) => {
  const s = testStore(t);
  await s.producer.create(noteAgent, { identifier: "user_1", input: { n: 1 }, tenant: "acme" });
  await s.producer.create(noteAgent, { identifier: "user_1", input: { n: 1 }, tenant: "acme" });
  await assert.rejects(s.producer.create(noteAgent, { identifier: "user_1", input: { n: 1 }, tenant: "other" }), {
    code: "tenant-conflict",
  });
});

test("several entries are one commit, and a sent-again one with a move is done once", async (t) => {
  const s = testStore(t, { perIdentifier: 1 });
  const run = await enqueue(s);
  const waiting = await enqueue(s);
  const c = await claim(s, run);
  const end = commit(c, [yielded, ended], { to: "end", status: "completed" });
  assert.equal((await s.journal.commit(end)).answer, "ok");
  assert.equal((await s.journal.commit(end)).answer, "ok");
  assert.equal(await s.store.redis.llen(`${s.store.prefix}run:${run}:j`), 4);
  assert.equal((await header(s.store, run))["status"], "completed");
  assert.equal((await header(s.store, waiting))["place"], "live");
  for (const key of ["", ":j"])
    assert.ok((await s.store.redis.pttl(`${s.store.prefix}run:${run}${key}`)) > 0, "an ended run expires");
  assert.equal(await s.store.redis.pttl(`${s.store.prefix}run:${waiting}`), -1, "a live run does not");
});

test("evidence that comes after the end expires with its run", async (t) => {
  const s = testStore(t);
  const run = await enqueue(s);
  const c = await claim(s, run);
  await s.journal.commit(commit(c, [ended], { to: "end", status: "completed" }));
  await s.journal.evidence(run, {
    nonce: "i1",
    call: "t0c0",
    tool: "x",
    argsHash: "h",
    tookMs: 1,
    outcome: { kind: "ok", data: 1 },
  });
  assert.ok((await s.store.redis.pttl(`${s.store.prefix}run:${run}:e`)) > 0);
});
