/** What comes wrong from outside, through the public API: callers, models, configuration. Nothing is lost, and each is told what to do. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { pino } from "pino";
import { z } from "zod";
import { agent, createErrand, type ErrandError } from "../../src/index.ts";
import { brokenArguments, call, calls, httpError, manyCalls, say, startRedis } from "../../src/testing/index.ts";
import { redisUrl } from "../support/store.ts";
import { giveMail, inboxDigest, testWorld, untilEvent, type World } from "../support/world.ts";

const input = { query: "is:unread" };
const logger = pino({ level: "silent" });
const fetchMails = call("gmail_fetch_mails", { max_results: 1 });
const done = say(JSON.stringify({ unread: 1, summary: "One mail.", highlights: [] }));

/** Everything the model was told as tool results, in the last request. */
function told(world: World): { type: string; message: string }[] {
  const messages = world.model.requests.at(-1)?.messages ?? [];
  return messages
    .flatMap((m) => (m.role === "tool" ? [JSON.parse(m.text) as { error?: { type: string; message: string } }] : []))
    .flatMap((m) => m.error ?? []);
}

test("enqueue: an unknown agent, an input that does not fit, and a bad identifier are refused with what was expected", async (t) => {
  const { errand } = await testWorld(t);
  await assert.rejects(errand.enqueue("inbox-digset", { identifier: "ada", input }), {
    code: "agent-unknown",
    message: /There is no agent "inbox-digset".*Did you mean "inbox-digest"/,
  });
  await assert.rejects(errand.enqueue("inbox-digest", { identifier: "ada", input: { query: 7 } }), {
    code: "input-invalid",
    message: /query: Invalid input: expected string, received number/,
  });
  for (const identifier of ["", "two words", "użytkownik", "用户1", " ada", "a".repeat(101), "a\n"])
    await assert.rejects(
      errand.enqueue(inboxDigest, { identifier, input }),
      { code: "identifier-invalid" },
      JSON.stringify(identifier),
    );
  await assert.rejects(errand.enqueue(inboxDigest, { identifier: "ada", input, priority: 0.5 }), {
    code: "option-invalid",
    message: /priority: expected a whole number/,
  });
  assert.deepEqual((await errand.runs()).runs, []);
});

test("a run that does not exist", async (t) => {
  const { errand } = await testWorld(t);
  await assert.rejects(errand.run("run_0_none").get(), { code: "run-unknown" });
  await assert.rejects(errand.run("run_0_none").cancel(), { code: "run-unknown" });
  await assert.rejects(errand.run("run_0_none").result({ timeoutMs: 100 }), { code: "run-unknown" });
});

test("wrong names at boot: all of them, with close ones, before a run is taken", async (t) => {
  const wrong = agent({
    name: "wrong",
    model: "openai/x",
    instructions: "",
    connections: ["gmial"],
    tools: ["gmail_fetch_mail"],
    input: z.object({}),
  });
  const { errand } = await testWorld(t, { errand: { agents: [wrong] } });
  await assert.rejects(errand.worker().ready(), {
    code: "connection-unknown",
    message: /agent "wrong" names "gmial". Did you mean "gmail"/,
  });
  const right = agent({
    name: "right",
    model: "openai/x",
    instructions: "",
    connections: ["gmail"],
    tools: ["gmail_fetch_mail"],
    input: z.object({}),
  });
  const second = await testWorld(t, { errand: { agents: [right] } });
  await assert.rejects(second.errand.worker().ready(), {
    code: "tool-unknown",
    message: /agent "right" names "gmail_fetch_mail". Did you mean "gmail_fetch_mails"/,
  });
});

test("our own Scalekit secret is wrong: the worker refuses to start; no user is asked for anything", async (t) => {
  const { scalekit, errand } = await testWorld(t);
  void errand;
  const bad = createErrand({
    redis: redisUrl(),
    scalekit: { envUrl: scalekit.url, clientId: scalekit.clientId, clientSecret: "wrong" },
    models: { openai: { apiKey: "k" } },
    agents: [inboxDigest],
    logger,
  });
  t.after(() => bad.close());
  await assert.rejects(
    bad.worker().ready(),
    (error: ErrandError) => error.code === "scalekit-auth" && !error.message.includes("wrong"),
  );
  assert.equal(scalekit.links.length, 0);
});

