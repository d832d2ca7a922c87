/**
 * What a KruxOS gateway's no means. It has three shapes of errors, and protocol errors beside them (facts/seeds.md C.1); one tolerant
 * reader for all. `recovery` is passed on to the model: it is what KruxOS' errors are made for. Pure.
 */
import { isObject, type Json, toJson } from "../../core/json.ts";
import type { Outcome, RecoveryAction } from "../../core/outcome.ts";
import { safeText } from "../../core/safe-text.ts";
import { functionName } from "./names.ts";

export interface GatewayError {
  readonly type: string;
  readonly message: string;
  readonly recovery: readonly RecoveryAction[];
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly approvalId?: string;
}

const MOST_RECOVERY = 10;

/** The error in a result, in any of its shapes; nothing when it is none. */
export function errorIn(result: unknown): GatewayError | undefined {
  if (!isObject(result)) return undefined;
  const inner = textJson(result);
  if (inner !== undefined)
    return errorIn(inner) ?? (result["isError"] === true ? plain("CapabilityError", inner) : undefined);
  // 3: StructuredError.
  if (typeof result["error_type"] === "string") {
    const { agent_description: forAgents, description, recovery_actions: recovery } = result;
    return made(result["error_type"], forAgents ?? description, recovery, result);
  }
  const { error } = result;
  // 1: the adapter's envelope.
  if (isObject(error) && (result["success"] === false || typeof error["type"] === "string"))
    return errorIn(error) ?? made(error["type"], error["message"], error["recovery"], error);
  // 2: the text of MCP.
  if (typeof error === "string") return made(error, result["message"], result["recovery"], result);
  return result["success"] === false ? plain("CapabilityError", result["message"]) : undefined;
}

/** The JSON inside `{ content: [{ type: "text", text }] }`. */
function textJson(result: Readonly<Record<string, unknown>>): unknown {
  const { content } = result;
  const first: unknown = Array.isArray(content) ? content[0] : undefined;
  if (!isObject(first) || typeof first["text"] !== "string") return undefined;
  try {
    return JSON.parse(first["text"]);
  } catch {
    return first["text"];
  }
}

function plain(type: string, message: unknown): GatewayError {
  return {
    type,
    message: safeText(typeof message === "string" ? message : "The capability failed."),
    recovery: [],
    retryable: false,
  };
}

function made(
  type: unknown,
  message: unknown,
  recovery: unknown,
  from: Readonly<Record<string, unknown>>,
): GatewayError {
  const seconds = Number(from["retry_after"] ?? from["retry_after_seconds"] ?? Number.NaN);
  const { approval_id: approval } = { ...(isObject(from["context"]) ? from["context"] : {}), ...from };
  return {
    ...plain(typeof type === "string" ? safeText(type) : "CapabilityError", message),
    recovery: (Array.isArray(recovery) ? recovery : []).slice(0, MOST_RECOVERY).flatMap(recoveryOf),
    retryable: from["retryable"] === true,
    ...(seconds > 0 && { retryAfterMs: Math.min(seconds, 3_600) * 1_000 }),
    ...(typeof approval === "string" && { approvalId: approval }),
  };
}

function recoveryOf(given: unknown): RecoveryAction[] {
  if (!isObject(given)) return [];
  const { action, description, capability, inputs } = given;
  const tool = typeof capability === "string" ? functionName(capability) : undefined;
  return [
    {
      action: safeText(typeof action === "string" ? action : "try"),
      description: safeText(typeof description === "string" ? description : ""),
      ...(tool !== undefined && { tool }),
      ...(inputs !== undefined && JSON.stringify(inputs).length < 2_000 && { inputs: toJson(inputs) }),
    },
  ];
}

/** The pending approval in a result, or in the error of one. */
export function pendingIn(result: unknown): string | undefined {
  if (!isObject(result)) return undefined;
  const inner = textJson(result) ?? result["data"];
  if (isObject(inner) && pendingIn(inner) !== undefined) return pendingIn(inner);
  const { status, approval_id: id } = result;
  return status === "pending_approval" && typeof id === "string" ? id : undefined;
}

/** JSON-RPC's own errors, by code. */
export function ofProtocol(code: number, message: string, data: unknown): Outcome {
  const known = isObject(data) ? data : {};
  const said = safeText(message);
  const seconds = Number(known["retry_after_seconds"] ?? Number.NaN);
  switch (code) {
    case -32_000:
      return notExecuted("rate-limit", said, seconds > 0 ? { retryAfterMs: Math.min(seconds, 3_600) * 1_000 } : {});
    case -32_001:
      return ofError({ ...(errorIn(data) ?? plain("PolicyDenied", said)), type: "PolicyDenied" });
    case -32_002: {
      const id = known["approval_id"];
      return typeof id === "string" ? pending(id, said) : ofError(plain("ApprovalPending", said));
    }
    case -32_003:
      return notExecuted("credentials", said);
    case -32_602:
      return ofError(errorIn(data) ?? plain("InvalidInput", said));
    case -32_600:
    case -32_601:
    case -32_700:
      return ofError(plain("ProtocolError", said));
    default:
      return { kind: "unknown", message: said };
  }
}

/** KruxOS' catalogue of errors: which of them say that nothing was executed, and which leave it open. */
export function ofError(error: GatewayError): Outcome {
  const { type, message, recovery, retryable, retryAfterMs, approvalId } = error;
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  switch (type) {
    case "RateLimited":
    case "auth.rate_limited":
      return notExecuted("rate-limit", message, wait);
    case "NotAuthenticated":
    case "SessionExpired":
      return notExecuted("credentials", message);
    case "ApprovalPending":
      return approvalId === undefined
        ? { kind: "error", type, message, retryable, recovery }
        : pending(approvalId, message);
    case "Timeout":
    case "ServiceUnavailable":
    case "proxy.service_error":
      return { kind: "unknown", message: safeText(`${type}: ${message}`) };
    default:
      if (type.startsWith("auth.")) return notExecuted("credentials", message);
      return { kind: "error", type, message, retryable: retryable || type === "ConflictError", recovery };
  }
}

export function pending(id: string, message: string): Outcome {
  return notExecuted("approval", message === "" ? "waits for an approval at KruxOS" : message, { ref: id });
}

function notExecuted(
  why: "rate-limit" | "credentials" | "approval",
  message: string,
  more: { readonly retryAfterMs?: number; readonly ref?: string } = {},
): Outcome {
  return { kind: "not-executed", why, message, ...more };
}

/** What a success shows: its data, without the envelope around it. */
export function dataOf(result: unknown): Json {
  if (!isObject(result)) return toJson(result);
  if (result["success"] === true && "data" in result) return toJson(result["data"]);
  return toJson(textJson(result) ?? result);
}
