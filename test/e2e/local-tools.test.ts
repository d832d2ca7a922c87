/** Tools of the app's own in runs, over the wire: calls that they make by themselves, waits in the middle, versions. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { z } from "zod";
import {
  agent,
  type LocalTool,
  type RunHandle,
  tool,
  ToolCallError,
  type ToolContext,
  type ToolUse,
} from "../../src/index.ts";
import { call, calls, type Fault, say, type Script } from "../../src/testing/index.ts";
import { connectAs, testWorld, untilEvent, type World } from "../support/world.ts";

const WAIT = { timeoutMs: 60_000 };
const TEAM = ["a@x.com", "b@x.com", "c@x.com", "d@x.com"];

/** Does `mail` for each of the team, one after the other. */
function inTurn(mail: (to: string, tools: ToolContext["tools"]) => Promise<void>): LocalTool {
  return tool({
    name: "mail_team",
    description: "Mails the team.",
    input: z.object({ team: z.array(z.string()) }),
    effect: "composite",
    uses: ["gmail_send_message"],
    execute: async ({ team }, { tools }) => {
      for (const to of team) await mail(to, tools);
      return "all";
    },
  });
}

/** Mails each of the team. */
function mailer(more: { effect?: "composite" | "unsafe"; stamp?: () => string; runs?: string[] } = {}): LocalTool {
  const { effect = "composite", stamp = () => "", runs = [] } = more;
  return tool({
    name: "mail_team",
    description: "Mails the report to each of the team.",
    input: z.object({ team: z.array(z.string()) }),
    effect,
    uses: ["gmail_send_message"],
    execute: async ({ team }, { tools, utils }) => {
      runs.push(`${utils.generateId()} ${utils.now().toISOString()}`);
      const sent = await Promise.all(
        team.map(async (to) => {
          try {
            const body = `All is well.${stamp()}`;
            await tools.execute({ tool: "gmail_send_message", parameters: { to, subject: "Report", body } });
            return "sent";
          } catch (error) {
            return error instanceof Error ? error.name : "?";
          }
        }),
      );
      return { sent };
    },
  });
}

interface Scene extends World {
  readonly run: RunHandle<string>;
  /** To whom the provider has sent, in order. */
  sent(): unknown[];
  told(): string;
}

async function start(
  t: TestContext,
  tools: readonly (string | ToolUse)[],
  script: Script,
  faults: readonly Fault[] = [],
): Promise<Scene> {
  const made = agent({
    name: "reporter",
    model: "openai/scripted",
    instructions: "Report.",
    connections: ["gmail"],
    tools,
    input: z.object({}),
  });
  const world = await testWorld(t, { script, errand: { agents: [made] } });
  world.scalekit.connect("ada", "gmail");
  for (const fault of faults) world.scalekit.faults.add(fault);
  world.errand.worker({ wakeEveryMs: 20 });
  const run = await world.errand.enqueue(made, { identifier: "ada", input: {} });
  const sent = (): unknown[] =>
    world.scalekit.ledger.filter((it) => it.tool === "gmail_send_message").map((it) => it.input["to"]);
  return { ...world, run, sent, told: () => JSON.stringify(world.model.requests.at(-1)?.body ?? {}) };
}

const SCRIPT: Script = [call("mail_team", { team: TEAM }), say("done")];
const refused = (status: number, code: string): Fault => ({
  method: "ExecuteTool",
  tool: "gmail_send_message",
  toolError: { status, code, message: "no" },
});

test("a fan-out: each call has its own place in the journal, in order, and the model sees none of their tools", async (t) => {
  const scene = await start(t, [mailer()], SCRIPT);
  assert.equal(await scene.run.result(WAIT), "done");
  assert.deepEqual(scene.sent(), TEAM);
  assert.match(scene.told(), /sent.*sent.*sent.*sent/);
  const called: string[] = [];
  for await (const event of scene.run.events())
    if (event.type === "tool.called") called.push(`${event.call} ${event.tool}`);
  assert.deepEqual(called, ["t0c0 mail_team", ...TEAM.map((_, i) => `t0c0n${i} gmail_send_message`)]);
  assert.doesNotMatch(JSON.stringify(scene.model.requests[0]?.body), /gmail_send_message/);
});