test("a tool that the user's account does not offer ends the run before a token is bought", async (t) => {
  const sender = agent({
    name: "sender",
    model: "openai/x",
    instructions: "",
    connections: ["gmail"],
    tools: ["gmail_send_message"],
    input: z.object({}),
  });
  const world = await testWorld(t, { errand: { agents: [sender] } });
  world.scalekit.connect("ada", "gmail", { scopes: ["https://www.googleapis.com/auth/gmail.readonly"] });
  world.errand.worker();
  const run = await world.errand.enqueue(sender, { identifier: "ada", input: {} });
  await assert.rejects(run.result({ timeoutMs: 60_000 }), {
    code: "run-failed",
    message: /do not offer these tools of agent "sender": gmail_send_message/,
  });
  assert.equal((await run.get()).failure?.code, "tools-missing");
  assert.equal(world.model.requests.length, 0);
});

async function digestBy(world: World): Promise<ReturnType<World["errand"]["enqueue"]>> {
  await giveMail(world, "ada");
  world.scalekit.connect("ada", "gmail");
  world.errand.worker({ wakeEveryMs: 50 });
  return world.errand.enqueue(inboxDigest, { identifier: "ada", input });
}

test("the model asks for an unknown tool: it is told the near names, and nothing is executed", async (t) => {
  const world = await testWorld(t, { script: [call("gmail_list_mails", {}), done] });
  const run = await digestBy(world);
  await run.result({ timeoutMs: 60_000 });
  assert.deepEqual(
    told(world).map((e) => e.type),
    ["UnknownTool"],
  );
  assert.match(told(world)[0]?.message ?? "", /gmail_fetch_mails/);
  assert.equal(world.scalekit.ledger.length, 0);
});

test("the model sends broken JSON, a list, and arguments that fail the schema: each is told why, and nothing is executed", async (t) => {
  const script = [
    brokenArguments("gmail_fetch_mails", '{"max'),
    calls([call("gmail_fetch_mails", "[1]"), call("gmail_get_message_by_id", { id: 7 })]),
    done,
  ];
  const world = await testWorld(t, { script });
  await (await digestBy(world)).result({ timeoutMs: 60_000 });
  assert.deepEqual(
    told(world).map((e) => e.type),
    ["InvalidArguments", "InvalidArguments", "InvalidArguments"],
  );
  assert.match(told(world)[2]?.message ?? "", /message_id/);
  assert.equal(world.scalekit.ledger.length, 0);
});

test("the model asks for 1,000 calls at once: sixteen are made, all are answered", async (t) => {
  const world = await testWorld(t, {
    script: [manyCalls(1_000, "gmail_fetch_mails", () => ({ max_results: 1 })), done],
  });
  await (await digestBy(world)).result({ timeoutMs: 60_000 });
  assert.equal(world.scalekit.ledger.length, 16);
  const answered = world.model.requests.at(-1)?.messages.filter((m) => m.role === "tool").length;
  assert.ok(answered !== undefined && answered >= 128, `the transcript stays whole: ${answered}`);
});

/** Other calls each time: no loop. */
function more(messages: number): ReturnType<typeof call> {
  return call("gmail_fetch_mails", { max_results: 1 + messages });
}

test("the model never stops: the last turn is reserved for an answer, and the result is marked truncated", async (t) => {
  const world = await testWorld(t, {
    script: ({ toolChoice, messages }) => (toolChoice === "none" ? done : more(messages.length)),
  });
  const run = await digestBy(world);
  await run.result({ timeoutMs: 60_000 });
  const view = await run.get();
  assert.equal(view.truncated, true);
  assert.equal(view.turns, inboxDigest.limits.turns);
  assert.equal(view.toolCalls, inboxDigest.limits.turns - 1);
});

test("the model ignores even that: the run fails with a reason", async (t) => {
  const world = await testWorld(t, { script: ({ messages }) => more(messages.length) });
  const run = await digestBy(world);
  await assert.rejects(run.result({ timeoutMs: 60_000 }), { code: "run-failed" });
  assert.equal((await run.get()).failure?.code, "turn-limit");
});

test("the model asks for the same again and again: it is told from the third time on, and after the fifth it must answer", async (t) => {
  const world = await testWorld(t, { script: ({ toolChoice }) => (toolChoice === "none" ? done : fetchMails) });
  const run = await digestBy(world);
  await run.result({ timeoutMs: 60_000 });
  const view = await run.get();
  assert.deepEqual([view.turns, view.toolCalls, view.truncated], [6, 2, true]);
  assert.equal(world.scalekit.ledger.length, 2, "what was told not to be made was not made");
  const told =
    world.model.requests
      .at(-1)
      ?.messages.filter((m) => m.role === "tool")
      .map((m) => m.text) ?? [];
  assert.deepEqual(
    told.map((text) => text.includes("RepeatedCalls")),
    [false, false, true, true, true],
  );
});

