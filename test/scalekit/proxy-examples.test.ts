/** The example proxy tools (examples/proxy-tools) against the emulated providers: what they ask, and how little the model sees. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { agent, proxyTool } from "../../src/index.ts";
import { freezeUses } from "../../src/core/tool-use.ts";
import { defineConnector, GITHUB_SAMPLE, SLACK_SAMPLE } from "../../src/testing/connectors/index.ts";
import { ALL, shown, stage, TOOLS } from "./proxy-stage.ts";

test("row 18: they are listed with the agent's other tools, each with its own connection and effect", async (t) => {
  const { source } = await stage(t);
  const listed = await source.list({ identifier: "ada", connections: ALL, tools: [...TOOLS, { name: "gone" }] });
  assert.ok(listed.ok, "listed");
  assert.deepEqual(
    listed.tools.map(({ name, source: from, connection, effect }) => [name, from, connection, effect]),
    TOOLS.map(({ name, connection, effect }) => [name, "proxy", connection, effect]),
  );
  assert.deepEqual([listed.missing, listed.known], [["gone"], TOOLS.map(({ name }) => name)]);
  assert.deepEqual(await source.names(), { ok: true, names: TOOLS.map(({ name }) => name) });
  const tool = listed.tools.find(({ name }) => name === "gmail_list_filters");
  assert.match((tool && source.check(tool, { identifier: "eve" }))?.join() ?? "", /there is no parameter "identifier"/);
  assert.deepEqual(new Set(listed.tools.map(({ hash }) => hash)).size, TOOLS.length);
});

test("rows 19, 21 and 23, gmail: filters and unread mails, as the seed's tools answer them", async (t) => {
  const { emulator, call } = await stage(t);
  assert.deepEqual(await shown(call("gmail_list_filters")), { filters: [], count: 0 });
  const made = await shown(call("gmail_create_filter", { from: "news@shop.example", label_id: "Label_1" }));
  assert.deepEqual(made, { id: "filter-1" });
  assert.deepEqual(await shown(call("gmail_list_filters")), {
    count: 1,
    filters: [
      {
        id: "filter-1",
        criteria: { from: "news@shop.example" },
        action: { addLabelIds: ["Label_1"], removeLabelIds: ["INBOX"] },
      },
    ],
  });
  assert.deepEqual(await shown(call("gmail_list_unread", { max_results: 3 })), { messages: [] });
  assert.equal(emulator.mailbox("ada").filters.length, 1);
});

test("rows 21, 22 and 24, slack: a post with a body, and of its long answer two fields", async (t) => {
  const { emulator, call } = await stage(t);
  emulator.slack("ada").load(SLACK_SAMPLE);
  const posted = (await shown(call("slack_post_message", { channel: "C01GENERAL", text: "hello" }))) as { ts: string };
  assert.deepEqual(Object.keys(posted).toSorted(), ["channel", "ts"]);
  const read = (await shown(call("slack_read_channel", { channel: "C01GENERAL", limit: 1 }))) as { messages: object[] };
  assert.deepEqual(read.messages, [{ ts: posted.ts, user: "U0SELF", text: "hello" }]);
});

test("rows 21 and 22, github: a list of 20 fields each is three; a comment by path and body", async (t) => {
  const { emulator, call } = await stage(t);
  const account = emulator.github("ada");
  account.load(GITHUB_SAMPLE);
  const [repo] = account.repos;
  assert.ok(repo !== undefined, "the sample has a repository");
  const { owner, name } = repo;
  const { issues } = (await shown(call("github_open_issues", { owner, repo: name }))) as {
    issues: { number: number }[];
  };
  const open = repo.issues.filter(({ state = "open" }) => state === "open").map(({ number }) => number);
  assert.deepEqual(new Set(issues.map(({ number }) => number)), new Set(open));
  assert.deepEqual(Object.keys(issues[0] ?? {}).toSorted(), ["labels", "number", "title"]);
  const [first] = open;
  const comment = await shown(call("github_comment", { owner, repo: name, issue_number: first, body: "On it." }));
  assert.deepEqual(Object.keys(comment as object).toSorted(), ["created_at", "id"]);
  assert.equal(repo.issues.find(({ number }) => number === first)?.comments.at(-1)?.body, "On it.");
});

test("row 21, salesforce: a query whose quotes a model cannot close", async (t) => {
  const { emulator, call } = await stage(t);
  emulator.crm("ada", "salesforce").load("Opportunity", [
    { Name: "Small", StageName: "Won", Amount: 10, Secret: "x" },
    { Name: "Large", StageName: "Won", Amount: 900, Secret: "y" },
    { Name: "Lost", StageName: "It's lost", Amount: null, Secret: "z" },
  ]);
  const won = (await shown(call("salesforce_opportunities", { stage: "Won" }))) as { opportunities: object[] };
  assert.deepEqual(won, {
    opportunities: [
      { Id: "opp2", Name: "Large", Amount: 900 },
      { Id: "opp1", Name: "Small", Amount: 10 },
    ],
    more: false,
  });
  const lost = (await shown(call("salesforce_opportunities", { stage: "It's lost" }))) as typeof won;
  assert.equal(lost.opportunities.length, 1);
  const trick = (await shown(call("salesforce_opportunities", { stage: "x' OR StageName != '" }))) as typeof won;
  assert.deepEqual(trick.opportunities, []);
});

test("row 21, hubspot: a search that is a POST, and a change that may be repeated", async (t) => {
  const { emulator, call } = await stage(t);
  const records = emulator.crm("ada", "hubspot");
  records.load("deals", [{ dealname: "Roof", amount: "5", dealstage: "new", hs_secret: "s" }, { dealname: "Door" }]);
  assert.deepEqual(await shown(call("hubspot_search_deals", { query: "roof" })), {
    total: 1,
    deals: [{ id: "dea1", name: "Roof", amount: "5", stage: "new" }],
  });
  assert.deepEqual(await shown(call("hubspot_move_deal", { deal_id: "dea1", stage: "won" })), { id: "dea1" });
  assert.equal(records.of("deals").find(({ Id }) => Id === "dea1")?.["dealstage"], "won");
  assert.deepEqual(await call("hubspot_move_deal", { deal_id: "no such", stage: "won" }), {
    kind: "error",
    type: "NotFound",
    message: "Object not found",
    retryable: false,
  });
});

test("a key in a header: the provider drops repeats, and the model does not see it", async (t) => {
  const keys: unknown[] = [];
  const connector = defineConnector({
    name: "pay",
    title: "Pay",
    scopes: [],
    tools: [],
    world: () => ({}),
    proxy: ({ headers }) => {
      keys.push(headers["idempotency-key"]);
      return { status: 201, json: { id: "p1" } };
    },
  });
  const pay = proxyTool({
    name: "pay",
    description: "Pays.",
    connection: "pay",
    method: "POST",
    path: "/v1/payments",
    effect: "keyed",
    key: "idempotency_key",
    input: z.object({ amount: z.int(), idempotency_key: z.string().optional() }),
    body: ["amount"],
    headers: ({ idempotency_key = "" }) => ({ "Idempotency-Key": idempotency_key }),
    output: z.object({ id: z.string() }),
  });
  const cashier = agent({
    name: "cashier",
    model: "m/x",
    instructions: "Pay.",
    connections: ["pay"],
    tools: [pay],
    input: z.object({}),
  });
  const { source, call } = await stage(t, { connections: [{ name: "pay", connector }] }, [pay]);
  const listed = await source.list({ identifier: "ada", connections: ["pay"], tools: [pay] });
  const [frozen] = listed.ok ? freezeUses(listed.tools, cashier.tools, "tell") : [];
  assert.deepEqual([frozen?.effect, frozen?.keyArgument], ["keyed", "idempotency_key"]);
  assert.doesNotMatch(JSON.stringify(frozen?.parameters), /idempotency/);
  assert.deepEqual(await shown(call("pay", { amount: 1, idempotency_key: "k1" })), { id: "p1" });
  assert.deepEqual(keys, ["k1"]);
});
