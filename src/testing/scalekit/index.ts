/** The Scalekit emulator's public names. */
export { startScalekitEmulator, type RevokeOptions, type ScalekitEmulator } from "./emulator.ts";
export type { ConnectionOptions, ScalekitEmulatorOptions } from "./options.ts";
export type { AccountSnapshot, AccountStatus, StatusChange } from "./accounts.ts";
export type { EmulatorEvents, EventName } from "./bus.ts";
export type { Call, CallFilter, Calls } from "./calls.ts";
export type { AddedFault, Fault, Faults } from "./faults.ts";
export type { Execution } from "./ledger.ts";
export type { IssuedLink } from "./links.ts";
export { signWebhook, type LoggedEvent, type WebhookDelivery, type Webhooks, type WebhookTarget } from "./webhooks.ts";
export type { CodeName, ToolErrorInit } from "./errors.ts";
