/** One error class for everything Errand itself refuses. `code` is for programs, the message for people. */

export type ErrorCode =
  | "agent-invalid"
  | "agent-unknown"
  | "budget-exceeded"
  | "answer-invalid"
  | "approval-over"
  | "approval-unknown"
  | "call-unknown"
  | "config-invalid"
  | "config-missing"
  | "connection-unknown"
  | "idempotency-conflict"
  | "identifier-invalid"
  | "input-invalid"
  | "journal-unreadable"
  | "link-invalid"
  | "option-invalid"
  | "redis-auth"
  | "redis-unavailable"
  | "result-missing"
  | "result-not-kept"
  | "run-busy"
  | "run-cancelled"
  | "run-expired"
  | "run-failed"
  | "run-unknown"
  | "schedule-conflict"
  | "schedule-invalid"
  | "schedule-unknown"
  | "scalekit-auth"
  | "scalekit-unavailable"
  | "tenant-conflict"
  | "tool-invalid"
  | "tools-unavailable"
  | "timeout"
  | "tool-unknown";

export interface ErrandErrorOptions extends ErrorOptions {
  /** Machine-readable particulars, safe to log: names, counts, paths; never values of users. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Says what was expected, what came and what to do. Never carries a secret, a link or a mail body. */
export class ErrandError extends Error {
  override readonly name = "ErrandError";
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrandErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.details = options.details ?? {};
  }
}
