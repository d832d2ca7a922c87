/** A tool call of which nobody knows whether it was executed: over the wire, with the provider's own count of what it did. */
import assert from "node:assert/strict";
import { it, suite, test, type TestContext } from "node:test";
import { z } from "zod";
import { agent, type ErrandOptions, type RunHandle, type ToolUse, type TypedAgent } from "../../src/index.ts";
import { call, type Fault, say, type Script, toolOutcomes } from "../../src/testing/index.ts";
import { testWorld, untilEvent, type World } from "../support/world.ts";

const LETTER = { to: "grace@example.com", subject: "Report", body: "All is well." };
const WAIT = { timeoutMs: 60_000 };

type Sender = TypedAgent<Record<string, never>, Record<string, never>, string>;

function sender(tools: readonly (string | ToolUse)[], onUnknown?: "tell" | "ask" | "fail"): Sender {
  return agent({
    name: "sender",
    model: "openai/scripted",
    instructions: "Send the report.",
    connections: ["gmail"],
    tools,
    input: z.object({}),
    limits: { toolTimeoutMs: 2_000 },
    ...(onUnknown !== undefined && { onUnknown }),
  });
}

interface Scene extends World {
  readonly run: RunHandle<string>;
  executions(tool: string): number;
  /** What the model was told of its calls, in the last request. */
  told(): string;
}

async function start(
  t: TestContext,
  made: Sender,
  script: Script,
  faults: readonly Fault[],
  errand: Partial<ErrandOptions> = {},
): Promise<Scene> {
  const world = await testWorld(t, { script, errand: { agents: [made], ...errand } });
  world.scalekit.connect("ada", "gmail");
  for (const fault of faults) world.scalekit.faults.add(fault);
  world.errand.worker();
  const run = await world.errand.enqueue(made, { identifier: "ada", input: {} });
  const executions = (tool: string): number => world.scalekit.ledger.filter((it) => it.tool === tool).length;
  const told = (): string => JSON.stringify(world.model.requests.at(-1)?.body ?? {});
  return { ...world, run, executions, told };
}

/** The work is done, and the answer is lost on its way. */
const lost = (tool: string): Fault => ({ method: "ExecuteTool", tool, when: "after", httpStatus: 503 });
/** Nothing is done, but nobody can tell that from a 503. */
const never = (tool: string): Fault => ({ method: "ExecuteTool", tool, httpStatus: 503 });
const send = call("gmail_send_message", LETTER);

test("tell: the model is told, an equal call is refused, and the operator finds what is needed to reconcile", async (t) => {
  const scene = await start(
    t,
    sender(["gmail_send_message", "gmail_fetch_mails"]),
    [send, send, say("I cannot know.")],
    [lost("gmail_send_message")],
  );
  assert.equal(await scene.run.result(WAIT), "I cannot know.");
  assert.equal(scene.executions("gmail_send_message"), 1);
  assert.match(scene.told(), /OutcomeUnknown/);
  assert.match(scene.told(), /DuplicateOfUnknown/);

  const { outcomes } = await scene.errand.unknowns();
  const [found] = outcomes;
  assert.equal(outcomes.length, 1);
  assert.deepEqual(
    { ...found, from: 0, to: 0, recordedAt: 0, message: "", account: "" },
    {
      run: scene.run.id,
      call: "t0c0",
      tool: "gmail_send_message",
      connection: "gmail",
      account: "",
      agent: "sender",
      identifier: "ada",
      status: "completed",
      waits: false,
      from: 0,
      to: 0,
      attempt: 1,
      recordedAt: 0,
      message: "",
    },
  );
  const execution = scene.scalekit.ledger.at(-1);
  assert.equal(execution?.agentRunId, `${scene.run.id}:t0c0`);
  assert.ok((found?.from ?? 0) <= execution.at && execution.at <= (found?.to ?? 0), "it was sent between these two");

  await scene.run.answer("t0c0", "happened", { by: "Grace" });
  assert.deepEqual((await scene.errand.unknowns()).outcomes, []);
  await assert.rejects(scene.run.answer("t0c0", "not-executed"), { code: "answer-invalid" });
  await assert.rejects(scene.run.answer("t1c0", "happened"), { code: "answer-invalid", message: /This run has: t0c0/ });
});

test("ask: the run waits and holds nothing; told that it did not happen, it makes the call", async (t) => {
  const scene = await start(
    t,
    sender(["gmail_send_message"], "ask"),
    [send, say("Sent.")],
    [never("gmail_send_message")],
  );
  const parked = await untilEvent(scene.run, "run.parked");
  assert.equal(parked.reason, "review");
  assert.equal((await scene.errand.unknowns()).outcomes[0]?.waits, true);
  assert.equal(scene.executions("gmail_send_message"), 0);
  await scene.run.answer("t0c0", "not-executed");
  assert.equal(await scene.run.result(WAIT), "Sent.");
  assert.equal(scene.executions("gmail_send_message"), 1);
});

test("ask: told that it happened, the model hears it and the call is not made again", async (t) => {
  const scene = await start(
    t,
    sender(["gmail_send_message"], "ask"),
    [send, say("Sent.")],
    [lost("gmail_send_message")],
  );
  await untilEvent(scene.run, "run.parked");
  await scene.run.answer("t0c0", "happened");
  assert.equal(await scene.run.result(WAIT), "Sent.");
  assert.equal(scene.executions("gmail_send_message"), 1);
  assert.match(scene.told(), /was executed\. Its result was lost/);
});

