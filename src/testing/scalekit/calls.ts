/** Counts what was asked of the emulator: "one link for 50 runs" is a count. */

export interface Call {
  /** RPC method (`ExecuteTool`), or path of a plain request (`oauth/token`, `proxy`, `magicLink`). */
  readonly method: string;
  /** False for the SDK's first RPC, which it sends without a token to be told that it needs one. */
  readonly authenticated: boolean;
  readonly identifier: string | undefined;
  readonly connection: string | undefined;
  readonly tool: string | undefined;
  /** Unix milliseconds. */
  readonly at: number;
}

export type CallFilter = Partial<Pick<Call, "identifier" | "connection" | "tool">>;

export class Calls {
  #all: Call[] = [];
  #unauthenticated = 0;

  record(call: Call): void {
    if (call.authenticated) this.#all.push(call);
    else this.#unauthenticated += 1;
  }

  /** How often the method was called with valid credentials. */
  count(method: string, filter: CallFilter = {}): number {
    return this.#all.filter(
      (call) =>
        call.method === method &&
        (filter.identifier === undefined || call.identifier === filter.identifier) &&
        (filter.connection === undefined || call.connection === filter.connection) &&
        (filter.tool === undefined || call.tool === filter.tool),
    ).length;
  }

  /** Counts by method. */
  get byMethod(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { method } of this.#all) counts[method] = (counts[method] ?? 0) + 1;
    return counts;
  }

  /** Calls without a token, or with one that is no longer good. */
  get unauthenticated(): number {
    return this.#unauthenticated;
  }

  get all(): readonly Call[] {
    return this.#all;
  }

  clear(): void {
    this.#all = [];
    this.#unauthenticated = 0;
  }
}
