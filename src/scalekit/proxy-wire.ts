/**
 * Requests to providers through Scalekit's API proxy, sent at most once. The SDK's `actions.request` would do it without a token before
 * its first RPC, without a way to give up, follows redirects with our token, and lets axios rewrite the path (facts/scalekit.md P1, P13,
 * P14). This is the same request in plain HTTP.
 *
 * X1 Nothing leaves that is not below /proxy/ of the configured environment, character by character as it was asked for.
 * X2 It is sent again only after a 401, which says that nobody executed it, and only once, with a new token.
 * X3 The deadline counts from the caller's call: waiting for a slot and a token is part of it.
 */
import type { Clock } from "../ports/clock.ts";
import { createSlots } from "./bounds.ts";
import { dialFailure, NotSent } from "./failure.ts";
import type { ProxyBody } from "./proxy-body.ts";
import type { Tokens } from "./tokens.ts";

export interface ProxyCall {
  readonly connection: string;
  /** The run's. Never from the model. */
  readonly identifier: string;
  readonly method: ProxyMethod;
  /** As rendered from a template; encoded, beginning with a slash. */
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: ProxyBody;
}

export const PROXY_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
export type ProxyMethod = (typeof PROXY_METHODS)[number];

export interface ProxyAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** As it came; nothing when it was longer than can be taken. */
  readonly text: string | undefined;
}

export interface ProxyWire {
  /** @throws NotSent; any other error: it may have been executed */
  request(
    call: ProxyCall,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<ProxyAnswer>;
}

const MOST_AT_ONCE = 64;
const MOST_BYTES = 16 * 1_024 * 1_024;
/** A token that was good a moment ago is good: a 401 is then the provider's, and no reason for another token. */
const PROVEN_MS = 60_000;
/** Names of Scalekit's own headers may not be given by a tool. */
const IDENTIFIER = /^[\x21-\x7e]{1,100}$/;
const CONNECTION = /^[A-Za-z0-9_:-][A-Za-z0-9_: -]{0,398}[A-Za-z0-9_:-]$|^[A-Za-z0-9_:-]$/;

export function createProxyWire(envUrl: string, tokens: Tokens, clock: Clock): ProxyWire {
  const slots = createSlots(MOST_AT_ONCE);
  let proven: { readonly token: string; readonly at: number } | undefined;

  return {
    async request(call, { timeoutMs, signal }) {
      const url = proxyUrl(envUrl, call);
      const deadline = clock.monotonic() + timeoutMs;
      const left = (): number => Math.floor(deadline - clock.monotonic());
      const giveBack = await slots.take(left(), signal, () =>
        signal?.aborted === true
          ? new NotSent("unavailable", "given up before the request was sent")
          : new NotSent("unavailable", `this process has ${MOST_AT_ONCE} requests to providers under way`),
      );
      try {
        const attempt = async (token: string): Promise<ProxyAnswer> => {
          const answer = await send(url, call, token, left(), signal);
          if (answer.status !== 401) proven = { token, at: clock.monotonic() };
          return answer;
        };
        const token = await tokens.get(left(), signal);
        const wasGood = proven?.token === token && clock.monotonic() - proven.at < PROVEN_MS;
        const answer = await attempt(token);
        if (answer.status !== 401 || wasGood) return answer;
        tokens.drop(token);
        return await attempt(await tokens.get(left(), signal));
      } finally {
        giveBack();
      }
    },
  };
}

/** @throws NotSent for whatever would not arrive at the proxy, for this user, exactly as it was meant */
export function proxyUrl(envUrl: string, { path, query, identifier, connection }: ProxyCall): URL {
  const refuse = (why: string): never => {
    throw new NotSent("unavailable", `not sent: ${why}`);
  };
  // Headers lose what does not fit into them, and then name somebody else (facts/scalekit.md P14).
  if (!IDENTIFIER.test(identifier)) refuse("the identifier cannot travel in a header");
  if (!CONNECTION.test(connection)) refuse("the connection's name cannot travel in a header");
  const text = `${envUrl}/proxy${path}`;
  const url = URL.canParse(text) ? new URL(text) : refuse("the path makes no URL");
  const base = new URL(envUrl);
  const root = `${base.pathname.replace(/\/$/, "")}/proxy/`;
  const asMeant = url.origin === base.origin && url.pathname === `${root}${path.slice(1)}`;
  if (!path.startsWith("/") || !asMeant || url.search !== "" || url.hash !== "")
    refuse("the path would lead outside of the proxy");
  if (/%2e|%2f|%5c|\/\/|\\/i.test(path)) refuse("the path holds something that a server could read as another one");
  url.search = query?.toString() ?? "";
  return url;
}

async function send(
  url: URL,
  { method, headers, identifier, connection, body }: ProxyCall,
  token: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<ProxyAnswer> {
  if (signal?.aborted === true || timeoutMs < 1)
    throw new NotSent("unavailable", "given up before the request was sent");
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method,
      headers: {
        accept: "application/json",
        ...headers,
        ...(body !== undefined && { "content-type": body.type }),
        authorization: `Bearer ${token}`,
        connection_name: connection,
        identifier,
      },
      // Our token goes to the configured address and to no other.
      redirect: "manual",
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      ...(body !== undefined && { body: body.content }),
    });
    return { status: response.status, headers: response.headers, text: await read(response) };
  } catch (error) {
    const dialled = dialFailure(error);
    if (dialled !== undefined) throw new NotSent("unavailable", `no connection to Scalekit (${dialled})`);
    throw error;
  }
}

/** Stops at the limit: an endless answer must not fill the memory. */
async function read(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  if (body === null) return "";
  // Leaving the loop ends the request.
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
