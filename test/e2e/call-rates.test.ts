/** `callsPerMinute`: what one user's tools may do in a minute, of all runs together; calls that a tool makes by itself included. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { pino } from "pino";
import { z } from "zod";
import { type Agent, agent, createErrand, type RunHandle, tool } from "../../src/index.ts";
import { connect } from "../../src/queue/connect.ts";
import { call, calls, say, type Script } from "../../src/testing/index.ts";
import { redisUrl, testPrefix } from "../support/store.ts";
import { mailReader, testWorld, untilEvent, type World } from "../support/world.ts";

const WAIT = { timeoutMs: 60_000 };
const fetchMails = (query: string): ReturnType<typeof call> => call("gmail_fetch_mails", { query });

interface Scene extends World {
  /** Who waits for room goes on, as if a minute had passed. */
  minute(run: RunHandle<unknown>): Promise<void>;
  sent(): unknown[];
}

async function scene(
  t: TestContext,
  made: Agent,
  script: Script,
  callsPerMinute: Record<string, number>,
): Promise<Scene> {
  const world = await testWorld(t, { script, errand: { agents: [made], callsPerMinute } });
  for (const user of ["ada", "bob"]) world.scalekit.connect(user, "gmail");
  world.errand.worker({ wakeEveryMs: 20 });
  const connection = connect(redisUrl(), true);
  t.after(() => connection.close());
  const { redis } = connection;
  const prefix = `{${world.prefix}:0}:`;
  return {
    ...world,
    minute: async ({ id }) => {
      for (const kind of ["rate:calls", "wait:calls"])
        for (const key of await redis.keys(`${prefix}${kind}:*`))
          for (const member of await redis.zrange(key, "0", "-1")) await redis.zincrby(key, -61_000, member);
      await redis.zadd(`${prefix}looks`, "XX", "1", `run:${id}`);
    },
    sent: () => world.scalekit.ledger.map(({ tool, input }) => input["to"] ?? tool),
  };
}

test("three reads at once where a minute has room for two: two are made, the run parks, and goes on a minute later; others do not wait", async (t) => {
  const reader = mailReader();
  const reads = calls([fetchMails("a"), fetchMails("b"), fetchMails("c")]);
  const world = await scene(t, reader, [reads, say("done")], { "*": 2 });
  const run = await world.errand.enqueue(reader, { identifier: "ada", input: {} });
  const parked = await untilEvent(run, "run.parked");
  assert.deepEqual([parked.reason, parked.message], ["rate-limit", "calls a minute to account/ada/gmail"]);
  assert.equal(world.scalekit.ledger.length, 2);
  const second = await world.errand.enqueue(reader, { identifier: "ada", input: {} });
  assert.equal((await untilEvent(second, "run.parked")).reason, "rate-limit", "of all runs of the user");
  assert.equal(world.scalekit.ledger.length, 2);
  await second.cancel();
  const others = await world.errand.enqueue(reader, { identifier: "bob", input: {} });
  assert.equal((await untilEvent(others, "run.parked")).reason, "rate-limit");
  assert.equal(world.scalekit.ledger.filter(({ identifier }) => identifier === "bob").length, 2, "a minute of his own");
  await world.minute(run);
  assert.equal(await run.result(WAIT), "done");
  assert.equal(world.scalekit.ledger.filter(({ identifier }) => identifier === "ada").length, 3);
});

test("a tool that mails five where a minute has room for two: it is stopped, runs again, and each mail is sent once", async (t) => {
  const team = ["a@x.com", "b@x.com", "c@x.com", "d@x.com", "e@x.com"];
  const mailTeam = tool({
    name: "mail_team",
    description: "Mails the team.",
    input: z.object({}),
    effect: "composite",
    uses: ["gmail_send_message"],
    execute: async (_input, { tools }) => {
      for (const to of team)
        await tools.execute({
          tool: "gmail_send_message",
          parameters: { to, subject: "Report", body: "All is well." },
        });
      return "all";
    },
  });
  const mailer = agent({
    name: "mailer",
    model: "openai/scripted",
    instructions: "Mail.",
    connections: ["gmail"],
    tools: [mailTeam],
    input: z.object({}),
  });
  const world = await scene(t, mailer, [call("mail_team", {}), say("mailed")], { gmail: 2 });
  const run = await world.errand.enqueue(mailer, { identifier: "ada", input: {} });
  for (const n of [1, 2]) {
    const parked = await untilEvent(run, "run.parked", n);
    assert.deepEqual([parked.reason, world.sent()], ["rate-limit", team.slice(0, 2 * n)]);
    await world.minute(run);
  }
  assert.equal(await run.result(WAIT), "mailed");
  assert.deepEqual(world.sent(), team);
});

test("a tool that cannot be run again is told, and nothing of it waits", async (t) => {
  const peek = tool({
    name: "peek",
    description: "Looks twice.",
    input: z.object({}),
    effect: "unsafe",
    uses: ["gmail_fetch_mails"],
    execute: async (_input, { tools }) => {
      const look = async (query: string): Promise<string> =>
        tools.execute({ tool: "gmail_fetch_mails", parameters: { query } }).then(
          () => "seen",
          (error: unknown) => (error instanceof Error ? error.message : "?"),
        );
      return [await look("a"), await look("b")];
    },
  });
  const looker = agent({
    name: "looker",
    model: "openai/scripted",
    instructions: "Look.",
    connections: ["gmail"],
    tools: [peek],
    input: z.object({}),
  });
  const world = await scene(t, looker, [call("peek", {}), say("looked")], { gmail: 1 });
  const run = await world.errand.enqueue(looker, { identifier: "ada", input: {} });
  assert.equal(await run.result(WAIT), "looked");
  const told = (await run.transcript()).flatMap((message) => (message.role === "tool" ? [message.text] : [])).join();
  assert.match(told, /"seen".*gmail_fetch_mails was not executed: a limit of calls has no room for it now/);
  assert.equal(world.scalekit.ledger.length, 1);
});

test("limits that are none are refused at the start", () => {
  const wrong: readonly [given: unknown, message: RegExp][] = [
    [{ gmail: 0 }, /callsPerMinute: gmail: expected a whole number from 1 to 6000, got 0/],
    [{ gmail: "9" }, /expected a whole number/],
    [{ "": 1 }, /expected names of connections/],
    [7, /expected connections and their numbers/],
    [[1], /expected connections and their numbers/],
  ];
  for (const [callsPerMinute, message] of wrong)
    assert.throws(
      () =>
        createErrand({ redis: redisUrl(), prefix: testPrefix(), agents: [], callsPerMinute: callsPerMinute as never }),
      { code: "config-invalid", message },
    );
});

test("a name that nothing goes by limits nothing, and the log says so", async (t) => {
  const lines: string[] = [];
  const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
  const callsPerMinute = { gmial: 60, gmail: 60, "*": 5 };
  const { errand } = await testWorld(t, { errand: { agents: [mailReader()], callsPerMinute, logger } });
  errand.worker({ wakeEveryMs: 50 });
  const told = lines.filter((line) => line.includes("calls-per-minute.unknown"));
  assert.equal(told.length, 1, lines.join(""));
  assert.match(told[0] ?? "", /"name":"gmial","hint":"Did you mean \\"gmail\\"\?"/);
});
