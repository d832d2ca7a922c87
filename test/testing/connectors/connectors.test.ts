/** Slack, GitHub and Google Calendar over the real SDK. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { JsonObject } from "@bufbuild/protobuf";
import { CALENDAR_SAMPLE, GITHUB_SAMPLE, SLACK_SAMPLE } from "../../../src/testing/connectors/index.ts";
import type { ScalekitEmulator } from "../../../src/testing/scalekit/emulator.ts";
import { start } from "../scalekit/start.ts";

type Rows = Record<string, unknown>[];

async function connected(t: TestContext, connection: string) {
  const { scalekit, client } = await start(t, {
    connections: [connection],
    now: () => Date.parse("2026-03-02T12:00:00Z"),
  });
  scalekit.connect("ann", connection);
  const call = async (toolName: string, toolInput: Record<string, unknown> = {}): Promise<JsonObject> =>
    (await client.actions.executeTool({ toolName, toolInput, identifier: "ann", connector: connection })).data ?? {};
  return { scalekit, client, call };
}

const names = (scalekit: ScalekitEmulator): string[] => scalekit.ledger.map(({ tool }) => tool);
const rows = (data: JsonObject, name: string): Rows => data[name] as Rows;

test("slack: channels, history with cursors, threads, people, search", async (t) => {
  const { scalekit, call } = await connected(t, "slack");
  scalekit.slack("ann").load(SLACK_SAMPLE);
  const listed = await call("slack_list_channels", { exclude_archived: true, types: "public_channel,private_channel" });
  assert.deepEqual(
    rows(listed, "channels").map(({ name }) => name),
    ["general", "releases", "board", "announcements"],
  );
  const first = await call("slack_fetch_conversation_history", { channel: "C01GENERAL", limit: 1 });
  assert.match(rows(first, "messages")[0]?.["text"] as string, /office is closed/);
  const cursor = (first["response_metadata"] as JsonObject)["next_cursor"];
  const second = await call("slack_fetch_conversation_history", { channel: "C01GENERAL", limit: 1, cursor });
  assert.deepEqual([rows(second, "messages")[0]?.["reply_count"], second["has_more"]], [2, false]);
  const thread = await call("slack_get_conversation_replies", { channel: "C01GENERAL", ts: "1772438400.000100" });
  assert.equal(rows(thread, "messages").length, 3);
  const since = await call("slack_fetch_conversation_history", { channel: "C01GENERAL", oldest: "1772440000" });
  assert.equal(rows(since, "messages").length, 1);
  const user = (await call("slack_get_user_info", { user: "U02BEN" }))["user"] as JsonObject;
  assert.equal(user["real_name"], "Ben Okafor");
  const found = (await call("slack_search_messages", { query: "from:buildbot failed in:releases" }))[
    "messages"
  ] as JsonObject;
  assert.equal(found["total"], 1);
});

test("slack: posting, answering, changing, reacting; a refusal is data with ok: false, or a tool error if so set", async (t) => {
  const { scalekit, call } = await connected(t, "slack");
  const workspace = scalekit.slack("ann");
  workspace.load(SLACK_SAMPLE);
  const posted = await call("slack_send_message", {
    channel: "#general",
    text: "hello",
    blocks: '[{"type":"divider"}]',
  });
  const again = await call("slack_send_rich_message", {
    channel: "general",
    text: "re",
    blocks: [{ type: "divider" }],
    thread_ts: posted["ts"],
  });
  assert.notEqual(posted["ts"], again["ts"]);
  await call("slack_update_message", { channel: "C01GENERAL", ts: posted["ts"], text: "hello all" });
  await call("slack_add_reaction", { channel: "C01GENERAL", timestamp: posted["ts"], name: "wave" });
  const [message] = rows(
    await call("slack_get_conversation_replies", { channel: "general", ts: posted["ts"] }),
    "messages",
  );
  assert.deepEqual(
    [message?.["text"], message?.["blocks"], message?.["reply_count"]],
    ["hello all", [{ type: "divider" }], 1],
  );
  const refusals: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ["slack_send_message", { channel: "nowhere", text: "x" }, "channel_not_found"],
    ["slack_send_message", { channel: "announcements", text: "x" }, "not_in_channel"],
    ["slack_send_message", { channel: "old-office", text: "x" }, "is_archived"],
    ["slack_send_message", { channel: "general", text: "x", blocks: "[" }, "invalid_blocks"],
    ["slack_add_reaction", { channel: "general", timestamp: posted["ts"], name: "wave" }, "already_reacted"],
    ["slack_delete_message", { channel: "general", ts: "1772438400.000100" }, "cant_delete_message"],
  ];
  for (const [tool, input, error] of refusals) assert.deepEqual(await call(tool, input), { ok: false, error });
  workspace.refusals = "tool-error";
  await assert.rejects(call("slack_send_message", { channel: "nowhere", text: "x" }), {
    toolErrorCode: "channel_not_found",
  });
});

test("github: lists come as data.array, in pages, ordered and filtered; the rest as objects", async (t) => {
  const { scalekit, call } = await connected(t, "github");
  scalekit.github("ann").load(GITHUB_SAMPLE);
  const repo = { owner: "hills", repo: "trailmap" };
  assert.equal((await call("github_user_get_authenticated"))["login"], "ann");
  const open = await call("github_pull_requests_list", { ...repo, per_page: 1, page: 2 });
  assert.deepEqual(
    rows(open, "array").map(({ number }) => number),
    [11],
  );
  assert.equal(
    rows(await call("github_pull_requests_list", { ...repo, state: "all", direction: "asc" }), "array")[0]?.["number"],
    9,
  );
  const pull = await call("github_pull_request_get", { ...repo, pull_number: 12 });
  assert.deepEqual([pull["additions"], pull["changed_files"], pull["draft"]], [45, 2, false]);
  const { sha } = pull["head"] as { sha: string };
  const checks = rows(await call("github_check_runs_list_for_ref", { ...repo, ref: sha }), "check_runs");
  assert.deepEqual(
    checks.map(({ conclusion }) => conclusion),
    ["success", "failure", null],
  );
  assert.equal(
    rows(await call("github_pull_request_reviews_list", { ...repo, pull_number: 12 }), "array")[0]?.["state"],
    "CHANGES_REQUESTED",
  );
  assert.equal(rows(await call("github_pull_request_files_list", { ...repo, pull_number: 12 }), "array").length, 2);
  for (const [q, numbers] of [
    ["is:pr is:open review-requested:@me", [12]],
    ["is:pr author:@me", [11]],
    ["is:issue label:bug repo:hills/trailmap chapel", [7]],
    ["is:closed", [9]],
  ] as const) {
    const found = await call("github_search_issues", { q });
    assert.deepEqual(
      rows(found, "items").map(({ number }) => number),
      numbers,
      q,
    );
  }
  const issue = await call("github_issue_create", { ...repo, title: "New", labels: ["bug"] });
  assert.equal(issue["number"], 13);
  await call("github_issue_comment_create", { ...repo, issue_number: 13, body: "first" });
  assert.equal(
    rows(await call("github_issue_comments_list", { ...repo, issue_number: 13 }), "array")[0]?.["body"],
    "first",
  );
  await assert.rejects(call("github_pull_request_get", { ...repo, pull_number: 99 }), {
    toolErrorMessage: "Not Found",
  });
  await assert.rejects(call("github_repo_get", { owner: "hills", repo: "secret" }), { toolErrorCode: "Not Found" });
});

test("googlecalendar: events of a day in pages, one event, a new one, and when people are busy", async (t) => {
  const { scalekit, call } = await connected(t, "googlecalendar");
  scalekit.calendar("ann").load(CALENDAR_SAMPLE);
  const day = { time_min: "2026-03-02T09:30:00Z", time_max: "2026-03-02T18:00:00Z" };
  const first = await call("googlecalendar_list_events", {
    ...day,
    max_results: 2,
    single_events: true,
    order_by: "startTime",
  });
  assert.deepEqual(
    rows(first, "events").map(({ id }) => id),
    ["fair", "contract"],
  );
  const second = await call("googlecalendar_list_events", {
    ...day,
    max_results: 2,
    page_token: first["next_page_token"],
  });
  assert.deepEqual([rows(second, "events").map(({ id }) => id), second["next_page_token"]], [["roof"], ""]);
  await assert.rejects(call("googlecalendar_list_events", { order_by: "startTime" }), { toolErrorCode: "badRequest" });
  const event = await call("googlecalendar_get_event_by_id", { event_id: "contract" });
  assert.deepEqual(event["start"], { dateTime: "2026-03-02T11:00:00+01:00" });
  const created = await call("googlecalendar_create_event", {
    summary: "Walk",
    start_datetime: "2026-03-07T08:00:00Z",
    event_duration_hour: 1,
    event_duration_minutes: 15,
    attendees_emails: ["ben@hills.example"],
  });
  assert.deepEqual(created["end"], { dateTime: "2026-03-07T09:15:00.000Z" });
  const busy = await call("googlecalendar_query_freebusy", {
    calendar_ids: ["primary", "other"],
    time_min: "2026-03-07T00:00:00Z",
    time_max: "2026-03-08T00:00:00Z",
  });
  const calendars = busy["calendars"] as Record<string, { busy: Rows; errors?: Rows }>;
  assert.deepEqual([calendars["primary"]?.busy.length, calendars["other"]?.errors?.length], [1, 1]);
  await call("googlecalendar_delete_event", { event_id: created["id"] });
  await assert.rejects(call("googlecalendar_delete_event", { event_id: created["id"] }), { toolErrorCode: "notFound" });
  assert.equal(names(scalekit).filter((tool) => tool === "googlecalendar_delete_event").length, 1);
});

test("scopes the user has not granted: the tools are not listed, and refused with 403", async (t) => {
  const { scalekit, client, call } = await connected(t, "gmail");
  scalekit.connect("ann", "gmail", { scopes: ["https://www.googleapis.com/auth/gmail.readonly"] });
  const { tools, totalSize } = await client.tools.listScopedTools("ann", { filter: {}, pageSize: 100 });
  assert.equal(totalSize, 12);
  assert.ok(!tools.some(({ tool }) => tool?.definition?.["name"] === "gmail_send_message"));
  await call("gmail_get_profile");
  await assert.rejects(call("gmail_send_message", { to: "a@x.example", subject: "s", body: "b" }), {
    name: "ScalekitToolForbiddenException",
  });
  assert.deepEqual(names(scalekit), ["gmail_get_profile"]);
});
