/** Rows A40, A44, A47, A52, A53: the example tools of seed 002 as they are, with a mock context and as tools of an agent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tool } from "../../../src/index.ts";
import { createMockContext } from "../../../src/testing/index.ts";
import {
  createProjectWorkflow,
  generateTeamReport,
  scheduleTeamMeeting,
  sendSlackNotification,
  sendWelcomeEmail,
} from "./seed-tools.ts";
import { CALL, sourceOf } from "./support.ts";

test("A47: a tool is tried with a mock context; what it asked for is noted", async () => {
  const context = createMockContext({ tools: { send_email: { message_id: "test_msg_123", status: "sent" } } });
  const input = { user_name: "John Doe", user_email: "john@example.com", company_name: "Acme Corp" };
  assert.deepEqual(await sendWelcomeEmail.implementation(input, context), {
    message_id: "test_msg_123",
    status: "sent",
  });
  const [call] = context.calls;
  assert.equal(call?.tool, "send_email");
  const { to, subject } = (call?.parameters ?? {}) as { to: unknown; subject: unknown };
  assert.deepEqual([to, subject], [["john@example.com"], "Welcome to Acme Corp!"]);
  const failed = createMockContext({ tools: { send_email: { message_id: "m", status: "bounced" } } });
  assert.deepEqual(await sendWelcomeEmail.implementation(input, failed), { message_id: "m", status: "failed" });
});

const PROJECT = { project_name: "Moon", project_key: "MOON", team_members: ["a@x.com", "b@x.com", "c@x.com"] };

test("A40 project workflow: in order, whoever cannot be mailed is not counted, and what fails is told", async () => {
  const context = createMockContext({
    tools: {
      create_jira_project: { project_id: "P1", project_url: "https://jira/P1" },
      create_channel: ({ name }) => ({ channel_id: "C1", channel_name: name }),
      send_email: ({ to }) => {
        if (String(to) === "b@x.com") throw new Error("bounced");
        return { status: "sent" };
      },
      send_message: {},
    },
  });
  assert.deepEqual(await createProjectWorkflow.implementation(PROJECT, context), {
    jira_project_id: "P1",
    slack_channel_id: "C1",
    notifications_sent: 2,
  });
  assert.deepEqual(
    context.calls.map((call) => call.tool),
    ["create_jira_project", "create_channel", "send_email", "send_email", "send_email", "send_message"],
  );
  await assert.rejects(
    createProjectWorkflow.implementation(PROJECT, createMockContext()),
    /Project creation failed: The run has no tool "create_jira_project"/,
  );
});

test("A40, A45 team report: says to whom it was sent, with and without the calendar", async () => {
  const tools = {
    fetch_issues: { issues: [{ status: "Done" }, { status: "Done" }, { status: "In Progress" }, { status: "Open" }] },
    fetch_events: { events: [{ duration: 1 }, { duration: 2 }] },
    send_email: ({ to }: Readonly<Record<string, unknown>>): unknown => ({
      status: String(to) === "b@x.com" ? "bounced" : "sent",
    }),
  };
  const input = { team_members: ["a@x.com", "b@x.com"], start_date: "2026-01-01", end_date: "2026-01-31" };
  const report = (await generateTeamReport.implementation(
    { ...input, include_calendar: true },
    createMockContext({ tools }),
  )) as {
    summary: { issues: unknown; meetings: unknown };
    sent_to: unknown;
  };
  assert.deepEqual(report.summary.issues, { total: 4, completed: 2, in_progress: 1 });
  assert.deepEqual(report.summary.meetings, { total: 2, hours: 3 });
  assert.deepEqual(report.sent_to, ["a@x.com"]);
  const without = createMockContext({ tools });
  await generateTeamReport.implementation(input, without);
  assert.deepEqual(
    without.calls.map((call) => call.tool),
    ["fetch_issues", "send_email", "send_email"],
  );
});

test("A52 Slack notification: a colour by severity, mentions in front, info without a word", async () => {
  const sent = async (more: { severity?: "error"; mentions?: string[] }): Promise<unknown[]> => {
    const context = createMockContext({ tools: { send_message: { message_ts: "1" } } });
    await sendSlackNotification.implementation({ channel: "#ops", message: "down", ...more }, context);
    const { text, attachments } = (context.calls[0]?.parameters ?? {}) as {
      text: string;
      attachments: { color: string }[];
    };
    return [text, attachments[0]?.color];
  };
  assert.deepEqual(await sent({}), ["down", "good"]);
  assert.deepEqual(await sent({ severity: "error", mentions: ["U1", "U2"] }), ["<@U1> <@U2> down", "danger"]);
});

const MEETING = { attendees: ["a@x.com", "b@x.com"], duration: 30, meeting_title: "Plan" };

test("A53 meeting: the first free time is booked; none is told as such", async () => {
  const slot = { start_time: "10:00", end_time: "10:30" };
  const context = createMockContext({
    tools: {
      find_available_slots: [slot, { start_time: "11:00", end_time: "11:30" }],
      create_event: { event_id: "e1" },
    },
  });
  assert.deepEqual(await scheduleTeamMeeting.implementation(MEETING, context), {
    event_id: "e1",
    scheduled_time: "10:00",
    attendees_notified: 2,
  });
  const full = createMockContext({ tools: { find_available_slots: [] } });
  await assert.rejects(scheduleTeamMeeting.implementation(MEETING, full), {
    name: "BusinessLogicError",
    message: "No available time slots found",
  });
});

test("A40: all five are tools as they are, and their schemas hold", async () => {
  const uses = ["send_email", "send_message"].map((name) =>
    tool({ name, description: `Does ${name}.`, input: { type: "object" }, execute: () => ({}) }),
  );
  const made = [
    tool({ ...sendWelcomeEmail, uses }),
    tool({ ...createProjectWorkflow, uses }),
    tool({ ...generateTeamReport, uses }),
    tool({ ...sendSlackNotification, uses }),
    tool({ ...scheduleTeamMeeting, uses }),
  ];
  const source = sourceOf(...made);
  const listed = await source.list({ identifier: "user_1", connections: [], tools: made });
  assert.ok(listed.ok, "listed");
  const find = (name: string): Parameters<typeof source.check>[0] => {
    const found = listed.tools.find((one) => one.name === name);
    assert.ok(found !== undefined, name);
    return found;
  };
  assert.match(source.check(find("schedule_team_meeting"), { ...MEETING, duration: 5 })[0] ?? "", /duration/);
  assert.match(
    source.check(find("send_slack_notification"), { channel: "c", message: "m", severity: "fatal" })[0] ?? "",
    /severity/,
  );
  assert.deepEqual(source.check(find("create_project_workflow"), PROJECT), []);
  const outcome = await source.send(
    { ...CALL, tool: "schedule_team_meeting", args: MEETING },
    {
      timeoutMs: 1_000,
      signal: new AbortController().signal,
      host: {
        accounts: () => Promise.resolve({ ok: true, accounts: [] }),
        execute: () => Promise.resolve({ ok: true, data: [] }),
      },
    },
  );
  assert.deepEqual(outcome, {
    kind: "error",
    type: "BusinessLogicError",
    message: "schedule_team_meeting: No available time slots found",
    retryable: false,
  });
});

test("A43: ids and time repeat; dates and addresses", () => {
  const ids = (): string[] => {
    const { utils } = createMockContext();
    return [utils.generateId(), utils.generateId(), utils.now().toISOString()];
  };
  assert.deepEqual(ids(), ids());
  assert.equal(new Set(ids()).size, 3);
  assert.match(ids()[0] ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const { formatDate, isValidEmail } = createMockContext().utils;
  assert.equal(formatDate("2024-01-15T23:05:09.007Z", "YYYY-MM-DD"), "2024-01-15");
  assert.equal(
    formatDate("2024-01-15T23:05:09.007Z", "DD.MM.YY HH:mm:ss.SSS [at] [YYYY]"),
    "15.01.24 23:05:09.007 at YYYY",
  );
  assert.equal(formatDate(new Date("2024-01-15T23:05:00Z"), "YYYY-MM-DD HH:mm", "Asia/Tokyo"), "2024-01-16 08:05");
  assert.throws(() => formatDate("never", "YYYY"), { name: "ValidationError" });
  assert.throws(() => formatDate(0, "YYYY", "Mars/Olympus"), { name: "ValidationError" });
  const good = ["a@x.com", "a.b+c@mail.example.co.uk", "o'neil@x-y.io"];
  const bad = [
    "",
    "a",
    "@x.com",
    "a@",
    "a@x",
    "a b@x.com",
    "a@x..com",
    "a@-x.com",
    ".a@x.com",
    "a@1.2.3.4",
    `${"a".repeat(65)}@x.com`,
    7,
  ];
  assert.deepEqual([good.filter((it) => !isValidEmail(it)), bad.filter(isValidEmail)], [[], []]);
});

test("A42: accounts of the run's identifier and of nobody else", async () => {
  const context = createMockContext({
    accounts: [{ provider: "gmail" }, { provider: "slack", status: "EXPIRED" }, { identifier: "bob" }],
  });
  assert.deepEqual(
    (await context.accounts.list()).map(({ provider }) => provider),
    ["gmail", "slack"],
  );
  assert.equal((await context.accounts.list({ provider: "slack" }))[0]?.status, "EXPIRED");
  await assert.rejects(context.accounts.list({ identifier: "bob" }), { name: "ValidationError" });
  await assert.rejects(context.accounts.get("ca_gmail_2"), { name: "ValidationError" });
});
