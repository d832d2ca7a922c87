/**
 * Random runs over one budget and one profile, on both stores: they must say the same, and never is more spent and kept aside than the
 * limit, whatever dies in between. What a call turns out to use is at most what was kept aside for it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Ask, DayBudget } from "../../src/ports/asking.ts";
import type { Claim } from "../../src/ports/journal.ts";
import { FAR } from "./cases.ts";
import { createRequest } from "./request.ts";
import { redisSubject } from "./redis-subject.ts";
import { memorySubject, type Subject } from "./subject.ts";

const MOST = { tokens: 100, nano: 60 };
const DAY: DayBudget = { name: "tenant:acme:d1", ...MOST, endsAt: FAR };
const RUNS = ["run_0_a", "run_0_b", "run_0_c"] as const;

const run = fc.constantFrom(...RUNS);
const op = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("ask" as const), run, tokens: fc.integer({ min: 1, max: 70 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("settle" as const),
      run,
      part: fc.integer({ min: 0, max: 100 }),
      nobodyKnows: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("call" as const),
      run,
      calls: fc.integer({ min: 0, max: 3 }),
      stays: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("die" as const), run }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), run }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("later" as const), ms: fc.constantFrom(500, 45_500) }) },
);
const CALL: Ask = { entries: 1, about: "t0c0", cool: [], random: 0.5, waited: true };
type Op = typeof op extends fc.Arbitrary<infer T> ? T : never;

interface Side {
  readonly subject: Subject;
  readonly claims: Map<string, Claim>;
  readonly kept: Map<string, number>;
}

async function hold(side: Side, id: string, step: number): Promise<Claim | undefined> {
  const known = side.claims.get(id);
  if (known !== undefined) return known;
  const { ticket = "0" } = (await side.subject.header(id)) ?? {};
  const reply = await side.subject.journal.claim(id, { ticket, nonce: `claim-${step}`, worker: "w" });
  if (reply.answer !== "claimed") return undefined;
  side.claims.set(id, reply);
  return reply;
}

async function perform(side: Side, it: Op, step: number): Promise<unknown> {
  const { subject, claims, kept } = side;
  switch (it.do) {
    case "later":
      await subject.age(it.ms);
      await subject.due();
      return "later";
    case "cancel":
      return subject.cancel(it.run);
    case "die":
      // Its lease goes on for a while; whoever takes the run then finds what it kept aside.
      claims.delete(it.run);
      kept.delete(it.run);
      return "dead";
    case "ask":
    case "call":
    case "settle": {
      const claim = await hold(side, it.run, step);
      if (claim === undefined) return "not ours";
      const { length = 0 } = (await subject.header(it.run)) ?? {};
      const commit = {
        run: it.run,
        epoch: claim.epoch,
        length,
        nonce: `commit-${step}`,
        move: { to: "stay" },
      } as const;
      if (it.do === "settle") {
        const most = kept.get(it.run) ?? 0;
        const tokens = Math.floor((most * it.part) / 100);
        const settle = { settle: { tokens, nano: Math.floor(tokens / 2), ok: true } };
        const entries = [{ kind: "yielded" }] as const;
        const reply = await subject.journal.commit({
          ...commit,
          entries,
          move: { to: "line" },
          ...(!it.nobodyKnows && settle),
        });
        claims.delete(it.run);
        kept.delete(it.run);
        return reply.answer;
      }
      if (it.do === "call") {
        const bound = { key: "account/u/gmail", most: 4, calls: it.calls };
        const ask: Ask = { ...CALL, calls: [bound], ...(it.stays && { stays: true as const }) };
        const reply = await subject.journal.commit({ ...commit, entries: [{ kind: "yielded" }], ask });
        // What was kept aside for a model call has been lost with it.
        kept.delete(it.run);
        if (reply.answer === "parked" || reply.answer === "fenced") claims.delete(it.run);
        return reply.answer === "short" ? reply : reply.answer;
      }
      const model = { profile: "m", concurrency: 2 };
      const reserve = { tokens: it.tokens, nano: Math.floor(it.tokens / 2), budgets: [DAY] };
      const ask: Ask = { entries: 1, about: "t0", cool: [], random: 0.5, waited: true, model, reserve };
      const asked = { kind: "turn-requested", turn: 0, attempt: 1, final: false, shown: [] } as const;
      const reply = await subject.journal.commit({ ...commit, entries: [asked], ask });
      if (reply.answer === "ok") kept.set(it.run, it.tokens);
      else kept.delete(it.run);
      if (reply.answer === "parked" || reply.answer === "fenced") claims.delete(it.run);
      return reply.answer === "short" ? reply : reply.answer;
    }
  }
}

test("random calls on one budget: both stores say the same, and spent and kept aside stay below the limit", async (t) => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 10, maxLength: 40 }), async (ops) => {
      const options = { leaseMs: 30_000 };
      const side = (subject: Subject): Side => ({ subject, claims: new Map(), kept: new Map() });
      const sides = [side(memorySubject(t, options)), side(redisSubject(t, options))] as const;
      const day = ++round;
      for (const id of RUNS)
        for (const { subject } of sides) await subject.create(createRequest({ run: id, nonce: id, identifier: id }));
      for (const [i, it] of ops.entries()) {
        const [memory, redis] = [await perform(sides[0], it, i), await perform(sides[1], it, i)];
        assert.deepEqual(redis, memory, `round ${day}, step ${i}: ${JSON.stringify(it)}`);
        const spends = await Promise.all(sides.map(({ subject }) => subject.spend(DAY.name)));
        assert.deepEqual(spends[1], spends[0], `step ${i}: ${JSON.stringify(it)}`);
        for (const { spent, kept } of spends)
          for (const unit of ["tokens", "nano"] as const) {
            assert.ok(spent[unit] + kept[unit] <= MOST[unit], `${unit}: ${spent[unit]} + ${kept[unit]}`);
            assert.ok(kept[unit] >= 0, `${unit}: ${kept[unit]} kept aside`);
          }
      }
    }),
    { numRuns: 25 },
  );
});