test("a limit in the middle of a fan-out: the tool is stopped there, and run again sends only what is missing", async (t) => {
  const runs: string[] = [];
  const scene = await start(t, [mailer({ runs })], SCRIPT, [refused(429, "RATE_LIMITED")]);
  assert.equal(await scene.run.result(WAIT), "done");
  assert.deepEqual(scene.sent(), TEAM);
  assert.match(scene.told(), /sent.*sent.*sent.*sent/);
  assert.ok(runs.length >= 2, "it ran again");
  assert.equal(new Set(runs).size, 1, "ids and time are the same whenever it runs");
});

test("an account that is lost in the middle: the run parks for it, and the tool goes on where it stopped", async (t) => {
  let reached: () => void = () => undefined;
  const third = new Promise<void>((resolve) => (reached = resolve));
  let asked = 0;
  const watched = inTurn(async (to, { execute }) => {
    if (++asked === 3) {
      reached();
      scene.scalekit.setStatus("ada", "gmail", "EXPIRED");
    }
    await execute({ tool: "gmail_send_message", parameters: { to, subject: "Report", body: "Well." } });
  });
  const scene = await start(t, [watched], SCRIPT);
  await third;
  const parked = await untilEvent(scene.run, "run.parked");
  assert.equal(parked.reason, "account");
  assert.deepEqual(scene.sent(), TEAM.slice(0, 2));
  await connectAs(scene, "ada");
  assert.equal(await scene.run.result(WAIT), "done");
  assert.deepEqual(scene.sent(), TEAM);
});

test("nobody knows whether one of them was sent: it is not sent again, the tool hears it, the others are sent", async (t) => {
  const scene = await start(t, [mailer()], SCRIPT, [
    { method: "ExecuteTool", tool: "gmail_send_message", when: "after", httpStatus: 503 },
  ]);
  assert.equal(await scene.run.result(WAIT), "done");
  assert.deepEqual(scene.sent(), TEAM);
  assert.match(scene.told(), /ToolCallError.*sent.*sent.*sent/);
  const { outcomes } = await scene.errand.unknowns();
  assert.deepEqual(
    outcomes.map(({ call: id, tool: name, connection }) => [id, name, connection]),
    [["t0c0n0", "gmail_send_message", "gmail"]],
  );
});

test("a tool that cannot be run again hears of a wait, and is not stopped", async (t) => {
  const scene = await start(t, [mailer({ effect: "unsafe" })], SCRIPT, [refused(429, "RATE_LIMITED")]);
  assert.equal(await scene.run.result(WAIT), "done");
  assert.match(scene.told(), /ToolCallError.*sent.*sent.*sent/);
  assert.deepEqual(scene.sent(), TEAM.slice(1));
});

test("run again with other arguments than before: what was sent is not sent once more, and the tool hears why", async (t) => {
  let stamp = 0;
  const first: Fault = { method: "ExecuteTool", tool: "gmail_send_message", delayMs: 0 };
  const scene = await start(t, [mailer({ stamp: () => ` ${stamp++}` })], SCRIPT, [first, refused(429, "RATE_LIMITED")]);
  assert.equal(await scene.run.result(WAIT), "done");
  assert.deepEqual(scene.sent(), TEAM.slice(0, 1));
  assert.match(scene.told(), /ToolCallError/);
});

test("a call with a name is known by it, whatever its arguments are by now", async (t) => {
  let stamp = 0;
  const named = inTurn(async (to, { execute }) => {
    const parameters = { to, subject: "Report", body: `Well. ${stamp++}` };
    await execute({ tool: "gmail_send_message", parameters, name: to });
  });
  const scene = await start(t, [named], SCRIPT, [{ ...refused(429, "RATE_LIMITED"), times: 2 }]);
  assert.equal(await scene.run.result(WAIT), "done");
  assert.deepEqual(scene.sent(), TEAM);
  assert.match(scene.told(), /all/);
});

