/**
 * What follows from a failed call (facts/reliability.md §1.4): for a tool call an `Outcome`, for everything else an `Outage`. Pure.
 * The rule: "not executed" and "error" need somebody who says so and can know it. Everything else is `unknown`.
 */
import type { Outcome } from "../core/outcome.ts";
import type { Outage } from "../ports/accounts.ts";
import { type CodeName, type Failure, failureOf } from "./failure.ts";
import { safeText } from "./text.ts";

export function outcomeOf(error: unknown): Outcome {
  return outcomeOfFailure(failureOf(error));
}

export function outageOf(error: unknown, doing: string): Outage {
  return outageOfFailure(failureOf(error), doing);
}

export function outcomeOfFailure(failure: Failure): Outcome {
  if (failure.unsent === "rate-limit") return ofLimit(failure, failure.message);
  if (failure.unsent !== undefined) return { kind: "not-executed", why: failure.unsent, message: failure.message };
  if (failure.tool !== undefined) return ofProvider(failure, failure.tool);
  if (failure.code === "Unauthenticated" && failure.said !== "nobody")
    return refused("credentials", "Scalekit refused our own credentials.", failure);
  // A refusal by its meaning (RFC 6585 §4), of something in front of Scalekit: Scalekit itself answers in gRPC, at HTTP 200, and a
  // provider's 429 comes as a word of it. Other statuses may come after a call was passed on.
  if (failure.said === "http" && failure.httpStatus === 429)
    return ofLimit(failure, "A limit in front of Scalekit (HTTP 429).");
  return failure.said === "server" ? ofScalekit(failure) : unknown(failure);
}

/** Of Scalekit's environment, or of what stands before it: it holds for everybody. */
function ofLimit(failure: Failure, message: string): Outcome {
  return { ...refused("rate-limit", message, failure), by: "scalekit" };
}

/** The provider's refusal, passed on by Scalekit. */
function ofProvider(failure: Failure, tool: NonNullable<Failure["tool"]>): Outcome {
  const { message } = tool;
  const status = providerStatus(tool.code, failure.code);
  switch (status) {
    case 401:
      return refused("account", `The provider refused the account (401): ${message}`, failure);
    case 403:
      // Google and GitHub say 403 for some of their rate limits as well; asking the user to connect again would not help.
      return RATE_LIMITED.test(`${tool.code} ${message}`)
        ? refused("rate-limit", `The provider's rate limit (403): ${message}`, failure)
        : refused("scope", `The provider did not allow it (403): ${message}`, failure);
    case 429:
      return refused("rate-limit", `The provider's rate limit (429): ${message}`, failure);
    default:
      if (status === undefined || status >= 500)
        return { kind: "unknown", message: safeText(`The provider failed (${status ?? failure.code}): ${message}`) };
      return {
        kind: "error",
        type: tool.code === "" ? "ProviderError" : tool.code,
        message: safeText(message),
        retryable: false,
        ...(tool.executionId !== "" && { executionId: tool.executionId }),
      };
  }
}

const RATE_LIMITED = /rate.?limit|quota/i;

/** The status is not told but by Scalekit's code for it; a provider's code that is a status itself wins. */
function providerStatus(toolCode: string, code: CodeName): number | undefined {
  const told = /^(?:HTTP[ _]?)?([45]\d\d)$/i.exec(toolCode);
  return told === null ? STATUS_OF[code] : Number(told[1]);
}

const STATUS_OF: Readonly<Partial<Record<CodeName, number>>> = {
  InvalidArgument: 400,
  FailedPrecondition: 400,
  OutOfRange: 400,
  Unauthenticated: 401,
  PermissionDenied: 403,
  NotFound: 404,
  AlreadyExists: 409,
  ResourceExhausted: 429,
  Unimplemented: 501,
  Unavailable: 503,
  DeadlineExceeded: 504,
};

/** Scalekit's own sentence in its sample code; which code it comes with is not documented. */
const NOT_ACTIVE = /\bconnected account\b.{0,60}\bnot active\b/i;

/** A gRPC status of Scalekit's own, without a word of the provider's. */
function ofScalekit(failure: Failure): Outcome {
  if (NOT_ACTIVE.test(failure.message)) return refused("account", failure.message, failure);
  switch (failure.code) {
    case "ResourceExhausted":
      // Without Scalekit's own word it may be a gRPC library that found the answer of an executed call too long.
      return failure.errorCode === ""
        ? unknown(failure)
        : ofLimit(failure, `Scalekit's rate limit: ${failure.message}`);
    // Codes that an account which is not ACTIVE may get. Neither was executed, and the account's status, read again, decides
    // what follows.
    case "FailedPrecondition":
    case "PermissionDenied":
      return refused("account", failure.message, failure);
    case "NotFound":
      return /\btool\b/i.test(failure.message) && !/account/i.test(failure.message)
        ? { kind: "error", type: "ToolNotFound", message: failure.message, retryable: false }
        : refused("account", failure.message, failure);
    case "InvalidArgument":
    case "OutOfRange": {
      const said = failure.violations.length > 0 ? failure.violations.join("; ") : failure.message;
      return { kind: "error", type: "InvalidArguments", message: safeText(said), retryable: false };
    }
    case "Unauthenticated":
      return refused("credentials", "Scalekit refused our own credentials.", failure);
    case "Canceled":
    case "Unknown":
    case "DeadlineExceeded":
    case "AlreadyExists":
    case "Aborted":
    case "Unimplemented":
    case "Internal":
    case "Unavailable":
    case "DataLoss":
      return unknown(failure);
  }
}

function refused(
  why: Extract<Outcome, { kind: "not-executed" }>["why"],
  message: string,
  { retryAfterMs }: Failure,
): Extract<Outcome, { kind: "not-executed" }> {
  return { kind: "not-executed", why, message: safeText(message), ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

function unknown({ code, message }: Failure): Outcome {
  return { kind: "unknown", message: safeText(`${code}: ${message}`) };
}

/** @param doing what was asked, such as `look at accounts` */
export function outageOfFailure(failure: Failure, doing: string): Outage {
  if (failure.unsent === undefined && isOurs(failure)) {
    const what = failure.httpStatus ?? failure.code;
    const message = `Scalekit refused us (${what}) when asked to ${doing}. Check envUrl, clientId and clientSecret.`;
    return { ok: false, why: "credentials", message };
  }
  const message = safeText(`Scalekit could not ${doing} (${failure.code}): ${failure.message}`);
  const { retryAfterMs } = failure;
  const isLimit =
    failure.unsent === "rate-limit" ||
    failure.httpStatus === 429 ||
    (failure.code === "ResourceExhausted" && failure.said === "server");
  const limited = isLimit ? { limited: retryAfterMs === undefined ? {} : { retryAfterMs } } : {};
  const why = failure.unsent === "credentials" ? "credentials" : "unavailable";
  return { ok: false, why, message, ...limited };
}

/** Our client id, its secret, its rights or its URL are wrong: no waiting helps. The token endpoint answers in plain HTTP. */
function isOurs({ code, httpStatus }: Failure): boolean {
  return (
    code === "Unauthenticated" ||
    code === "PermissionDenied" ||
    httpStatus === 400 ||
    httpStatus === 401 ||
    httpStatus === 403 ||
    httpStatus === 404
  );
}
