/** Steps that ask first: cool-downs, limits of a profile, budgets of a day. What is not allowed parks in the same step. */
import assert from "node:assert/strict";
import type { Entry } from "../../src/core/journal.ts";
import type { Ask, Closing, DayBudget, Settlement } from "../../src/ports/asking.ts";
import type { Claim, CommitReply } from "../../src/ports/journal.ts";
import { casesOf, claim, commit, END, ended, enqueue, FAR, header, yielded } from "./cases.ts";
import type { OpenSubject, Subject } from "./subject.ts";

const asked: Entry = { kind: "turn-requested", turn: 0, attempt: 1, final: false, shown: [] };
const BACKOFF = { baseMs: 100_000, capMs: 6_000_000 };

function ask(more: Partial<Ask> = {}): Ask {
  return { entries: 1, about: "t0", cool: ["model/m"], random: 0.5, waited: false, model: { profile: "m" }, ...more };
}

/** Of a tool call. */
function without({ model: _model, ...rest }: Ask): Ask {
  return rest;
}

function closing(more: Partial<Closing> = {}): Closing {
  return { why: "rate-limit", backoff: BACKOFF, random: 0, nonce: "n1", ...more };
}

const budget = (tokens: number, name = "identifier:ada:d1"): DayBudget => ({ name, tokens, nano: 1_000, endsAt: FAR });
const reserve = (tokens: number, ...budgets: DayBudget[]): Partial<Ask> => ({ reserve: { tokens, nano: 10, budgets } });
const used = (tokens: number, ok = true): { settle: Settlement } => ({ settle: { tokens, nano: 1, ok } });

/** A run of its own user, in the hands of a worker. */
async function held(s: Subject, identifier = "user_1"): Promise<Claim> {
  return claim(s, await enqueue(s, { identifier }));
}

let step = 0;

async function asks(s: Subject, c: Claim, what: Ask, more: object = {}): Promise<CommitReply> {
  const { length } = await header(s, c.run);
  const nonce = `ask-${++step}`;
  return s.journal.commit(commit(c, [asked], { to: "stay" }, { ask: what, length, nonce, ...more }));
}

async function letsGo(s: Subject, c: Claim, more: object = {}): Promise<void> {
  const { length } = await header(s, c.run);
  const made = commit(c, [yielded], { to: "line" }, { length, nonce: `go-${++step}`, ...more });
  assert.equal((await s.journal.commit(made)).answer, "ok");
}

