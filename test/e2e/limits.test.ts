/** Limits over the wire: profiles shared by all workers, cool-downs, stops, tokens and money, all with real SDKs and a real Redis. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Redis } from "ioredis";
import { pino } from "pino";
import { z } from "zod";
import { agent, type Agent, type AtLimit, type ErrandOptions, type Limits, type ModelAlarm } from "../../src/index.ts";
import { call, httpError, say, type Script, type ScriptedModel, startScriptedModel } from "../../src/testing/index.ts";
import { redisCooling } from "../../src/queue/cooling.ts";
import { DEFAULT_STORE, openStore } from "../../src/queue/store.ts";
import { redisUrl } from "../support/store.ts";
import { testWorld, untilEvent, type World } from "../support/world.ts";

const greeter = agent({ name: "greeter", model: "openai/scripted", instructions: "Greet.", input: z.object({}) });

interface Stage extends World {
  readonly mine: ScriptedModel;
}

async function stage(
  t: TestContext,
  script: Script,
  profile: object = {},
  errand: Partial<ErrandOptions> = {},
  agents: readonly Agent[] = [greeter],
): Promise<Stage> {
  const mine = await startScriptedModel({ script });
  t.after(() => mine.close());
  const models = { openai: { apiKey: mine.apiKey, baseURL: mine.url, ...profile } };
  const world = await testWorld(t, { errand: { agents, models, ...errand } });
  return { ...world, mine };
}

const runOf = (world: World, identifier: string, of: Agent = greeter): ReturnType<World["errand"]["enqueue"]> =>
  world.errand.enqueue(of.name, { identifier, input: {} });

test("requests a minute: a run over the limit parks until a moment, holding no slot, and it counts as no attempt", async (t) => {
  const world = await stage(t, () => say("Hello"), { requestsPerMinute: 1 });
  world.errand.worker();
  const [first, second] = [await runOf(world, "ada"), await runOf(world, "bob")];
  const parked = await Promise.any([untilEvent(first, "run.parked"), untilEvent(second, "run.parked")]);
  assert.equal(parked.reason, "rate-limit");
  assert.match(parked.message ?? "", /requests a minute to model\/openai/);
  assert.ok((parked.until ?? 0) - parked.at <= 150_000, String(parked.until));
  await Promise.any([first.result({ timeoutMs: 60_000 }), second.result({ timeoutMs: 60_000 })]);
  assert.equal(world.mine.requests.length, 1);
});

test("calls at once: never more than the limit, by two workers; whoever waits goes on when one is done", async (t) => {
  let [now, most] = [0, 0];
  let [release, asked] = [(): void => undefined, (): void => undefined];
  const released = new Promise<void>((resolve) => (release = resolve));
  const twoAsked = new Promise<void>((resolve) => (asked = resolve));
  const script: Script = async () => {
    most = Math.max(most, ++now);
    if (now === 2) asked();
    await released;
    now--;
    return say("Hello");
  };
  const world = await stage(t, script, { concurrency: 2 });
  world.errand.worker({ wakeEveryMs: 50 });
  world.errand.worker({ wakeEveryMs: 50 });
  const runs = await Promise.all(Array.from({ length: 12 }, (_, i) => runOf(world, `user${i}`)));
  await Promise.all([twoAsked, all(10, runs, (run) => untilEvent(run, "run.parked"))]);
  assert.equal(now, 2, "two are asked, and nobody else");
  release();
  await Promise.all(runs.map((run) => run.result({ timeoutMs: 60_000 })));
  assert.equal(most, 2);
});

test("a 429 with Retry-After: one request, no retry of the SDK's; nobody else asks until then; no attempt is used up", async (t) => {
  const world = await stage(t, (_, { index }) => (index === 0 ? httpError(429, { retryAfter: 2 }) : say("Hello")));
  world.errand.worker({ wakeEveryMs: 50 });
  const first = await runOf(world, "ada");
  const parked = await untilEvent(first, "run.parked");
  assert.equal(parked.reason, "rate-limit");
  assert.equal(world.mine.requests.length, 1, "the SDK repeats nothing");
  const others = await Promise.all(["bob", "cy", "dan"].map((user) => runOf(world, user)));
  const waiting = await Promise.all(others.map((run) => untilEvent(run, "run.parked")));
  assert.equal(world.mine.requests.length, 1, "nobody else asked");
  const moments = waiting.map(({ until = 0 }) => until);
  assert.equal(new Set(moments).size, 3, "they come back one after the other");
  for (const { reason, message, until = 0 } of waiting) {
    assert.deepEqual([reason, message], ["rate-limit", "a cool-down of model/openai"]);
    assert.ok(until >= parked.at + 1_900, `${until - parked.at}`);
  }
  for (const run of [first, ...others]) assert.equal(await run.result({ timeoutMs: 60_000 }), "Hello");
  assert.equal(world.mine.requests.length, 5);
});

test("a quota that is used up: the profile stops for all, with one alarm; errand.reopen lets the runs go on", async (t) => {
  const alarms: ModelAlarm[] = [];
  let paid = false;
  const quota = httpError(429, { type: "insufficient_quota", code: "insufficient_quota", message: "You exceeded" });
  const world = await stage(t, () => (paid ? say("Hello") : quota), {}, { onAlarm: (alarm) => alarms.push(alarm) });
  world.errand.worker({ wakeEveryMs: 50 });
  const first = await runOf(world, "ada");
  assert.equal((await untilEvent(first, "run.parked")).reason, "budget");
  const others = await Promise.all(["bob", "cy"].map((user) => runOf(world, user)));
  for (const run of others) assert.equal((await untilEvent(run, "run.parked")).reason, "budget");
  assert.equal(world.mine.requests.length, 1);
  assert.deepEqual(
    alarms.map(({ code, profile }) => [code, profile]),
    [["model-billing", "openai"]],
  );
  paid = true;
  await assert.rejects(world.errand.reopen("opneai"), { code: "option-invalid", message: /Did you mean "openai"/ });
  assert.equal(await world.errand.reopen("openai"), true);
  for (const run of others) assert.equal(await run.result({ timeoutMs: 60_000 }), "Hello");
});

function limited(limits: Partial<Limits>, atLimit: AtLimit = "answer"): Agent {
  const tools = [{ name: "gmail_fetch_mails", polling: true }];
  const more = { instructions: "Greet.", connections: ["gmail"], tools, input: z.object({}) };
  return agent({ name: "limited", model: "openai/scripted", limits, atLimit, ...more });
}

const fetchMails = call("gmail_fetch_mails", { max_results: 1 });
/** Asks for mail as long as it may. */
const greedy: Script = ({ toolChoice }) => (toolChoice === "none" ? say("What I have") : fetchMails);
const PRICE = { price: { input: 100, output: 100 } };

