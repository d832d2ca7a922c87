/** Who hears of calls that wait for a person's word, and what the list of them shows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { agent, type AuthorizationEvent } from "../../src/index.ts";
import { calls, say, type Script } from "../../src/testing/index.ts";
import { BASE_URL, testWorld } from "../support/world.ts";
import { only, send, start, WAIT } from "./approvals-stage.ts";

test("the app hears of it, once for all calls of a turn, without their arguments", async (t) => {
  const events: AuthorizationEvent[] = [];
  const told = new Promise<void>((resolve) => {
    const made = agent({
      name: "sender",
      model: "openai/scripted",
      instructions: "Send.",
      connections: ["gmail"],
      tools: ["gmail_send_message"],
      needsApproval: true,
      input: z.object({}),
    });
    const onEvent = (event: AuthorizationEvent): void => {
      events.push(event);
      resolve();
    };
    const script: Script = [calls([send("a@x.com"), send("b@x.com")]), say("done")];
    void testWorld(t, { script, errand: { agents: [made], authorization: { baseUrl: BASE_URL, onEvent } } }).then(
      async ({ scalekit, errand }) => {
        scalekit.connect("ada", "gmail");
        errand.worker({ wakeEveryMs: 20 });
        await errand.enqueue(made, { identifier: "ada", input: {} });
      },
    );
  });
  await told;
  const [event] = events;
  assert.ok(event?.type === "approval.required", event?.type);
  assert.deepEqual(
    [event.identifier, event.agent, event.approvals.map(({ call: id }) => id)],
    ["ada", "sender", ["t0c0", "t0c1"]],
  );
  assert.ok(
    event.approvals.every(({ id }) => id.startsWith(`${event.run}/`)),
    "ids to decide by",
  );
  assert.doesNotMatch(JSON.stringify(events), /a@x\.com/);
});

test("cancelled while it waits: nothing waits any more, and nobody can approve it", async (t) => {
  const scene = await start(t, { script: [send(), say("sent")], needsApproval: true });
  const { id } = only(await scene.waiting());
  await scene.run.cancel();
  await assert.rejects(scene.run.result(WAIT), { code: "run-cancelled" });
  assert.deepEqual(await scene.errand.approvals.list(), { approvals: [] });
  await assert.rejects(scene.errand.approvals.approve(id), {
    code: "approval-over",
    message: /can be decided no more: its run is cancelled\./,
  });
  assert.deepEqual(scene.sent(), []);
});

test("lists by pages and by user; ids that are none", async (t) => {
  const scene = await start(t, {
    script: [calls([send("a@x.com"), send("b@x.com")]), say("done")],
    needsApproval: true,
  });
  await scene.waiting();
  const one = await scene.errand.approvals.list({ limit: 1 });
  const two = await scene.errand.approvals.list({ limit: 1, cursor: one.cursor ?? "" });
  assert.deepEqual(
    [...one.approvals, ...two.approvals].map(({ call: id }) => id),
    ["t0c0", "t0c1"],
  );
  assert.deepEqual((await scene.errand.approvals.list({ identifier: "bob" })).approvals, []);
  const { approvals } = scene.errand;
  await assert.rejects(approvals.list({ limit: 0 }), { code: "option-invalid" });
  await assert.rejects(approvals.list({ cursor: "x" }), { code: "option-invalid" });
  await assert.rejects(approvals.approve("nonsense"), { code: "approval-unknown" });
  await assert.rejects(approvals.approve(`${scene.run.id}/nonsense`), { code: "approval-unknown" });
  await assert.rejects(approvals.deny("run_0_none/x"), { code: "run-unknown" });
  await assert.rejects(approvals.deny(one.approvals[0]?.id ?? "", { message: "x".repeat(1_001) }), {
    code: "option-invalid",
  });
});
