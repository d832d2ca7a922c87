/** The list of outcomes that nobody knows, and the answers to them: who waits for one goes on with it, and nothing is answered twice. */
import assert from "node:assert/strict";
import { reviewGate } from "../../src/core/gate.ts";
import type { Entry } from "../../src/core/journal.ts";
import { answerNonce, type Outcome } from "../../src/core/outcome.ts";
import type { Claim, Move } from "../../src/ports/journal.ts";
import {
  casesOf,
  claim,
  commit,
  END,
  ended,
  enqueue,
  FAR,
  GMAIL,
  header,
  LINE,
  result,
  toAccounts,
  yielded,
} from "./cases.ts";
import type { OpenSubject, Subject } from "./subject.ts";

const unknown = (intent: string): Entry => ({ kind: "unknown", call: "t0c0", intent, tool: "x", argsHash: "h" });
const asking: Entry = { kind: "parked", reason: "review", about: "t0c0" };
const OK: Outcome = { kind: "ok", data: 1 };

function toReview(run: string, intent: string): Move {
  return { to: "gate", gate: reviewGate(run), version: 0, unless: answerNonce(intent), until: FAR };
}

/** Written down, and waiting for the answer. */
async function asked(s: Subject, run: string, intent = "i1"): Promise<Claim> {
  const c = await claim(s, run);
  const reply = await s.journal.commit(commit(c, [unknown(intent), asking], toReview(run, intent)));
  assert.equal(reply.answer, "ok");
  return c;
}

