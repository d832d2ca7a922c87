/** Thousands of runs of one user that wake at once: slices, the cap at every moment, and nobody else waits. Counted in scripts, not in time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { accountGate } from "../../src/core/gate.ts";
import type { Entry } from "../../src/core/journal.ts";
import { DUE } from "../../src/queue/scripts/due.ts";
import { OPEN } from "../../src/queue/scripts/open.ts";
import { decodeTickets } from "../../src/queue/codec.ts";
import { noteAgent, type TestStore, testStore } from "../support/store.ts";

const FAR = 4e12;
const CAP = 5;
const SLICE = 100;
const PARKED: Entry = { kind: "parked", reason: "account" };

type Until = { readonly gate: string } | { readonly moment: number };

async function park(s: TestStore, identifier: string, until: Until): Promise<string> {
  const run = await s.producer.create(noteAgent, { identifier, input: { n: 1 } });
  const claim = await s.journal.claim(run, { nonce: run, worker: "w" });
  if (claim.answer !== "claimed") throw new Error(claim.answer);
  const move =
    "gate" in until
      ? ({ to: "gate", gate: until.gate, version: await s.gates.version(until.gate), until: FAR } as const)
      : ({ to: "moment", until: until.moment } as const);
  const { epoch, decisions } = claim;
  await s.journal.commit({ run, epoch, length: decisions.length, nonce: `p${run}`, entries: [PARKED], move });
  return run;
}

async function parkMany(s: TestStore, identifier: string, runs: number, until: Until): Promise<void> {
  for (let i = 0; i < runs; i += 50)
    await Promise.all(Array.from({ length: Math.min(50, runs - i) }, () => park(s, identifier, until)));
  // Taken without a worker: the tickets that one would have used up.
  await s.store.redis.del(`${s.store.prefix}q:default:wait`);
}

const live = (s: TestStore, identifier: string): Promise<number> =>
  s.store.redis.zcard(`${s.store.prefix}live:default:${identifier} note`);
const inLine = (s: TestStore, identifier: string): Promise<number> =>
  s.store.redis.zcard(`${s.store.prefix}line:default:${identifier} note`);
/** What stands in BullMQ's queue, in the order in which workers take it. */
const queue = async (s: TestStore): Promise<string[]> =>
  (await s.store.redis.lrange(`${s.store.prefix}q:default:wait`, 0, -1)).toReversed();

test("2,000 runs of one user at one gate: opened in slices, never more than the cap is live, and others come between", async (t) => {
  const s = testStore(t, { perIdentifier: CAP });
  const { redis, prefix } = s.store;
  const gate = accountGate("ann", "gmail");
  await parkMany(s, "ann", 2_000, { gate });
  assert.equal(await live(s, "ann"), 0, "who waits holds nothing");

  let version = "";
  let slices = 0;
  let made = 0;
  for (let left = 1; left > 0;) {
    const reply = await s.store.run(OPEN, gate, version, SLICE, "");
    version = String(reply[0]);
    left = Number(reply[1]);
    slices += 1;
    const tickets = decodeTickets(reply.slice(2));
    made += tickets.length;
    await s.tickets.add(tickets);
    assert.equal(left, 2_000 - slices * SLICE, "a slice is never larger");
    assert.ok((await live(s, "ann")) <= CAP, "the cap holds at every moment");
    if (slices !== 3) continue;
    // In the middle of the opening: one script, and the run has its ticket, behind no more of hers than her cap.
    const bob = await s.producer.create(noteAgent, { identifier: "bob", input: { n: 1 } });
    assert.equal(await redis.hget(`${prefix}run:${bob}`, "place"), "live");
    const ahead = (await queue(s)).findIndex((job) => job.startsWith(bob));
    assert.ok(ahead >= 0 && ahead <= CAP, `${ahead} tickets stand before bob's`);
  }
  assert.equal(slices, 20);
  assert.equal(made, CAP, "tickets are made for those who may run, and for no others");
  assert.deepEqual([await live(s, "ann"), await inLine(s, "ann")], [CAP, 2_000 - CAP]);
  assert.equal((await queue(s)).length, CAP + 1, "the queue's length is the work that can be done now");
});

test("the slots go round: each of hers that ends makes room for one of hers, behind whoever came meanwhile", async (t) => {
  const s = testStore(t, { perIdentifier: CAP });
  const gate = accountGate("ann", "gmail");
  await parkMany(s, "ann", 100, { gate });
  await s.gates.open(gate);
  const others = await Promise.all(
    ["bob", "cid", "dan"].map((identifier) => s.producer.create(noteAgent, { identifier, input: { n: 1 } })),
  );
  const taken: string[] = [];
  for (let turn = 0; turn < 30; turn++) {
    const [job = ""] = await queue(s);
    await s.store.redis.rpop(`${s.store.prefix}q:default:wait`);
    const run = job.slice(0, job.lastIndexOf("-"));
    taken.push(run);
    const claim = await s.journal.claim(run, {
      ticket: job.slice(job.lastIndexOf("-") + 1),
      nonce: `c${turn}`,
      worker: "w",
    });
    if (claim.answer !== "claimed") throw new Error(claim.answer);
    const { epoch, decisions } = claim;
    const ended: Entry = { kind: "ended", status: "completed", output: null };
    await s.journal.commit({
      run,
      epoch,
      length: decisions.length,
      nonce: `e${turn}`,
      entries: [ended],
      move: { to: "end", status: "completed" },
    });
    assert.ok((await live(s, "ann")) <= CAP, "the cap holds");
  }
  for (const other of others)
    assert.ok(taken.indexOf(other) >= 0 && taken.indexOf(other) < CAP + others.length, `${other} had its turn`);
});

test("1,000 moments that come at once: another user's lost ticket is made again within so many passes, not in time", async (t) => {
  const s = testStore(t, { perIdentifier: CAP });
  const { redis, prefix } = s.store;
  await parkMany(s, "ann", 1_000, { moment: FAR });
  const bob = await s.producer.create(noteAgent, { identifier: "bob", input: { n: 1 } });
  const looks = await redis.zrange(`${prefix}looks`, "0", "-1");
  for (const member of looks) await redis.zadd(`${prefix}looks`, member === `run:${bob}` ? 2 : 1, member);
  let passes = 0;
  for (let found = false; !found; passes++) {
    const [, , , ...made] = await s.store.run(DUE, SLICE);
    found = decodeTickets(made).some((ticket) => ticket.run === bob);
    assert.ok((await live(s, "ann")) <= CAP, "the cap holds");
    assert.ok(passes <= 11, "within a pass for each hundred before it");
  }
  assert.equal(await inLine(s, "ann"), 1_000 - CAP);
});
