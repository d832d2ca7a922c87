/** `errand approvals`: the list, and the word. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { agent } from "../../src/index.ts";
import { call, calls, say } from "../../src/testing/index.ts";
import { redisUrl } from "../support/store.ts";
import { testWorld, untilEvent } from "../support/world.ts";
import { errandHere } from "./command.ts";

test("list without the user's data, approve with other arguments, deny with a reason", async (t) => {
  const made = agent({
    name: "sender",
    model: "openai/scripted",
    instructions: "Send.",
    connections: ["gmail"],
    tools: ["gmail_send_message"],
    needsApproval: true,
    input: z.object({}),
  });
  const letter = (to: string): ReturnType<typeof call> =>
    call("gmail_send_message", { to, subject: "Secret plan", body: "…" });
  const world = await testWorld(t, {
    script: [calls([letter("a@x.com"), letter("b@x.com")]), say("done")],
    errand: { agents: [made] },
  });
  world.scalekit.connect("ada", "gmail");
  world.errand.worker({ wakeEveryMs: 20 });
  const run = await world.errand.enqueue(made, { identifier: "ada", input: {} });
  await untilEvent(run, "run.parked");
  const env = { REDIS_URL: redisUrl(), ERRAND_PREFIX: world.prefix };
  const cli = (...args: string[]): ReturnType<typeof errandHere> =>
    errandHere(["approvals", ...args], env, { cwd: "/" });

  const list = await cli();
  assert.match(list.stdout, /gmail_send_message \(unsafe\) on gmail for ada: call t0c0 of sender, always/);
  assert.doesNotMatch(list.stdout, /Secret plan/);
  assert.match((await cli("--content")).stdout, /Secret plan/);
  assert.doesNotMatch((await cli("--json")).stdout, /Secret plan/);
  assert.match((await cli("--identifier", "bob")).stderr, /nothing waits/);

  const { approvals } = JSON.parse((await cli("--json")).stdout) as { approvals: { id: string }[] };
  const [one = "", two = ""] = approvals.map(({ id }) => id);
  const edited = JSON.stringify({ to: "boss@x.com", subject: "Plan", body: "…" });
  assert.match((await cli("approve", one, "--args", "{")).stderr, /option-invalid/);
  assert.match((await cli("approve", one, "--by", "grace", "--args", edited)).stdout, /approved/);
  assert.match((await cli("deny", two, "--message", "Not him.")).stdout, /denied/);
  assert.equal((await cli("deny", one)).code, 1);
  assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
  assert.deepEqual(
    world.scalekit.ledger.map(({ input }) => input["to"]),
    ["boss@x.com"],
  );
  const shown = await errandHere(["show", run.id], env, { cwd: "/" });
  assert.match(shown.stdout, /needs approval \(always\)[\s\S]*approved by grace, with other arguments[\s\S]*denied/);
});
