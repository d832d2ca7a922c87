/** The accounts that runs need: their records, what is told of them, and who goes on when one of them is connected. */
import assert from "node:assert/strict";
import type { Entry } from "../../src/core/journal.ts";
import type { Move } from "../../src/ports/journal.ts";
import {
  casesOf,
  claim,
  commit,
  END,
  ended,
  enqueue,
  GMAIL,
  header,
  park,
  parked,
  SLACK,
  toAccounts,
} from "./cases.ts";
import type { OpenSubject, Subject } from "./subject.ts";

const EXPIRED: Move = { to: "end", status: "expired" };
const prepared: Entry = { kind: "prepared", accounts: {} };

const records = async (s: Subject): Promise<unknown> =>
  (await s.authorizations()).map(({ gate, reason, runs }) => [gate, reason, ...runs]);
export const told = async (s: Subject): Promise<readonly string[]> =>
  (await s.events()).map((text) => text.replace("authorization.", ""));

/** Parks it once more: as whoever takes it next would. */
async function again(s: Subject, run: string, entries: readonly Entry[], move: Move): Promise<void> {
  const c = await claim(s, run, `claim-${run}-${(await header(s, run)).ticket}`);
  assert.equal((await s.journal.commit(commit(c, entries, move))).answer, "ok");
}