export function askingConformance(name: string, open: OpenSubject): void {
  const it = casesOf(name, open);

  it("what is allowed is written, and what is not parks in the same step, behind those that wait already", async (of) => {
    const s = of();
    assert.equal((await asks(s, await held(s), ask())).answer, "ok");
    const { until } = await s.cooling.close("model/m", closing({ retryAfterMs: 30_000 }));
    const c = await held(s, "bob");
    const nonce = "both";
    const both = commit(c, [asked, asked], { to: "stay" }, { ask: ask(), nonce });
    const reply = await s.journal.commit(both);
    assert.ok(reply.answer === "parked", reply.answer);
    const { park } = reply;
    assert.equal(park.until, until + 20);
    const message = "a cool-down of model/m";
    assert.deepEqual(park, { kind: "parked", reason: "rate-limit", about: "t0", until: park.until, message });
    const { place, reason, length, looked } = await header(s, c.run);
    assert.deepEqual([place, reason, length, looked], ["moment", "rate-limit", c.decisions.length + 2, true]);
    assert.deepEqual(await s.live("default:bob"), [], "a run that waits holds no slot");
    const next = await asks(s, await held(s, "cy"), ask());
    assert.ok(next.answer === "parked" && next.park.until === until + 40, JSON.stringify(next));
    await s.age(31_000);
    assert.equal((await asks(s, await held(s, "dan"), ask())).answer, "ok", "it is over");
  });

  it("an ask that stays is told of a cool-down: nothing is written, and it takes no place among those that wait", async (of) => {
    const s = of();
    const { until } = await s.cooling.close("model/m", closing({ retryAfterMs: 30_000 }));
    const c = await held(s);
    const { length } = await header(s, c.run);
    const what: Ask = {
      entries: 1,
      about: "t0c0n0",
      cool: ["scalekit", "model/m"],
      random: 0.5,
      waited: false,
      stays: true,
    };
    assert.deepEqual(await asks(s, c, what), { answer: "closed", key: "model/m", until });
    const after = await header(s, c.run);
    assert.deepEqual([after.length, after.status, after.place], [length, "running", "live"]);
    const next = await asks(s, await held(s, "bob"), ask());
    assert.ok(next.answer === "parked" && next.park.until === until + 20, JSON.stringify(next));
    await s.age(31_000);
    assert.equal((await asks(s, c, what)).answer, "ok");
  });

  it("a cancelled run waits for nothing", async (of) => {
    const s = of();
    await s.cooling.close("model/m", closing({ retryAfterMs: 30_000 }));
    const c = await held(s);
    await s.cancel(c.run);
    assert.equal((await asks(s, c, ask())).answer, "parked");
    assert.equal((await header(s, c.run)).place, "live");
  });

  it("calls at once: one that is settled, dead or has ended makes room; whoever waits longest goes on", async (of) => {
    const s = of();
    const one = ask({ model: { profile: "m", concurrency: 1 } });
    const first = await held(s, "a");
    assert.equal((await asks(s, first, one)).answer, "ok");
    const [second, third] = [await held(s, "b"), await held(s, "c")];
    assert.equal((await asks(s, second, one)).answer, "parked");
    assert.equal((await asks(s, third, one)).answer, "parked");
    await letsGo(s, first, used(5));
    assert.equal((await header(s, second.run)).place, "live", "woken");
    assert.equal((await header(s, third.run)).place, "moment");
    assert.equal((await asks(s, await held(s, "d"), one)).answer, "parked", "nobody overtakes");
    const again = await claim(s, second.run, "again");
    assert.equal((await asks(s, again, { ...one, waited: true })).answer, "ok");
    assert.equal((await asks(s, await held(s, "e"), { ...one, waited: true })).answer, "parked");
    await s.age(40_000);
    assert.equal((await asks(s, await held(s, "f"), { ...one, waited: true })).answer, "ok", "its lease has ended");
  });

  it("requests a minute: exact, shared, and those that wait come back one by one", async (of) => {
    const s = of();
    const two = ask({ model: { profile: "m", requestsPerMinute: 2 } });
    assert.equal((await asks(s, await held(s, "a"), two)).answer, "ok");
    assert.equal((await asks(s, await held(s, "b"), two)).answer, "ok");
    const third = await asks(s, await held(s, "c"), two);
    const fourth = await asks(s, await held(s, "d"), two);
    assert.ok(third.answer === "parked" && fourth.answer === "parked", third.answer);
    assert.equal((fourth.park.until ?? 0) - (third.park.until ?? 0), 30_000);
    await s.age(61_000);
    assert.equal((await asks(s, await held(s, "e"), two)).answer, "parked", "the third still waits, and comes first");
    assert.equal((await asks(s, await held(s, "f"), { ...two, waited: true })).answer, "ok");
  });

  it("tokens a minute: what was kept aside counts until it is known what was used; a large one goes alone", async (of) => {
    const s = of();
    const m = { profile: "m", tokensPerMinute: 100 };
    const [a, b] = [await held(s, "a"), await held(s, "b")];
    assert.equal((await asks(s, a, ask({ model: m, ...reserve(500) }))).answer, "ok");
    assert.equal((await asks(s, b, ask({ model: m, ...reserve(10) }))).answer, "parked");
    await letsGo(s, a, used(80));
    const c = await held(s, "c");
    assert.equal((await asks(s, c, ask({ model: m, waited: true, ...reserve(20) }))).answer, "ok");
    const d = await asks(s, await held(s, "d"), ask({ model: m, waited: true, ...reserve(1) }));
    assert.ok(d.answer === "parked", d.answer);
    const waitMs = (d.park.until ?? 0) - d.at;
    assert.ok(waitMs > 59_000 && waitMs <= 71_000, `${waitMs}`);
  });

  it("a day's budget: kept aside, then spent; what does not fit is told and nothing is written", async (of) => {
    const s = of();
    const day = budget(100);
    const a = await held(s, "a");
    assert.equal((await asks(s, a, ask(reserve(60, day)))).answer, "ok");
    assert.deepEqual(await s.spend(day.name), { spent: { tokens: 0, nano: 0 }, kept: { tokens: 60, nano: 10 } });
    const free = { tokens: 5, nano: 0, budgets: [budget(9, "identifier:bob:d1")] };
    const none = await held(s, "free");
    assert.equal((await asks(s, none, ask({ reserve: free }))).answer, "ok");
    await letsGo(s, none, { settle: { tokens: 3, nano: 0, ok: true } });
    assert.deepEqual((await s.spend("identifier:bob:d1")).spent, { tokens: 3, nano: 0 }, "a model without a price");
    const b = await held(s, "b");
    const { length } = await header(s, b.run);
    assert.deepEqual(await asks(s, b, ask(reserve(50, day))), { answer: "short", budget: day.name, tokens: 40 });
    assert.equal((await header(s, b.run)).length, length);
    const tenant = budget(39, "tenant:acme:d1");
    const short = await asks(s, b, ask(reserve(50, day, tenant)));
    assert.deepEqual(short, { answer: "short", budget: day.name, tokens: 39 });
    await letsGo(s, a, used(20));
    assert.deepEqual(await s.spend(day.name), { spent: { tokens: 20, nano: 1 }, kept: { tokens: 0, nano: 0 } });
    assert.equal((await asks(s, b, ask(reserve(80, day)))).answer, "ok");
    assert.deepEqual(await s.spend(tenant.name), { spent: { tokens: 0, nano: 0 }, kept: { tokens: 0, nano: 0 } });
  });

  it("a call whose worker died counts as all that was kept aside for it, once; so does one that ends unsettled", async (of) => {
    const s = of();
    const day = budget(100);
    const a = await held(s, "a");
    assert.equal((await asks(s, a, ask(reserve(30, day)))).answer, "ok");
    await s.age(40_000);
    await s.due();
    const again = await claim(s, a.run, "again");
    assert.deepEqual((await s.spend(day.name)).kept.tokens, 30, "nobody knows yet");
    assert.equal((await asks(s, again, ask(reserve(20, day)))).answer, "ok");
    assert.deepEqual(await s.spend(day.name), { spent: { tokens: 30, nano: 10 }, kept: { tokens: 20, nano: 10 } });
    const late = await asks(s, a, ask(), used(1));
    assert.equal(late.answer, "fenced", "the dead one settles nothing");
    const { length } = await header(s, a.run);
    await s.journal.commit(commit(again, [ended], END, { length, nonce: "end" }));
    assert.deepEqual(await s.spend(day.name), { spent: { tokens: 50, nano: 20 }, kept: { tokens: 0, nano: 0 } });
  });

  it("what is kept aside for an answer that is on its way outlives the worker that asked for it, and is settled once", async (of) => {
    const s = of();
    const day = budget(100);
    const kept = { spent: { tokens: 0, nano: 0 }, kept: { tokens: 30, nano: 10 } };
    const a = await held(s, "a");
    assert.equal((await asks(s, a, ask(reserve(30, day)))).answer, "ok");
    const { length } = await header(s, a.run);
    const handsBack = commit(a, [yielded], { to: "line", keeps: true }, { length, nonce: "keeps" });
    for (const _ of ["once", "sent again"]) assert.equal((await s.journal.commit(handsBack)).answer, "ok");
    assert.deepEqual(await s.spend(day.name), kept, "it is still to come");
    const b = await claim(s, a.run, "b");
    await letsGo(s, b, used(12));
    assert.deepEqual(await s.spend(day.name), { spent: { tokens: 12, nano: 1 }, kept: { tokens: 0, nano: 0 } });
    await letsGo(s, await claim(s, a.run, "c"), used(50));
    assert.deepEqual((await s.spend(day.name)).spent, { tokens: 12, nano: 1 }, "once");
  });

  it("a profile that is stopped: one looks whether it is over, the others wait; its success lets them go on", async (of) => {
    const s = of();
    const stop = closing({ why: "billing", retryAfterMs: 30_000 });
    assert.equal((await s.cooling.close("model/m", stop)).first, true);
    assert.equal((await s.cooling.close("model/m", stop)).first, true, "the same one, sent again");
    const other = { ...stop, nonce: "n2", retryAfterMs: 600_000 };
    assert.equal((await s.cooling.close("model/m", other)).first, false);
    const waiting = await held(s, "a");
    const parked = await asks(s, waiting, ask());
    assert.ok(parked.answer === "parked" && parked.park.reason === "budget", JSON.stringify(parked));
    const closed = await s.cooling.closed(["scalekit", "model/m"]);
    assert.equal(closed?.why, "billing");
    await s.age(601_000);
    const probe = await held(s, "b");
    assert.equal((await asks(s, probe, ask())).answer, "ok", "the first one looks");
    assert.equal((await asks(s, await held(s, "c"), ask())).answer, "parked", "and nobody else");
    await letsGo(s, probe, used(1));
    assert.equal(await s.cooling.closed(["model/m"]), undefined);
    assert.equal((await asks(s, await held(s, "d"), ask())).answer, "ok");
    assert.equal(await s.cooling.reopen("model/m"), false);
  });

  it("calls a minute of one identifier: several at once, exact, and those that wait come back one by one", async (of) => {
    const s = of();
    const calls = (count: number, key = "account/ada/gmail"): Ask =>
      without(ask({ cool: [], calls: [{ key, most: 3, calls: count }] }));
    assert.equal((await asks(s, await held(s, "a"), calls(2))).answer, "ok");
    const two = await asks(s, await held(s, "b"), calls(2));
    assert.ok(two.answer === "parked", two.answer);
    assert.equal(two.park.message, "calls a minute to account/ada/gmail");
    const one = await asks(s, await held(s, "c"), calls(1));
    assert.ok(one.answer === "parked", "there is room for one, but somebody waits already");
    assert.equal((one.park.until ?? 0) - (two.park.until ?? 0), 20_000);
    assert.equal((await asks(s, await held(s, "d"), calls(3, "account/bob/gmail"))).answer, "ok", "another user's");
    assert.equal((await asks(s, await held(s, "e"), { ...calls(1), waited: true })).answer, "ok");
    await s.age(61_000);
    assert.equal((await asks(s, await held(s, "f"), { ...calls(3), waited: true })).answer, "ok", "a minute later");
  });

  it("what cannot park is told instead, stands nowhere, and counts nothing; a look for room takes none", async (of) => {
    const s = of();
    const bound = { key: "account/ada/gmail", most: 1 };
    const call = (calls: number, more: Partial<Ask> = {}): Ask => {
      return without(ask({ cool: ["scalekit"], calls: [{ ...bound, calls }], ...more }));
    };
    const c = await held(s, "a");
    for (let i = 0; i < 3; i++) assert.equal((await asks(s, c, call(0))).answer, "ok");
    assert.equal((await asks(s, c, call(1, { stays: true }))).answer, "ok");
    const { length } = await header(s, c.run);
    assert.deepEqual(await asks(s, c, call(1, { stays: true })), {
      answer: "short",
      budget: "calls:account/ada/gmail",
    });
    const { until } = await s.cooling.close("scalekit", closing({ retryAfterMs: 30_000 }));
    assert.deepEqual(await asks(s, c, call(1, { stays: true })), { answer: "closed", key: "scalekit", until });
    assert.deepEqual(await header(s, c.run), { ...(await header(s, c.run)), length, place: "live", status: "running" });
    await s.age(61_000);
    assert.equal((await asks(s, await held(s, "b"), call(1))).answer, "ok", "nobody stands before it");
    const looks = await asks(s, c, call(0));
    assert.ok(looks.answer === "parked", "no room for the one that is to come");
  });

  it("strikes: each closing after an opening waits longer; what was under way meanwhile is none; three narrow ones close the wider", async (of) => {
    const s = of();
    const wait = async (nonce: string, key = "model/m", more: Partial<Closing> = {}): Promise<number> =>
      Math.round(((await s.cooling.close(key, closing({ nonce, ...more }))).until - s.now()) / 10_000);
    assert.equal(await wait("a"), 1);
    assert.equal(await wait("b"), 1, "still the same one");
    await s.age(11_000);
    assert.equal(await wait("c"), 2);
    assert.equal(await wait("d", "model/m", { retryAfterMs: 50_000 }), 5, "the longest wish counts");
    for (const user of ["u1", "u2"]) await wait(user, `account/${user}/gmail`, { wider: "connection/gmail" });
    assert.equal(await s.cooling.closed(["connection/gmail"]), undefined);
    await wait("u3", "account/u3/gmail", { wider: "connection/gmail", retryAfterMs: 9_000 });
    assert.equal((await s.cooling.closed(["connection/gmail"]))?.why, "rate-limit");
  });
}
