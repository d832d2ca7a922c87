/** `errand schedules upsert --file`: the whole file is checked before the first is written; again, it changes nothing. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { Redis } from "ioredis";
import { runCli } from "../../src/cli/program.ts";
import type { Errand } from "../../src/index.ts";
import { createErrand } from "../../src/index.ts";
import { removeKeys, startRedis } from "../../src/testing/index.ts";
import { noteAgent, redisUrl, testPrefix } from "../support/store.ts";
import { BLANK, errandHere } from "./command.ts";

const SRC = (path: string): string => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
const CONFIG = `import { agent, defineConfig } from ${SRC("src/index.ts")};
import { noteAgent } from ${SRC("test/support/store.ts")};
import { z } from ${JSON.stringify(import.meta.resolve("zod"))};
const other = agent({ name: "other", model: "openai/m", instructions: "x", input: z.object({}) });
export default defineConfig({ agents: [noteAgent, other] });`;

interface Here {
  readonly app: Errand;
  /** The lines into a file, and the command with it. */
  readonly put: (lines: readonly (object | string)[], ...args: string[]) => ReturnType<typeof errandHere>;
  readonly env: Record<string, string>;
  readonly cwd: string;
  readonly ids: () => Promise<string[]>;
}

async function here(t: TestContext, redis: string = redisUrl()): Promise<Here> {
  const prefix = testPrefix();
  const app = createErrand({ redis, prefix, agents: [noteAgent] });
  const cwd = await mkdtemp(join(tmpdir(), "errand-file-"));
  t.after(async () => {
    await app.close();
    await removeKeys(redis, prefix).catch(() => undefined);
    await rm(cwd, { recursive: true });
  });
  await writeFile(join(cwd, "package.json"), '{ "type": "module" }');
  await writeFile(join(cwd, "errand.config.ts"), CONFIG);
  const env = { REDIS_URL: redis, ERRAND_PREFIX: prefix };
  return {
    app,
    env,
    cwd,
    put: async (lines, ...args) => {
      const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
      await writeFile(join(cwd, "s.jsonl"), text);
      return errandHere(["schedules", "upsert", "--file", join(cwd, "s.jsonl"), ...args], env, { cwd });
    },
    ids: async () => (await app.schedules.list({ limit: 1000 })).schedules.map(({ id }) => id),
  };
}

const ADA = { id: "d/ada", agent: "note", identifier: "ada", input: { n: 1 }, cron: "0 8 * * *" };
const EVE = {
  id: "d/eve",
  agent: "other",
  identifier: "eve",
  every: "6h",
  jitter: "10m",
  startAt: "2027-01-01T00:00:00Z",
};

test("lines of several agents, with dates and durations; once more it changes nothing; a change is one", async (t) => {
  const { app, put, env, cwd } = await here(t);
  const lines = [`\uFEFF${JSON.stringify(ADA)}`, "", `${JSON.stringify(EVE)}\r`];
  const dry = await put(lines, "--dry-run");
  assert.deepEqual(
    [dry.code, dry.stdout],
    [0, "2 schedules: 2 created, 0 updated, 0 unchanged; nothing is written (--dry-run)\n"],
    dry.stderr,
  );
  assert.deepEqual((await app.schedules.list()).schedules, []);
  assert.equal((await put(lines)).stdout, "2 schedules: 2 created, 0 updated, 0 unchanged\n");
  const { every, jitter, startAt, agent } = await app.schedules.get("d/eve");
  assert.deepEqual([agent, every, jitter, startAt], ["other", 21_600_000, 600_000, Date.parse("2027-01-01")]);
  assert.equal((await put(lines)).stdout, "2 schedules: 0 created, 0 updated, 2 unchanged\n");
  const stdin = [{ ...ADA, cron: "0 9 * * *", agent: undefined }, EVE].map((line) => JSON.stringify(line)).join("\n");
  const again = await errandHere(["schedules", "upsert", "--file", "-", "--agent", "note", "--json"], env, {
    cwd,
    stdin,
  });
  assert.deepEqual(JSON.parse(again.stdout), { created: 0, updated: 1, unchanged: 1, refused: [], written: true });
  assert.equal((await app.schedules.get("d/ada")).cron, "0 9 * * *");
});