export function answersConformance(name: string, open: OpenSubject): void {
  const it = casesOf(name, open);

  it("what nobody knows is listed with the commit that says so, and until a definite result of that attempt comes", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    const stay: Move = { to: "stay" };
    await s.journal.commit(commit(c, [unknown("i1"), unknown("i2")], stay));
    const both = [`${run} i1`, `${run} i2`];
    assert.deepEqual(await s.unknowns(), both);
    await s.journal.evidence(run, result("i1", { kind: "unknown", message: "timed out" }));
    await s.journal.evidence(run, result("i9", OK));
    assert.deepEqual(await s.unknowns(), both, "still nobody knows");
    await s.journal.evidence(run, result("i2", OK));
    assert.deepEqual(await s.unknowns(), [`${run} i1`]);
    await s.journal.evidence(run, result("i1", OK));
    assert.deepEqual(await s.unknowns(), [`${run} i1`], "the first evidence stands: it is not known");
  });

  it("a refused commit lists nothing", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    assert.equal(
      (await s.journal.commit(commit(c, [unknown("i1")], { to: "stay" }, { length: 9 }))).answer,
      "conflict",
    );
    await s.answer(run, "i1", "happened");
    const refused = await s.journal.commit(commit(c, [unknown("i1"), asking], toReview(run, "i1")));
    assert.equal(refused.answer, "gate-moved");
    assert.deepEqual(await s.unknowns(), []);
    assert.equal((await header(s, run)).length, 2);
  });

  it("a run that waits for an answer holds no slot; the answer lets it go on, and its next claim reads it", async (of) => {
    const s = of({ perIdentifier: 1 });
    const [run, next] = [await enqueue(s), await enqueue(s)];
    await asked(s, run);
    const waiting = await header(s, run);
    assert.deepEqual(
      [waiting.status, waiting.place, waiting.reason, waiting.looked],
      ["parked", "gate", "review", true],
    );
    assert.deepEqual(await s.waiters(reviewGate(run)), [run]);
    assert.equal((await header(s, next)).place, "live", "its slot is filled");
    assert.equal(await s.answer(run, "i1", "not-executed"), "ok");
    assert.deepEqual([await s.unknowns(), await s.waiters(reviewGate(run))], [[], []]);
    assert.deepEqual([(await header(s, run)).status, await s.waiting(LINE)], ["queued", [run]]);
    await s.journal.commit(commit(await claim(s, next), [ended], END));
    const { evidence } = await claim(s, run, "again");
    assert.deepEqual(
      evidence.map(({ nonce, outcome }) => [nonce, outcome]),
      [["answer:i1", { kind: "answered", says: "not-executed" }]],
    );
  });

  it("the first answer stands, and a second one wakes nobody", async (of) => {
    const s = of();
    const run = await enqueue(s);
    await asked(s, run);
    assert.equal(await s.answer(run, "i1", "happened"), "ok");
    const { ticket } = await header(s, run);
    assert.equal(await s.answer(run, "i1", "stop"), "was");
    assert.equal((await header(s, run)).ticket, ticket);
    const { evidence } = await claim(s, run, "again");
    assert.deepEqual(evidence[0]?.outcome, { kind: "answered", says: "happened" });
  });

  it("an answer before the run waits for it keeps it from waiting; one for another attempt does not", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    await s.journal.commit(commit(c, [unknown("i1")], { to: "stay" }));
    assert.equal(await s.answer(run, "i0", "happened"), "ok");
    assert.equal(await s.answer(run, "i1", "happened"), "ok");
    assert.equal((await header(s, run)).place, "live", "nobody is woken: it is being worked");
    const later = { length: 3, nonce: "later" };
    assert.equal((await s.journal.commit(commit(c, [asking], toReview(run, "i1"), later))).answer, "gate-moved");
    assert.equal((await s.journal.commit(commit(c, [asking], toReview(run, "i2"), later))).answer, "ok");
  });

  it("an answer does not wake a run that waits for something else", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    await s.journal.commit(commit(c, [unknown("i1"), asking], await toAccounts(s, [GMAIL])));
    assert.equal(await s.answer(run, "i1", "happened"), "ok");
    assert.deepEqual([(await header(s, run)).place, await s.waiters(GMAIL)], ["gate", [run]]);
  });

  it("no round and no opening of an account finds a run that waits for an answer; a cancel does, and so does its time", async (of) => {
    const s = of();
    const [run, other] = [await enqueue(s), await enqueue(s)];
    await asked(s, run);
    await asked(s, other, "i2");
    await s.gates.open(GMAIL);
    await s.age(3_600_000);
    assert.deepEqual((await s.due()).gates, []);
    assert.equal((await header(s, run)).place, "gate");
    assert.equal(await s.cancel(run), "free");
    assert.deepEqual([(await header(s, run)).place, await s.waiters(reviewGate(run))], ["live", []]);
    await s.age(FAR);
    await s.due();
    assert.deepEqual([(await header(s, other)).place, await s.waiters(reviewGate(other))], ["live", []]);
    assert.deepEqual(await s.unknowns(), [`${run} i1`, `${other} i2`].toSorted(), "still nobody knows");
  });

  it("after the end an answer is written down, wakes nobody, and expires with the run; of a run that is gone it is none", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    await s.journal.commit(commit(c, [unknown("i1"), ended], END));
    assert.deepEqual(await s.unknowns(), [`${run} i1`]);
    assert.equal(await s.answer(run, "i1", "happened"), "ok");
    assert.deepEqual(await s.unknowns(), []);
    const { status, place, expires } = await header(s, run);
    assert.deepEqual([status, place, expires], ["completed", "none", true]);
    assert.equal(await s.evidenceExpires(run), true);
    assert.equal(await s.answer("run_0_none", "i1", "happened"), "gone");
  });

  it("a run of an earlier owner: what it says of an unknown outcome is fenced, what comes of it is not", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const first = await claim(s, run, "c1");
    await s.age(31_000);
    const second = await claim(s, run, "c2");
    assert.equal((await s.journal.commit(commit(first, [unknown("i1")], { to: "stay" }))).answer, "fenced");
    assert.deepEqual(await s.unknowns(), []);
    await s.journal.commit(commit(second, [unknown("i1"), yielded], { to: "line" }));
    await s.journal.evidence(run, result("i1", { kind: "not-executed", why: "unavailable", message: "" }));
    assert.deepEqual(await s.unknowns(), []);
  });
}
