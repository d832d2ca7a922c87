/** What the tools really did. A call that failed at the tool, or was refused before it, is not here. */
import type { JsonObject } from "@bufbuild/protobuf";

export interface Execution {
  readonly tool: string;
  readonly identifier: string;
  readonly connection: string;
  readonly input: JsonObject;
  readonly executionId: string;
  /** Sent by clients that set it (the SDK cannot). */
  readonly agentRunId: string | undefined;
  /** Unix milliseconds. */
  readonly at: number;
}
