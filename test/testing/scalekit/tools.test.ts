import assert from "node:assert/strict";
import { test } from "node:test";
import { ScalekitBadRequestException, ScalekitNotFoundException, type ScalekitClient } from "@scalekit-sdk/node";
import type { JsonObject } from "@bufbuild/protobuf";
import { defineConnector } from "../../../src/testing/connectors/connector.ts";
import { sampleMails } from "../../../src/testing/mailbox/samples.ts";
import { mail, start } from "./start.ts";

type Call = (toolName: string, toolInput?: Record<string, unknown>) => Promise<JsonObject>;

function caller(client: ScalekitClient, identifier = "user_1", connector = "gmail"): Call {
  return async (toolName, toolInput = {}) =>
    (await client.actions.executeTool({ toolName, toolInput, identifier, connector })).data ?? {};
}

const items = (data: JsonObject, name: string): JsonObject[] => data[name] as JsonObject[];

test("scoped tools come in pages of 10, filtered by connection, name and provider", async (t) => {
  const { scalekit, client } = await start(t, { connections: ["gmail", { name: "mail-two", connector: "gmail" }] });
  const { id } = scalekit.connect("user_1", "gmail");
  const names = new Set<string>();
  let pages = 0;
  let pageToken = "";
  do {
    const page = await client.tools.listScopedTools("user_1", {
      filter: {},
      ...(pageToken === "" ? {} : { pageToken }),
    });
    for (const { tool, connectedAccountId, identifier } of page.tools) {
      names.add(tool?.definition?.["name"] as string);
      assert.deepEqual([connectedAccountId, identifier, tool?.provider], [id, "user_1", "GMAIL"]);
    }
    assert.ok(page.tools.length <= 10);
    pages += 1;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  assert.deepEqual([pages, names.size], [3, 26]);

  const some = await client.tools.listScopedTools("user_1", {
    filter: { toolNames: ["gmail_fetch_mails", "gmail_no_such"] },
  });
  assert.equal(some.totalSize, 1);
  const definition = some.tools[0]?.tool?.definition;
  assert.deepEqual(Object.keys(definition?.["input_schema"] as JsonObject), ["type", "properties", "required"]);
  scalekit.connect("user_1", "mail-two");
  const both = await client.tools.listScopedTools("user_1", { filter: { providers: ["GMAIL"] } });
  assert.equal(both.totalSize, 52);
  const two = await client.tools.listScopedTools("user_1", {
    filter: { connectionNames: ["mail-two"] },
    pageSize: 100,
  });
  assert.equal(two.tools.length, 26);
});

test("listTools and listAvailableTools; tools of accounts that are not ACTIVE are listed if the option says so", async (t) => {
  const { scalekit, client } = await start(t, { listToolsOfInactive: true });
  const all = await client.tools.listTools({ filter: { provider: "GMAIL" }, pageSize: 100 });
  assert.equal(all.tools.length, 26);
  const summary = await client.tools.listTools({ filter: { summary: true, query: "draft" }, pageSize: 100 });
  assert.equal(summary.tools.length, 0);
  assert.ok(summary.toolNames.includes("gmail_send_draft"));
  assert.equal((await client.tools.listTools({ filter: { toolName: ["gmail_get_profile"] } })).totalSize, 1);
  scalekit.setStatus("user_1", "gmail", "EXPIRED");
  assert.equal((await client.tools.listAvailableTools("user_1")).totalSize, 26);
  assert.equal((await client.tools.listScopedTools("user_1", { filter: {} })).totalSize, 26);
});

test("gmail_fetch_mails: query, pages, labels, formats; lenient about texts for numbers and empty texts for nothing", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.connect("user_1", "gmail");
  scalekit.mailbox("user_1").load(await sampleMails());
  const call = caller(client);
  const first = await call("gmail_fetch_mails", {
    query: "is:unread",
    max_results: "3",
    label_ids: "",
    page_token: "",
  });
  assert.deepEqual([items(first, "messages").length, first["resultSizeEstimate"]], [3, 10]);
  const ids = new Set<unknown>();
  let token: unknown = "";
  do {
    const page = await call("gmail_fetch_mails", { max_results: 4, page_token: token, format: "minimal" });
    for (const message of items(page, "messages")) ids.add(message["id"]);
    token = page["nextPageToken"];
  } while (token !== undefined);
  assert.equal(ids.size, 10);
  const [html] = items(await call("gmail_fetch_mails", { query: "subject:parcel" }), "messages");
  const payload = html?.["payload"] as { mimeType: string; body: { data: string } };
  assert.equal(payload.mimeType, "text/html");
  assert.match(Buffer.from(payload.body.data, "base64url").toString(), /Out for delivery/);
  assert.equal(items(await call("gmail_fetch_mails", { label_ids: ["INBOX", "STARRED"] }), "messages").length, 0);
  await assert.rejects(call("gmail_fetch_mails", { format: "pdf" }), { name: "ScalekitToolException" });
});

