/** What becomes of runs that wait for an account when another one is enqueued for the same agent and identifier. */
import assert from "node:assert/strict";
import type { Entry } from "../../src/core/journal.ts";
import { casesOf, claim, commit, END, ended, enqueue, header, park, parked, toGate } from "./cases.ts";
import { createRequest } from "./request.ts";
import type { OpenSubject } from "./subject.ts";

const turned = { kind: "turn-committed", turn: 0, plan: [], leadsTo: "act" } as unknown as Entry;

export function coalesceConformance(name: string, open: OpenSubject): void {
  const it = casesOf(name, open);

  it("latest: what waits without a turn gives way, and the new run covers its time", async (of) => {
    const s = of();
    const [first, second] = [await enqueue(s, { from: 300 }), await enqueue(s, { from: 100 })];
    await park(s, first, toGate("account/user_1/gmail"));
    const third = await enqueue(s, { coalesce: "latest", from: 500 });
    for (const gone of [first, second]) {
      const { cancel, supersededBy, status } = await header(s, gone);
      assert.deepEqual([cancel, supersededBy, status], [true, third, "queued"], "a worker ends it");
    }
    const { decisions } = await claim(s, third);
    assert.deepEqual(
      decisions.map(({ kind }) => kind),
      ["created", "covers", "leased"],
    );
    const [, covers] = decisions;
    assert.ok(covers?.kind === "covers");
    assert.equal(covers.from, 100);
    assert.deepEqual(covers.supersedes.toSorted(), [first, second].toSorted());
    const later = await enqueue(s, { coalesce: "latest" });
    assert.equal((await header(s, third)).supersededBy, "", "nobody waits any more");
    assert.equal((await header(s, later)).length, 1);
  });

  it("latest: what has a turn stays; one successor waits behind it", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    const reply = await s.journal.commit(commit(c, [turned, parked], toGate("account/user_1/gmail")));
    assert.equal(reply.answer, "ok");
    const second = await enqueue(s, { coalesce: "latest", from: 1 });
    await park(s, second, toGate("account/user_1/gmail"));
    const third = await enqueue(s, { coalesce: "latest", from: 2 });
    const superseded = await Promise.all([run, second, third].map(async (id) => (await header(s, id)).supersededBy));
    assert.deepEqual(superseded, ["", third, ""]);
    const { decisions } = await claim(s, third);
    assert.ok(decisions[1]?.kind === "covers");
    assert.equal(decisions[1].from, 1);
  });

  it("latest: other agents, other users and runs at work stay; without a waiting run nothing changes", async (of) => {
    const s = of();
    const [waiting, working, other] = [await enqueue(s), await enqueue(s), await enqueue(s, { identifier: "user_2" })];
    await claim(s, working);
    const before = await enqueue(s, { coalesce: "latest" });
    assert.equal((await header(s, waiting)).supersededBy, "", "it is queued, and nobody waits");
    await park(s, waiting, toGate("account/user_1/gmail"));
    const request = createRequest({ coalesce: "latest" });
    const foreign = { ...request, created: { ...request.created, agent: "another" } };
    assert.equal((await s.create(foreign)).answer, "ok");
    assert.equal((await header(s, waiting)).supersededBy, "");
    const latest = await enqueue(s, { coalesce: "latest" });
    const superseded = await Promise.all(
      [waiting, before, working, other].map(async (id) => (await header(s, id)).supersededBy),
    );
    assert.deepEqual(superseded, [latest, latest, "", ""]);
  });

  it("skip: the waiting run is given instead; once it has ended, a new one is made", async (of) => {
    const s = of();
    const run = await enqueue(s);
    assert.equal((await s.create(createRequest({ coalesce: "skip" }))).answer, "ok", "nobody waits yet");
    await park(s, run, toGate("account/user_1/gmail"));
    assert.deepEqual(await s.create(createRequest({ coalesce: "skip" })), { answer: "skipped", run });
    const reply = await s.journal.claim(run, { nonce: "end", worker: "w" });
    assert.ok(reply.answer === "claimed");
    await s.journal.commit(commit(reply, [ended], END));
    assert.equal((await s.create(createRequest({ coalesce: "skip" }))).answer, "ok");
  });
}
