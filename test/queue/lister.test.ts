/** Lists of runs: right after every change of a run, in pages, and empty again when the runs have expired. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import type { Entry } from "../../src/core/journal.ts";
import type { Move } from "../../src/ports/journal.ts";
import { listRuns, type RunFilter } from "../../src/queue/lister.ts";
import { DUE } from "../../src/queue/scripts/due.ts";
import { noteAgent, type TestStore, testStore } from "../support/store.ts";

const ids = async ({ store }: TestStore, filter: RunFilter): Promise<string[]> =>
  (await listRuns(store, filter)).runs.map((run) => run.id);

async function move(s: TestStore, run: string, entry: Entry, to: Move): Promise<void> {
  const ticket = (await s.store.redis.hget(`${s.store.prefix}run:${run}`, "ticket")) ?? "";
  const claim = await s.journal.claim(run, { ticket, nonce: `${Math.random()}`, worker: "w" });
  if (claim.answer !== "claimed") return;
  await s.journal.commit({
    run,
    epoch: claim.epoch,
    length: claim.decisions.length,
    nonce: `${Math.random()}`,
    entries: [entry],
    move: to,
  });
}

const end = (s: TestStore, run: string): Promise<void> =>
  move(s, run, { kind: "ended", status: "completed" }, { to: "end", status: "completed" });

async function some(t: TestContext, count: number): Promise<{ s: TestStore; runs: string[] }> {
  const s = testStore(t, { perIdentifier: 100 });
  const runs: string[] = [];
  for (let i = 0; i < count; i++)
    runs.push(await s.producer.create(noteAgent, { identifier: `u${i % 2}`, input: { n: i } }));
  return { s, runs };
}

test("newest first, by identifier, by agent, by status, and by several of them", async (t) => {
  const { s, runs } = await some(t, 4);
  const [r0 = "", r1 = "", r2 = "", r3 = ""] = runs;
  await end(s, r2);
  assert.deepEqual(await ids(s, {}), [r3, r2, r1, r0]);
  assert.deepEqual(await ids(s, { identifier: "u0" }), [r2, r0]);
  assert.deepEqual(await ids(s, { agent: "note", identifier: "u0", status: "completed" }), [r2]);
  assert.deepEqual(await ids(s, { status: "queued" }), [r3, r1, r0]);
  assert.deepEqual(await ids(s, { agent: "another" }), []);
});

test("pages fit together, also while new runs come", async (t) => {
  const { s, runs } = await some(t, 7);
  const seen: string[] = [];
  for (let cursor: string | undefined = "", first = true; first || cursor !== undefined; first = false) {
    const page: Awaited<ReturnType<typeof listRuns>> = await listRuns(s.store, {
      limit: 3,
      ...(cursor !== undefined && cursor !== "" && { cursor }),
    });
    seen.push(...page.runs.map((run) => run.id));
    cursor = page.cursor;
    await s.producer.create(noteAgent, { identifier: "new", input: { n: 0 } });
  }
  assert.deepEqual(seen, runs.toReversed());
});

test("a run that expired leaves every list", async (t) => {
  const s = testStore(t, { keepMs: 1 });
  const run = await s.producer.create(noteAgent, { identifier: "u", input: { n: 1 } });
  await end(s, run);
  while ((await s.store.redis.exists(`${s.store.prefix}run:${run}`)) === 1);
  assert.deepEqual(await ids(s, {}), []);
  await s.store.run(DUE, 100);
  assert.deepEqual(await s.store.redis.keys(`${s.store.prefix}runs:*`), []);
});

test("whatever happens to runs, each stands in the index of its status and in no other", async (t) => {
  const s = testStore(t, { perIdentifier: 2 });
  const moves: readonly [Entry, Move][] = [
    [
      { kind: "parked", reason: "account" },
      { to: "gate", gate: "g", version: 0, until: 4e12 },
    ],
    [
      { kind: "parked", reason: "retry" },
      { to: "moment", until: 1 },
    ],
    [{ kind: "yielded" }, { to: "line" }],
    [
      { kind: "ended", status: "failed" },
      { to: "end", status: "failed" },
    ],
  ];
  const steps = fc.array(fc.record({ run: fc.nat(4), what: fc.nat(5) }), { maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const runs = await Promise.all(
        [0, 1, 2, 3, 4].map((n) => s.producer.create(noteAgent, { identifier: `u${n % 2}`, input: { n } })),
      );
      for (const { run, what } of plan) {
        const chosen = moves[what];
        if (chosen !== undefined) await move(s, runs[run] ?? "", ...chosen);
        else if (what === 4) await s.store.run(DUE, 100);
        else await s.gates.open("other");
      }
      for (const status of ["queued", "running", "parked", "failed"] as const) {
        const listed = await s.store.redis.zrange(`${s.store.prefix}runs:status:${status}`, "0", "-1");
        const really = await Promise.all(
          listed.map((id) => s.store.redis.hget(`${s.store.prefix}run:${id}`, "status")),
        );
        assert.ok(
          really.every((one) => one === status),
          `${status}: ${really.join(",")}`,
        );
      }
      for (const run of runs) {
        const status = await s.store.redis.hget(`${s.store.prefix}run:${run}`, "status");
        assert.notEqual(await s.store.redis.zscore(`${s.store.prefix}runs:status:${status}`, run), null);
      }
    }),
    { numRuns: 15, seed: 7 },
  );
});

test("bad filters say what was expected", async (t) => {
  const s = testStore(t);
  await assert.rejects(listRuns(s.store, { limit: 0 }), {
    code: "option-invalid",
    message: /limit: expected a whole number from 1 to 1000, got 0/,
  });
  await assert.rejects(listRuns(s.store, { status: "done" as "failed" }), {
    code: "option-invalid",
    message: /status: expected one of queued/,
  });
  await assert.rejects(listRuns(s.store, { cursor: "x" }), { code: "option-invalid" });
});
