/** What a tool of the app's own throws to say what went wrong. Whatever else it throws is an error as well, told to the model. */

/** The arguments are not right: the model is told, and can correct them. */
export class ValidationError extends Error {
  override readonly name: string = "ValidationError";
}

/** It cannot be done, and trying again does not help: the model is told. */
export class BusinessLogicError extends Error {
  override readonly name: string = "BusinessLogicError";
}

export interface ExternalAPIErrorOptions extends ErrorOptions {
  /** ms that the other side asked to wait. */
  readonly retryAfterMs?: number;
  /** `false`: trying again does not help. */
  readonly retryable?: boolean;
}

/**
 * Another service failed. A tool that may be run again (`read`, `idempotent`, `keyed`, `composite`) is run again after a wait, up to
 * its attempts; of another one the model is told that it may ask again.
 */
export class ExternalAPIError extends Error {
  override readonly name: string = "ExternalAPIError";
  readonly retryAfterMs: number | undefined;
  readonly retryable: boolean;

  constructor(message: string, { retryAfterMs, retryable = true, ...options }: ExternalAPIErrorOptions = {}) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
    this.retryable = retryable;
  }
}

/** A call of another tool (`ctx.tools.execute`) failed: `type` is that call's error. */
export class ToolCallError extends Error {
  override readonly name: string = "ToolCallError";
  readonly tool: string;
  readonly type: string;
  readonly retryable: boolean;

  constructor(tool: string, type: string, message: string, retryable: boolean) {
    super(message);
    this.tool = tool;
    this.type = type;
    this.retryable = retryable;
  }
}

/** A call of another tool has to wait. Let it pass: the tool is run again when the wait is over, and what it answers now is not used. */
export class ToolSuspended extends Error {
  override readonly name: string = "ToolSuspended";
  constructor() {
    super("A tool that this one calls has to wait; this one runs again when the wait is over.");
  }
}
