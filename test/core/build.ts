/** Journals for tests of the pure core, in few words. Entry number i (from 1: `created`) is stamped i seconds; epochs count leases. */
import { canonical, type Json } from "../../src/core/json.ts";
import type { Effect } from "../../src/core/effects.ts";
import type {
  CallClaimed,
  Created,
  Decision,
  Entry,
  Leased,
  Parked,
  PlannedCall,
  Prepared,
  TurnCommitted,
  TurnRequested,
} from "../../src/core/journal.ts";
import { foldRun, type RunState } from "../../src/core/state.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/core/limits.ts";
import { NO_USAGE } from "../../src/core/messages.ts";
import type { Evidence, Outcome, Refusal } from "../../src/core/outcome.ts";
import type { FrozenTool, ParkReason, RunContext } from "../../src/core/run.ts";

export const CREATED: Created = { kind: "created", agent: "inbox-digest", identifier: "user_1", input: {} };
export const LEASED: Leased = { kind: "leased", worker: "w" };
export const YIELDED: Entry = { kind: "yielded" };

/** One tool of each effect, called `tool_<effect>`. */
export const TOOLS: readonly FrozenTool[] = (
  ["read", "idempotent", "keyed", "staged", "verifiable", "unsafe"] as const
).map((effect) => ({
  name: `tool_${effect}`,
  description: `A tool, ${effect}.`,
  parameters: { type: "object", properties: { n: { type: "number" } } },
  effect,
  connection: "gmail",
  hash: "h",
}));

export function context(limits: Partial<Limits> = {}, more: Partial<RunContext> = {}): RunContext {
  return {
    instructions: "Sum up the mails.",
    prompt: "Go",
    profile: "openai",
    model: "m-1",
    limits: { ...DEFAULT_LIMITS, ...limits },
    tools: TOOLS,
    connections: ["gmail"],
    expiresAfterMs: 60_000,
    ...more,
  };
}

export function prepared(limits: Partial<Limits> = {}): Prepared {
  return { kind: "prepared", context: context(limits), accounts: { gmail: "ca_1" } };
}

/** Accounts were read again. */
export const AGAIN: Prepared = { kind: "prepared", accounts: { gmail: "ca_1" } };

/** A run that may think. */
export const READY: readonly Entry[] = [LEASED, prepared()];

type RunCall = Extract<PlannedCall, { verdict: "run" }>;

export function call(id: string, effect: Effect = "read", args: Json = {}): RunCall {
  const name = `tool_${effect}`;
  const argsHash = canonical(args);
  return { id, name, providerId: "p", verdict: "run", args, argsHash, effect, connection: "gmail" };
}

export function rejected(id: string): PlannedCall {
  return { id, name: "x", providerId: "p", verdict: "reject", answer: { success: false } };
}

export function turn(number: number, plan: readonly PlannedCall[], more: Partial<TurnCommitted> = {}): TurnCommitted {
  return {
    kind: "turn-committed",
    turn: number,
    verbatim: { role: "assistant", content: null, tool_calls: plan.map(toolCall) },
    text: "",
    finish: "stop",
    plan,
    leadsTo: "act",
    usage: NO_USAGE,
    servedModel: "m-1",
    requestId: "req",
    tookMs: 5,
    ...more,
  };
}

function toolCall({ name }: PlannedCall): Json {
  return { id: "p", type: "function", function: { name, arguments: "{}" } };
}

export function requested(number: number, shown: TurnRequested["shown"] = []): TurnRequested {
  return { kind: "turn-requested", turn: number, attempt: 1, final: false, shown };
}

/** The intent of `t0c0`'s second attempt is called `t0c0#2`. */
export function claim(of: RunCall, attempt = 1, windowMs = 10_000): CallClaimed {
  const intent = `${of.id}#${attempt}`;
  return { kind: "call-claimed", call: of.id, attempt, intent, tool: of.name, argsHash: of.argsHash, windowMs };
}

/** Nobody knows of this attempt whether it was executed. */
export function unknown(of: RunCall, attempt = 1): Entry {
  return { kind: "unknown", call: of.id, intent: `${of.id}#${attempt}`, tool: of.name, argsHash: of.argsHash };
}

/** The look after an attempt is the call `t0c0v1`. */
export function lookOf(of: RunCall, attempt = 1): RunCall {
  return { ...call(`${of.id}v${attempt}`, "read", { about: of.id }) };
}

export function lookPlanned(of: RunCall, attempt = 1): Entry {
  return { kind: "look-planned", call: of.id, intent: `${of.id}#${attempt}`, look: lookOf(of, attempt) };
}

export function looked(of: RunCall, says: "happened" | "not-executed" | "unsure", attempt = 1): Entry {
  return { kind: "looked", call: of.id, intent: `${of.id}#${attempt}`, says };
}

export function answered(of: RunCall, says: "happened" | "not-executed" | "stop", at: number): Evidence {
  return { ...evidence(of, 1, OK, at), nonce: `answer:${of.id}#1`, outcome: { kind: "answered", says } };
}

export function parked(reason: ParkReason, about?: string): Parked {
  return { kind: "parked", reason, ...(about !== undefined && { about }) };
}

export function evidence(of: RunCall, attempt: number, outcome: Outcome, at: number): Evidence {
  return { nonce: `${of.id}#${attempt}`, call: of.id, tool: of.name, argsHash: of.argsHash, outcome, tookMs: 1, at };
}

export const OK: Outcome = { kind: "ok", data: { found: 1 } };
export const ERROR: Outcome = { kind: "error", type: "NotFound", message: "no such mail", retryable: false };
export const UNKNOWN: Outcome = { kind: "unknown", message: "timed out" };

export function refused(why: Refusal, retryAfterMs?: number): Outcome {
  return { kind: "not-executed", why, message: `refused: ${why}`, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** An entry with a moment of its own, ms. */
export function at<E extends Entry>(ms: number, entry: E): E & { readonly at: number } {
  return { ...entry, at: ms };
}

export function decisions(entries: readonly (Entry & { readonly at?: number })[]): Decision[] {
  let epoch = 0;
  return entries.map((entry, i) => {
    if (entry.kind === "leased") epoch++;
    return { ...entry, at: entry.at ?? (i + 1) * 1_000, epoch };
  });
}

/** The state after `created` and these entries. */
export function run(entries: readonly (Entry & { readonly at?: number })[], seen: readonly Evidence[] = []): RunState {
  return foldRun("r1", decisions([CREATED, ...entries]), seen);
}
