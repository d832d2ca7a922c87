/** The connectors that come with the emulator, their worlds, and what it takes to write one's own. */
import type { Connector } from "./connector.ts";
import { github } from "./github.ts";
import { gmail } from "./gmail.ts";
import { googlecalendar } from "./googlecalendar.ts";
import { hubspot } from "./hubspot.ts";
import { salesforce } from "./salesforce.ts";
import { slack } from "./slack.ts";

export const CONNECTORS: readonly Connector[] = [gmail, slack, github, googlecalendar, salesforce, hubspot];

export {
  defineConnector,
  type Connector,
  type ConnectorSpec,
  type Owner,
  type ProxyAnswer,
  type ProxyRequest,
  type ToolSpec,
} from "./connector.ts";
export { ToolFailure } from "./failure.ts";
export { Calendar, type CalendarData, type CalendarEvent } from "./calendar.ts";
export { CALENDAR_SAMPLE } from "./googlecalendar-sample.ts";
export { CrmRecords, type CrmRecord } from "./crm-records.ts";
export { GithubAccount, type GithubData } from "./github-account.ts";
export { GITHUB_SAMPLE } from "./github-sample.ts";
export { SlackWorkspace, type SlackData } from "./slack-workspace.ts";
export { SLACK_SAMPLE } from "./slack-sample.ts";
