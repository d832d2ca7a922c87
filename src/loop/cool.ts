/** Cool-downs: what a provider refused to one run is not asked for by any other until it may be again. */
import { accountGate } from "../core/gate.ts";
import type { RunnableCall } from "../core/journal.ts";
import type { ModelFailure, ModelName } from "../core/messages.ts";
import type { Outcome } from "../core/outcome.ts";
import { MODEL_RETRY, TOOL_RETRY } from "../core/retry.ts";
import { ALARM_CODE } from "../ports/allowance.ts";
import type { Outage } from "../ports/accounts.ts";
import type { CoolReason } from "../ports/asking.ts";
import type { HeldRun } from "./held.ts";
import type { LoopPorts } from "./loop.ts";

/** Names of what can be closed. */
export const coolKey: {
  readonly scalekit: string;
  readonly model: (profile: string) => string;
  readonly connection: (connection: string) => string;
  readonly account: (identifier: string, connection: string) => string;
} = {
  scalekit: "scalekit",
  model: (profile) => `model/${profile}`,
  connection: (connection) => `connection/${encodeURIComponent(connection)}`,
  account: accountGate,
};

/** Those that a call goes through: its user's account, its connection, Scalekit's environment. Tools of the app's own have none. */
export function coolKeysOf(identifier: string, { connection }: RunnableCall): readonly string[] {
  if (connection === "") return [];
  return [coolKey.scalekit, coolKey.connection(connection), coolKey.account(identifier, connection)];
}

const CLOSES: Readonly<Partial<Record<ModelFailure["class"], CoolReason>>> = {
  "rate-limit": "rate-limit",
  billing: "billing",
  credentials: "credentials",
};

/** Those that come back do so one after the other, over so much time at most. */
const MOST_SPREAD_MS = 30_000;

/** @returns ms that this run waits at least; nothing for a failure that is this request's own */
export async function coolModel(
  { asked, held, ports }: { readonly asked: ModelName; readonly held: HeldRun; readonly ports: LoopPorts },
  failure: ModelFailure,
): Promise<number | undefined> {
  const why = CLOSES[failure.class];
  if (why === undefined || ports.cooling === undefined) return undefined;
  const { chance } = ports;
  const { until, first } = await ports.cooling.close(coolKey.model(asked.profile), {
    why,
    ...(failure.retryAfterMs !== undefined && { retryAfterMs: failure.retryAfterMs }),
    backoff: MODEL_RETRY[failure.class].backoff,
    random: chance.random(),
    nonce: chance.nonce(),
  });
  if (first && why !== "rate-limit") {
    const alarm = { code: ALARM_CODE[why], profile: asked.profile, message: failure.message };
    ports.log.error("model.stopped", { code: alarm.code, profile: alarm.profile, message: alarm.message });
    ports.allowance?.alarm(alarm);
  }
  const waitMs = Math.max(0, until - held.now());
  return Math.round(waitMs + chance.random() * Math.min(MOST_SPREAD_MS, 1_000 + waitMs / 4));
}

/** @returns Redis ms until which Scalekit asks for nothing from us */
export async function coolScalekit({ limited }: Outage, { cooling, chance }: LoopPorts): Promise<number | undefined> {
  if (limited === undefined || cooling === undefined) return undefined;
  const closing = { why: "rate-limit", backoff: MODEL_RETRY["rate-limit"].backoff, ...limited } as const;
  return (await cooling.close(coolKey.scalekit, { ...closing, random: chance.random(), nonce: chance.nonce() })).until;
}

/** Scalekit's own limit holds for all of its environment; a provider's for this user, and if several users meet it, for all of them. */
export async function coolTool(call: RunnableCall, outcome: Outcome, held: HeldRun, ports: LoopPorts): Promise<void> {
  if (outcome.kind !== "not-executed" || outcome.why !== "rate-limit" || call.connection === "") return;
  const { identifier } = held.state.created;
  const ours = outcome.by === "scalekit";
  await ports.cooling?.close(ours ? coolKey.scalekit : coolKey.account(identifier, call.connection), {
    why: "rate-limit",
    ...(outcome.retryAfterMs !== undefined && { retryAfterMs: outcome.retryAfterMs }),
    backoff: TOOL_RETRY["rate-limit"],
    random: ports.chance.random(),
    nonce: ports.chance.nonce(),
    ...(!ours && { wider: coolKey.connection(call.connection) }),
  });
}
