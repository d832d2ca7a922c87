/** Large results on a real Redis: pieces, borders inside characters, the cap, expiry, and what happens when they cannot be kept. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Journal } from "../../src/ports/journal.ts";
import { keepBlob, piecesOf, readBlob } from "../../src/queue/blobs.ts";
import { connect } from "../../src/queue/connect.ts";
import { redisJournal } from "../../src/queue/journal.ts";
import { createProducer } from "../../src/queue/producer.ts";
import { DEFAULT_STORE, openStore, type Store } from "../../src/queue/store.ts";
import { openTickets } from "../../src/queue/tickets.ts";
import { type RedisServer, startRedis } from "../../src/testing/redis.ts";
import { chance, noteAgent, quiet, testStore } from "../support/store.ts";

const PIECE = 255 * 1024;
const MOST = 64 * PIECE;
const CHARACTERS = ["a", "ü", "€", "😀"];

const blobKey = (store: Store, run: string): string => `${store.prefix}run:${run}:b`;

test("a border may stand at any byte of a character: the text comes back whole, no piece is larger than 255 KB", async (t) => {
  const { store, producer } = testStore(t);
  const run = await producer.create(noteAgent, { identifier: "user_1", input: { n: 1 } });
  for (const character of CHARACTERS)
    for (let before = 1; before <= Buffer.byteLength(character); before++) {
      const text = "x".repeat(PIECE - before) + character.repeat(PIECE / 2) + "end";
      const nonce = `${character}${before}`;
      const kept = await keepBlob(store, run, nonce, text);
      const pieces = Math.ceil(Buffer.byteLength(text) / PIECE);
      assert.deepEqual(kept, { pieces });
      assert.equal((await readBlob(store, run, nonce, { pieces })) === text, true, `${nonce}: read as it was written`);
      const lengths = Array.from({ length: pieces }, (_, i) =>
        store.redis.hstrlen(blobKey(store, run), `${nonce}:${i}`),
      );
      assert.equal(Math.max(...(await Promise.all(lengths))), PIECE);
      assert.equal(await readBlob(store, run, nonce, { pieces: pieces + 1 }), undefined, "one is missing");
    }
});

test("beyond 16 MB it is cut, between two characters, and says so", () => {
  for (const character of CHARACTERS)
    for (const before of [0, 1, 2, 3, 4]) {
      const { pieces, cut } = piecesOf("x".repeat(MOST - before) + character.repeat(5));
      const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
      assert.equal(cut, true, `${before} bytes before the end, ${character}`);
      const width = Buffer.byteLength(character);
      assert.equal(bytes, MOST - before + Math.floor(before / width) * width);
    }
  assert.equal(piecesOf("x".repeat(MOST)).cut, false, "just 16 MB is whole");
  assert.equal(piecesOf("x".repeat(MOST)).pieces.length, 64);
});

test("a blob expires with its run; one written after the end has what is left of the run's time", async (t) => {
  const { store, journal, producer } = testStore(t);
  const run = await producer.create(noteAgent, { identifier: "user_1", input: { n: 1 } });
  const ticket = (await store.redis.hget(`${store.prefix}run:${run}`, "ticket")) ?? "";
  const claim = await journal.claim(run, { ticket, nonce: "c1", worker: "w1" });
  assert.equal(claim.answer, "claimed");
  const ttl = (): Promise<number> => store.redis.pttl(blobKey(store, run));
  const end = async (early: boolean): Promise<void> => {
    if (early) await journal.keep(run, "i1", "early");
    assert.equal(await ttl(), early ? -1 : -2, "that of a live run does not expire");
    await endRun(journal, run, claim.answer === "claimed" ? claim.epoch : 0, 2);
  };
  await end(true);
  const [left, leftOfRun] = [await ttl(), await store.redis.pttl(`${store.prefix}run:${run}`)];
  assert.equal(left > 0 && Math.abs(left - leftOfRun) < 1_000, true, `${left} and ${leftOfRun} ms`);

  await store.redis.del(blobKey(store, run));
  await store.redis.pexpire(`${store.prefix}run:${run}`, 30_000);
  assert.deepEqual(await journal.keep(run, "i2", "late"), { pieces: 1 });
  const late = await ttl();
  assert.equal(late > 0 && late <= 30_000, true, `${late} ms`);
});

async function endRun(journal: Journal, run: string, epoch: number, length: number): Promise<void> {
  const entries = [{ kind: "ended", status: "completed", output: "done" } as const];
  const move = { to: "end", status: "completed" } as const;
  const reply = await journal.commit({ run, epoch, length, nonce: "end", entries, move });
  assert.equal(reply.answer, "ok");
}

interface Private {
  readonly server: RedisServer;
  readonly store: Store;
  readonly journal: Journal;
  readonly run: string;
}

/** A Redis that may be maltreated. */
async function privateStore(t: TestContext, config: Readonly<Record<string, string>>): Promise<Private> {
  const server = await startRedis({ config });
  const connection = connect(server.url, true);
  const store = openStore(connection.redis, "blobs", DEFAULT_STORE);
  const tickets = openTickets(connection.redis, store.prefix, quiet);
  t.after(async () => {
    await server.kill("SIGCONT");
    await tickets.close();
    await connection.close();
    await server.stop();
  });
  const producer = createProducer(store, tickets, chance);
  const run = await producer.create(noteAgent, { identifier: "user_1", input: { n: 1 } });
  return { server, store, journal: redisJournal(store, tickets), run };
}

test("no room: nothing is kept and nothing of it is left, and the evidence is written all the same", async (t) => {
  const { store, journal, run } = await privateStore(t, { maxmemory: "8mb" });
  assert.equal(await journal.keep(run, "i1", "x".repeat(12_000_000)), undefined);
  // On the same connection: behind the command that takes the pieces away.
  assert.equal(await store.redis.exists(blobKey(store, run)), 0);
  const outcome = { kind: "ok", data: "note", blob: { kept: false, characters: 12_000_000 } } as const;
  const evidence = { nonce: "i1", call: "t0c0", tool: "x", argsHash: "h", tookMs: 1, outcome };
  const written = await journal.evidence(run, evidence);
  assert.deepEqual(written?.outcome, outcome);
  assert.deepEqual(await journal.keep(run, "i2", "small"), { pieces: 1 }, "there is room again");
});

test("Redis does not answer: it is given up in time, and what was on its way is taken away", async (t) => {
  const { server, store, run } = await privateStore(t, {});
  assert.deepEqual(await keepBlob(store, run, "i0", "before"), { pieces: 1 });
  await server.kill("SIGSTOP");
  assert.equal(await keepBlob(store, run, "i1", "x".repeat(2_000_000), 50), undefined);
  await server.kill("SIGCONT");
  assert.deepEqual(await store.redis.hkeys(blobKey(store, run)), ["i0:0"]);
});

test("Redis is restarted in the middle: the pieces that were there and those that came later are one text", async (t) => {
  const { server, store, run } = await privateStore(t, { appendfsync: "always" });
  const text = "😀".repeat(2_000_000);
  const kept = keepBlob(store, run, "i1", text, 20_000);
  await server.restart();
  const { pieces = 0 } = (await kept) ?? {};
  assert.equal(pieces, Math.ceil(8_000_000 / PIECE));
  assert.equal((await readBlob(store, run, "i1", { pieces })) === text, true, "whole");
});
