/** Cool-downs of what calls go through: before Scalekit, and of calls that a tool makes by itself. Over the wire. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Redis } from "ioredis";
import { z } from "zod";
import { agent, type Limits, type RunHandle, tool } from "../../src/index.ts";
import { redisCooling } from "../../src/queue/cooling.ts";
import { DEFAULT_STORE, openStore } from "../../src/queue/store.ts";
import { call, say, type Script } from "../../src/testing/index.ts";
import { redisUrl } from "../support/store.ts";
import { testWorld, untilEvent, type World } from "../support/world.ts";

const mailer = agent({
  name: "mailer",
  model: "openai/scripted",
  instructions: "Greet.",
  connections: ["gmail"],
  tools: ["gmail_fetch_mails"],
  input: z.object({}),
});
/** One mail is fetched, then it says so. */
const oneMail: Script = ({ messages }) =>
  messages.some(({ role }) => role === "tool") ? say("Hello") : call("gmail_fetch_mails", { max_results: 1 });

test("a balancer's 429 before Scalekit: the call was not made, all that goes through Scalekit waits, and then it is made once", async (t) => {
  const world = await testWorld(t, { script: oneMail, errand: { agents: [mailer] } });
  const redis = new Redis(redisUrl());
  t.after(() => redis.disconnect());
  world.scalekit.connect("ada", "gmail");
  world.scalekit.faults.add({ method: "ExecuteTool", httpStatus: 429, retryAfter: 2 });
  world.errand.worker({ wakeEveryMs: 50 });
  const run = await world.errand.enqueue("mailer", { identifier: "ada", input: {} });
  const parked = await untilEvent(run, "run.parked");
  assert.ok((parked.until ?? 0) >= parked.at + 1_500, `${(parked.until ?? 0) - parked.at}`);
  const { prefix } = openStore(redis, world.prefix, DEFAULT_STORE);
  assert.equal(await redis.hget(`${prefix}cool:scalekit`, "why"), "rate-limit");
  assert.equal(await run.result({ timeoutMs: 60_000 }), "Hello");
  assert.equal(world.scalekit.ledger.length, 1);
  assert.deepEqual((await world.errand.unknowns()).outcomes, []);
});

const TEAM = ["a@x.com", "b@x.com", "c@x.com"];

interface Team extends World {
  readonly run: RunHandle<string>;
  /** Times that the tool was run. */
  runs(): number;
  sent(): unknown[];
  close(ms: number): Promise<void>;
}

/** A tool mails one after the other; before the second mail, `between` happens. */
async function teamMail(
  t: TestContext,
  between: (team: Team, to: string) => Promise<void>,
  more: { effect?: "composite" | "unsafe"; limits?: Partial<Limits>; script?: Script } = {},
): Promise<Team> {
  let runs = 0;
  const mail = tool({
    name: "mail_team",
    description: "Mails the team.",
    input: z.object({}),
    effect: more.effect ?? "composite",
    uses: ["gmail_send_message"],
    execute: async (_input, { tools }) => {
      runs++;
      for (const to of TEAM) {
        await between(team, to);
        const parameters = { to, subject: "Report", body: "Well." };
        await tools.execute({ tool: "gmail_send_message", parameters });
      }
      return "all";
    },
  });
  const of = agent({
    name: "team",
    model: "openai/scripted",
    instructions: "Mail.",
    connections: ["gmail"],
    tools: [mail],
    input: z.object({}),
    limits: more.limits ?? {},
  });
  const script = more.script ?? [call("mail_team", {}), say("done")];
  const world = await testWorld(t, { script, errand: { agents: [of] } });
  const redis = new Redis(redisUrl());
  t.after(() => redis.disconnect());
  const cooling = redisCooling(openStore(redis, world.prefix, DEFAULT_STORE));
  const backoff = { baseMs: 1_000, capMs: 1_000 };
  let asked = 0;
  world.scalekit.connect("ada", "gmail");
  const run = await world.errand.enqueue(of, { identifier: "ada", input: {} });
  const team: Team = {
    ...world,
    run,
    runs: () => runs,
    sent: () => world.scalekit.ledger.map(({ input }) => input["to"]),
    close: async (retryAfterMs) => {
      const nonce = `close-${++asked}`;
      await cooling.close("scalekit", { why: "rate-limit", retryAfterMs, backoff, random: 0, nonce });
    },
  };
  world.errand.worker({ wakeEveryMs: 20 });
  return team;
}

test("a tool's own call meets a cool-down of a moment: it waits inside, the tool is run once and the run never parks", async (t) => {
  const team = await teamMail(t, async (it, to) => {
    if (to === TEAM[1]) await it.close(1_000);
  });
  assert.equal(await team.run.result({ timeoutMs: 60_000 }), "done");
  assert.deepEqual([team.sent(), team.runs()], [TEAM, 1]);
  assert.deepEqual((await team.run.get()).waits, []);
});

test("a longer one: the run parks as rate-limit and holds no slot; run again, the tool sends only what is missing", async (t) => {
  let closed = false;
  const team = await teamMail(t, async (it, to) => {
    if (to === TEAM[1] && !closed) await it.close(3_000);
    closed ||= to === TEAM[1];
  });
  const parked = await untilEvent(team.run, "run.parked");
  assert.deepEqual([parked.reason, parked.message], ["rate-limit", "a cool-down of scalekit"]);
  assert.deepEqual(team.sent(), TEAM.slice(0, 1));
  assert.equal(await team.run.result({ timeoutMs: 60_000 }), "done");
  assert.deepEqual([team.sent(), team.runs()], [TEAM, 2]);
});

test("a tool that cannot be run again is told of it, and may try again later", async (t) => {
  const told: string[] = [];
  const script: Script = ({ messages }) => {
    const last = messages.findLast(({ role }) => role === "tool");
    if (last === undefined) return call("mail_team", {});
    told.push(last.text ?? "");
    return say("done");
  };
  const between = async (it: Team, to: string): Promise<void> => (to === TEAM[1] ? it.close(60_000) : undefined);
  const team = await teamMail(t, between, { effect: "unsafe", script });
  assert.equal(await team.run.result({ timeoutMs: 60_000 }), "done");
  assert.deepEqual(team.sent(), TEAM.slice(0, 1));
  assert.match(told.join(), /gmail_send_message was not executed: a cool-down of scalekit/);
});

test("a tool's own calls have a limit of their own, and stop at the run's: the model hears how far it came", async (t) => {
  const told: string[] = [];
  const script: Script = ({ messages, toolChoice }) => {
    const last = messages.findLast(({ role }) => role === "tool");
    if (last === undefined) return call("mail_team", {});
    told.push(`${String(toolChoice)} ${last.text ?? ""}`);
    return say("done");
  };
  const many = await teamMail(t, () => Promise.resolve(), { limits: { nestedCalls: 2 }, script });
  assert.equal(await many.run.result({ timeoutMs: 60_000 }), "done");
  assert.deepEqual(many.sent(), TEAM.slice(0, 2));
  assert.match(told.join(), /auto .*2 calls by themselves; no more are made/);
  // Of each mail's answer so much is left that the third one does not begin.
  const chars = await teamMail(t, () => Promise.resolve(), { limits: { runResultChars: 60 }, script });
  assert.equal(await chars.run.result({ timeoutMs: 60_000 }), "done");
  assert.ok(chars.sent().length < TEAM.length, `${chars.sent().length}`);
  assert.match(told.at(-1) ?? "", /none .*stopped half-way, after \d of the calls.*runResultChars/);
  assert.equal((await chars.run.get()).truncated, true);
});
