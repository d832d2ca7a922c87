/** `errand/testing`: what a user's own tests need. Everything here speaks real protocols over loopback; no SDK is mocked. */
export { manualClock, type ManualClock } from "./clock.ts";
export { type Mail, Mailbox, parseMail, readMbox, sampleMails } from "./mailbox/index.ts";
export * from "./kruxos/index.ts";
export * from "./model/index.ts";
export { startRedis, type RedisOptions, type RedisServer } from "./redis.ts";
export { removeKeys } from "./remove-keys.ts";
export { createMockContext, type MockContext, type MockContextOptions, type MockTool } from "./tool-context.ts";
export * from "./scalekit/index.ts";
export {
  CALENDAR_SAMPLE,
  type Calendar,
  type Connector,
  type CrmRecord,
  type CrmRecords,
  defineConnector,
  GITHUB_SAMPLE,
  type GithubAccount,
  SLACK_SAMPLE,
  type SlackWorkspace,
  ToolFailure,
} from "./connectors/index.ts";
