/**
 * What can be known of a failed call, taken from whatever was thrown: connect's ConnectError, the SDK's exceptions, axios' error of
 * its token request, and our own NotSent. errors.ts says what follows from it.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { ScalekitServerException } from "@scalekit-sdk/node";
import {
  type ErrorInfo,
  ErrorInfoSchema,
} from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/errdetails/errdetails_pb.js";
import { isObject } from "../core/json.ts";
import { type HeaderReader, retryAfterMs } from "../core/retry-after.ts";
import { dialFailure } from "../core/system-error.ts";
import { safeText } from "./text.ts";

export { dialFailure, systemCode } from "../core/system-error.ts";

export type CodeName = keyof typeof Code;

export interface Failure {
  readonly code: CodeName;
  /**
   * Who says so. `server`: a gRPC status of Scalekit's. `http`: a plain HTTP answer, perhaps of something in between. `nobody`: the
   * call broke here. connect itself uses the codes of definite refusals for answers that were cut off (InvalidArgument) or too long
   * (ResourceExhausted), so a code alone proves nothing.
   */
  readonly said: "server" | "http" | "nobody";
  /** Set when certainly no byte of the call was sent: why not. `rate-limit`: Scalekit's, at its token endpoint. */
  readonly unsent?: Unsent;
  readonly httpStatus?: number;
  /** Scalekit's own word, such as `RATE_LIMITED`; empty if there is none. */
  readonly errorCode: string;
  /** The tool was run, and its provider refused. */
  readonly tool?: { readonly code: string; readonly message: string; readonly executionId: string };
  /** `field: what is wrong`. */
  readonly violations: readonly string[];
  /** Safe to store. */
  readonly message: string;
  readonly retryAfterMs?: number;
}

export type Unsent = "unavailable" | "credentials" | "rate-limit";

/** A longer wait that somebody asks for is not believed. */
export const LONGEST_WISH_MS = 3_600_000;

/** Thrown by our own client for a call that has not left this process. Its message is safe to store. */
export class NotSent extends Error {
  override readonly name = "NotSent";
  readonly why: Unsent;
  /** Of a rate limit, if it was told. */
  readonly retryAfterMs: number | undefined;

  constructor(why: Unsent, message: string, retryAfterMs?: number) {
    super(message);
    this.why = why;
    this.retryAfterMs = retryAfterMs;
  }
}

export function failureOf(error: unknown): Failure {
  if (error instanceof NotSent)
    return { ...broken("Unavailable", error.message), unsent: error.why, ...wished(error.retryAfterMs) };
  if (error instanceof ConnectError) return ofConnect(error);
  if (error instanceof ScalekitServerException) return ofSdk(error);
  if (isObject(error) && isObject(error["response"]) && typeof error["response"]["status"] === "number")
    return ofHttp(error["response"]["status"], error["response"]["headers"]);
  return broken("Unknown", error instanceof Error ? `${error.name}: ${error.message}` : "unreadable error");
}

function ofConnect(error: ConnectError): Failure {
  const info = error.findDetails(ErrorInfoSchema)[0];
  const code = nameOf(error.code);
  const wish = wished(retryAfterMs(error.metadata, undefined, LONGEST_WISH_MS) ?? pushback(error.metadata));
  // Envoy answers gRPC in gRPC, whatever its rate limit says in HTTP; this header is its own word for it (router filter).
  if (error.metadata.get("x-envoy-ratelimited") === "true")
    return { ...broken(code, "HTTP 429"), said: "http", httpStatus: 429, ...wish };
  if (error.metadata.has("grpc-status")) return { ...fromServer(code, info, error.rawMessage), ...wish };
  const http = /^HTTP (\d{3})$/.exec(error.rawMessage);
  if (http !== null) return { ...broken(code, error.rawMessage), said: "http", httpStatus: Number(http[1]), ...wish };
  const dialled = dialFailure(error);
  return dialled === undefined
    ? broken(code, error.rawMessage)
    : { ...broken("Unavailable", `no connection to Scalekit (${dialled})`), unsent: "unavailable" };
}

/** The SDK drops what tells a server's status from a broken call, except that only a server sends details. */
function ofSdk(error: ScalekitServerException): Failure {
  const info = error.unpackedDetails[0];
  const code = nameOf(error.grpcStatus);
  if (info !== undefined) return fromServer(code, info, error.message);
  // Only questions go through the SDK, so it is enough to know that it is a limit. It drops the headers.
  if (code === "Unavailable" && /\bHTTP 429$/.test(error.message))
    return { ...broken(code, "HTTP 429"), said: "http", httpStatus: 429 };
  return broken(code, error.message);
}

function fromServer(code: CodeName, info: ErrorInfo | undefined, message: string): Failure {
  const failure: Failure = {
    code,
    said: "server",
    errorCode: info?.errorCode ?? "",
    violations: (info?.validationErrorInfo?.fieldViolations ?? []).map(({ field, description }) =>
      safeText(`${field}: ${description}`),
    ),
    message: safeText(message),
  };
  if (info?.errorCode !== "TOOL_ERROR") return failure;
  const { toolErrorCode = "", toolErrorMessage = "", executionId = "" } = info.toolErrorInfo ?? {};
  return {
    ...failure,
    tool: { code: safeText(toolErrorCode), message: safeText(toolErrorMessage || message), executionId },
  };
}

/** @param headers axios' own, which have no types of their own here */
function ofHttp(httpStatus: number, headers: unknown): Failure {
  const get = (name: string): string | undefined => {
    const value = isObject(headers) ? headers[name] : undefined;
    return typeof value === "string" ? value : undefined;
  };
  const wish = wished(retryAfterMs({ get }, undefined, LONGEST_WISH_MS));
  return { ...broken("Unknown", `HTTP ${httpStatus}`), said: "http", httpStatus, ...wish };
}

function broken(code: CodeName, message: string): Failure {
  return { code, said: "nobody", errorCode: "", violations: [], message: safeText(message) };
}

function nameOf(code: number): CodeName {
  return (Code[code] as CodeName | undefined) ?? "Unknown";
}

function wished(ms: number | undefined): { readonly retryAfterMs?: number } {
  return ms === undefined ? {} : { retryAfterMs: ms };
}

/** gRPC's own word for it (gRFC A6). */
function pushback(metadata: HeaderReader): number | undefined {
  const ms = Number(metadata.get("grpc-retry-pushback-ms") ?? "");
  return ms > 0 ? Math.min(ms, LONGEST_WISH_MS) : undefined;
}
