/** Calls that wait for a person's word: who is asked, who goes on, and which intents are let pass. */
import assert from "node:assert/strict";
import { approvalNonce } from "../../src/core/approval.ts";
import { approvalGate } from "../../src/core/gate.ts";
import type { Entry } from "../../src/core/journal.ts";
import type { Claim, Move } from "../../src/ports/journal.ts";
import { casesOf, claim, commit, END, ended, enqueue, FAR, header, LINE, yielded } from "./cases.ts";
import type { OpenSubject, Subject } from "./subject.ts";

const STAY: Move = { to: "stay" };

function asks(id: string, call = "t0c0", until = FAR): Entry {
  return { kind: "approval-asked", call, id, tool: "x", argsHash: "h", policy: "always", until };
}

function intent(argsHash = "h", attempt = 1, call = "t0c0"): Entry {
  const made = `${call}#${attempt}${argsHash}`;
  return { kind: "call-claimed", call, attempt, intent: made, tool: "x", argsHash, windowMs: 1_000 };
}

const parked: Entry = { kind: "parked", reason: "approval", about: "t0c0" };

function toGate(run: string, id: string): Move {
  return { to: "gate", gate: approvalGate(run), version: 0, unless: approvalNonce(id), until: FAR };
}

/** Asked about, and waiting. */
async function waits(s: Subject, run: string, ...ids: string[]): Promise<Claim> {
  const c = await claim(s, run);
  const entries = ids.map((id, i) => asks(id, `t0c${i}`));
  const reply = await s.journal.commit(commit(c, [...entries, parked], toGate(run, ids[0] ?? "")));
  assert.equal(reply.answer, "ok");
  return c;
}

/** What becomes of an intent that is committed after these entries. */
async function claims(s: Subject, run: string, entry: Entry, nonce = "next"): Promise<string> {
  const c = await claim(s, run, nonce);
  const reply = await s.journal.commit(commit(c, [entry], STAY));
  if (reply.answer === "ok") return "ok";
  await s.journal.commit(commit(c, [yielded], { to: "line" }));
  return reply.answer;
}

