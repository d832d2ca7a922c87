/** What runs tell of themselves to the day of their user and tenant: counted once, whatever is sent again or lost. */
import assert from "node:assert/strict";
import type { DayCounts } from "../../src/core/day-counts.ts";
import type { Entry } from "../../src/core/journal.ts";
import type { Ask, Counting, DayBudget } from "../../src/ports/asking.ts";
import type { Claim, CommitReply } from "../../src/ports/journal.ts";
import { casesOf, claim, commit, enqueue, FAR, header, yielded } from "./cases.ts";
import type { OpenSubject, Subject } from "./subject.ts";

const asked: Entry = { kind: "turn-requested", turn: 0, attempt: 1, final: false, shown: [] };
const ADA = "identifier:ada:d1";
const ACME = "tenant:acme:d1";
const TOMORROW = "identifier:ada:d2";

function totals(turns: number, toolCalls = 0, activeMs = 0, resultChars = 0): DayCounts {
  return { turns, toolCalls, activeMs, resultChars };
}

function counting(of: DayCounts, ...names: string[]): { count: Counting } {
  return { count: { totals: of, days: names.map((name) => ({ name, endsAt: FAR })) } };
}

let step = 0;

async function tells(s: Subject, c: Claim, count: object, limits?: DayBudget["counts"]): Promise<CommitReply> {
  const { length } = await header(s, c.run);
  const budgets = [{ name: ADA, endsAt: FAR, ...(limits && { counts: limits }) }];
  const ask: Ask = {
    entries: 1,
    about: "t0",
    cool: [],
    random: 0.5,
    waited: false,
    model: { profile: "m" },
    reserve: { tokens: 0, nano: 0, budgets },
  };
  return s.journal.commit(commit(c, [asked], { to: "stay" }, { ask, length, nonce: `count-${++step}`, ...count }));
}

export function countingConformance(name: string, open: OpenSubject): void {
  const it = casesOf(name, open);

  it("counts of a day: totals of each run, added up once, for the user and the tenant", async (of) => {
    const s = of();
    const [a, b] = [await claim(s, await enqueue(s)), await claim(s, await enqueue(s))];
    await tells(s, a, counting(totals(1, 3, 500, 20_000), ADA, ACME));
    await tells(s, a, counting(totals(1, 3, 400, 20_000), ADA, ACME));
    await tells(s, b, counting(totals(2, 0, 100, 7), ADA));
    await tells(s, a, counting(totals(4, 5, 900, 20_001), ADA, ACME));
    assert.deepEqual(await s.counts(ADA), totals(6, 5, 1_000, 20_008));
    assert.deepEqual(await s.counts(ACME), totals(4, 5, 900, 20_001));
    await tells(s, a, counting(totals(5, 5, 950, 20_001), TOMORROW));
    assert.deepEqual(await s.counts(TOMORROW), totals(1, 0, 50, 0), "only what is new of another day");
  });

  it("counts of a day: at the limit nothing is written and nothing counts; another worker goes on counting where the last one was", async (of) => {
    const s = of();
    const c = await claim(s, await enqueue(s));
    assert.equal((await tells(s, c, counting(totals(1), ADA), { turns: 2 })).answer, "ok");
    const { length } = await header(s, c.run);
    assert.deepEqual(await tells(s, c, counting(totals(2, 1), ADA), { toolCalls: 9, turns: 2 }), {
      answer: "short",
      budget: ADA,
      met: "turns",
    });
    assert.equal((await header(s, c.run)).length, length);
    assert.deepEqual(await s.counts(ADA), totals(1), "what this worker has not written, nobody may ever write");
    assert.equal((await tells(s, c, counting(totals(2, 1), ADA), { turns: 3 })).answer, "ok");
    const { length: now } = await header(s, c.run);
    await s.journal.commit(commit(c, [yielded], { to: "line" }, { length: now, nonce: `go-${++step}` }));
    const next = await claim(s, c.run, "another");
    assert.equal((await tells(s, next, counting(totals(3, 1), ADA), { resultChars: 5 })).answer, "ok");
    assert.deepEqual(await s.counts(ADA), totals(3, 1));
  });

  it("tool calls of a day: as many begin as there is room for, and they are counted with the commit that announces them", async (of) => {
    const s = of();
    const begin = async (c: Claim, begins: number, most: number, nonce = `begin-${++step}`): Promise<CommitReply> => {
      const { length } = await header(s, c.run);
      const budgets = [{ name: ADA, endsAt: FAR, counts: { toolCalls: most } }];
      const reserve = { tokens: 0, nano: 0, budgets };
      const ask: Ask = { entries: 1, about: "t0c0", cool: [], random: 0.5, waited: false, begins, reserve };
      return s.journal.commit(commit(c, [asked], { to: "stay" }, { ask, length, nonce }));
    };
    const [a, b] = [await claim(s, await enqueue(s)), await claim(s, await enqueue(s))];
    const { length } = await header(s, a.run);
    assert.equal((await begin(a, 2, 3, "once")).answer, "ok");
    const again: Ask = { entries: 1, about: "t0c0", cool: [], random: 0.5, waited: false, begins: 2 };
    const sent = await s.journal.commit(commit(a, [asked], { to: "stay" }, { ask: again, length, nonce: "once" }));
    assert.equal(sent.answer, "ok", "the same one, sent again");
    assert.deepEqual(await s.counts(ADA), totals(0, 2), "once");
    assert.deepEqual(await begin(b, 2, 3), { answer: "short", budget: ADA, met: "toolCalls" });
    assert.equal((await begin(b, 1, 3)).answer, "ok");
    assert.deepEqual(await begin(a, 1, 3), { answer: "short", budget: ADA, met: "toolCalls" });
    await tells(s, a, counting(totals(0, 2), ADA));
    assert.deepEqual(await s.counts(ADA), totals(0, 3), "what a run tells of them later is not counted again");
  });
}
