/** What a journal must do, whatever it is made of. Called for the memory store and for Redis, each once and with all sent twice. */
import assert from "node:assert/strict";
import type { CreateReply, CreateRequest } from "../simulation/memory-api.ts";
import {
  casesOf,
  claim,
  commit,
  END,
  ended,
  enqueue,
  FAR,
  header,
  LINE,
  park,
  result,
  toGate,
  yielded,
} from "./cases.ts";
import { createRequest } from "./request.ts";
import type { OpenSubject } from "./subject.ts";

export function journalConformance(name: string, open: OpenSubject): void {
  const it = casesOf(name, open);

  it("create makes the run live and writes its first decision", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const { status, place, length, expires, looked } = await header(s, run);
    assert.deepEqual([status, place, length, expires, looked], ["queued", "live", 1, false, true]);
    const { decisions, evidence } = await claim(s, run);
    assert.deepEqual(
      decisions.map((d) => [d.kind, d.epoch > 0]),
      [
        ["created", false],
        ["leased", true],
      ],
    );
    assert.deepEqual(evidence, []);
  });

  it("the same idempotency key and input give the same run; another input is refused; another key is another run", async (of) => {
    const s = of();
    const first = await enqueue(s, { idem: "k" });
    const again = (changed: Partial<CreateRequest>): Promise<CreateReply> =>
      s.create(createRequest({ idem: "k", ...changed }));
    assert.deepEqual(await again({}), { answer: "same", run: first });
    assert.deepEqual(await again({ inputHash: "other" }), { answer: "conflict", run: first });
    assert.equal((await again({ idem: "k2" })).answer, "ok");
  });

  it("an identifier has one tenant", async (of) => {
    const s = of();
    await enqueue(s, { tenant: "acme" });
    await enqueue(s, { tenant: "acme" });
    assert.deepEqual(await s.create(createRequest({ tenant: "other" })), { answer: "tenant", tenant: "acme" });
  });

  it("claim: another worker is told until when it is busy; an old ticket is stale; no run is gone", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const { ticket } = await header(s, run);
    const first = await claim(s, run, "c1");
    const busy = await s.journal.claim(run, { ticket, nonce: "c2", worker: "w2" });
    assert.equal(busy.answer, "busy");
    assert.ok(busy.answer === "busy" && busy.until > first.now);
    const gone = await s.journal.claim("run_0_none", { ticket, nonce: "c3", worker: "w2" });
    assert.deepEqual(gone, { answer: "gone" });
    const other = await enqueue(s, { identifier: "user_2" });
    assert.deepEqual(await s.journal.claim(other, { ticket: "1", nonce: "c4", worker: "w2" }), { answer: "stale" });
  });

  it("claim: when the lease has ended the next worker gets a higher epoch and the whole journal", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const first = await claim(s, run, "c1");
    await s.journal.evidence(run, result("i1", { kind: "ok", data: 1 }));
    await s.age(31_000);
    const second = await claim(s, run, "c2");
    assert.ok(second.epoch > first.epoch);
    assert.deepEqual(second.decisions.slice(0, 2), first.decisions);
    assert.equal(second.decisions.length, 3);
    assert.equal(second.evidence.length, 1);
    assert.deepEqual(await s.journal.commit(commit(first, [yielded], { to: "stay" })), { answer: "fenced" });
    assert.deepEqual(await s.journal.renew(run, first.epoch), { answer: "fenced" });
  });

  it("claim without a ticket takes a run from its line, its gate and its moment", async (of) => {
    const s = of({ perIdentifier: 1 });
    const [gated, timed, waiting] = [await enqueue(s), await enqueue(s), await enqueue(s)];
    assert.equal(await park(s, gated ?? "", toGate("g")), "ok");
    assert.equal(await park(s, timed ?? "", { to: "moment", until: FAR }), "ok");
    assert.equal((await header(s, waiting ?? "")).place, "live");
    const late = await enqueue(s);
    for (const run of [gated, timed, late]) {
      const reply = await s.journal.claim(run ?? "", { nonce: `free-${run}`, worker: "w" });
      assert.equal(reply.answer, "claimed");
      assert.deepEqual([(await header(s, run ?? "")).place, (await header(s, run ?? "")).reason], ["live", ""]);
    }
    assert.deepEqual(await s.waiters("g"), []);
    assert.deepEqual(await s.waiting(LINE), []);
  });

  it("commit: a fenced epoch and a wrong length write nothing", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    const once = await s.journal.commit(commit(c, [yielded], { to: "stay" }));
    assert.equal(once.answer, "ok");
    const wrong = commit(c, [yielded], { to: "stay" }, { nonce: "n2" });
    assert.deepEqual(await s.journal.commit(wrong), { answer: "conflict" });
    assert.deepEqual(await s.journal.commit({ ...wrong, length: 3, epoch: c.epoch - 1 }), { answer: "fenced" });
    assert.equal((await header(s, run)).length, 3);
  });

  it("several entries are one commit; the slot of an ended run is filled, and the run is kept only for a while", async (of) => {
    const s = of({ perIdentifier: 1 });
    const run = await enqueue(s);
    const waiting = await enqueue(s);
    const reply = await s.journal.commit(commit(await claim(s, run), [yielded, ended], END));
    assert.equal(reply.answer, "ok");
    const { status, place, length, expires, looked } = await header(s, run);
    assert.deepEqual([status, place, length, expires, looked], ["completed", "none", 4, true, false]);
    assert.deepEqual([(await header(s, waiting)).place, (await header(s, waiting)).expires], ["live", false]);
  });

  it("a run that ended takes no more decisions, and nobody can claim it", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    await s.journal.commit(commit(c, [ended], END));
    const more = commit(c, [yielded], { to: "stay" }, { nonce: "n9", length: 3 });
    assert.deepEqual(await s.journal.commit(more), { answer: "fenced" });
    assert.deepEqual(await s.journal.renew(run, c.epoch), { answer: "fenced" });
    assert.deepEqual(await s.journal.claim(run, { nonce: "c9", worker: "w2" }), { answer: "stale" });
    assert.equal(await s.cancel(run), "final");
  });

  it("evidence: the first one wins, from any epoch, also without its intent and after the end; none without its run", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const won = await s.journal.evidence(run, result("i1", { kind: "ok", data: { a: [1, "ü"] } }));
    const late = await s.journal.evidence(run, result("i1", { kind: "unknown", message: "late" }));
    assert.deepEqual(late, won);
    const c = await claim(s, run);
    assert.deepEqual(c.evidence, [won]);
    assert.equal(await s.journal.evidence("run_0_none", result("i1", { kind: "ok", data: 1 })), undefined);
    await s.journal.commit(commit(c, [ended], END));
    assert.notEqual(await s.journal.evidence(run, result("i2", { kind: "ok", data: 1 })), undefined);
  });

  it("keep: a large text comes back whole, from any epoch and after the end; no claim carries it; none without its run", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const text = "😀ü".repeat(200_000);
    assert.deepEqual(await s.journal.keep(run, "i1", text), { pieces: 5 });
    assert.equal((await s.journal.kept(run, "i1", 5)) === text, true, "all of it");
    const c = await claim(s, run);
    assert.deepEqual(c.evidence, []);
    await s.journal.commit(commit(c, [ended], END));
    assert.deepEqual(await s.journal.keep(run, "i2", "late"), { pieces: 1 });
    assert.equal(await s.journal.kept(run, "i2", 1), "late");
    assert.equal(await s.journal.keep("run_0_none", "i1", "lost"), undefined);
    const most = await s.journal.keep(run, "i3", "ü".repeat(8 * 2 ** 20) + "😀");
    assert.deepEqual(most, { pieces: 64, cut: true });
  });

  it("renew extends the lease of its epoch only, and carries a cancel", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    await s.age(20_000);
    assert.deepEqual(await s.journal.renew(run, c.epoch), { answer: "ok", cancelled: false });
    assert.deepEqual(await s.journal.renew(run, c.epoch - 1), { answer: "fenced" });
    await s.age(20_000);
    const { ticket } = await header(s, run);
    assert.equal((await s.journal.claim(run, { ticket, nonce: "c2", worker: "w2" })).answer, "busy");
    assert.equal(await s.cancel(run), "held");
    assert.deepEqual(await s.journal.renew(run, c.epoch), { answer: "ok", cancelled: true });
    const reply = await s.journal.commit(commit(c, [yielded], { to: "stay" }));
    assert.ok(reply.answer === "ok" && reply.cancelled);
  });
}