test("tokens: the last turn is kept for an answer, and is told how long it may be; never more than the limit is used", async (t) => {
  const of = limited({ tokens: 3_000, turns: 50 });
  const world = await stage(t, greedy, {}, {}, [of]);
  world.scalekit.connect("ada", "gmail");
  world.errand.worker();
  const run = await runOf(world, "ada", of);
  assert.equal(await run.result({ timeoutMs: 60_000 }), "What I have");
  const view = await run.get();
  assert.equal(view.truncated, true);
  assert.ok(view.usage.input + view.usage.output <= 3_000, JSON.stringify(view.usage));
  const [first, last] = [world.mine.requests.at(0), world.mine.requests.at(-1)];
  const mostOf = (it: typeof first): number =>
    Number((it?.body as { max_completion_tokens?: number } | undefined)?.max_completion_tokens);
  assert.ok(mostOf(first) > 0 && mostOf(last) > 0, `${mostOf(first)} ${mostOf(last)}`);
});

test("money: by the profile's own price; at the limit it fails with a code, what text there is is kept", async (t) => {
  const of = limited({ costUsd: 0.3, turns: 50 }, "fail");
  const world = await stage(t, greedy, PRICE, {}, [of]);
  world.scalekit.connect("ada", "gmail");
  world.errand.worker();
  const run = await runOf(world, "ada", of);
  await assert.rejects(run.result({ timeoutMs: 60_000 }), { code: "run-failed" });
  const view = await run.get();
  assert.equal(view.failure?.code, "cost-limit");
  assert.ok((view.costUsd ?? 9) <= 0.3, String(view.costUsd));
});

