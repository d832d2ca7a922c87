/** Every RPC passes here: it is counted, its token and fields are checked, and faults in waiting happen. */
import { once } from "node:events";
import type { Http2ServerRequest, ServerHttp2Stream } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";
import { isMessage, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextKey, type ContextKey, type Interceptor } from "@connectrpc/connect";
import { ConnectorStatus } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/connected_accounts/connected_accounts_pb.js";
import type { AccountStatus } from "./accounts.ts";
import type { Call } from "./calls.ts";
import type { Environment } from "./environment.ts";
import { scalekitError, toolError } from "./errors.ts";
import type { Fault } from "./faults.ts";
import { checkLimits } from "./limits.ts";
import { notActive } from "./tool-service.ts";

/** The HTTP/2 request under an RPC: faults below gRPC need it. */
export const HTTP2_REQUEST: ContextKey<Http2ServerRequest | undefined> = createContextKey<
  Http2ServerRequest | undefined
>(undefined);

export function gate(env: Environment): Interceptor {
  return (next) => async (request) => {
    if (request.stream) return await next(request);
    const stream = request.contextValues.get(HTTP2_REQUEST)?.stream;
    const authenticated = env.tokens.valid(request.header.get("authorization"));
    const call = describe(env, request.method.name, request.message, authenticated);
    env.calls.record(call);
    env.bus.emit("call", call);
    if (!authenticated) throw scalekitError("Unauthenticated", "UNAUTHENTICATED", "invalid or expired access token");
    const before = env.faults.take(call, "before");
    await happen(env, before, stream);
    checkLimits(request.message, request.method.input);
    const answer = await next(request);
    if (!answer.stream) showStatus(answer.message, before?.showStatus);
    await happen(env, env.faults.take(call, "after"), stream);
    return answer;
  };
}

/** Waits as the fault says: for its time, or for the test. */
export async function hold(env: Environment, fault: Fault): Promise<void> {
  await fault.until;
  if (fault.delayMs !== undefined) await delay(fault.delayMs, undefined, { signal: env.closing });
}

async function happen(
  env: Environment,
  fault: Fault | undefined,
  stream: ServerHttp2Stream | undefined,
): Promise<void> {
  if (fault === undefined) return;
  await hold(env, fault);
  if (fault.notActive === true) throw notActive(env, "PENDING_AUTH");
  if (fault.toolError !== undefined) throw toolError(fault.toolError, env.newId("exec"));
  if (fault.code !== undefined) {
    throw scalekitError(fault.code, fault.errorCode ?? "", fault.message ?? `fault: ${fault.code}`);
  }
  if (stream !== undefined) await belowGrpc(fault, stream);
}

/** Puts a status into the accounts of an answer. */
function showStatus(answer: Message, status: AccountStatus | undefined): void {
  if (status === undefined) return;
  const one: unknown = Reflect.get(answer, "connectedAccount");
  const many: unknown = Reflect.get(answer, "connectedAccounts");
  for (const account of [one, ...(Array.isArray(many) ? (many as unknown[]) : [])]) {
    if (isMessage(account)) Reflect.set(account, "status", ConnectorStatus[status]);
  }
}

/** Answers the HTTP/2 stream directly, or not at all; what gRPC would say afterwards has nowhere to go. */
async function belowGrpc(fault: Fault, stream: ServerHttp2Stream): Promise<void> {
  if (fault.httpStatus === undefined && fault.blackHole !== true && fault.reset !== true) return;
  const closed = stream.closed ? Promise.resolve() : once(stream, "close");
  if (fault.reset === true) stream.session?.destroy();
  else if (fault.httpStatus !== undefined) {
    const retry = fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) };
    stream.respond({ ":status": fault.httpStatus, "content-type": "text/plain", ...retry });
    stream.end(fault.message ?? "fault");
  }
  await closed.catch(() => undefined);
  throw new ConnectError("fault: the stream is closed", Code.Canceled);
}

function describe(env: Environment, method: string, message: Message, authenticated: boolean): Call {
  const field = (name: string): string | undefined => {
    const value: unknown = Reflect.get(message, name);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const id = field("connectedAccountId") ?? field("id");
  const account = id === undefined ? undefined : env.accounts.find({ id });
  return {
    method,
    authenticated,
    identifier: field("identifier") ?? account?.identifier,
    connection: field("connector") ?? account?.connection.name,
    tool: field("toolName"),
    at: env.now(),
  };
}
