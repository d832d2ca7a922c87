/** The odd and hostile replies: what real providers and gateways do on a bad day. */
import type { JsonObject } from "../../core/json.ts";
import { answer, call, say } from "./reply.ts";
import type { Answer, ErrorReply, RawReply, Reply, ReplyUsage } from "./reply.ts";

export interface ErrorOptions {
  readonly message?: string;
  readonly type?: string;
  readonly code?: string | number | null;
  readonly param?: string | null;
  /** Sent as the `retry-after` header: seconds, or any text (a date, nonsense). */
  readonly retryAfter?: number | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An HTTP error in the protocol's own error shape. */
export function httpError(status: number, options: ErrorOptions = {}): ErrorReply {
  const retry = options.retryAfter === undefined ? {} : { "retry-after": String(options.retryAfter) };
  const error = {
    message: options.message ?? `Scripted error ${status}`,
    type: options.type ?? errorType(status),
    param: options.param ?? null,
    code: options.code ?? null,
  };
  return { kind: "error", status, error, headers: { ...retry, ...options.headers } };
}

function errorType(status: number): string {
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

/** HTTP 200 whose body is an error and nothing else, as gateways send once an upstream failed. */
export function errorBody(options: ErrorOptions = {}): ErrorReply {
  return httpError(200, { message: "Upstream error", type: "server_error", code: 502, ...options });
}

/** HTTP 200 with a well-formed body that holds no choice. */
export function noChoices(): Reply {
  return { kind: "no-choices" };
}

/** Any bytes at all. */
export function raw(parts: {
  readonly status?: number;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}): RawReply {
  return {
    kind: "raw",
    status: parts.status ?? 200,
    body: parts.body ?? "",
    headers: { "content-type": "application/json", ...parts.headers },
  };
}

/** A web page where JSON was expected, as from a proxy or a captive portal. */
export function html(status = 200): RawReply {
  return raw({
    status,
    body: "<!doctype html><title>Bad gateway</title><h1>Bad gateway</h1>",
    headers: { "content-type": "text/html; charset=utf-8" },
  });
}

/** An answer without text or calls; `content` as the provider spells nothing ("" or null). */
export function empty(content: "" | null = ""): Answer {
  return answer({ text: content });
}

export function refusal(text: string): Answer {
  return answer({ refusal: text });
}

/** The same answer with another finish reason: `finish("length", say("half a sen"))`. */
export function finish(reason: string, reply: Answer = say("")): Answer {
  return { ...reply, finish: reason };
}

/** The same answer with other token counts, or with none reported (`null`). */
export function withUsage(usage: ReplyUsage | null, reply: Answer): Answer {
  return { ...reply, usage };
}

/** A call whose arguments are this very text: `brokenArguments("gmail_fetch_mails", '{"max')`. */
export function brokenArguments(name: string, text: string): Answer {
  return call(name, text);
}

/** `count` calls of one tool in one turn; `args` gives each its own arguments. */
export function manyCalls(
  count: number,
  name: string,
  args: (index: number) => JsonObject = (index) => ({ index }),
): Answer {
  return answer({
    calls: Array.from({ length: count }, (_, index) => ({ name, arguments: JSON.stringify(args(index)) })),
  });
}

/** The connection breaks after the share `at` of the body (half of it). */
export function disconnect(reply: Reply = say("This answer is cut off in the middle of its body."), at = 0.5): Reply {
  return { kind: "cut", reply, at, after: "disconnect" };
}

/** No byte ever comes, until the client gives up or the server is closed. With a reply: half of it comes, and then nothing. */
export function hang(reply?: Reply): Reply {
  return reply === undefined ? { kind: "silence" } : { kind: "cut", reply, at: 0.5, after: "hang" };
}

/** The reply, `ms` milliseconds later. */
export function late(ms: number, reply: Reply): Reply {
  return { kind: "late", reply, ms };
}

/** The reply in `pieces` parts of equal length, `ms` milliseconds apart; the cuts fall anywhere, in the middle of a character too. */
export function slow(ms: number, reply: Reply, pieces = 10): Reply {
  return { kind: "slow", reply, ms, pieces };
}