test("what a tool may not do: call what the run does not have, another's account, or, if it reads, what changes something", async (t) => {
  const heard: string[] = [];
  const trying = (
    name: string,
    effect: "read" | "unsafe",
    request: { tool: string; connected_account_id?: string },
  ): LocalTool =>
    tool({
      name,
      description: "Tries.",
      input: z.object({}),
      effect,
      uses: ["gmail_send_message", "gmail_fetch_mails"],
      execute: async (_input, { tools, accounts }) => {
        const [account] = await accounts.list();
        assert.deepEqual(await accounts.get(account?.id ?? ""), account);
        await assert.rejects(accounts.get("ca_foreign"), { name: "ValidationError" });
        await assert.rejects(accounts.list({ identifier: "bob" }), { name: "ValidationError" });
        await tools
          .execute({ ...request, parameters: { to: "x@x.com", subject: "s", body: "b" } })
          .catch((error: unknown) => {
            heard.push(`${name}: ${error instanceof Error ? error.message : "?"}`);
          });
        return account;
      },
    });
  const made = [
    trying("none", "unsafe", { tool: "gmail_send_mesage" }),
    trying("foreign", "unsafe", { tool: "gmail_send_message", connected_account_id: "ca_foreign" }),
    trying("reader", "read", { tool: "gmail_send_message" }),
  ];
  const script: Script = [calls(made.map(({ name }) => call(name, {}))), say("done")];
  const scene = await start(t, made, script);
  assert.equal(await scene.run.result(WAIT), "done");
  assert.deepEqual(scene.sent(), []);
  assert.match(heard.join("\n"), /none: .*no tool "gmail_send_mesage".*gmail_send_message/);
  assert.match(heard.join("\n"), /foreign: .*not the one that this run has/);
  assert.match(heard.join("\n"), /reader: .*only reads/);
  assert.match(scene.told(), /ACTIVE/);
});

test("tools within tools: what the innermost has left is kept however often the outer ones run", async (t) => {
  const inner = mailer();
  const outer = tool({
    name: "report",
    description: "Reports.",
    input: z.object({}),
    effect: "composite",
    uses: [inner],
    execute: async (_input, { tools }) => tools.execute({ tool: "mail_team", parameters: { team: TEAM } }),
  });
  const scene = await start(t, [outer], [call("report", {}), say("done")], [refused(429, "RATE_LIMITED")]);
  assert.equal(await scene.run.result(WAIT), "done");
  assert.deepEqual(scene.sent(), TEAM);
  assert.match(scene.told(), /sent.*sent.*sent.*sent/);
});

/** Tries the same mail eight times, whatever it is told. */
function stubborn(body: (i: number) => string): LocalTool {
  return tool({
    name: "mail_team",
    description: "Mails the team.",
    input: z.object({ team: z.array(z.string()) }),
    effect: "composite",
    uses: ["gmail_send_message"],
    execute: async (_input, { tools }) => {
      const told: string[] = [];
      for (let i = 0; i < 8; i++)
        await tools
          .execute({ tool: "gmail_send_message", parameters: { to: "a@x.com", subject: "Report", body: body(i) } })
          .catch((error: unknown) => told.push(error instanceof ToolCallError ? error.type : String(error)));
      return told.join(" ");
    },
  });
}

test("a tool that makes the same call again and again: after five equal errors it is not sent once more; other arguments are", async (t) => {
  const full = refused(400, "MAILBOX_FULL");
  const faults = [{ ...full, times: 100 }];
  const same = await start(t, [stubborn(() => "Hello")], SCRIPT, faults);
  assert.equal(await same.run.result(WAIT), "done");
  assert.match(same.told(), /(MAILBOX_FULL ){5}RepeatedCalls RepeatedCalls RepeatedCalls/);
  const other = await start(t, [stubborn((i) => `Hello ${i}`)], SCRIPT, faults);
  assert.equal(await other.run.result(WAIT), "done");
  assert.match(other.told(), /(MAILBOX_FULL ){7}MAILBOX_FULL/);
});
