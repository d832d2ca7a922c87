/** Calls that need a person's word, over the wire: asked, approved, denied, edited, in time and too late. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { type ApprovalPolicy, type NeedsApproval, tool, type ToolUse } from "../../src/index.ts";
import { call, calls, type Fault, say } from "../../src/testing/index.ts";
import { untilEvent } from "../support/world.ts";
import { letter, only, send, start, WAIT } from "./approvals-stage.ts";

test("asked: the run parks, holds nothing, and whoever decides sees what would be done; approved, it is done once", async (t) => {
  const scene = await start(t, { script: [send(), say("sent")], needsApproval: ["unsafe"] });
  const one = only(await scene.waiting());
  const { id, run, askedAt, expiresAt, ...rest } = one;
  assert.equal(run, scene.run.id);
  assert.ok(id.startsWith(`${run}/`), id);
  assert.ok(expiresAt - askedAt > 86_000_000 && expiresAt - askedAt <= 86_400_000, "a day");
  assert.deepEqual(rest, {
    call: "t0c0",
    tool: "gmail_send_message",
    effect: "unsafe",
    connection: "gmail",
    args: letter("grace@example.com"),
    policy: "effect",
    agent: "sender",
    identifier: "ada",
    status: "parked",
  });
  assert.equal((await scene.run.get()).parked?.reason, "approval");
  assert.deepEqual(scene.sent(), []);
  await scene.errand.approvals.approve(id, { by: "grace" });
  await scene.errand.approvals.approve(id, { by: "grace" });
  assert.equal(await scene.run.result(WAIT), "sent");
  assert.deepEqual(scene.sent(), ["grace@example.com"]);
  assert.deepEqual(await scene.errand.approvals.list(), { approvals: [] });
  const decided = await untilEvent(scene.run, "approval.decided");
  assert.deepEqual([decided.decision, decided.by, decided.edited], ["approved", "grace", false]);
  await assert.rejects(scene.errand.approvals.deny(id), {
    code: "approval-over",
    message: /was decided before: approved by "grace"\./,
  });
});

test("denied: nothing is done, and the model reads why", async (t) => {
  const scene = await start(t, { script: [send(), say("not sent")], needsApproval: true });
  const { id } = only(await scene.waiting());
  await scene.errand.approvals.deny(id, { by: "grace", message: "Not on a Friday." });
  assert.equal(await scene.run.result(WAIT), "not sent");
  assert.deepEqual(scene.sent(), []);
  assert.match(scene.told(), /a person refused it\. Not on a Friday\..*ApprovalDenied/);
});

test("edited: it is done with the approver's arguments, and the model is told which", async (t) => {
  const scene = await start(t, { script: [send(), say("sent")], needsApproval: true });
  const { id } = only(await scene.waiting());
  await assert.rejects(scene.errand.approvals.approve(id, { args: { to: 7 } }), { code: "input-invalid" });
  await assert.rejects(
    scene.errand.approvals.approve(id, { args: { ...letter("x@x.com"), connected_account_id: "ca_1" } }),
    { code: "input-invalid" },
  );
  await scene.errand.approvals.approve(id, { args: letter("boss@example.com") });
  assert.equal(await scene.run.result(WAIT), "sent");
  assert.deepEqual(scene.sent(), ["boss@example.com"]);
  assert.match(scene.told(), /A person changed the arguments.*boss@example\.com/);
});

test("nobody decides: time denies it, the model is told, and it is too late to approve", async (t) => {
  const scene = await start(t, { script: [send(), say("not sent")], needsApproval: true, expiresMs: 300 });
  const asked = await untilEvent(scene.run, "approval.asked");
  assert.equal(await scene.run.result(WAIT), "not sent");
  assert.deepEqual(scene.sent(), []);
  assert.match(scene.told(), /Nobody approved it in time.*ApprovalDenied/);
  await assert.rejects(scene.errand.approvals.approve(asked.id), { code: "approval-over" });
});

test("several at once: each has an id of its own; one is refused, the others are made in order", async (t) => {
  const three = ["a@x.com", "b@x.com", "c@x.com"];
  const scene = await start(t, { script: [calls(three.map(send)), say("done")], needsApproval: true });
  const list = await scene.waiting();
  assert.deepEqual(
    list.map(({ call: id }) => id),
    ["t0c0", "t0c1", "t0c2"],
  );
  assert.equal(new Set(list.map(({ id }) => id)).size, 3);
  // The last one first: the run looks, and waits on for the others.
  await scene.errand.approvals.approve(list[2]?.id ?? "");
  await scene.errand.approvals.deny(list[1]?.id ?? "");
  await scene.errand.approvals.approve(list[0]?.id ?? "");
  assert.equal(await scene.run.result(WAIT), "done");
  assert.deepEqual(scene.sent(), ["a@x.com", "c@x.com"]);
});

test("an approval is for its call: one that the model asks for again needs another", async (t) => {
  const scene = await start(t, { script: [send(), send(), say("done")], needsApproval: true });
  await scene.errand.approvals.approve(only(await scene.waiting()).id);
  const second = only(await scene.waiting(2));
  assert.equal(second.call, "t1c0");
  await scene.errand.approvals.approve(second.id);
  assert.equal(await scene.run.result(WAIT), "done");
  assert.equal(scene.sent().length, 2);
});

test("an attempt that was certainly not executed is made again with the approval that there is", async (t) => {
  const limited: Fault = {
    method: "ExecuteTool",
    tool: "gmail_send_message",
    toolError: { status: 429, code: "RATE_LIMITED", message: "slow" },
  };
  const scene = await start(t, { script: [send(), say("sent")], needsApproval: true, faults: [limited] });
  await scene.errand.approvals.approve(only(await scene.waiting()).id);
  assert.equal(await scene.run.result(WAIT), "sent");
  assert.deepEqual(scene.sent(), ["grace@example.com"]);
});

const RULES: readonly [string, NeedsApproval, ToolUse, ApprovalPolicy | undefined][] = [
  [
    "the tool's own no wins over the agent's yes",
    true,
    { name: "gmail_send_message", needsApproval: false },
    undefined,
  ],
  ["the tool's own yes", false, { name: "gmail_send_message", needsApproval: true }, "always"],
  ["an effect that is not named", ["keyed"], { name: "gmail_send_message" }, undefined],
  [
    "a function that says no",
    ({ args }) => JSON.stringify(args).includes("evil"),
    { name: "gmail_send_message" },
    undefined,
  ],
  [
    "a function that says yes",
    async ({ tool: name }) => name === "gmail_send_message",
    { name: "gmail_send_message" },
    "function",
  ],
  [
    "a function that throws",
    () => {
      throw new Error("no");
    },
    { name: "gmail_send_message" },
    "function",
  ],
  ["after reads, before any", "after-reads", { name: "gmail_send_message" }, undefined],
];

for (const [what, needsApproval, use, policy] of RULES)
  test(`rule: ${what}: ${policy ?? "not asked"}`, async (t) => {
    const scene = await start(t, { script: [send(), say("done")], needsApproval, tools: [use] });
    if (policy !== undefined) {
      const one = only(await scene.waiting());
      assert.equal(one.policy, policy);
      await scene.errand.approvals.approve(one.id);
    }
    assert.equal(await scene.run.result(WAIT), "done");
    assert.deepEqual(scene.sent(), ["grace@example.com"]);
  });

test("after reads: a mail was read, so sending one is asked; what the app's own tool reads is no stranger's word", async (t) => {
  const clock = tool({
    name: "clock",
    description: "Tells the time.",
    input: z.object({}),
    effect: "read",
    execute: () => 1,
  });
  const scene = await start(t, {
    script: [call("clock", {}), send("a@x.com"), call("gmail_fetch_mails", {}), send("b@x.com"), say("done")],
    needsApproval: "after-reads",
    tools: [{ ...clock, trusted: true }, "gmail_fetch_mails", "gmail_send_message"],
  });
  const one = only(await scene.waiting());
  assert.deepEqual([one.policy, one.call], ["after-reads", "t3c0"]);
  assert.deepEqual(scene.sent(), ["a@x.com"]);
  await scene.errand.approvals.approve(one.id);
  assert.equal(await scene.run.result(WAIT), "done");
  assert.deepEqual(scene.sent(), ["a@x.com", "b@x.com"]);
});

test("a call within a tool: the tool is stopped there, the word is asked for, and the tool goes on", async (t) => {
  const report = tool({
    name: "report",
    description: "Sends the report to two.",
    input: z.object({}),
    effect: "composite",
    uses: [{ name: "gmail_send_message", needsApproval: true }],
    execute: async (_input, { tools }) => {
      for (const to of ["a@x.com", "b@x.com"])
        await tools.execute({ tool: "gmail_send_message", parameters: letter(to) }).catch(() => undefined);
      return "reported";
    },
  });
  const scene = await start(t, { script: [call("report", {}), say("done")], tools: [report] });
  const first = only(await scene.waiting());
  assert.equal(first.call, "t0c0n0");
  await scene.errand.approvals.approve(first.id);
  const second = only(await scene.waiting(2));
  assert.deepEqual(scene.sent(), ["a@x.com"]);
  await scene.errand.approvals.deny(second.id);
  assert.equal(await scene.run.result(WAIT), "done");
  assert.deepEqual(scene.sent(), ["a@x.com"]);
  assert.match(scene.told(), /reported/);
});

test("a tool of the app's own says it where it is written; an agent may say otherwise", async (t) => {
  const executed: string[] = [];
  const pay = tool({
    name: "pay",
    description: "Pays.",
    input: z.object({ to: z.string() }),
    needsApproval: true,
    execute: ({ to }) => executed.push(to),
  });
  const script = [call("pay", { to: "grace" }), say("paid")];
  const asked = await start(t, { script, tools: [pay] });
  const one = only(await asked.waiting());
  assert.deepEqual([one.tool, executed], ["pay", []]);
  await asked.errand.approvals.approve(one.id, { by: "mira" });
  assert.equal(await asked.run.result(WAIT), "paid");
  const free = await start(t, { script, tools: [{ ...pay, needsApproval: false }] });
  assert.equal(await free.run.result(WAIT), "paid");
  assert.deepEqual(executed, ["grace", "grace"]);
});