export function needsConformance(name: string, open: OpenSubject): void {
  const it = casesOf(name, open);

  it("a run that needs two accounts waits at both, and one event names both; another run that needs them asks nobody again", async (of) => {
    const s = of();
    const [one, two] = [await enqueue(s), await enqueue(s)];
    await park(s, one, await toAccounts(s, [GMAIL, SLACK]));
    assert.deepEqual([await s.waiters(GMAIL), await s.waiters(SLACK)], [[one], [one]]);
    await park(s, two, await toAccounts(s, [SLACK], "disconnected"));
    assert.deepEqual(await records(s), [
      [GMAIL, "expired", one],
      [SLACK, "disconnected", ...[one, two].toSorted()],
    ]);
    assert.deepEqual(await told(s), [`required | ${one} | ${GMAIL}=expired ${SLACK}=expired |  | `]);
  });

  for (const [first, last] of [
    [GMAIL, SLACK],
    [SLACK, GMAIL],
  ] as const)
    it(`two accounts, ${first.split("/")[2]} connected first: the run goes on once, after the other`, async (of) => {
      const s = of();
      const run = await enqueue(s);
      await park(s, run, await toAccounts(s, [GMAIL, SLACK]));
      const { ticket } = await header(s, run);
      await s.gates.open(first);
      const waiting = await header(s, run);
      assert.deepEqual([waiting.status, waiting.place, waiting.ticket], ["parked", "gate", ticket]);
      assert.deepEqual([await s.waiters(first), await s.waiters(last)], [[], [run]]);
      assert.deepEqual(await records(s), [[last, "expired", run]]);
      await s.gates.open(first);
      assert.equal((await header(s, run)).place, "gate", "the same account once more is not the other one");
      await s.gates.open(last);
      assert.equal((await header(s, run)).place, "live");
      assert.deepEqual(await s.ofAuthorizations(), []);
      assert.deepEqual((await told(s)).slice(1), [
        `granted | ${run} | ${first}=expired |  | `,
        `granted | ${run} | ${last}=expired |  | `,
      ]);
    });

  it("a park is refused when any of its gates has opened since it was read, and names nobody", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    const move = await toAccounts(s, [GMAIL, SLACK]);
    await s.gates.open(SLACK);
    assert.deepEqual(await s.journal.commit(commit(c, [parked], move)), { answer: "gate-moved" });
    assert.deepEqual([await records(s), await told(s), await s.waiters(GMAIL)], [[], [], []]);
  });

  it("a run that goes leaves all of its gates: its moment comes, it is cancelled, it is taken without a ticket, it gives way", async (of) => {
    const s = of();
    const gone: readonly ((run: string) => Promise<unknown>)[] = [
      async () => {
        await s.age(11_000);
        return s.due();
      },
      (run) => s.cancel(run),
      (run) => s.journal.claim(run, { nonce: `free-${run}`, worker: "w" }),
      () => enqueue(s, { coalesce: "latest" }),
    ];
    for (const leave of gone) {
      const run = await enqueue(s);
      await park(s, run, { ...(await toAccounts(s, [GMAIL, SLACK])), until: s.now() + 10_000 } as Move);
      assert.deepEqual([await s.waiters(GMAIL), await s.waiters(SLACK)], [[run], [run]]);
      await leave(run);
      assert.deepEqual([await s.waiters(GMAIL), await s.waiters(SLACK)], [[], []]);
    }
  });

  it("a record stays while its run looks again, and nobody is asked twice", async (of) => {
    const s = of();
    const run = await enqueue(s);
    await park(s, run, { ...(await toAccounts(s, [GMAIL])), until: s.now() + 10_000 } as Move);
    await s.age(11_000);
    await s.due();
    assert.deepEqual([(await header(s, run)).place, await records(s)], ["live", [[GMAIL, "expired", run]]]);
    await again(s, run, [parked], { to: "moment", until: s.now() + 5_000 });
    assert.deepEqual(await records(s), [[GMAIL, "expired", run]]);
    await s.age(6_000);
    await s.due();
    await again(s, run, [parked], await toAccounts(s, [GMAIL, SLACK], "refused"));
    assert.deepEqual(await records(s), [
      [GMAIL, "refused", run],
      [SLACK, "refused", run],
    ]);
    assert.deepEqual(await told(s), [
      `required | ${run} | ${GMAIL}=expired |  | `,
      `required | ${run} | ${GMAIL}=refused ${SLACK}=refused |  | `,
    ]);
  });

  it("what a run does not need any more is granted: when it is prepared, and when it parks for others", async (of) => {
    const s = of();
    const run = await enqueue(s);
    await park(s, run, { ...(await toAccounts(s, [GMAIL])), until: s.now() + 1_000 } as Move);
    await s.age(2_000);
    await s.due();
    await again(s, run, [parked], { ...(await toAccounts(s, [SLACK])), until: s.now() + 1_000 } as Move);
    assert.deepEqual(await records(s), [[SLACK, "expired", run]]);
    await s.age(2_000);
    await s.due();
    await again(s, run, [prepared], { to: "stay" });
    assert.deepEqual(await records(s), []);
    assert.deepEqual(await told(s), [
      `required | ${run} | ${GMAIL}=expired |  | `,
      `granted | ${run} | ${GMAIL}=expired |  | `,
      `required | ${run} | ${SLACK}=expired |  | `,
      `granted | ${run} | ${SLACK}=expired |  | `,
    ]);
  });

  it("what is held as an outage is not granted: the run does not wait for it, and needs it still", async (of) => {
    const s = of();
    const run = await enqueue(s);
    await park(s, run, { ...(await toAccounts(s, [GMAIL])), until: s.now() + 1_000 } as Move);
    await s.age(2_000);
    await s.due();
    const kept = [GMAIL, "account/user_1/github"];
    await again(s, run, [parked], { ...(await toAccounts(s, [SLACK])), kept } as Move);
    assert.deepEqual(await records(s), [
      [GMAIL, "expired", run],
      [SLACK, "expired", run],
    ]);
    assert.deepEqual([await s.waiters(GMAIL), await s.waiters(SLACK)], [[], [run]]);
    assert.deepEqual((await told(s)).slice(1), [`required | ${run} | ${SLACK}=expired |  | `]);
    await s.gates.open(SLACK);
    assert.deepEqual([(await header(s, run)).place, await records(s)], ["live", [[GMAIL, "expired", run]]]);
  });

  it("the last run that ends takes the record with it; only an expiry is told", async (of) => {
    const s = of();
    const [one, two, three] = [await enqueue(s), await enqueue(s), await enqueue(s)];
    for (const run of [one, two]) await park(s, run, await toAccounts(s, [GMAIL]));
    await park(s, three, await toAccounts(s, [SLACK]));
    const end = async (run: string, move: Move): Promise<void> => {
      const c = await s.journal.claim(run, { nonce: `end-${run}`, worker: "w" });
      assert.equal(c.answer, "claimed");
      if (c.answer === "claimed") await s.journal.commit(commit(c, [ended], move));
    };
    await end(one, EXPIRED);
    assert.deepEqual(await records(s), [
      [GMAIL, "expired", two],
      [SLACK, "expired", three],
    ]);
    await end(three, { to: "end", status: "cancelled" });
    await end(two, EXPIRED);
    assert.deepEqual(await records(s), []);
    assert.deepEqual((await told(s)).slice(2), [`expired | ${two} | ${GMAIL}=expired |  | `]);
  });

  it("a run that was cancelled on its way to the gate names nobody", async (of) => {
    const s = of();
    const run = await enqueue(s);
    const c = await claim(s, run);
    await s.cancel(run);
    await s.journal.commit(commit(c, [parked], await toAccounts(s, [GMAIL])));
    assert.deepEqual([(await header(s, run)).status, await records(s), await told(s)], ["queued", [], []]);
  });

  it("whoever the ACTIVE account refused keeps its record, which says so; it is granted when he is let go on", async (of) => {
    const s = of();
    const [refused, plain] = [await enqueue(s), await enqueue(s)];
    await park(s, refused, { ...(await toAccounts(s, [GMAIL], "refused")), after: 5_000 } as Move);
    await park(s, plain, await toAccounts(s, [GMAIL]));
    await s.gates.open(GMAIL, 4_000);
    assert.deepEqual(await records(s), [[GMAIL, "refused", refused]]);
    await s.gates.open(GMAIL, 6_000);
    assert.deepEqual(await records(s), []);
    assert.deepEqual(await told(s), [
      `required | ${refused} | ${GMAIL}=refused |  | `,
      `granted | ${refused} | ${GMAIL}=refused |  | `,
    ]);
  });

  it("a look says how the account stands; one that nobody needs has no record", async (of) => {
    const s = of();
    const run = await enqueue(s);
    await s.gates.looked([{ gate: GMAIL, reason: "expired" }]);
    assert.deepEqual(await s.ofAuthorizations(), []);
    await park(s, run, await toAccounts(s, [GMAIL], "pending-auth"));
    await s.gates.looked([{ gate: GMAIL, reason: "pending-verification" }]);
    assert.deepEqual(await records(s), [[GMAIL, "pending-verification", run]]);
  });

  it("a run that gives way hands its needs over: the user is not asked again for the next tick", async (of) => {
    const s = of();
    const first = await enqueue(s);
    await park(s, first, await toAccounts(s, [GMAIL, SLACK]));
    const second = await enqueue(s, { coalesce: "latest" });
    const named = [
      [GMAIL, "expired", second],
      [SLACK, "expired", second],
    ];
    assert.deepEqual(await records(s), named);
    const c = await s.journal.claim(first, { nonce: "end-first", worker: "w" });
    assert.ok(c.answer === "claimed", "it can be ended");
    await s.journal.commit(commit(c, [ended], { to: "end", status: "cancelled" }));
    assert.deepEqual(await records(s), named);
    await park(s, second, await toAccounts(s, [GMAIL, SLACK]));
    assert.deepEqual([await records(s), (await told(s)).length], [named, 1]);
  });

  it("a run that ended well after its wait needs nothing", async (of) => {
    const s = of();
    const run = await enqueue(s);
    await park(s, run, await toAccounts(s, [GMAIL]));
    await s.gates.open(GMAIL);
    await again(s, run, [prepared, ended], END);
    assert.deepEqual([await records(s), (await told(s)).length], [[], 2]);
  });
}
