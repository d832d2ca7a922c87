/** What came in over HTTP, read whole, and whether any real server would refuse it before a model sees it. */
import type { IncomingMessage } from "node:http";
import { httpError } from "./faults.ts";
import type { Protocol } from "./protocol.ts";
import type { ErrorReply } from "./reply.ts";

export interface Arrival {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body; undefined if it is not JSON. */
  readonly body: unknown;
}

export interface Refusal {
  readonly problems: readonly string[];
  readonly reply: ErrorReply;
}

/** @throws if the client goes away before its request is complete */
export async function receive(incoming: IncomingMessage): Promise<Arrival> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
  return {
    method: incoming.method ?? "",
    query: /\?(.*)$/.exec(incoming.url ?? "")?.[1] ?? "",
    path: (incoming.url ?? "/").replace(/\?.*$/, ""),
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
    body: parse(Buffer.concat(chunks).toString("utf8")),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** In the order in which the real API looks: key, address, JSON, content. */
export function refusalOf(arrival: Arrival, protocol: Protocol | undefined, apiKey: string): Refusal | undefined {
  const wrongKey = refusalOfKey(arrival, protocol, apiKey);
  if (wrongKey !== undefined) return wrongKey;
  if (protocol === undefined || arrival.method !== "POST")
    return refusal(404, `Invalid URL (${arrival.method} ${arrival.path})`, null);
  if (arrival.body === undefined) return refusal(400, "We could not parse the JSON body of your request.", null);
  const problems = [...(protocol.checkHeaders?.(arrival.headers) ?? []), ...protocol.check(arrival.body)];
  return problems.length === 0 ? undefined : { problems, reply: protocol.invalid(problems) };
}

export function refusalOfKey(
  { headers }: Arrival,
  protocol: Protocol | undefined,
  apiKey: string,
): Refusal | undefined {
  const { authorization, "x-api-key": key } = headers;
  if (authorization === `Bearer ${apiKey}` || (protocol?.name === "messages" && key === apiKey)) return undefined;
  return refusal(401, "Incorrect API key provided.", "invalid_api_key");
}

function refusal(status: number, message: string, code: string | null): Refusal {
  return { problems: [message], reply: httpError(status, { message, type: "invalid_request_error", code }) };
}

/** For the record of a test, which may be printed: everything but the key. */
export function masked(headers: Readonly<Record<string, string>>): Record<string, string> {
  return {
    ...headers,
    ...("authorization" in headers && { authorization: "Bearer ***" }),
    ...("x-api-key" in headers && { "x-api-key": "***" }),
  };
}
