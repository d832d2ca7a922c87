/** The public names, one by one. Names that users need in their tests are in `errand/testing`. */
export {
  type Classification,
  type ClassifyOptions,
  classifyTools,
  type DefinitionState,
  type Review,
  type ReviewedTool,
  type UnaskedSource,
} from "./classify.ts";
export { type LoadedConfig, loadConfig, loadLiveConfig, type LoadOptions } from "./config-file.ts";
export {
  configFromEnv,
  defaultModel,
  defineConfig,
  type EnvOptions,
  type ErrandConfig,
  type LiveConfig,
} from "./config.ts";
export { agent, type Agent, type AgentOptions, type InstructionContext, type TypedAgent } from "./core/agent.ts";
export type { ApprovalPolicy, NeedsApproval, ProposedCall } from "./core/needs-approval.ts";
export type { Effect, OnUnknown } from "./core/effects.ts";
export type { AskedApproval, AskedNeed, AuthorizationEvent } from "./core/authorization.ts";
export { ErrandError, type ErrorCode } from "./core/errors.ts";
export type { GivenManifest, ManifestEntry, ToolManifest } from "./core/manifest.ts";
export type { DayCount, DayCounts } from "./core/day-counts.ts";
export type { Budgets, DayLimits } from "./core/days.ts";
export type { AtLimit, Limits, RunLimit } from "./core/limits.ts";
export type { MassLoss } from "./core/losses.ts";
export type { Message, ModelName, Trouble, Usage } from "./core/messages.ts";
export type { CatchUp, Overlap, ScheduleOptions } from "./core/schedule/definition.ts";
export type { Tick } from "./core/schedule/input.ts";
export type { Outcome, SkipPolicy } from "./core/schedule/state.ts";
export { type Guidance, guidance, type NextAction } from "./core/needs.ts";
export type { AccountStatus, FailureCode, Need, NeedReason, ParkReason, RunStatus } from "./core/run.ts";
export type { InputOf, JsonSchema, OutputOf, Schema } from "./core/schema.ts";
export type { CallInDoubt, LookAnswer, ToolDefinition, ToolUse, Verify } from "./core/tool-use.ts";
export type { RunEvent } from "./core/run-events.ts";
export type { ModelCall, RunView, Wait } from "./core/view.ts";
export type { SeenAccount } from "./core/waiting.ts";
export { type Check, type CheckResult, checkUp, type DoctorOptions } from "./doctor.ts";
export { type ApprovalActions, type AuthorizationActions, createErrand, type Errand } from "./errand.ts";
export type {
  AuthorizationHandlerOptions,
  AuthorizationSettings,
  ErrandOptions,
  WebhookHandlerOptions,
  WorkerOptions,
} from "./options.ts";
export type { ChatFeatures, ChatProfile } from "./models/chat.ts";
export type { MessagesFeatures, MessagesProfile } from "./models/messages.ts";
export type { Features, Price } from "./models/profile.ts";
export type { ModelProfile } from "./models/protocols.ts";
export type { ResponsesFeatures, ResponsesProfile } from "./models/responses.ts";
export type { ApprovalFilter, ApprovalPage, Consent, Denial, PendingApproval } from "./queue/approvals.ts";
export type { Authorization, AuthorizationFilter, AuthorizationPage, LinkState } from "./queue/authorizations.ts";
export type { BudgetOwner, BudgetRaise, BudgetUse, BudgetView } from "./queue/budgets.ts";
export type { ErrandWorker, WorkerState } from "./queue/crew.ts";
export type { RunHandle } from "./queue/handle.ts";
export type { RunFilter, RunPage, RunSummary } from "./queue/lister.ts";
export type { Coalesce, EnqueueOptions } from "./queue/producer.ts";
export type { ModelAlarm } from "./ports/allowance.ts";
export type { Durability } from "./queue/replicas.ts";
export type { HistoryLine } from "./queue/schedule-store.ts";
export type { ScheduleView } from "./queue/schedule-view.ts";
export type { ManyOptions, RefusedSchedule, UpsertedMany, UpsertManyOptions } from "./queue/schedule-many.ts";
export type {
  ScheduleDetail,
  ScheduleFilter,
  ScheduleListFilter,
  SchedulePage,
  ScheduleTimes,
} from "./queue/schedules.ts";
export type { ToolResult } from "./queue/tool-result.ts";
export type { UnknownFilter, UnknownOutcome, UnknownPage } from "./queue/unknowns.ts";
export type {
  ExecuteRequest,
  HttpRequest,
  HttpResponse,
  ToolAccount,
  ToolContext,
  ToolErrors,
  ToolUtils,
} from "./core/tool-context.ts";
export {
  BusinessLogicError,
  ExternalAPIError,
  type ExternalAPIErrorOptions,
  ToolCallError,
  ToolSuspended,
  ValidationError,
} from "./core/tool-errors.ts";
export {
  type Finding,
  lintTools,
  type ListedTool,
  listTools,
  type Rule,
  showTool,
  type ToolsOptions,
} from "./tool-desk.ts";
export { runTool, type RunToolOptions, type ToolRun } from "./tool-run.ts";
export { type CustomTool, tool, type ToolOptions } from "./tools/local/tool.ts";
export { type LocalTool, type Rollout, toolVersions } from "./tools/local/variant.ts";
export type { DeleteOptions, ScheduleActions, TriggerOptions } from "./schedule-actions.ts";
export { healthHandler, type HealthServer, serveHealth } from "./service/health.ts";
export { nodeListener } from "./service/node-listener.ts";
export { type ProxyTool, proxyTool, type ProxyToolOptions, type Query } from "./scalekit/proxy-tool.ts";
export type { CallRates } from "./core/call-rates.ts";
export type { BodyAs, Form, FormFile, FormValue } from "./scalekit/proxy-body.ts";
export type { ProviderRefusal } from "./scalekit/proxy-answer.ts";
export type { ProxyMethod } from "./scalekit/proxy-wire.ts";
export { type Kruxos, kruxos, type KruxosOptions, type KruxosTool } from "./tools/kruxos/kruxos.ts";
export { type Mcp, mcp, type McpOptions, type McpTool } from "./tools/mcp/mcp.ts";
export type { McpToken, McpTokenContext } from "./tools/mcp/target.ts";
export type { SwitchKind, SwitchTarget } from "./core/switches.ts";
export type { LineCaps, LineFilter, WaitingLine, WaitingLines } from "./queue/lines.ts";
export type { PausedSwitch, PauseNote } from "./queue/switches.ts";
export type { SwitchActions } from "./switch-actions.ts";
export type { WeightKind, WeightTarget } from "./core/weights.ts";
export type { Weight } from "./queue/weights.ts";
export type { WeightActions } from "./weight-actions.ts";
