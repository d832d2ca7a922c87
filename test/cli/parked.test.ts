/** `errand parked`: who waits for what, and what acts on all of them. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test, type TestContext } from "node:test";
import { pino } from "pino";
import { z } from "zod";
import { agent, type AuthorizationPage, createErrand, type Errand } from "../../src/index.ts";
import { connect } from "../../src/queue/connect.ts";
import { redisStates } from "../../src/queue/states.ts";
import { DEFAULT_STORE, openStore } from "../../src/queue/store.ts";
import { say } from "../../src/testing/index.ts";
import { untilEvent } from "../support/world.ts";
import { errandHere } from "./command.ts";
import { services, type Services } from "./services.ts";

interface Stage extends Services {
  readonly app: Errand;
  /** Enqueues a run and waits until it is parked. */
  readonly park: (identifier: string) => Promise<string>;
  readonly here: (...args: string[]) => ReturnType<typeof errandHere>;
}

async function stage(t: TestContext): Promise<Stage> {
  const those = await services(t, { scalekit: { connections: ["gmail", "slack"] }, script: () => say("done") });
  const { scalekit, model, redis, prefix } = those;
  const both = agent({
    name: "both",
    model: "openai/scripted",
    instructions: "Answer.",
    connections: ["gmail", "slack"],
    input: z.object({}),
  });
  const app = createErrand({
    redis,
    prefix,
    scalekit: { envUrl: scalekit.url, clientId: scalekit.clientId, clientSecret: scalekit.clientSecret },
    models: { openai: { apiKey: model.apiKey, baseURL: model.url } },
    agents: [both],
    logger: pino({ level: "silent" }),
  });
  t.after(() => app.close());
  app.worker({ wakeEveryMs: 20 });
  return {
    ...those,
    app,
    park: async (identifier) => {
      const run = await app.enqueue(both, { identifier, input: {} });
      await untilEvent(run, "run.parked");
      return run.id;
    },
    here: (...args) => errandHere(args, those.env, { cwd: tmpdir() }),
  };
}

const rowsOf = (stdout: string): string[][] =>
  stdout
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((row) => row.split(/ {2,}/));

test("parked: a table of accounts and what their reasons mean, by identifier and connection, page by page", async (t) => {
  const { here, park } = await stage(t);
  assert.deepEqual(await here("parked"), { code: 0, stdout: "", stderr: "nobody waits for an account\n" });
  await park("ada");
  await park("ada");
  await park("bob");
  const all = await here("parked");
  assert.match(all.stdout, /^IDENTIFIER +CONNECTION +REASON +RUNS +WAITING +LOOKED AT +NEXT LOOK +REMINDED +LINK\n/);
  assert.deepEqual(
    rowsOf(all.stdout).map((row) => row.slice(0, 4)),
    [
      ["ada", "gmail", "not-connected", "2"],
      ["ada", "slack", "not-connected", "2"],
      ["bob", "gmail", "not-connected", "1"],
      ["bob", "slack", "not-connected", "1"],
    ],
  );
  const times = /^[\d.]+ m?s\|[\d.]+ m?s ago\|in [\d. ms]+\|0, again in 23 h \d\d m\|not opened$/;
  for (const row of rowsOf(all.stdout)) assert.match(row.slice(4).join("|"), times);
  assert.match(all.stderr, /^not-connected: There is no account yet/);
  assert.equal(rowsOf((await here("parked", "--identifier", "ada")).stdout).length, 2);
  const first = await here("parked", "--connection", "slack", "--limit", "1");
  const cursor = /more: --cursor (\d+)\n$/.exec(first.stderr)?.[1] ?? "";
  const second = await here("parked", "--connection", "slack", "--limit", "1", "--cursor", cursor, "--json");
  const { authorizations } = JSON.parse(second.stdout) as AuthorizationPage;
  assert.deepEqual(
    authorizations.map(({ identifier, connection, action, runs }) => [identifier, connection, action, runs]),
    [["bob", "slack", "connect", 1]],
  );
});

test("parked --check looks at all of them now", async (t) => {
  const { here, park, scalekit, app } = await stage(t);
  const [ada] = [await park("ada"), await park("bob")];
  for (const connection of ["gmail", "slack"]) scalekit.connect("ada", connection);
  assert.deepEqual(await here("parked", "--check"), {
    code: 0,
    stdout: "4 accounts looked at: 2 ACTIVE, their runs go on\n",
    stderr: "",
  });
  await app.run(ada).result({ timeoutMs: 60_000 });
  const again = await here("parked", "--check", "--json", "--connection", "gmail");
  assert.deepEqual(JSON.parse(again.stdout), { checked: 1, active: 0, unseen: 0 });
});