test("an answer that does not fit the output schema is sent back with the problem; only a fitting one is a result", async (t) => {
  const world = await testWorld(t, { script: [say("Here you are!"), say('{"unread":"many"}'), done] });
  const run = await digestBy(world);
  assert.deepEqual(await run.result({ timeoutMs: 60_000 }), { unread: 1, summary: "One mail.", highlights: [] });
  const nudges =
    world.model.requests
      .at(-1)
      ?.messages.filter((m) => m.role === "user")
      .map((m) => m.text) ?? [];
  assert.match(nudges[1] ?? "", /not valid JSON/);
  assert.match(nudges[2] ?? "", /unread: Invalid input: expected number, received string/);
});

test("a model that is down for a moment costs a wait, not the run; wrong credentials park it for the operator", async (t) => {
  let down = true;
  const world = await testWorld(t, { script: () => (down ? httpError(503) : done) });
  const run = await digestBy(world);
  const parked = await untilEvent(run, "run.parked");
  assert.deepEqual([parked.reason, parked.needs], ["retry", []]);
  down = false;
  await run.result({ timeoutMs: 60_000 });

  const denied = await testWorld(t, { script: () => httpError(401) });
  const second = await digestBy(denied);
  assert.equal((await untilEvent(second, "run.parked")).reason, "outage");
});

test("an agent's own code that throws ends its run with a reason, and harms no other", async (t) => {
  const broken = agent({
    name: "broken",
    model: "openai/x",
    instructions: () => {
      throw new Error("no template");
    },
    input: z.object({}),
  });
  const world = await testWorld(t, { script: [done], errand: { agents: [broken, inboxDigest] } });
  const other = await digestBy(world);
  const run = await world.errand.enqueue(broken, { identifier: "ada", input: {} });
  await assert.rejects(run.result({ timeoutMs: 60_000 }), { code: "run-failed", message: /no template/ });
  assert.equal((await run.get()).failure?.code, "agent-error");
  await other.result({ timeoutMs: 60_000 });
});

test("no Redis, and a Redis that refuses our password: said in one sentence, without the password", async (t) => {
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as { port: number };
  closed.close();
  const nowhere = createErrand({ redis: `redis://127.0.0.1:${port}`, agents: [inboxDigest], logger });
  t.after(() => nowhere.close());
  await assert.rejects(nowhere.enqueue(inboxDigest, { identifier: "ada", input }), {
    code: "redis-unavailable",
    message: new RegExp(`No Redis answers at 127.0.0.1:${port}.*REDIS_URL`),
  });

  const locked = await startRedis({ password: "right-one" });
  t.after(() => locked.stop());
  const refused = createErrand({ redis: `redis://:wrong-one@127.0.0.1:${locked.port}`, agents: [inboxDigest], logger });
  t.after(() => refused.close());
  await assert.rejects(refused.enqueue(inboxDigest, { identifier: "ada", input }), (error: ErrandError) => {
    assert.equal(error.code, "redis-auth");
    assert.doesNotMatch(error.message, /wrong-one/);
    return true;
  });
});

test("options that cannot be: each named, with what was expected", () => {
  const base = { redis: redisUrl(), agents: [inboxDigest], logger };
  assert.throws(() => createErrand({ ...base, agents: [inboxDigest, inboxDigest] }), {
    code: "agent-invalid",
    message: /two agents are called "inbox-digest"/,
  });
  assert.throws(() => createErrand({ ...base, models: { opnai: { apiKey: "k" } } }), {
    code: "config-invalid",
    message: /no profile "openai".*Did you mean "opnai"/,
  });
  assert.throws(() => createErrand({ ...base, leaseMs: 10 }), {
    code: "config-invalid",
    message: /leaseMs: expected at least 500/,
  });
  assert.throws(() => createErrand({ ...base, perIdentifier: 0 }), {
    code: "config-invalid",
    message: /perIdentifier: expected a whole number of at least 1, got 0/,
  });
  assert.throws(() => createErrand({ ...base, prefix: "a b" }), { code: "config-invalid" });
});
