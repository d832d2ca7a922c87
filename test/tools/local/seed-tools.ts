/**
 * The five example tools of seed 002, in its shape and with its behaviour: names, schemas, which tools they call with what, what they
 * return and throw. The wording is ours.
 */
import type { CustomTool, JsonSchema, ToolContext } from "../../../src/index.ts";

type Example<P> = Omit<CustomTool<P>, "implementation"> & {
  readonly implementation: (parameters: P, context: ToolContext) => Promise<unknown>;
};

type Properties = Record<string, JsonSchema>;

function object(properties: Properties, ...required: string[]): JsonSchema {
  return { type: "object", properties, ...(required.length > 0 && { required }) };
}

const text: JsonSchema = { type: "string" };
const texts: JsonSchema = { type: "array", items: text };
const custom = { provider: "custom" } as const;

interface Welcome {
  readonly user_name: string;
  readonly user_email: string;
  readonly company_name: string;
}

export const sendWelcomeEmail: Example<Welcome> = {
  ...custom,
  name: "send_welcome_email",
  display_name: "Send Welcome Email",
  description: "Sends a welcome mail with a user's first steps to somebody who is new.",
  category: "communication",
  input_schema: object(
    { user_name: text, user_email: { type: "string", format: "email" }, company_name: text },
    "user_name",
    "user_email",
    "company_name",
  ),
  output_schema: object({ message_id: text, status: { type: "string", enum: ["sent", "failed"] } }),
  implementation: async ({ user_name, user_email, company_name }: Welcome, context: ToolContext): Promise<unknown> => {
    const result = await context.tools.execute<{ message_id: string; status: string }>({
      tool: "send_email",
      parameters: {
        to: [user_email],
        subject: `Welcome to ${company_name}!`,
        body: `${user_name}, welcome to ${company_name}: complete your profile, join Slack, meet your manager.`,
      },
    });
    return { message_id: result.message_id, status: result.status === "sent" ? "sent" : "failed" };
  },
};

interface Project {
  readonly project_name: string;
  readonly project_key: string;
  readonly team_members: readonly string[];
  readonly project_description?: string;
}

export const createProjectWorkflow: Example<Project> = {
  ...custom,
  name: "create_project_workflow",
  display_name: "Create Project Workflow",
  description: "Sets a project up: a Jira project, a Slack channel, and a mail to each of the team.",
  category: "project_management",
  input_schema: object(
    { project_name: text, project_key: text, team_members: texts, project_description: text },
    "project_name",
    "project_key",
    "team_members",
  ),
  output_schema: object({ jira_project_id: text, slack_channel_id: text, notifications_sent: { type: "number" } }),
  implementation: async (given: Project, { tools }: ToolContext): Promise<unknown> => {
    const { project_name: name, project_key: key, team_members: team, project_description: description } = given;
    try {
      const project = await tools.execute<{ project_id: string; project_url: string }>({
        tool: "create_jira_project",
        parameters: { key, name, description, project_type: "software" },
      });
      const channel = await tools.execute<{ channel_id: string; channel_name: string }>({
        tool: "create_channel",
        parameters: { name: `${key.toLowerCase()}-team`, topic: `Discussion for ${name}`, is_private: false },
      });
      let notified = 0;
      for (const member of team) {
        try {
          await tools.execute({
            tool: "send_email",
            parameters: {
              to: [member],
              subject: `New Project: ${name}`,
              body: `${project.project_url} #${channel.channel_name}`,
            },
          });
          notified++;
        } catch {
          // Whoever cannot be reached is left out of the count.
        }
      }
      await tools.execute({
        tool: "send_message",
        parameters: { channel: `#${channel.channel_name}`, text: `Welcome to ${name}!` },
      });
      return {
        jira_project_id: project.project_id,
        slack_channel_id: channel.channel_id,
        notifications_sent: notified,
      };
    } catch (error) {
      throw new Error(`Project creation failed: ${error instanceof Error ? error.message : "?"}`, { cause: error });
    }
  },
};

interface Report {
  readonly team_members: readonly string[];
  readonly start_date: string;
  readonly end_date: string;
  readonly include_calendar?: boolean;
}

