/**
 * Calls that are sent at most once, on the generated client below the SDK: the SDK's own `executeTool` sends a call up to four times
 * (facts/reliability.md F2). One HTTP/2 connection, kept alive by pings, replaced when it seems dead.
 *
 * W1 A call that fails before it is handed to an open connection throws NotSent: it was certainly not executed.
 * W2 It is sent again only after UNAUTHENTICATED of Scalekit's own, which says that it was not executed, and only once.
 * W3 The deadline counts from the caller's call: waiting for a slot, a token and the connection are part of it.
 */
import { type CallOptions, type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { ConnectedAccountService } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/connected_accounts/connected_accounts_pb.js";
import { ToolService } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/tools/tools_pb.js";
import type { Clock } from "../ports/clock.ts";
import { createSlots, within } from "./bounds.ts";
import { failureOf, NotSent, systemCode } from "./failure.ts";
import type { Tokens } from "./tokens.ts";

export interface Rpc {
  readonly accounts: Client<typeof ConnectedAccountService>;
  readonly tools: Client<typeof ToolService>;
}

export interface OnceOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface Wire {
  /** @throws NotSent, or ConnectError for a call that may have been executed */
  once<T>(call: (rpc: Rpc, options: CallOptions) => Promise<T>, options: OnceOptions): Promise<T>;
  close(): void;
}

/**
 * Servers allow about 100 streams on a connection; the rest would wait inside Node while their deadline runs, and those that run
 * out could not be told from executed ones (facts/scalekit.md P7). In this line they are known to be unsent.
 */
const MOST_AT_ONCE = 64;
/** A server may end a connection that pings too often (grpc-go: three times within 15 min without data); 60 s keeps clear of it. */
const PINGS = { pingIntervalMs: 60_000, pingTimeoutMs: 10_000 };
const DEAD_AFTER = 3;
/** What SDK 2.11 sends; without it the server chooses. */
const API_VERSION = "20260727";

interface Line {
  readonly manager: Http2SessionManager;
  readonly rpc: Rpc;
}

export function createWire(envUrl: string, tokens: Tokens, clock: Clock): Wire {
  const slots = createSlots(MOST_AT_ONCE);
  const lines = new Set<Line>();
  let late = 0;
  let closed = false;

  const openLine = (): Line => {
    const manager = new Http2SessionManager(envUrl, PINGS);
    const transport = createGrpcTransport({ baseUrl: envUrl, sessionManager: manager });
    const line = {
      manager,
      rpc: { accounts: createClient(ConnectedAccountService, transport), tools: createClient(ToolService, transport) },
    };
    // Calls on a line that is given up may still be answered: it closes by itself when it is idle.
    for (const old of lines) if (old.manager.state() === "closed" || old.manager.state() === "error") lines.delete(old);
    lines.add(line);
    return line;
  };
  let line = openLine();

  /** Several deadlines in a row without a single answer: the connection may be a black hole (facts/scalekit.md P5). */
  const noteDeadline = (on: Line): void => {
    if (on !== line || ++late < DEAD_AFTER) return;
    late = 0;
    line = openLine();
  };

  const connected = async (left: number, signal: AbortSignal | undefined): Promise<Line> => {
    if (closed) throw new NotSent("unavailable", "the client is closed");
    const current = line;
    const state = await within(current.manager.connect(), left, signal, () => {
      if (signal?.aborted !== true) noteDeadline(current);
      return new NotSent("unavailable", "no connection to Scalekit in time");
    });
    if (state !== "error") return current;
    const why = systemCode(current.manager.error()) ?? "the connection failed";
    throw new NotSent("unavailable", `no connection to Scalekit (${why})`);
  };

  const attempt = async <T>(
    call: (rpc: Rpc, options: CallOptions) => Promise<T>,
    token: string,
    left: () => number,
    signal: AbortSignal | undefined,
  ): Promise<T> => {
    const on = await connected(left(), signal);
    const timeoutMs = left();
    if (signal?.aborted === true || timeoutMs < 1)
      throw new NotSent("unavailable", "given up before the call was sent");
    try {
      const headers = { authorization: `Bearer ${token}`, "x-api-version": API_VERSION };
      const answer = await call(on.rpc, { timeoutMs, headers, ...(signal !== undefined && { signal }) });
      late = 0;
      return answer;
    } catch (error) {
      const ours = error instanceof ConnectError && error.code === Code.DeadlineExceeded;
      if (ours && failureOf(error).said === "nobody") noteDeadline(on);
      else late = 0;
      throw error;
    }
  };

  return {
    async once(call, { timeoutMs, signal }) {
      const deadline = clock.monotonic() + timeoutMs;
      const left = (): number => Math.floor(deadline - clock.monotonic());
      const giveBack = await slots.take(left(), signal, () =>
        signal?.aborted === true
          ? new NotSent("unavailable", "given up before the call was sent")
          : new NotSent("unavailable", `this process has ${MOST_AT_ONCE} calls to Scalekit under way`),
      );
      try {
        const token = await tokens.get(left(), signal);
        try {
          return await attempt(call, token, left, signal);
        } catch (error) {
          if (!tokenRefused(error)) throw error;
          tokens.drop(token);
          return await attempt(call, await tokens.get(left(), signal), left, signal);
        }
      } finally {
        giveBack();
      }
    },
    close() {
      closed = true;
      for (const { manager } of lines) manager.abort();
    },
  };
}

/** Scalekit does not know our token (any more). A provider's 401 comes with the same code. */
function tokenRefused(error: unknown): boolean {
  const { code, said, tool } = failureOf(error);
  return code === "Unauthenticated" && said !== "nobody" && tool === undefined;
}