test("an unknown message is the tool's 404, with Scalekit's execution id; nothing stands in the ledger", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.connect("user_1", "gmail");
  await assert.rejects(caller(client)("gmail_get_message_by_id", { message_id: "ff" }), (error: unknown) => {
    const { name, errorCode, toolErrorCode, toolErrorMessage, executionId } = error as Record<string, unknown>;
    assert.deepEqual(
      { name, errorCode, toolErrorCode, toolErrorMessage },
      {
        name: "ScalekitToolException",
        errorCode: "TOOL_ERROR",
        toolErrorCode: "NOT_FOUND",
        toolErrorMessage: "Requested entity was not found.",
      },
    );
    assert.match(String(executionId), /^exec_/);
    return true;
  });
  assert.deepEqual(scalekit.ledger, []);
});

test("threads, drafts, sending, replying, labels, trash: each does what it says to the mailbox", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.connect("user_1", "gmail");
  const mailbox = scalekit.mailbox("user_1");
  const [message] = mailbox.load([await mail("Lunch?", "One o'clock?", "Ann Lee <ann@example.org>")]);
  const call = caller(client);
  const id = message?.id ?? "";

  const threads = await call("gmail_list_threads", { query: "lunch" });
  assert.equal(items(threads, "threads")[0]?.["id"], id);
  await call("gmail_reply_to_thread", {
    thread_id: id,
    to: "ann@example.org",
    body: "Yes",
    in_reply_to_message_id: "<Lunch-@example.org>",
  });
  const thread = await call("gmail_get_thread_by_id", {
    thread_id: id,
    format: "metadata",
    metadata_headers: ["In-Reply-To"],
  });
  assert.equal(items(thread, "messages").length, 2);
  assert.deepEqual(((items(thread, "messages")[1]?.["payload"] ?? {}) as JsonObject)["headers"], [
    { name: "In-Reply-To", value: "<Lunch-@example.org>" },
  ]);

  const draft = await call("gmail_create_draft", { to: "b@example.org", subject: "", body: "later" });
  assert.equal(mailbox.drafts.length, 1);
  await call("gmail_send_draft", { draft_id: draft["id"] });
  await call("gmail_send_message", {
    to: "c@example.org, D <d@example.org>",
    subject: "hi",
    body: "<b>x</b>",
    content_type: "text/html",
  });
  assert.deepEqual(
    mailbox.sent.map((sent) => sent.mail.to),
    ["ann@example.org", "b@example.org", "c@example.org, D <d@example.org>"],
  );
  await assert.rejects(call("gmail_send_message", { to: "nobody", subject: "s", body: "b" }), /Invalid To header/);

  await call("gmail_modify_message_labels", {
    message_id: id,
    add_label_ids: ["STARRED"],
    remove_label_ids: ["UNREAD"],
  });
  assert.deepEqual([...(mailbox.get(id)?.labels ?? [])].toSorted(), ["INBOX", "STARRED"]);
  await call("gmail_trash_message", { message_id: id });
  assert.equal(items(await call("gmail_fetch_mails", { query: "lunch in:inbox" }), "messages").length, 0);
  await call("gmail_untrash_message", { message_id: id });

  const profile = await call("gmail_get_profile");
  assert.deepEqual([profile["emailAddress"], profile["messagesTotal"]], ["user_1@example.com", 4]);
  const { results } = (await call("gmail_search_people", { query: "ann" })) as { results: { person: JsonObject }[] };
  assert.deepEqual(results[0]?.person["emailAddresses"], [{ value: "ann@example.org" }]);
  const label = await call("gmail_create_label", { name: "Later" });
  await assert.rejects(call("gmail_create_label", { name: "Later" }), { toolErrorCode: "ALREADY_EXISTS" });
  assert.ok(items(await call("gmail_list_labels"), "labels").some((one) => one["id"] === label["id"]));
});

