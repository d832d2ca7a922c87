/** Where a run stands and what moves it: gates, lines, cancel and the net. */
import assert from "node:assert/strict";
import type { Move } from "../../src/ports/journal.ts";
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
  park,
  parked,
  toAccounts,
  toGate,
  yielded,
} from "./cases.ts";
import type { OpenSubject } from "./subject.ts";

export function placesConformance(name: string, open: OpenSubject): void {
  const it = casesOf(name, open);

  it("a gate that opened after its version was read refuses the park, and nothing is written", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    const version = await s.gates.version("account/u/gmail");
    await s.gates.open("account/u/gmail");
    const reply = await s.journal.commit(commit(c, [parked], toGate("account/u/gmail", version)));
    assert.deepEqual(reply, { answer: "gate-moved" });
    assert.deepEqual([(await header(s, run)).length, (await header(s, run)).status], [2, "running"]);
    const fresh = toGate("account/u/gmail", await s.gates.version("account/u/gmail"));
    assert.equal((await s.journal.commit(commit(c, [parked], fresh))).answer, "ok");
  });

  it("a parked run holds no slot and no lease; opening lets it go on with a new ticket; opening again changes nothing", async (of) => {
    const s = of({ perIdentifier: 1 });
    const run = await enqueue(s);
    const first = (await header(s, run)).ticket;
    assert.equal(await park(s, run, toGate("g")), "ok");
    const { status, place, lease, reason } = await header(s, run);
    assert.deepEqual([status, place, lease, reason], ["parked", "gate", 0, "account"]);
    assert.deepEqual(await s.live(LINE), []);
    assert.deepEqual(await s.waiters("g"), [run]);
    await s.gates.open("g");
    const woken = await header(s, run);
    assert.deepEqual([woken.status, woken.place, woken.reason], ["queued", "live", ""]);
    assert.ok(Number(woken.ticket) > Number(first));
    await s.gates.open("g");
    assert.equal((await header(s, run)).ticket, woken.ticket);
    assert.deepEqual(await s.journal.claim(run, { ticket: first, nonce: "old", worker: "w" }), { answer: "stale" });
  });

  it("whoever an ACTIVE account refused waits for a connection since then, and keeps nobody else waiting", async (of) => {
    const s = of();
    const [plain, refused] = [await enqueue(s), await enqueue(s)];
    await park(s, plain, await toAccounts(s, [GMAIL]));
    await park(s, refused, { ...(await toAccounts(s, [GMAIL], "refused")), after: 5_000 } as Move);
    const places = async (): Promise<string[]> => [(await header(s, plain)).place, (await header(s, refused)).place];
    await s.gates.open(GMAIL, 4_000);
    assert.deepEqual(await places(), ["live", "gate"]);
    await s.gates.open(GMAIL, 5_000);
    assert.deepEqual(await places(), ["live", "gate"], "connected before the refusal, not since");
    assert.deepEqual(await s.waiters(GMAIL), [refused]);
    await s.gates.open(GMAIL, 6_000);
    assert.deepEqual(await places(), ["live", "live"]);
  });

  it("an opening that the user was seen to make lets everybody go on", async (of) => {
    const s = of();
    const refused = await enqueue(s);
    await park(s, refused, { ...(await toAccounts(s, [GMAIL], "refused")), after: 5_000 } as Move);
    await s.gates.open(GMAIL);
    assert.equal((await header(s, refused)).place, "live");
  });

  it("opening one gate wakes only its own waiters, also more than one slice of them, and each once", async (of) => {
    const s = of({ perIdentifier: 500 });
    const runs = await Promise.all(Array.from({ length: 150 }, () => enqueue(s)));
    await Promise.all(runs.map((run) => park(s, run, toGate("g"))));
    const other = await enqueue(s, { identifier: "user_2" });
    await park(s, other, toGate("g2"));
    await Promise.all([s.gates.open("g"), s.gates.open("g")]);
    const places = await Promise.all(runs.map(async (run) => (await header(s, run)).place));
    assert.deepEqual(new Set(places), new Set(["live"]));
    assert.equal((await header(s, other)).place, "gate");
    assert.deepEqual(await s.waiters("g"), []);
  });

  it("fill: never more than the cap live; own priority first, then first come; users do not touch each other", async (of) => {
    const s = of({ perIdentifier: 2 });
    const runs: string[] = [];
    for (const priority of [0, 0, 0, 5, -5]) runs.push(await enqueue(s, { priority }));
    const other = await enqueue(s, { identifier: "user_2" });
    const places = (): Promise<string[]> => Promise.all(runs.map(async (run) => (await header(s, run)).place));
    assert.deepEqual(await places(), ["live", "live", "line", "line", "line"]);
    assert.deepEqual(await s.waiting(LINE), [runs[4], runs[2], runs[3]]);
    assert.equal((await header(s, other)).place, "live");
    const order: number[] = [];
    for (const live of [0, 1, 4, 2]) {
      await s.journal.commit(commit(await claim(s, runs[live] ?? ""), [ended], END));
      const now = await places();
      order.push(...now.flatMap((p, i) => (p === "live" && !order.includes(i) && i > 1 ? [i] : [])));
      assert.ok((await s.live(LINE)).length <= 2);
    }
    assert.deepEqual(order, [4, 2, 3]);
  });

  it("a run handed back goes to its line and keeps its rank", async (of) => {
    const s = of({ perIdentifier: 1 });
    const first = await enqueue(s);
    const second = await enqueue(s);
    await s.journal.commit(commit(await claim(s, first), [yielded], { to: "line" }));
    assert.equal((await header(s, first)).place, "live");
    assert.equal((await header(s, second)).place, "line");
  });

  it("a run whose journal a newer Errand wrote is parked with that reason, frees its slot, and is offered again", async (of) => {
    const s = of({ perIdentifier: 1 });
    const run = await enqueue(s);
    const next = await enqueue(s);
    await s.setVersion(run, 99);
    const { ticket } = await header(s, run);
    assert.deepEqual(await s.journal.claim(run, { ticket, nonce: "c", worker: "w" }), { answer: "newer" });
    const { status, reason, place, looked, length } = await header(s, run);
    assert.deepEqual([status, reason, place, looked, length], ["parked", "newer-version", "moment", true, 1]);
    assert.equal((await header(s, next)).place, "live");
  });

  it("cancel: a run at a gate or a moment goes to its line, so that somebody ends it; a flag is carried by the claim", async (of) => {
    const s = of();
    for (const move of [toGate("g"), { to: "moment", until: FAR } as const]) {
      const run = await enqueue(s);
      await park(s, run, move);
      assert.equal(await s.cancel(run), "free");
      assert.deepEqual([(await header(s, run)).place, (await header(s, run)).status], ["live", "queued"]);
      assert.equal((await claim(s, run, `again-${run}`)).cancelled, true);
    }
    assert.deepEqual(await s.waiters("g"), []);
    assert.equal(await s.cancel("run_0_none"), "gone");
  });

  it("cancel: a park that was already on its way is no wait", async (of) => {
    const s = of();
    for (const move of [toGate("g"), { to: "moment", until: FAR } as const]) {
      const run = await enqueue(s);
      const c = await claim(s, run);
      assert.equal(await s.cancel(run), "held");
      const reply = await s.journal.commit(commit(c, [parked], move));
      assert.ok(reply.answer === "ok" && reply.cancelled);
      assert.equal((await header(s, run)).place, "live");
    }
    assert.deepEqual(await s.waiters("g"), []);
  });

  it("due: a ticket that nobody took is made again, the same one; a lease that ended gets a new one", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const { ticket } = await header(s, run);
    assert.deepEqual(await s.due(), { gates: [], tickets: [] });
    await s.age(16_000);
    const again = { run, number: ticket, queue: "default", agent: "note" };
    assert.deepEqual(await s.due(), { gates: [], tickets: [again] });
    assert.deepEqual(await s.due(), { gates: [], tickets: [] });
    await claim(s, run);
    await s.age(16_000);
    assert.deepEqual(await s.due(), { gates: [], tickets: [] }, "its lease lives");
    await s.age(16_000);
    const { tickets } = await s.due();
    assert.equal(tickets.length, 1);
    assert.ok(Number(tickets[0]?.number) > Number(ticket));
    assert.equal((await header(s, run)).ticket, tickets[0]?.number);
  });

  it("due: a moment that came and an expiry at a gate go to the line; a gate with waiters is looked at again and again", async (of) => {
    const s = of({ sweepMs: 60_000 });
    const [timed, gated] = [await enqueue(s), await enqueue(s)];
    await park(s, timed ?? "", { to: "moment", until: s.now() + 10_000 });
    await park(s, gated ?? "", { ...toGate("g"), until: s.now() + 100_000 } as Move);
    assert.deepEqual((await s.due()).tickets, []);
    await s.age(11_000);
    assert.deepEqual(
      (await s.due()).tickets.map((t) => t.run),
      [timed],
    );
    await s.age(61_000);
    assert.deepEqual((await s.due()).gates, ["g"]);
    assert.deepEqual((await s.due()).gates, []);
    await s.age(40_000);
    const { tickets } = await s.due();
    assert.ok(tickets.some((t) => t.run === gated));
    assert.deepEqual(await s.waiters("g"), []);
    assert.equal((await header(s, gated ?? "")).place, "live");
    await s.age(61_000);
    assert.deepEqual((await s.due()).gates, [], "nobody waits there any more");
  });
}