export const generateTeamReport: Example<Report> = {
  ...custom,
  name: "generate_team_report",
  display_name: "Generate Team Report",
  description: "Makes a report of a team's issues and meetings, and mails it to each of the team.",
  category: "analytics",
  input_schema: object(
    {
      team_members: texts,
      start_date: { type: "string", format: "date" },
      end_date: { type: "string", format: "date" },
      include_calendar: { type: "boolean", default: true },
    },
    "team_members",
    "start_date",
    "end_date",
  ),
  output_schema: object({ report_url: text, summary: { type: "object" }, sent_to: texts }),
  implementation: async (given: Report, { tools }: ToolContext): Promise<unknown> => {
    const { team_members: team, start_date, end_date, include_calendar } = given;
    const { issues } = await tools.execute<{ issues: { status: string }[] }>({
      tool: "fetch_issues",
      parameters: { jql: `assignee in (${team.join(",")}) AND created >= ${start_date} AND created <= ${end_date}` },
    });
    const calendar =
      include_calendar === true
        ? await tools.execute<{ events: { duration: number }[] }>({
            tool: "fetch_events",
            parameters: { start_date, end_date, attendees: team },
          })
        : null;
    const count = (status: string): number => issues.filter((issue) => issue.status === status).length;
    const summary = {
      period: { start_date, end_date },
      team_size: team.length,
      issues: { total: issues.length, completed: count("Done"), in_progress: count("In Progress") },
      meetings: calendar && {
        total: calendar.events.length,
        hours: calendar.events.reduce((sum, { duration }) => sum + duration, 0),
      },
    };
    const html_body = `<h1>${summary.issues.total} issues</h1>`;
    const results = await Promise.all(
      team.map((member) =>
        tools.execute<{ status: string }>({
          tool: "send_email",
          parameters: { to: [member], subject: `Team Report - ${start_date} to ${end_date}`, html_body },
        }),
      ),
    );
    const sent_to = team.filter((_, i) => results[i]?.status === "sent");
    return { report_url: "Generated and sent via email", summary, sent_to };
  },
};

interface Notification {
  readonly channel: string;
  readonly message: string;
  readonly severity?: "info" | "warning" | "error";
  readonly mentions?: readonly string[];
}

export const sendSlackNotification: Example<Notification> = {
  ...custom,
  name: "send_slack_notification",
  display_name: "Send Slack Notification",
  description: "Sends a notification to Slack, with a colour by severity and with mentions.",
  category: "communication",
  input_schema: object(
    { channel: text, message: text, severity: { type: "string", enum: ["info", "warning", "error"] }, mentions: texts },
    "channel",
    "message",
  ),
  output_schema: object({ message_ts: text, permalink: text }),
  implementation: async (given: Notification, context: ToolContext): Promise<unknown> => {
    const { channel, message, severity = "info", mentions = [] } = given;
    const colors = { info: "good", warning: "warning", error: "danger" };
    const names = mentions.length > 0 ? `${mentions.map((name) => `<@${name}>`).join(" ")} ` : "";
    const attachment = { color: colors[severity], text: message, ts: Math.floor(Date.now() / 1000) };
    return context.tools.execute({
      tool: "send_message",
      parameters: { channel, text: `${names}${message}`, attachments: [attachment] },
    });
  },
};

interface Meeting {
  readonly attendees: readonly string[];
  readonly duration: number;
  readonly preferred_times?: readonly string[];
  readonly meeting_title: string;
  readonly meeting_description?: string;
}

export const scheduleTeamMeeting: Example<Meeting> = {
  ...custom,
  name: "schedule_team_meeting",
  display_name: "Schedule Team Meeting",
  description: "Finds a time at which everybody is free, and books a meeting then.",
  category: "scheduling",
  input_schema: object(
    {
      attendees: texts,
      duration: { type: "number", minimum: 15 },
      preferred_times: texts,
      meeting_title: text,
      meeting_description: text,
    },
    "attendees",
    "duration",
    "meeting_title",
  ),
  output_schema: object({ event_id: text, scheduled_time: text, attendees_notified: { type: "number" } }),
  implementation: async (given: Meeting, { tools, errors }: ToolContext): Promise<unknown> => {
    const { attendees, duration, preferred_times = [], meeting_title: title, meeting_description: description } = given;
    const slots = await tools.execute<{ start_time: string; end_time: string }[]>({
      tool: "find_available_slots",
      parameters: { attendees, duration, preferred_times },
    });
    const [slot] = slots;
    if (slot === undefined) throw new errors.BusinessLogicError("No available time slots found");
    const { event_id } = await tools.execute<{ event_id: string }>({
      tool: "create_event",
      parameters: { title, description, ...slot, attendees },
    });
    return { event_id, scheduled_time: slot.start_time, attendees_notified: attendees.length };
  },
};