test("a missing parameter and an unknown tool are Scalekit's errors, not the tool's", async (t) => {
  const { scalekit, client } = await start(t);
  scalekit.connect("user_1", "gmail");
  const call = caller(client);
  await assert.rejects(call("gmail_get_message_by_id"), (error: unknown) => {
    assert.ok(error instanceof ScalekitBadRequestException);
    assert.match(error.message, /message_id/);
    return true;
  });
  await assert.rejects(call("gmail_fetch_mails", { max_results: { a: 1 } }), ScalekitBadRequestException);
  await assert.rejects(call("gmail_fetch_emails"), ScalekitNotFoundException);
  assert.deepEqual(scalekit.ledger, []);
});

test("an account is found by id, or by identifier alone while that is not ambiguous; never someone else's", async (t) => {
  const { scalekit, client } = await start(t, { connections: ["gmail", { name: "mail-two", connector: "gmail" }] });
  const { id } = scalekit.connect("user_1", "gmail");
  const run = async (account: { identifier?: string; connectedAccountId?: string }) =>
    await client.actions.executeTool({ toolName: "gmail_get_profile", toolInput: {}, ...account });
  await run({ identifier: "user_1" });
  await run({ connectedAccountId: id });
  await assert.rejects(run({ connectedAccountId: id, identifier: "user_2" }), ScalekitNotFoundException);
  await assert.rejects(run({ identifier: "user_2" }), ScalekitNotFoundException);
  scalekit.connect("user_1", "mail-two");
  await assert.rejects(run({ identifier: "user_1" }), /several connected accounts/);
});

test("a connector of one's own", async (t) => {
  const notes = defineConnector<string[]>({
    name: "notes",
    title: "Notes",
    scopes: ["notes.write"],
    world: () => [],
    tools: [
      {
        name: "notes_add",
        description: "Add a note.",
        parameters: { text: { type: "string" } },
        required: ["text"],
        run: (input, world) => ({ count: world.push(input["text"] as string) }),
      },
    ],
  });
  const { scalekit, client } = await start(t, { connections: [{ name: "team-notes", connector: notes }] });
  scalekit.connect("user_1", "team-notes");
  const call = caller(client, "user_1", "team-notes");
  assert.deepEqual(await call("notes_add", { text: "a" }), { count: 1 });
  assert.deepEqual(scalekit.world("user_1", "team-notes"), ["a"]);
  assert.throws(() => scalekit.mailbox("user_1", "team-notes"), /is not of connector gmail/);
  await assert.rejects(
    start(t, { connections: ["gmial"] }),
    /connection "gmial" needs a connector: expected one of gmail/,
  );
});

test("connections are listed as the SDK names them", async (t) => {
  const { client } = await start(t, { connections: ["gmail", { name: "gmail-prod", connector: "gmail" }] });
  const { connections, totalSize } = await client.actions.listConnections();
  assert.equal(totalSize, 2);
  assert.deepEqual(
    connections.map(({ connectionName, provider, status, enabled, type }) => ({
      connectionName,
      provider,
      status,
      enabled,
      type,
    })),
    ["gmail", "gmail-prod"].map((connectionName) => ({
      connectionName,
      provider: "GMAIL",
      status: "COMPLETED",
      enabled: true,
      type: "OAUTH",
    })),
  );
});
