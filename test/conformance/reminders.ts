/** Reminders of accounts that are needed: by time, and when an operator asks. */
import assert from "node:assert/strict";
import { casesOf, enqueue, GMAIL, park, SLACK, toAccounts } from "./cases.ts";
import { told } from "./needs.ts";
import type { OpenSubject } from "./subject.ts";

const DAY = 86_400_000;

export function remindersConformance(name: string, open: OpenSubject): void {
  const it = casesOf(name, open);

  it("reminders: after one and three days, one for all accounts of a user, none that was missed, none when nothing is needed", async (of) => {
    const s = of();
    const [one, two] = [await enqueue(s), await enqueue(s, { identifier: "user_2" })];
    await park(s, one, await toAccounts(s, [GMAIL, SLACK]));
    await park(s, two, await toAccounts(s, ["account/user_2/gmail"]));
    const reminders = async (): Promise<string[]> =>
      (await told(s)).filter((text) => text.startsWith("reminded")).toSorted();
    await s.age(DAY - 60_000);
    await s.due();
    assert.deepEqual(await reminders(), []);
    await s.age(61_000);
    await s.due();
    await s.due();
    const first = [
      `reminded |  | ${GMAIL}=expired ${SLACK}=expired | 1 | `,
      "reminded |  | account/user_2/gmail=expired | 1 | ",
    ];
    assert.deepEqual(await reminders(), first);
    await s.gates.open(SLACK);
    await s.gates.open("account/user_2/gmail");
    await s.age(2 * DAY);
    await s.due();
    assert.deepEqual(await reminders(), [first[0], `reminded |  | ${GMAIL}=expired | 2 | `, first[1]]);
    assert.deepEqual(
      (await s.authorizations()).map(({ gate, reminded, reminds }) => [gate, reminded, reminds]),
      [[GMAIL, 2, false]],
    );
  });

  it("reminders that were missed while nobody woke become one", async (of) => {
    const s = of();
    await park(s, await enqueue(s), await toAccounts(s, [GMAIL]));
    await s.age(9 * DAY);
    await s.due();
    await s.due();
    assert.deepEqual((await told(s)).slice(1), [`reminded |  | ${GMAIL}=expired | 1 | `]);
  });

  it("a reminder that somebody asks for counts, and leaves those that are due by time", async (of) => {
    const s = of();
    await park(s, await enqueue(s), await toAccounts(s, [GMAIL]));
    assert.equal(await s.remind("n1", [GMAIL, SLACK]), 1);
    assert.equal(await s.remind("n2", [GMAIL]), 1);
    await s.age(DAY + 1_000);
    await s.due();
    assert.deepEqual((await told(s)).slice(1), [
      `reminded |  | ${GMAIL}=expired | 1 | 1`,
      `reminded |  | ${GMAIL}=expired | 2 | 1`,
      `reminded |  | ${GMAIL}=expired | 3 | `,
    ]);
  });

  it("a policy without reminders reminds nobody", async (of) => {
    const s = of({ remindAfterMs: [] });
    await park(s, await enqueue(s), await toAccounts(s, [GMAIL]));
    await s.age(9 * DAY);
    await s.due();
    assert.deepEqual(
      (await s.authorizations()).map(({ reminded, reminds }) => [reminded, reminds]),
      [[0, false]],
    );
  });
}
