/** Options with a slip of the pen, at every place of the public API that takes some. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { createErrand } from "../../src/index.ts";
import { inboxDigest, testWorld } from "../support/world.ts";

const input = { query: "is:unread" };
const logger = pino({ level: "silent" });

test("an option that there is not is refused everywhere, before it does anything: misspelt, it would silently not hold", async (t) => {
  const { errand } = await testWorld(t);
  const stray = <T>(given: T): never => given as never;
  const rows: readonly (readonly [string, () => unknown])[] = [
    ["identifer", () => errand.enqueue(inboxDigest, stray({ identifer: "ada", input }))],
    ["idempotencykey", () => errand.enqueue(inboxDigest, stray({ identifier: "ada", input, idempotencykey: "k" }))],
    ["stauts", () => errand.runs(stray({ stauts: "parked" }))],
    ["tennant", () => errand.lines(stray({ tennant: "acme" }))],
    ["user", () => errand.parked(stray({ user: "ada" }))],
    ["identifer", () => errand.authorizations.cancel(stray({ connection: "gmail", identifer: "ada" }))],
    ["max", () => errand.unknowns(stray({ max: 5 }))],
    ["user", () => errand.approvals.list(stray({ user: "ada" }))],
    ["arguments", () => errand.approvals.approve("run_0_x/y", stray({ arguments: {} }))],
    ["reason", () => errand.approvals.deny("run_0_x/y", stray({ reason: "no" }))],
    ["agnet", () => errand.schedules.deleteAll(stray({ identifier: "ada", agnet: "inbox-digest" }))],
    ["agnet", () => errand.schedules.list(stray({ agnet: "inbox-digest" }))],
    ["cancel", () => errand.schedules.delete("s", stray({ cancel: true }))],
    ["key", () => errand.schedules.trigger("s", stray({ key: "k" }))],
    ["timeout", () => errand.run("run_0_x").result(stray({ timeout: 5 }))],
    ["follows", () => errand.run("run_0_x").events(stray({ follows: false }))],
    ["who", () => errand.run("run_0_x").raise({ turns: 9 }, stray({ who: "mira" }))],
    ["who", () => errand.run("run_0_x").answer("t0c0", "happened", stray({ who: "mira" }))],
    ["because", () => errand.pause({ agent: "inbox-digest" }, stray({ because: "it spams" }))],
  ];
  for (const [name, act] of rows)
    await assert.rejects(async () => act(), { code: "option-invalid", message: new RegExp(`there is no "${name}"`) });
  assert.throws(() => errand.worker(stray({ concurency: 1 })), {
    code: "config-invalid",
    message: /^worker: there is no "concurency"\. Did you mean "concurrency"\?/,
  });
  assert.deepEqual([(await errand.runs()).runs, await errand.switches()], [[], []]);
  const whole: readonly (readonly [string, object])[] = [
    ["perTenat", { perTenat: 5 }],
    ["budget", { budget: { identifier: { tokens: 1 } } }],
    ['authorization: there is no "baseURL"', { authorization: { baseURL: "https://app.example.com" } }],
    ['massLoss: there is no "hold"', { massLoss: { hold: 1 } }],
  ];
  for (const [name, more] of whole)
    assert.throws(
      () => createErrand({ redis: "redis://127.0.0.1:1", agents: [inboxDigest], logger, ...more }),
      { code: "config-invalid", message: new RegExp(name) },
      name,
    );
});
