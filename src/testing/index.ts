/** `errand/testing`: what a user's own tests need. Everything here speaks real protocols over loopback; no SDK is mocked. */
export { manualClock, type ManualClock } from "./clock.ts";
export { type Mail, Mailbox, parseMail, readMbox, sampleMails } from "./mailbox/index.ts";
export * from "./model/index.ts";
export { startRedis, type RedisOptions, type RedisServer } from "./redis.ts";
export { removeKeys } from "./remove-keys.ts";
export {
  type AccountSnapshot,
  type Execution,
  type Fault,
  type IssuedLink,
  type ScalekitEmulator,
  type ScalekitEmulatorOptions,
  signWebhook,
  startScalekitEmulator,
} from "./scalekit/index.ts";
