/** Where an MCP server is, and how much of it is believed. */
export interface McpTarget {
  /** `mcp:<name>`: stands in journals for ever. */
  readonly source: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly token: ((context: McpTokenContext) => Promise<string | McpToken>) | undefined;
  readonly prefix: string;
  readonly trusted: boolean;
  readonly timeoutMs: number;
  readonly mostBytes: number;
  readonly mostCharacters: number;
}

export interface McpTokenContext {
  /** The run's. */
  readonly identifier: string;
}

export interface McpToken {
  readonly token: string;
  /** ms; a new one is asked for before that. Default 5 minutes. */
  readonly expiresInMs?: number;
}
