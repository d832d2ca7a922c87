/** Stop switches: nothing new begins of what is stopped, all else goes on; and who waits for one can always be ended. */
import assert from "node:assert/strict";
import type { Entry } from "../../src/core/journal.ts";
import { switchGate } from "../../src/core/switches.ts";
import type { Move } from "../../src/ports/journal.ts";
import { casesOf, claim, commit, END, ended, enqueue, FAR, header, LINE, yielded } from "./cases.ts";
import type { OpenSubject, Subject } from "./subject.ts";

const STAY: Move = { to: "stay" };
const asks: Entry = { kind: "turn-requested", turn: 0, attempt: 1, final: false, shown: [] };
const paused: Entry = { kind: "parked", reason: "paused" };
const calls: Entry = {
  kind: "call-claimed",
  call: "t0c0",
  attempt: 1,
  intent: "i1",
  tool: "send",
  argsHash: "h",
  windowMs: 1_000,
};

function toSwitch(name: string, version: number, until: number = FAR): Move {
  return { to: "gate", gate: switchGate(name), version, until };
}

/** It meets the switch and waits there. */
async function meet(s: Subject, run: string, name: string, until?: number): Promise<void> {
  const c = await claim(s, run);
  const said = await s.journal.commit(commit(c, [asks], STAY));
  assert.deepEqual([said.answer, "by" in said && said.by], ["stopped", name]);
  if (said.answer !== "stopped") return;
  const { answer } = await s.journal.commit(commit(c, [paused], toSwitch(name, said.version, until), { nonce: "p" }));
  assert.equal(answer, "ok");
}

export function switchesConformance(name: string, open: OpenSubject): void {
  const it = casesOf(name, open);

  for (const target of ["agent:note", "identifier:user_1", "tenant:acme"])
    it(`${target}: what stands in line stays there, others go; resumed, it goes on`, async (of) => {
      const s = of({ perIdentifier: 1 });
      assert.equal(await s.pause(target), true);
      assert.equal(await s.pause(target), false);
      const kept = await enqueue(s, { tenant: "acme" });
      const other = await enqueue(s, { identifier: "user_2", agent: "task" });
      assert.deepEqual([(await header(s, kept)).place, (await header(s, other)).place], ["line", "live"]);
      await s.journal.commit(commit(await claim(s, other), [ended], END));
      await s.due();
      assert.equal((await header(s, kept)).place, "line", "a free slot is not for it");
      assert.equal(await s.resume(target), true);
      assert.equal((await header(s, kept)).place, "live");
      assert.equal(await s.resume(target), false);
    });

  it("a stopped agent's runs do not hide those of another agent of the same user", async (of) => {
    const s = of({ perIdentifier: 1 });
    await s.pause("agent:note");
    const kept = await enqueue(s, { priority: -5 });
    const free = await enqueue(s, { agent: "task" });
    assert.deepEqual([(await header(s, kept)).place, (await header(s, free)).place], ["line", "live"]);
  });

  it("an intent of what is stopped writes nothing; what begins nothing is written", async (of) => {
    const s = of();
    const run = await enqueue(s, { tenant: "acme" });
    const c = await claim(s, run);
    for (const by of ["agent:note", "identifier:user_1", "tenant:acme"]) {
      await s.pause(by);
      const said = await s.journal.commit(commit(c, [asks], STAY, { nonce: by }));
      assert.deepEqual([said.answer, "by" in said && said.by], ["stopped", by]);
      assert.equal((await s.journal.commit(commit(c, [calls], STAY, { nonce: `${by}2` }))).answer, "stopped");
      await s.resume(by);
    }
    for (const by of ["tool:send", "connection:gmail"]) {
      await s.pause(by);
      const used = { uses: ["gmail"], nonce: by };
      const said = await s.journal.commit(commit(c, [calls], STAY, used));
      assert.deepEqual([said.answer, "by" in said && said.by], ["stopped", by]);
      await s.resume(by);
    }
    assert.equal((await header(s, run)).length, 2);
    for (const by of ["tool:other", "connection:slack", "agent:other"]) await s.pause(by);
    await s.pause("tool:send");
    assert.equal((await s.journal.commit(commit(c, [asks], STAY, { nonce: "think" }))).answer, "ok");
    await s.pause("agent:note");
    const next = { length: 3, nonce: "end" };
    assert.equal((await s.journal.commit(commit(c, [ended], END, next))).answer, "ok", "an end begins nothing");
  });

  it("who met a switch holds no slot, waits for it, and goes on when it is resumed", async (of) => {
    const s = of({ perIdentifier: 1 });
    const run = await enqueue(s);
    await s.pause("tool:x");
    await s.pause("agent:note");
    await meet(s, run, "agent:note");
    const { status, place, reason, looked } = await header(s, run);
    assert.deepEqual([status, place, reason, looked], ["parked", "gate", "paused", true]);
    assert.deepEqual([await s.live(LINE), await s.waiters(switchGate("agent:note"))], [[], [run]]);
    await s.resume("tool:x");
    assert.equal((await header(s, run)).place, "gate");
    await s.resume("agent:note");
    assert.deepEqual([(await header(s, run)).place, (await header(s, run)).reason], ["live", ""]);
    const again = await claim(s, run, "again");
    assert.equal((await s.journal.commit(commit(again, [asks], STAY, { nonce: "again" }))).answer, "ok");
  });

  it("resumed between the refusal and the park: it does not wait", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    await s.pause("agent:note");
    const said = await s.journal.commit(commit(c, [asks], STAY));
    assert.equal(said.answer, "stopped");
    await s.resume("agent:note");
    await s.pause("agent:note");
    const version = said.answer === "stopped" ? said.version : 0;
    const reply = await s.journal.commit(commit(c, [paused], toSwitch("agent:note", version), { nonce: "p" }));
    assert.equal(reply.answer, "gate-moved");
  });

  it("a cancel ends what waits for a switch, in its line and at its gate", async (of) => {
    const s = of({ perIdentifier: 1 });
    const atGate = await enqueue(s);
    const inLine = await enqueue(s, { identifier: "user_2" });
    const held = await claim(s, inLine);
    await s.pause("agent:note");
    await meet(s, atGate, "agent:note");
    await s.journal.commit(commit(held, [yielded], { to: "line" }));
    assert.equal((await header(s, inLine)).place, "line");
    for (const run of [atGate, inLine]) {
      assert.equal(await s.cancel(run), "free");
      assert.equal((await header(s, run)).place, "live", "a worker ends it");
      assert.equal((await claim(s, run, `end-${run}`)).cancelled, true);
    }
  });

  it("its time comes while it is still stopped: a worker takes it, to end it", async (of) => {
    const s = of({ perIdentifier: 1 });
    const run = await enqueue(s);
    await s.pause("agent:note");
    await meet(s, run, "agent:note", s.now() + 60_000);
    const behind = await enqueue(s);
    await s.due();
    assert.equal((await header(s, run)).place, "gate");
    await s.age(61_000);
    await s.due();
    assert.deepEqual([(await header(s, run)).place, (await header(s, behind)).place], ["live", "line"]);
  });
}
