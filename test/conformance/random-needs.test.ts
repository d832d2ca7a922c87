/**
 * Random lives of runs that need accounts, on both stores: workers park them, prepare them, end them or die with them, users connect,
 * operators remind and cancel, time passes. After every step the two hold the same, and a record is there exactly as long as an
 * unfinished run names its account. In the end all runs end, and nothing is left.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Entry } from "../../src/core/journal.ts";
import type { FinalStatus } from "../../src/core/run.ts";
import type { Move } from "../../src/ports/journal.ts";
import { createRequest } from "./request.ts";
import { redisSubject } from "./redis-subject.ts";
import { memorySubject, type Subject } from "./subject.ts";

const IDS = ["a", "b", "c", "d", "e"] as const;
/** Whose runs they are plays no part, but for how a header keeps them. */
const GATES = ["account/a%40n'n/g", "account/a%40n'n/h%20i", "account/bob/g"] as const;
const REASONS = ["expired", "refused", "not-connected"] as const;
/** Far from all sums of what `age` adds. */
const REMIND_AFTER_MS = [25_500, 70_500];

type Op =
  | {
      readonly do: "park";
      readonly run: string;
      readonly needs: readonly number[];
      readonly how: "plain" | "after" | "soon";
    }
  | { readonly do: "end"; readonly run: string; readonly status: FinalStatus }
  | { readonly do: "prepare" | "die" | "cancel" | "retry"; readonly run: string }
  | { readonly do: "open"; readonly gate: string; readonly changed: number | undefined }
  | { readonly do: "looked" | "remind"; readonly gate: string }
  | { readonly do: "age"; readonly ms: number };

const run = fc.constantFrom(...IDS);
const gate = fc.constantFrom(...GATES);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant("park" as const),
      run,
      needs: fc.uniqueArray(fc.nat(2), { minLength: 1, maxLength: 3 }),
      how: fc.constantFrom("plain", "plain", "after", "soon"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      run,
      status: fc.constantFrom<FinalStatus>("expired", "completed", "failed"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("prepare", "die", "cancel", "retry"), run }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("open" as const), gate, changed: fc.constantFrom(undefined, 4_000, 6_000) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("looked", "remind"), gate }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("age" as const), ms: fc.constantFrom(3_000, 17_000, 31_000) }) },
);

async function perform(s: Subject, it: Op, step: number): Promise<unknown> {
  switch (it.do) {
    case "park":
      return work(s, it.run, step, [{ kind: "parked", reason: "account" }], await parkMove(s, it));
    case "end":
      return work(s, it.run, step, [{ kind: "ended", status: it.status }], { to: "end", status: it.status });
    case "prepare":
      return work(s, it.run, step, [{ kind: "prepared", accounts: {} }], { to: "line" });
    case "retry":
      return work(s, it.run, step, [{ kind: "parked", reason: "outage" }], { to: "moment", until: s.now() + 2_000 });
    case "die":
      return work(s, it.run, step, [], undefined);
    case "cancel":
      return s.cancel(it.run);
    case "open":
      return s.gates.open(it.gate, it.changed);
    case "looked":
      return s.gates.looked([{ gate: it.gate, reason: "disconnected" }]);
    case "remind":
      return s.remind(`remind-${step}`, GATES);
    case "age":
      await s.age(it.ms);
      // Which gates are swept now is each store's own affair.
      return void (await s.due());
  }
}

async function parkMove(s: Subject, { needs, how }: Extract<Op, { do: "park" }>): Promise<Move> {
  const reason = REASONS[needs.length - 1] ?? "expired";
  const named = await Promise.all(
    needs.map(async (n) => ({ gate: GATES[n] ?? "", version: await s.gates.version(GATES[n] ?? ""), reason })),
  );
  const until = how === "soon" ? s.now() + 10_000 : 4_000_000_000_000;
  return { to: "accounts", needs: named, until, ...(how === "after" && { after: 5_000 }) };
}