test("parked --remind counts, and says when this configuration has nobody who would be told", async (t) => {
  const { here, park } = await stage(t);
  await park("ada");
  const reminded = await here("parked", "--remind", "--identifier", "ada");
  assert.equal(reminded.stdout, "2 reminders asked for; the workers tell them\n");
  assert.match(reminded.stderr, /no authorization\.onEvent/);
  assert.match(rowsOf((await here("parked")).stdout)[0]?.[7] ?? "", /^1, again in/);
});

test("parked --cancel needs a filter and --yes, and ends only what the filter names", async (t) => {
  const { here, park, app } = await stage(t);
  const [ada, bob] = [await park("ada"), await park("bob")];
  const unsure = await here("parked", "--cancel", "--identifier", "ada");
  assert.equal(unsure.code, 2);
  assert.match(unsure.stderr, /nothing was cancelled; with --yes, up to 2 runs will be\n$/);
  assert.equal((await app.run(ada).get()).status, "parked");

  const done = await here("parked", "--cancel", "--identifier", "ada", "--yes");
  assert.deepEqual([done.code, done.stdout], [0, "1 run cancelled\n"]);
  assert.equal((await app.run(ada).get()).status, "cancelled");
  assert.equal((await app.run(bob).get()).status, "parked");
  assert.equal((await here("parked", "--identifier", "ada")).stdout, "");
});

test("wrong use is told before anything is done", async (t) => {
  const { here } = await stage(t);
  const wrong: readonly [string[], RegExp][] = [
    [["--cancel"], /--cancel needs --identifier, --connection or both/],
    [["--yes"], /--yes needs --cancel/],
    [["--check", "--remind"], /cannot be used with/],
    [["--check", "--limit", "5"], /--limit and --cursor are for the list/],
    [["--limit", "0"], /at least 1/],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr } = await here("parked", ...args);
    assert.deepEqual([code, message.test(stderr)], [2, true], `${args.join(" ")}: ${stderr}`);
  }
  const bad = await here("parked", "--identifier", "a b");
  assert.deepEqual([bad.code, /identifier-invalid/.test(bad.stderr)], [1, true]);
});

test("show says what the operator can know of each account that a run waits for", async (t) => {
  const { here, park } = await stage(t);
  const { stdout } = await here("show", await park("ada"));
  assert.match(stdout, /^→ There is no account yet: .* gmail .*$/m);
  assert.match(stdout, /^→ There is no account yet: .* slack .*$/m);
});

test("parked: whether the user has opened the way to the account, and never the way itself", async (t) => {
  const { here, park, redis, prefix } = await stage(t);
  await park("ada");
  const connection = connect(redis, true);
  t.after(() => connection.close());
  const store = openStore(connection.redis, prefix, DEFAULT_STORE);
  const told = async (): Promise<string | undefined> =>
    rowsOf((await here("parked", "--connection", "gmail")).stdout)[0]?.at(-1);
  const made = async (at: number, stateHash: string): Promise<ReturnType<typeof redisStates>> => {
    const states = redisStates(store, () => at);
    const request = { identifier: "ada", connection: "gmail", returnTo: "https://app.example.com/callback" };
    await states.keep(request, { stateHash, url: "https://scalekit.example.com/s3cr3t", expiresAt: at + 60_000 });
    return states;
  };
  assert.equal(await told(), "not opened");
  await made(Date.now() - 120_000, "a");
  assert.match((await told()) ?? "", /^opened 2 m \d\d s ago, expired$/);
  const states = await made(Date.now(), "b");
  assert.match((await told()) ?? "", /^opened [\d.]+ m?s ago$/);
  await states.take("b", "nonce");
  assert.match((await told()) ?? "", /^came back [\d.]+ m?s ago$/);
  const json = (await here("parked", "--json")).stdout;
  const page = JSON.parse(json) as AuthorizationPage;
  assert.deepEqual(Object.keys(page.authorizations[0]?.link ?? {}), ["madeAt", "openedAt", "expiresAt", "returnedAt"]);
  assert.doesNotMatch(json, /s3cr3t/);
});