test("ask: stop ends the run; a cancel ends it as well", async (t) => {
  const scene = await start(t, sender(["gmail_send_message"], "ask"), () => send, [
    { ...lost("gmail_send_message"), times: 2 },
  ]);
  await untilEvent(scene.run, "run.parked");
  await scene.run.answer("t0c0", "stop");
  await assert.rejects(scene.run.result(WAIT), { code: "run-cancelled" });
  const second = await scene.errand.enqueue("sender", { identifier: "ada", input: {} });
  await untilEvent(second, "run.parked");
  assert.equal(await second.cancel(), true);
  await assert.rejects(second.result(WAIT), { code: "run-cancelled" });
  assert.equal(
    (await scene.errand.unknowns()).outcomes.length,
    1,
    "what the cancelled run did is still to be found out",
  );
});

test("fail: the run ends, and says where to look", async (t) => {
  const scene = await start(t, sender(["gmail_send_message"], "fail"), [send], [lost("gmail_send_message")]);
  await assert.rejects(scene.run.result(WAIT), { code: "run-failed", message: /errand unknowns answer/ });
  assert.equal((await scene.run.get()).failure?.code, "unknown-outcome");
  assert.equal(scene.executions("gmail_send_message"), 1);
});

const marked: ToolUse = {
  name: "gmail_send_message",
  effect: "verifiable",
  key: (args, key) => ({ ...(args as object), subject: `Report ${key}` }),
  verify: {
    tool: "gmail_fetch_mails",
    args: ({ key }) => ({ query: `in:sent subject:${key}` }),
    happened: (answer) => answer.ok && (answer.data as { messages: unknown[] }).messages.length > 0,
  },
};

// Each waits for the deadline of its call: side by side they wait once.
suite("a look", { concurrency: true }, () => {
  for (const [happened, fault, says] of [
    ["it happened: not sent again", lost("gmail_send_message"), "happened"],
    ["it did not: sent again", never("gmail_send_message"), "not-executed"],
  ] as const)
    it(`verifiable, looked after by its mark: ${happened}`, async (t) => {
      const tools = [marked, { name: "gmail_fetch_mails", effect: "read" } as const];
      const scene = await start(t, sender(tools), [send, say("Sent.")], [fault]);
      assert.equal(await scene.run.result(WAIT), "Sent.");
      assert.equal(scene.executions("gmail_send_message"), 1);
      assert.equal((await untilEvent(scene.run, "tool.verified")).says, says);
      assert.deepEqual((await scene.errand.unknowns()).outcomes, []);
    });

  it("the day's calls are used up: it waits for the next day, or for more", async (t) => {
    const tools = [marked, { name: "gmail_fetch_mails", effect: "read" } as const];
    const budgets = { identifier: { toolCalls: 1 } };
    const scene = await start(t, sender(tools), [send, say("Sent.")], [lost("gmail_send_message")], { budgets });
    // The first park is for the deadline of the call.
    const [first, second] = [await untilEvent(scene.run, "run.parked"), await untilEvent(scene.run, "run.parked", 2)];
    assert.deepEqual([first.reason, second.reason], ["settling", "budget"]);
    await scene.errand.raiseBudget({ identifier: "ada" }, { toolCalls: 1 });
    assert.equal(await scene.run.result(WAIT), "Sent.");
    assert.equal(scene.executions("gmail_send_message"), 1);
  });

  for (const [happened, fault] of [
    ["gone: it was sent", lost("gmail_send_draft")],
    ["still there: it is sent again", never("gmail_send_draft")],
  ] as const)
    it(`staged, a draft is looked after: ${happened}`, async (t) => {
      const staged: ToolUse = {
        name: "gmail_send_draft",
        effect: "staged",
        verify: {
          tool: "gmail_get_draft",
          args: ({ args }) => args,
          happened: (answer) => !answer.ok,
        },
      };
      const create: ToolUse = { name: "gmail_create_draft", effect: "idempotent" };
      const script: Script = (request, { turn }) => {
        if (turn === 0) return call("gmail_create_draft", LETTER);
        const [drafted] = toolOutcomes(request);
        const id = (drafted?.data as { id?: string } | undefined)?.id ?? "";
        return turn === 1 ? call("gmail_send_draft", { draft_id: id }) : say("Sent.");
      };
      const look: ToolUse = { name: "gmail_get_draft", effect: "read" };
      const scene = await start(t, sender([create, staged, look]), script, [fault]);
      assert.equal(await scene.run.result(WAIT), "Sent.");
      assert.equal(scene.executions("gmail_send_draft"), 1);
    });

  it("a look that throws or does not tell: nobody knows, and the run says so", async (t) => {
    const silly: ToolUse = {
      ...marked,
      verify: {
        tool: "gmail_fetch_mails",
        args: () => ({ query: "in:sent" }),
        happened: () => {
          throw new Error("a mail body");
        },
      },
    };
    const tools = [silly, { name: "gmail_fetch_mails", effect: "read" } as const];
    const scene = await start(t, sender(tools), [send, say("Who knows.")], [lost("gmail_send_message")]);
    assert.equal(await scene.run.result(WAIT), "Who knows.");
    const verified = await untilEvent(scene.run, "tool.verified");
    assert.deepEqual([verified.says, verified.message], ["unsure", "verify.happened threw Error"]);
    assert.equal((await scene.errand.unknowns()).outcomes.length, 1);
    assert.equal(scene.executions("gmail_send_message"), 1);
  });
});