export function approvalsConformance(name: string, open: OpenSubject): void {
  const it = casesOf(name, open);

  it("a run that waits for a word holds no slot and stands on the list; the word lets it go on", async (of) => {
    const s = of({ perIdentifier: 1 });
    const [run, next] = [await enqueue(s), await enqueue(s)];
    await waits(s, run, "a");
    const at = await header(s, run);
    assert.deepEqual([at.status, at.place, at.reason, at.looked], ["parked", "gate", "approval", true]);
    assert.deepEqual(await s.approvals(), [`${run} a`]);
    assert.equal((await header(s, next)).place, "live", "its slot is filled");
    assert.equal(await s.decide(run, "a", "approved"), "ok");
    assert.deepEqual([await s.approvals(), await s.waiters(approvalGate(run))], [[], []]);
    assert.deepEqual([(await header(s, run)).status, await s.waiting(LINE)], ["queued", [run]]);
  });

  it("an intent passes with its approval, and with no other arguments", async (of) => {
    const s = of();
    const run = await enqueue(s);
    await waits(s, run, "a");
    await s.decide(run, "a", "approved");
    assert.equal(await claims(s, run, intent("other"), "one"), "conflict");
    assert.equal(await claims(s, run, intent(), "two"), "ok");
  });

  it("an intent that is not decided yet, or was denied, is refused; of a call that nobody asked about it is none of this", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    await s.journal.commit(commit(c, [asks("a")], STAY));
    const more = (entry: Entry, nonce: string, length: number): ReturnType<Subject["journal"]["commit"]> =>
      s.journal.commit(commit(c, [entry], STAY, { nonce, length }));
    const { length } = await header(s, run);
    assert.equal((await more(intent(), "one", length)).answer, "conflict");
    assert.equal((await more(intent("h", 1, "t0c1"), "two", length)).answer, "ok");
    assert.equal(await s.decide(run, "a", "denied"), "ok");
    assert.equal((await more(intent(), "three", length + 1)).answer, "conflict");
    assert.equal((await header(s, run)).length, length + 1, "what is refused writes nothing");
  });

  it("other arguments than those that were asked for: only these pass", async (of) => {
    const s = of();
    const run = await enqueue(s);
    await waits(s, run, "a");
    await s.decide(run, "a", "approved", "edited");
    assert.equal(await claims(s, run, intent(), "one"), "conflict");
    assert.equal(await claims(s, run, intent("edited"), "two"), "ok");
  });

  it("an approval is used in time or not at all; a call that was begun in time may be made again after it", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    const until = s.now() + 40_000;
    await s.journal.commit(commit(c, [asks("a", "t0c0", until), asks("b", "t0c1", until)], STAY));
    assert.equal(await s.decide(run, "a", "approved"), "ok");
    await s.age(60_000);
    assert.equal(await s.decide(run, "b", "approved", "h", "t0c1"), "over");
    const { length } = await header(s, run);
    const first = await s.journal.commit(commit(c, [intent()], STAY, { nonce: "one", length }));
    assert.equal(first.answer, "lapsed");
    assert.equal((await header(s, run)).length, length, "nothing is written");
    const again = await s.journal.commit(commit(c, [intent("h", 2)], STAY, { nonce: "two", length }));
    assert.equal(again.answer, "ok");
  });

  it("the first word stands, and a second one wakes nobody", async (of) => {
    const s = of();
    const run = await enqueue(s);
    await waits(s, run, "a");
    assert.equal(await s.decide(run, "a", "denied"), "ok");
    const { ticket } = await header(s, run);
    assert.equal(await s.decide(run, "a", "approved"), "was");
    assert.equal((await header(s, run)).ticket, ticket);
    const { evidence } = await claim(s, run, "again");
    assert.deepEqual(
      evidence.map(({ nonce, outcome }) => [nonce, outcome.kind]),
      [["approval:a", "denied"]],
    );
  });

  it("a word before the run waits for it keeps it from waiting", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    await s.journal.commit(commit(c, [asks("a")], STAY));
    await s.decide(run, "a", "approved");
    const { length } = await header(s, run);
    const reply = await s.journal.commit(commit(c, [parked], toGate(run, "a"), { nonce: "park", length }));
    assert.equal(reply.answer, "gate-moved");
  });

  it("several at once: each has its own word, and any of them lets the run look again", async (of) => {
    const s = of();
    const run = await enqueue(s);
    await waits(s, run, "a", "b");
    assert.deepEqual(await s.approvals(), [`${run} a`, `${run} b`]);
    assert.equal(await s.decide(run, "b", "denied", "h", "t0c1"), "ok");
    assert.deepEqual([await s.approvals(), (await header(s, run)).place], [[`${run} a`], "live"]);
    assert.equal(await s.decide(run, "a", "approved", "h", "t0c1"), "over", "an approval is of one call");
    assert.equal(await s.decide(run, "a", "approved"), "ok");
  });

  it("asked once more, only the last one counts", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    await s.journal.commit(commit(c, [asks("a")], STAY));
    await s.journal.commit(commit(c, [asks("b")], STAY, { nonce: "more", length: c.decisions.length + 1 }));
    assert.equal(await s.decide(run, "a", "approved"), "over");
    assert.equal(await s.decide(run, "b", "approved"), "ok");
  });

  it("what was decided by time, and what an ended run was asked, leaves the list; nobody decides after the end", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    await s.journal.commit(commit(c, [asks("a"), asks("b", "t0c1"), asks("c", "t0c2")], STAY));
    const outcome = { kind: "denied", argsHash: "h" } as const;
    await s.journal.evidence(run, { nonce: "approval:a", call: "t0c0", tool: "x", argsHash: "h", tookMs: 0, outcome });
    assert.deepEqual(await s.approvals(), [`${run} b`, `${run} c`]);
    const { length } = await header(s, run);
    await s.journal.commit(commit(c, [ended], END, { nonce: "end", length }));
    assert.deepEqual(await s.approvals(), []);
    assert.equal(await s.decide(run, "b", "approved", "h", "t0c1"), "over");
    assert.equal(await s.decide("run_0_none", "a", "approved"), "gone");
  });
}