test("a day's budget: whoever has used it up waits until the day ends; others do not; an operator gives more", async (t) => {
  const of = limited({ turns: 50 }, "park");
  const budgets = { identifier: { tokens: 2_500 } };
  const world = await stage(t, greedy, {}, { budgets }, [of]);
  for (const user of ["ada", "bob"]) world.scalekit.connect(user, "gmail");
  world.errand.worker({ wakeEveryMs: 50 });
  const first = await runOf(world, "ada", of);
  const parked = await untilEvent(first, "run.parked");
  assert.equal(parked.reason, "budget");
  assert.match(parked.message ?? "", /^The day's budget is used up: identifier:ada:\d{4}-\d\d-\d\d$/);
  assert.ok((parked.until ?? 0) - parked.at <= 86_400_000 + 60_000, String(parked.until));
  const used = await world.errand.budget({ identifier: "ada" });
  assert.ok(
    used.tokens.used <= 2_500 && used.tokens.limit === 2_500 && used.tokens.reserved === 0,
    JSON.stringify(used),
  );
  const other = await runOf(world, "bob", of);
  await untilEvent(other, "turn.committed");
  await world.errand.raiseBudget({ identifier: "ada" }, { tokens: 100_000 });
  await untilEvent(first, "turn.committed");
});

test("enqueue: so many runs a day and so many parked ones for each user; a known key still gives its run", async (t) => {
  const of = limited({});
  const budgets = { identifier: { runs: 3, parked: 2 }, tenant: { runs: 4 }, timeZone: "Asia/Tokyo" };
  const world = await stage(t, greedy, {}, { budgets }, [of]);
  const enqueue = (identifier: string, idempotencyKey: string): ReturnType<World["errand"]["enqueue"]> =>
    world.errand.enqueue(of.name, { identifier, input: {}, idempotencyKey, tenant: "acme" });
  world.errand.worker({ wakeEveryMs: 50 });
  const [one, two] = [await enqueue("ada", "1"), await enqueue("ada", "2")];
  for (const run of [one, two]) await untilEvent(run, "run.parked");
  const refused = { code: "budget-exceeded" };
  await assert.rejects(enqueue("ada", "3"), {
    ...refused,
    message: /: identifier ada has 2 parked runs, and budgets.identifier.parked allows 2\. Connect/,
  });
  assert.equal((await enqueue("ada", "1")).id, one.id);
  await one.cancel();
  await two.cancel();
  await enqueue("ada", "4");
  const { endsAt } = await world.errand.budget({ identifier: "ada" });
  await assert.rejects(enqueue("ada", "5"), {
    ...refused,
    message: `enqueue limited: identifier ada has enqueued 3 runs today, and budgets.identifier.runs allows 3. Enqueue it again from ${new Date(endsAt).toISOString()} on, when its day has ended, or raise budgets.identifier.runs.`,
    details: { limit: "runs", whose: "identifier:ada", used: 3, most: 3, until: endsAt },
  });
  await enqueue("bob", "1");
  await assert.rejects(enqueue("cy", "1"), {
    ...refused,
    message: /: tenant acme has enqueued 4 runs today, and budgets.tenant.runs allows 4\./,
  });
  assert.deepEqual((await world.errand.budget({ tenant: "acme" })).runs, { used: 4, limit: 4 });
});

test("a run that waits at a limit goes on when it is raised, and not while a worker has it", async (t) => {
  const of = limited({ turns: 1 }, "park");
  const world = await stage(t, [fetchMails, say("Done")], {}, {}, [of]);
  world.scalekit.connect("ada", "gmail");
  world.errand.worker({ wakeEveryMs: 50 });
  const run = await runOf(world, "ada", of);
  const parked = await untilEvent(run, "run.parked");
  assert.deepEqual([parked.reason, parked.message], ["budget", "The run's limit is met: turns 1."]);
  await assert.rejects(run.raise({}), { code: "option-invalid" });
  await assert.rejects(run.raise({ turns: -1 }), { code: "option-invalid" });
  await run.raise({ turns: 5 }, { by: "olga" });
  assert.equal(await run.result({ timeoutMs: 60_000 }), "Done");
  await assert.rejects(run.raise({ turns: 9 }), { code: "option-invalid" });
  await assert.rejects(world.errand.run("run_0_none").raise({ turns: 9 }), { code: "run-unknown" });
});

test("a model without a price: money limits nothing, tokens do, and the log says so once", async (t) => {
  const lines: string[] = [];
  const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
  const of = limited({ costUsd: 0.000_001, tokens: 3_000, turns: 50 });
  const world = await stage(t, greedy, {}, { logger }, [of]);
  world.scalekit.connect("ada", "gmail");
  world.errand.worker();
  const run = await runOf(world, "ada", of);
  assert.equal(await run.result({ timeoutMs: 60_000 }), "What I have");
  assert.equal((await run.get()).costUsd, undefined);
  assert.equal(lines.filter((line) => line.includes("model.price-unknown")).length, 1, lines.join(""));
});

/** One mail is fetched, then it says so. */
const oneMail: Script = ({ messages }) => (messages.some(({ role }) => role === "tool") ? say("Hello") : fetchMails);

test("Scalekit's own limit: nobody asks Scalekit for anything until then", async (t) => {
  const of = limited({});
  const world = await stage(t, oneMail, {}, {}, [of]);
  for (const user of ["ada", "bob"]) world.scalekit.connect(user, "gmail");
  world.scalekit.faults.add({ method: "ExecuteTool", code: "ResourceExhausted", errorCode: "RATE_LIMITED", times: 1 });
  world.errand.worker({ wakeEveryMs: 50 });
  const first = await runOf(world, "ada", of);
  await untilEvent(first, "run.parked");
  const second = await runOf(world, "bob", of);
  const events = [];
  for await (const event of second.events()) events.push(event);
  const parked = events.find((event) => event.type === "run.parked");
  const settled = events.find((event) => event.type === "tool.settled");
  // The wait is short; a slow machine may come too late for it, but never too early.
  if (parked?.type === "run.parked")
    assert.deepEqual([parked.reason, parked.message], ["rate-limit", "a cool-down of scalekit"]);
  assert.ok(settled?.type === "tool.settled" && settled.outcome === "ok", JSON.stringify(settled));
  assert.equal(await first.result({ timeoutMs: 60_000 }), "Hello");
});

test("a provider's limit for one user closes his account for his other runs, and nobody else's", async (t) => {
  const of = limited({});
  const world = await stage(t, oneMail, {}, {}, [of]);
  const redis = new Redis(redisUrl());
  const store = openStore(redis, world.prefix, DEFAULT_STORE);
  t.after(() => redis.disconnect());
  for (const user of ["ada", "bob"]) world.scalekit.connect(user, "gmail");
  const toolError = { status: 429, code: "rateLimitExceeded", message: "slow down" };
  world.scalekit.faults.add({ method: "ExecuteTool", toolError, identifier: "ada", times: 1 });
  world.errand.worker({ wakeEveryMs: 50 });
  assert.equal(await (await runOf(world, "ada", of)).result({ timeoutMs: 60_000 }), "Hello");
  const key = "account/ada/gmail";
  assert.equal(await redis.hget(`${store.prefix}cool:${key}`, "why"), "rate-limit");

  const backoff = { baseMs: 1_000, capMs: 1_000 };
  await redisCooling(store).close(key, { why: "rate-limit", retryAfterMs: 3_000, backoff, random: 0, nonce: "n" });
  const before = world.scalekit.ledger.length;
  const [ada, bob] = [await runOf(world, "ada", of), await runOf(world, "bob", of)];
  const parked = await untilEvent(ada, "run.parked");
  assert.deepEqual([parked.reason, parked.message], ["rate-limit", `a cool-down of ${key}`]);
  assert.equal(await bob.result({ timeoutMs: 60_000 }), "Hello");
  assert.deepEqual((await bob.get()).waits, []);
  assert.equal(await ada.result({ timeoutMs: 60_000 }), "Hello");
  const calls = world.scalekit.ledger.slice(before).map(({ identifier }) => identifier);
  assert.deepEqual(calls.toSorted(), ["ada", "bob"]);
});

/** Resolves when so many of them have come there. */
async function all<T>(count: number, of: readonly T[], comes: (one: T) => Promise<unknown>): Promise<void> {
  let left = count;
  await new Promise<void>((resolve, reject) => {
    for (const one of of)
      comes(one).then(
        () => void (--left === 0 && resolve()),
        (error: unknown) => void (left > 0 && reject(error as Error)),
      );
  });
}
