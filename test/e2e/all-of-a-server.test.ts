/** What is said of all tools of a server holds for each of them: above all, that a person is asked first. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { agent, mcp } from "../../src/index.ts";
import { call, say } from "../../src/testing/index.ts";
import { rawServer } from "../tools/mcp-servers.ts";
import { testWorld, untilEvent } from "../support/world.ts";

for (const way of ["all({ … })", "{ ...all(), … }"] as const)
  test(`${way}: needsApproval asks for each tool that is not named beside it`, async (t) => {
    const called: string[] = [];
    const tools = ["look", "write"].map((name) => ({ name, description: name, inputSchema: { type: "object" } }));
    const { url } = await rawServer(t, (method, params) => {
      if (method === "tools/list") return { tools };
      if (method !== "tools/call") return undefined;
      called.push((params as { name: string }).name);
      return { content: [{ type: "text", text: "done" }] };
    });
    const notes = mcp({ name: "notes", url });
    const said = { needsApproval: true, timeoutMs: 7_000 } as const;
    const keeper = agent({
      name: "keeper",
      model: "openai/scripted",
      instructions: "Look, then write.",
      tools: [
        notes.tool("look", { effect: "read", needsApproval: false }),
        way === "all({ … })" ? notes.all(said) : { ...notes.all(), ...said },
      ],
      input: z.object({}),
    });
    const script = [call("look", {}), call("write", {}), say("done")];
    const { errand } = await testWorld(t, { script, errand: { agents: [keeper] } });
    errand.worker({ wakeEveryMs: 20 });
    const run = await errand.enqueue(keeper, { identifier: "ada", input: {} });
    assert.equal((await untilEvent(run, "run.parked")).reason, "approval");
    assert.deepEqual(called, ["look"], "nothing is written before a person has said yes");
    const { approvals } = await errand.approvals.list();
    assert.deepEqual(
      approvals.map(({ tool, policy }) => [tool, policy]),
      [["write", "always"]],
    );
    await errand.approvals.approve(approvals[0]?.id ?? "");
    assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
    assert.deepEqual(called, ["look", "write"]);
  });

test("an option that there is not is refused of all tools as of one", () => {
  const notes = mcp({ name: "notes", url: "http://127.0.0.1:1/mcp" });
  assert.throws(() => notes.all({ needsAproval: true } as never), {
    code: "config-invalid",
    message: /all: .*Did you mean "needsApproval"/,
  });
});
