/** Errors as Scalekit sends them: a gRPC code with an ErrorInfo that names the cause. */
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/errdetails/errdetails_pb.js";

/** Names of gRPC codes: `NotFound`, `FailedPrecondition`, … */
export type CodeName = keyof typeof Code;

export interface Violation {
  readonly field: string;
  readonly constraint: string;
  readonly description: string;
}

export function scalekitError(
  code: CodeName,
  errorCode: string,
  message: string,
  violations: readonly Violation[] = [],
): ConnectError {
  const validation = violations.length === 0 ? {} : { validationErrorInfo: { fieldViolations: [...violations] } };
  return new ConnectError(message, Code[code], undefined, [
    { desc: ErrorInfoSchema, value: { errorCode, ...validation } },
  ]);
}

export function notFound(what: string): ConnectError {
  return scalekitError("NotFound", "RESOURCE_NOT_FOUND", `${what} not found`);
}

export interface ToolErrorInit {
  /** The provider's own code. */
  readonly code: string;
  readonly message: string;
  /** The provider's HTTP status. */
  readonly status: number;
}

/** A tool ran and the provider refused: TOOL_ERROR, which clients must not retry. */
export function toolError(error: ToolErrorInit, executionId: string): ConnectError {
  const info = { executionId, toolErrorCode: error.code, toolErrorMessage: error.message };
  const value = { errorCode: "TOOL_ERROR", toolErrorInfo: info };
  const message = `tool execution failed - ${error.message}`;
  return new ConnectError(message, codeOf(error.status), undefined, [{ desc: ErrorInfoSchema, value }]);
}

function codeOf(httpStatus: number): Code {
  switch (httpStatus) {
    case 400:
    case 422:
      return Code.InvalidArgument;
    case 401:
      return Code.Unauthenticated;
    case 403:
      return Code.PermissionDenied;
    case 404:
    case 410:
      return Code.NotFound;
    case 409:
      return Code.AlreadyExists;
    case 429:
      return Code.ResourceExhausted;
    case 503:
      return Code.Unavailable;
    case 504:
      return Code.DeadlineExceeded;
    default:
      return httpStatus < 500 ? Code.FailedPrecondition : Code.Internal;
  }
}
