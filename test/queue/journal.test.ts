/** The scripts on a real Redis. Every one is sent twice with one nonce, as ioredis does when a reply was lost. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Entry } from "../../src/core/journal.ts";
import type { Claim, Commit, Move } from "../../src/ports/journal.ts";
import type { Store } from "../../src/queue/store.ts";
import { noteAgent, type TestStore, testStore } from "../support/store.ts";

const yielded: Entry = { kind: "yielded" };
const parked: Entry = { kind: "parked", reason: "account", needs: [{ connection: "gmail", reason: "not-connected" }] };
const ended: Entry = { kind: "ended", status: "completed", output: "done" };
const FAR = 4_000_000_000_000;

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

test("claim: sent twice it is one claim; another worker is told until when it is busy; an old ticket is stale; no run is gone", async (t) => {
  const s = testStore(t);
  const run = await enqueue(s);
  const ticket = await ticketOf(s, run);
  const first = await claim(s, run, "c1");
  const again = await claim(s, run, "c1");
  assert.deepEqual(again, { ...first, now: again.now });
  const busy = await s.journal.claim(run, { ticket, nonce: "c2", worker: "w2" });
  assert.equal(busy.answer, "busy");
  assert.ok(busy.answer === "busy" && busy.until > first.now);
  assert.deepEqual(await s.journal.claim("run_0_none", { ticket, nonce: "c3", worker: "w2" }), { answer: "gone" });
  const other = await enqueue(s, "user_2");
  assert.deepEqual(await s.journal.claim(other, { ticket: "1", nonce: "c4", worker: "w2" }), { answer: "stale" });
});

test("commit: sent twice it is written once; a fenced epoch and a wrong length write nothing", async (t) => {
  const s = testStore(t);
  const run = await enqueue(s);
  const c = await claim(s, run);
  const once = await s.journal.commit(commit(c, [yielded], { to: "stay" }));
  assert.equal(once.answer, "ok");
  assert.deepEqual(await s.journal.commit(commit(c, [yielded], { to: "stay" })), once);
  assert.deepEqual(await s.journal.commit(commit(c, [yielded], { to: "stay" }, "n2")), { answer: "conflict" });
  assert.deepEqual(await s.journal.commit({ ...commit(c, [yielded], { to: "stay" }, "n3", 3), epoch: c.epoch - 1 }), {
    answer: "fenced",
  });
  assert.equal(await s.store.redis.llen(`${s.store.prefix}run:${run}:j`), 3);
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

test("a run that ended takes no more decisions, and nobody can claim it", async (t) => {
  const s = testStore(t);
  const run = await enqueue(s);
  const c = await claim(s, run);
  await s.journal.commit(commit(c, [ended], { to: "end", status: "completed" }));
  assert.deepEqual(await s.journal.commit(commit(c, [yielded], { to: "stay" }, "n9", 3)), { answer: "fenced" });
  assert.deepEqual(await s.journal.renew(run, c.epoch), { answer: "fenced" });
  assert.deepEqual(await s.journal.claim(run, { nonce: "c9", worker: "w2" }), { answer: "stale" });
});

test("evidence: the first one wins, from any epoch, also without its intent; it is gone with the run", async (t) => {
  const s = testStore(t);
  const run = await enqueue(s);
  const base = { call: "t0c0", tool: "x", argsHash: "h", tookMs: 1 };
  const won = await s.journal.evidence(run, { ...base, nonce: "i1", outcome: { kind: "ok", data: 1 } });
  const late = await s.journal.evidence(run, { ...base, nonce: "i1", outcome: { kind: "unknown", message: "late" } });
  assert.deepEqual(late, won);
  assert.deepEqual((await claim(s, run)).evidence, [won]);
  assert.equal(
    await s.journal.evidence("run_0_none", { ...base, nonce: "i1", outcome: { kind: "ok", data: 1 } }),
    undefined,
  );
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

test("renew extends the lease of its epoch only, and carries a cancel", async (t) => {
  const s = testStore(t);
  const run = await enqueue(s);
  const c = await claim(s, run);
  assert.deepEqual(await s.journal.renew(run, c.epoch), { answer: "ok", cancelled: false });
  assert.deepEqual(await s.journal.renew(run, c.epoch - 1), { answer: "fenced" });
  await s.store.redis.hset(`${s.store.prefix}run:${run}`, "cancel", "1");
  assert.deepEqual(await s.journal.renew(run, c.epoch), { answer: "ok", cancelled: true });
});

async function park(s: TestStore, run: string, gate: string, version = 0): Promise<string> {
  const c = await claim(s, run, `p-${run}-${version}`);
  return (
    await s.journal.commit(commit(c, [parked], { to: "gate", gate, version, until: FAR }, `park-${run}-${version}`))
  ).answer;
}

test("a gate that opened after its version was read refuses the park, and nothing is written", async (t) => {
  const s = testStore(t);
  const run = await enqueue(s);
  const c = await claim(s, run);
  const version = await s.gates.version("account/u/gmail");
  await s.gates.open("account/u/gmail");
  const reply = await s.journal.commit(
    commit(c, [parked], { to: "gate", gate: "account/u/gmail", version, until: FAR }),
  );
  assert.deepEqual(reply, { answer: "gate-moved" });
  assert.equal(await s.store.redis.llen(`${s.store.prefix}run:${run}:j`), 2);
  assert.equal((await header(s.store, run))["status"], "running");
});

test("a parked run holds no slot, no lease and no ticket; opening lets it go on with a new ticket; opening again changes nothing", async (t) => {
  const s = testStore(t, { perIdentifier: 1 });
  const run = await enqueue(s);
  const first = await ticketOf(s, run);
  assert.equal(await park(s, run, "g"), "ok");
  const h = await header(s.store, run);
  assert.deepEqual([h["status"], h["place"], h["lease"], h["reason"]], ["parked", "gate", "0", "account"]);
  assert.equal(await s.store.redis.zcard(`${s.store.prefix}live:default:user_1`), 0);
  await s.gates.open("g");
  const woken = await header(s.store, run);
  assert.deepEqual([woken["status"], woken["place"]], ["queued", "live"]);
  assert.ok(Number(woken["ticket"]) > Number(first));
  await s.gates.open("g");
  assert.equal((await header(s.store, run))["ticket"], woken["ticket"]);
  assert.deepEqual(await s.journal.claim(run, { ticket: first, nonce: "old", worker: "w" }), { answer: "stale" });
});

test("opening one gate wakes only its own waiters, also more than one slice of them, and each once", async (t) => {
  const s = testStore(t, { perIdentifier: 500 });
  const runs = await Promise.all(Array.from({ length: 250 }, () => enqueue(s)));
  await Promise.all(runs.map((run) => park(s, run, "g")));
  const other = await enqueue(s, "user_2");
  await park(s, other, "g2");
  await Promise.all([s.gates.open("g"), s.gates.open("g")]);
  const places = await Promise.all(runs.map(async (run) => (await header(s.store, run))["place"]));
  assert.deepEqual(new Set(places), new Set(["live"]));
  assert.equal((await header(s.store, other))["place"], "gate");
  assert.equal(await s.store.redis.zcard(`${s.store.prefix}gate:g:w`), 0);
});

test("fill: never more than the cap live; own priority first, then first come; users do not touch each other", async (t) => {
  const s = testStore(t, { perIdentifier: 2 });
  const runs = [];
  for (const priority of [0, 0, 0, 5, -5]) runs.push(await enqueue(s, "user_1", { priority }));
  const other = await enqueue(s, "user_2");
  const place = async (run: string | undefined): Promise<string | undefined> =>
    (await header(s.store, run ?? ""))["place"];
  assert.deepEqual(await Promise.all(runs.map(place)), ["live", "live", "line", "line", "line"]);
  assert.equal(await place(other), "live");
  const order: number[] = [];
  for (const live of [0, 1, 4, 2]) {
    const c = await claim(s, runs[live] ?? "", `c${live}`);
    await s.journal.commit(commit(c, [ended], { to: "end", status: "completed" }, `e${live}`));
    const places = await Promise.all(runs.map(place));
    order.push(...places.flatMap((p, i) => (p === "live" && !order.includes(i) && i > 1 ? [i] : [])));
    assert.ok((await s.store.redis.zcard(`${s.store.prefix}live:default:user_1`)) <= 2);
  }
  assert.deepEqual(order, [4, 2, 3]);
});

test("a run handed back goes to its line, keeps its rank, and a later claim is no crash", async (t: TestContext) => {
  const s = testStore(t, { perIdentifier: 1 });
  const first = await enqueue(s);
  const second = await enqueue(s);
  const c = await claim(s, first);
  await s.journal.commit(commit(c, [yielded], { to: "line" }));
  assert.equal((await header(s.store, first))["place"], "live");
  assert.equal((await header(s.store, second))["place"], "line");
});

test("a run whose journal a newer Errand wrote is parked with that reason, frees its slot, and is offered again", async (t) => {
  const s = testStore(t, { perIdentifier: 1 });
  const run = await enqueue(s);
  const next = await enqueue(s);
  await s.store.redis.hset(`${s.store.prefix}run:${run}`, "version", "99");
  const reply = await s.journal.claim(run, { ticket: await ticketOf(s, run), nonce: "c", worker: "w" });
  assert.deepEqual(reply, { answer: "newer" });
  const h = await header(s.store, run);
  assert.deepEqual([h["status"], h["reason"], h["place"]], ["parked", "newer-version", "moment"]);
  assert.equal((await header(s.store, next))["place"], "live");
  assert.notEqual(await s.store.redis.zscore(`${s.store.prefix}looks`, `run:${run}`), null);
  assert.equal(await s.store.redis.llen(`${s.store.prefix}run:${run}:j`), 1, "nothing was written into its journal");
});
