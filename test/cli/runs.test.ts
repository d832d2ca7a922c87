/** `errand runs` and `errand cancel`: what they find, page, end and refuse. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test, type TestContext } from "node:test";
import { createErrand, type Errand, type RunPage } from "../../src/index.ts";
import { removeKeys } from "../../src/testing/index.ts";
import { noteAgent, redisUrl, testPrefix } from "../support/store.ts";
import { errandHere } from "./command.ts";

interface Stage {
  readonly app: Errand;
  readonly enqueue: (identifier: string) => Promise<string>;
  readonly here: (...args: string[]) => ReturnType<typeof errandHere>;
}

function stage(t: TestContext): Stage {
  const [redis, prefix] = [redisUrl(), testPrefix()];
  const app = createErrand({ redis, prefix, agents: [noteAgent] });
  t.after(async () => {
    await app.close();
    await removeKeys(redis, prefix);
  });
  return {
    app,
    enqueue: async (identifier) => (await app.enqueue(noteAgent, { identifier, input: { n: 1 } })).id,
    // No config file is needed: the environment says where the runs are.
    here: (...args) => errandHere(args, { REDIS_URL: redis, ERRAND_PREFIX: prefix }, { cwd: tmpdir() }),
  };
}

test("runs: a table, newest first, by status, agent and identifier, page by page", async (t) => {
  const { enqueue, here } = stage(t);
  assert.deepEqual(await here("runs"), { code: 0, stdout: "", stderr: "no runs\n" });
  const ids = [await enqueue("ada"), await enqueue("bob-with-a-long-name"), await enqueue("ada")];

  const all = await here("runs");
  assert.equal(all.code, 0);
  assert.equal(all.stderr, "", "nothing more to come");
  const lines = all.stdout.trimEnd().split("\n");
  assert.match(lines[0] ?? "", /^RUN +STATUS +AGENT +IDENTIFIER +AGE +UPDATED$/);
  const rows = lines.slice(1).map((line) => line.split(/ {2,}/));
  assert.deepEqual(
    rows.map(([id, status, agent, identifier]) => [id, status, agent, identifier]),
    [
      [ids[2], "queued", "note", "ada"],
      [ids[1], "queued", "note", "bob-with-a-long-name"],
      [ids[0], "queued", "note", "ada"],
    ],
  );
  for (const row of rows) assert.match(row.slice(4).join("|"), /^[\d.]+ m?s\|[\d.]+ m?s ago$/);

  const first = await here("runs", "--identifier", "ada", "--limit", "1");
  assert.ok(first.stdout.includes(ids[2] ?? "?") && !first.stdout.includes(ids[0] ?? "?"));
  const cursor = /^more: --cursor (\d+)\n$/.exec(first.stderr)?.[1] ?? "";
  const second = await here("runs", "--identifier", "ada", "--limit", "1", "--cursor", cursor, "--json");
  const page = JSON.parse(second.stdout) as RunPage;
  assert.deepEqual(
    page.runs.map(({ id }) => id),
    [ids[0]],
  );
  assert.equal((await here("runs", "--status", "parked")).stderr, "no runs\n");
  assert.equal((await here("runs", "--agent", "nobody", "--json")).stdout, '{"runs":[]}\n');
});

test("cancel: several at once; what had ended already, and what never was, are told apart", async (t) => {
  const { app, enqueue, here } = stage(t);
  const [one, two] = [await enqueue("ada"), await enqueue("bob")];
  assert.deepEqual(await here("cancel", one), { code: 0, stdout: `${one}  cancelled\n`, stderr: "" });

  const mixed = await here("cancel", one, "run_0_none", two);
  assert.equal(mixed.code, 1);
  assert.equal(
    mixed.stdout,
    `${one}  had ended already: cancelled\n${two}  cancelled\n`,
    "the one behind is cancelled",
  );
  assert.match(mixed.stderr, /^errand: run-unknown: There is no run "run_0_none" to cancel\.\n$/);
  assert.equal((await app.run(two).get()).status, "cancelled");

  const machine = await here("cancel", two, "run_0_none", "--json");
  assert.equal(machine.code, 1);
  assert.deepEqual(JSON.parse(machine.stdout), { id: two, status: "cancelled", cancelled: false });
  assert.equal((JSON.parse(machine.stderr) as { error: { code: string } }).error.code, "run-unknown");
});

test("wrong use: a status that is none with close names, limits, cursors, no run named", async (t) => {
  const { here } = stage(t);
  const status = await here("runs", "--status", "canceled");
  assert.equal(status.code, 1);
  assert.match(status.stderr, /expected one of queued, .*, got "canceled"\. Did you mean "cancelled"/);
  assert.match((await here("runs", "--limit", "1001")).stderr, /1 to 1000, got 1001/);
  assert.match((await here("runs", "--cursor", "x")).stderr, /cursor of an earlier page/);
  for (const args of [["runs", "--limit", "0"], ["cancel"], ["runs", "extra"]])
    assert.equal((await here(...args)).code, 2);
});