test("bad lines: each with its number and what was expected, and none of the good ones is written", async (t) => {
  const { app, put, ids } = await here(t);
  await app.schedules.upsert("d/old", noteAgent, {
    ...ADA,
    id: undefined,
    agent: undefined,
    identifier: "old",
  } as never);
  const before = await ids();
  const bad: readonly [line: object | string, message: RegExp][] = [
    [
      "{ not json, a private mail",
      /line 2: schedule-invalid: expected a JSON object, such as \{"id".*got 26 characters\.$/,
    ],
    ["[1]", /line 3: schedule-invalid: expected a JSON object/],
    [{ ...ADA, id: "d/1", cron: "0 25 * * *" }, /line 4: schedule-invalid: schedule d\/1: cron/],
    [{ ...ADA }, /line 5: schedule-invalid: id: "d\/ada" stands on line 1 already/],
    [{ ...ADA, id: "d/2", agent: "nobody" }, /line 6: agent-unknown: .*nobody/],
    [{ ...ADA, id: "d/3", input: { n: "x" } }, /line 7: input-invalid: .*n: /],
    [{ ...ADA, id: "d/4", every: "6x", cron: undefined }, /line 8: schedule-invalid: .*every: expected at least/],
    [{ ...ADA, id: "d/5", startAt: "tomorrow" }, /line 9: schedule-invalid: .*startAt: expected a Date/],
    [{ ...ADA, id: "d/6", crn: "x" }, /line 10: schedule-invalid: .*"crn"/],
    [{ ...ADA, id: "a b" }, /line 11: schedule-invalid: schedule: id: expected/],
    [{ ...ADA, id: 7 }, /line 12: schedule-invalid: schedule: id: expected/],
    [{ ...ADA, id: "d/7", identifier: "" }, /line 13: identifier-invalid/],
    [{ ...ADA, id: "d/old", identifier: "mallory" }, /line 14: schedule-conflict: .*identifier is fixed/],
    [{ ...ADA, id: "d/8", agent: undefined }, /line 15: schedule-invalid: agent: expected the name of an agent/],
    [{ ...ADA, id: "d/9", keepHistory: 0 }, /line 16: schedule-invalid: .*keepHistory: expected 1 to 1000 lines/],
    [{ ...ADA, id: "d/10", endAt: 1 }, /line 17: schedule-invalid: .*a time that comes/],
  ];
  const { code, stdout, stderr } = await put([ADA, ...bad.map(([line]) => line)]);
  assert.deepEqual([code, stdout, await ids()], [1, "", before]);
  const told = stderr.trimEnd().split("\n");
  assert.equal(told.length, bad.length + 1, stderr);
  for (const [i, [, message]] of bad.entries()) assert.match(told[i] ?? "", message);
  assert.match(told.at(-1) ?? "", /^nothing was written: 16 lines of .*s\.jsonl must be corrected first$/);
  assert.doesNotMatch(stderr, /private mail/);
  const many = await put(
    Array.from({ length: 30 }, () => "x"),
    "--json",
  );
  const { refused, written } = JSON.parse(many.stdout) as { refused: { line: number }[]; written: boolean };
  assert.deepEqual([many.code, refused.length, refused.at(-1)?.line, written], [1, 30, 30, false]);
});

test("wrong usage, an empty file, no file", async (t) => {
  const { put, env, cwd } = await here(t);
  for (const args of [
    ["--cron", "* * * * *"],
    ["--identifier", "ada"],
    ["--timezone", "UTC"],
  ])
    assert.equal((await put([ADA], ...args)).code, 2, args.join(" "));
  const command = (...args: string[]): ReturnType<typeof errandHere> =>
    errandHere(["schedules", "upsert", ...args], env, { cwd });
  assert.equal((await command("d/ada", "note", "--file", "x")).code, 2);
  assert.equal((await command("d/ada")).code, 2);
  assert.equal((await command("d/ada", "note", "--identifier", "ada", "--dry-run")).code, 2);
  assert.match((await command("--file", join(cwd, "gone"))).stderr, /option-invalid: --file: .*\(ENOENT\)/);
  assert.match((await put([])).stderr, /option-invalid: --file: expected a schedule a line/);
});

test("thousands of lines say how far they are; a Redis that refuses on the way loses nothing, and the same command ends the work", async (t) => {
  const own = await startRedis();
  t.after(() => own.stop());
  const redis = new Redis(own.url);
  t.after(() => redis.disconnect());
  const { put, env, cwd, app } = await here(t, own.url);
  const lines = Array.from({ length: 3_000 }, (_, i) => ({ ...EVE, id: `d/${i}`, identifier: `u${i}` }));
  const dry = await put(lines, "--dry-run");
  assert.equal(dry.stderr, "checked: 1,000 of 3,000\nchecked: 2,000 of 3,000\nchecked: 3,000 of 3,000\n");
  const written: string[] = [];
  const stderr = {
    write: (text: string): void => {
      written.push(text);
      if (text.startsWith("written: 1,000")) void redis.call("ACL", "SETUSER", "default", "-evalsha", "-eval");
    },
  };
  const args = ["schedules", "upsert", "--file", join(cwd, "s.jsonl")];
  const stdout = { write: (): void => undefined };
  const code = await runCli(args, { stdin: Readable.from([]), stdout, stderr, env: { ...BLANK, ...env }, cwd });
  assert.equal(code, 1);
  assert.match(written.at(-1) ?? "", /^errand: redis-auth/);
  const [, before = ""] = /^written: ([\d,]+) of/.exec(written.at(-2) ?? "") ?? [];
  await redis.call("ACL", "SETUSER", "default", "+@all");
  const [, created, unchanged] =
    /^3,000 schedules: (\d+) created, 0 updated, (\d+) unchanged$/.exec((await put(lines)).stdout.trim()) ?? [];
  assert.ok(Number(unchanged) >= Number(before.replace(",", "")), `${unchanged} unchanged of ${before} that were told`);
  assert.ok(Number(created) > 0, `${created} were left`);
  assert.equal((await app.schedules.get("d/2999")).identifier, "u2999");
});