/** A worker takes the run from wherever it stands, and commits once; without a move it dies before that. */
async function work(
  s: Subject,
  id: string,
  step: number,
  entries: readonly Entry[],
  move: Move | undefined,
): Promise<unknown> {
  if ((await s.header(id)) === undefined)
    await s.create(createRequest({ run: id, nonce: `create-${id}`, identifier: id < "d" ? "a@n'n" : "bob" }));
  const claim = await s.journal.claim(id, { nonce: `claim-${step}`, worker: "w" });
  if (claim.answer !== "claimed" || move === undefined) return claim.answer;
  const length = claim.decisions.length;
  const commit = { run: id, epoch: claim.epoch, length, nonce: `commit-${step}`, entries, move };
  const [reply, again] = [await s.journal.commit(commit), await s.journal.commit(commit)];
  assert.equal(again.answer, reply.answer, "sent again");
  return reply.answer;
}

async function assertNamed(s: Subject, what: string): Promise<number> {
  const headers = await Promise.all(IDS.map((id) => s.header(id)));
  const named = headers.flatMap((header, i) => (header?.needs ?? []).map((of) => `${of} ${IDS[i]}`));
  const records = await s.authorizations();
  const counted = records.flatMap(({ gate: of, runs }) => runs.map((id) => `${of} ${id}`));
  assert.deepEqual(counted.toSorted(), named.toSorted(), `${what}: records are of those who name them`);
  assert.ok(
    records.every(({ runs }) => runs.length > 0),
    `${what}: no record without a run`,
  );
  for (const [i, header] of headers.entries()) {
    if (header === undefined) continue;
    if (header.expires) assert.deepEqual(header.needs, [], `${what}: ${IDS[i]} has ended and needs nothing`);
    for (const of of GATES) {
      const waits: boolean = header.place === "gate" && header.needs.includes(of);
      assert.equal((await s.waiters(of)).includes(IDS[i] ?? ""), waits, `${what}: ${IDS[i]} waits at ${of}`);
    }
  }
  return records.length;
}

const holds = async (s: Subject): Promise<unknown> => {
  const headers = await Promise.all(IDS.map((id) => s.header(id)));
  const places = headers.map((it) => it && [it.status, it.place, it.cancel, it.length, it.needs]);
  return [places, await s.authorizations(), await s.events()];
};

test("a record is there exactly as long as an unfinished run names its account, whatever happens", async (t) => {
  let records = 0;
  const told = new Map<string, number>();
  const lives = fc.asyncProperty(fc.array(op, { minLength: 20, maxLength: 50 }), async (ops) => {
    const options = { perIdentifier: 2, remindAfterMs: REMIND_AFTER_MS };
    const [memory, redis] = [memorySubject(t, options), redisSubject(t, options)];
    const end = IDS.map((id): Op => ({ do: "end", run: id, status: "failed" }));
    for (const [step, it] of [...ops, { do: "age" as const, ms: 31_000 }, ...end].entries()) {
      const what = `step ${step}: ${JSON.stringify(it)}`;
      assert.deepEqual(await perform(memory, it, step), await perform(redis, it, step), `${what}: both say the same`);
      assert.deepEqual(await holds(memory), await holds(redis), `${what}: both hold the same`);
      records += await assertNamed(redis, what);
    }
    for (const store of [memory, redis])
      assert.deepEqual(await store.ofAuthorizations(), [], "all runs have ended, and nothing is left");
    for (const event of await redis.events()) {
      const type = event.split(" ")[0] ?? "";
      told.set(type, (told.get(type) ?? 0) + 1);
    }
  });
  await fc.assert(lives, { numRuns: 30, seed: 11 });
  t.diagnostic(`${records} records seen; ${JSON.stringify(Object.fromEntries(told))}`);
  assert.ok(records > 300, `accounts were needed, ${records} times seen`);
  for (const type of ["required", "reminded", "granted", "expired"])
    assert.ok((told.get(`authorization.${type}`) ?? 0) > 5, `${type} was told`);
});
