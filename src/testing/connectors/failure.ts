/** What a provider answers when it does not do what a tool asked for. */

/** Throw it from a tool: ExecuteTool then answers TOOL_ERROR with this status, code and message. */
export class ToolFailure extends Error {
  override readonly name = "ToolFailure";
  /** The provider's HTTP status. */
  readonly status: number;
  /** The provider's own word for it: `NOT_FOUND`, `channel_not_found`. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
