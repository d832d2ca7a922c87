/** The plain HTTP side: token endpoint, consent pages, API proxy, and what must never be reached through it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { snapshot, type Account } from "./accounts.ts";
import { consentPage, messagePage } from "./consent-page.ts";
import type { Environment } from "./environment.ts";
import type { Fault } from "./faults.ts";
import { hold } from "./gate.ts";
import type { Link } from "./links.ts";

const DAY = 86_400_000;

/** What a route answers: a status, headers, and a body. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Request {
  readonly method: string;
  readonly url: URL;
  /** Path and query as they came. */
  readonly target: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export async function handleHttp(env: Environment, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const target = incoming.url ?? "/";
  const url = new URL(target, env.url);
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(Buffer.from(chunk as Uint8Array));
  const bytes = new Uint8Array(Buffer.concat(chunks));
  const request: Request = {
    method: incoming.method ?? "GET",
    url,
    target,
    headers: incoming.headers,
    body: Buffer.from(bytes).toString("utf8"),
    bytes,
  };
  const { method, identifier, connection, authenticated } = describe(env, request);
  const call = { method, authenticated, identifier, connection, tool: undefined, at: env.now() };
  env.calls.record(call);
  env.bus.emit("call", call);
  if (await faulty(env, env.faults.take(call, "before"), outgoing)) return;
  const answer = await route(env, request);
  if (await faulty(env, env.faults.take(call, "after"), outgoing)) return;
  outgoing.writeHead(answer.status, answer.headers);
  outgoing.end(answer.body);
}

/** Answers whether the fault has taken the answer's place. */
async function faulty(env: Environment, fault: Fault | undefined, outgoing: ServerResponse): Promise<boolean> {
  if (fault === undefined) return false;
  await hold(env, fault);
  if (fault.reset === true) outgoing.socket?.destroy();
  else if (fault.httpStatus !== undefined) {
    const retry = fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) };
    outgoing.writeHead(fault.httpStatus, { "content-type": "application/json", ...retry });
    outgoing.end(JSON.stringify({ error: fault.errorCode ?? "fault", error_description: fault.message ?? "fault" }));
  } else return fault.blackHole === true;
  return true;
}

function describe(env: Environment, { url, headers }: Request) {
  const method = url.pathname.startsWith("/proxy/")
    ? "proxy"
    : url.pathname.startsWith("/magicLink/")
      ? "magicLink"
      : url.pathname.slice(1);
  const link = method === "magicLink" ? env.links.get(url.pathname.slice("/magicLink/".length)) : undefined;
  return {
    method,
    authenticated: method !== "proxy" || env.tokens.valid(headers.authorization),
    identifier: link?.account.identifier ?? one(headers["identifier"]),
    connection: link?.account.connection.name ?? one(headers["connection_name"]),
  };
}

async function route(env: Environment, request: Request): Promise<Answer> {
  const { pathname } = request.url;
  if (pathname === "/oauth/token" && request.method === "POST") return token(env, request);
  if (pathname.startsWith("/magicLink/")) return magicLink(env, request);
  if (pathname === "/connect/success")
    return html(200, messagePage("Connected", "Your account is connected. You can close this page."));
  if (pathname.startsWith("/proxy/")) return await proxy(env, request);
  if (pathname.startsWith("/api/v1/")) return management(env, request);
  return json(404, { error: "not_found", error_description: `no such path: ${pathname}` });
}

function token(env: Environment, request: Request): Answer {
  const form = new URLSearchParams(request.body);
  if (form.get("grant_type") !== "client_credentials") return json(400, { error: "unsupported_grant_type" });
  if (form.get("client_id") !== env.clientId || form.get("client_secret") !== env.clientSecret) {
    return json(401, { error: "invalid_client", error_description: "client authentication failed" });
  }
  const ttl = env.options.tokenTtlMs ?? DAY;
  return json(200, { access_token: env.tokens.issue(ttl), token_type: "Bearer", expires_in: Math.floor(ttl / 1000) });
}

function magicLink(env: Environment, request: Request): Answer {
  const link = env.links.open(request.url.pathname.slice("/magicLink/".length));
  if (typeof link === "string") {
    return html(410, messagePage("This link no longer works", `The link is ${link}. Ask the app for a new one.`));
  }
  const { account } = link;
  const { connector } = account.connection;
  if (request.method !== "POST") {
    const appName = env.options.appName ?? "Your app";
    return html(
      200,
      consentPage({ appName, provider: connector.title, identifier: account.identifier, scopes: connector.scopes }),
    );
  }
  const form = new URLSearchParams(request.body);
  const decision = form.get("decision");
  if (decision !== "allow" && decision !== "deny")
    return html(400, messagePage("Please choose", "Allow or deny the request."));
  return decision === "deny" ? denied(link) : allowed(env, link, form.getAll("scope"));
}

function denied(link: Link): Answer {
  link.state = "used";
  const { userVerifyUrl, state } = link.issued;
  if (userVerifyUrl === undefined) return html(200, messagePage("Not connected", "You did not allow the connection."));
  return redirect(userVerifyUrl, { error: "access_denied", error_description: "The user denied the request", state });
}

function allowed(env: Environment, link: Link, chosen: readonly string[]): Answer {
  const { account, issued } = link;
  const scopes = account.connection.connector.scopes.filter((scope) => chosen.includes(scope));
  if (env.options.verification === "none") {
    finish(env, link);
    env.accounts.activate(account, scopes);
    return redirect(`${env.url}/connect/success`, {});
  }
  if (issued.userVerifyUrl === undefined) {
    const text = "failed_to_exchange: user_verify_url not configured for verification redirect";
    return html(400, messagePage("Something is missing", text));
  }
  finish(env, link);
  env.accounts.setStatus(account, "PENDING_VERIFICATION");
  const authRequestId = env.links.startVerification(account, scopes);
  return redirect(issued.userVerifyUrl, { auth_request_id: authRequestId, state: issued.state });
}

function finish(env: Environment, link: Link): void {
  link.state = "used";
  env.webhooks.record("connected_account.oauth_succeeded", link.account);
  env.webhooks.record("connected_account.oauth_tokens_fetched", link.account);
}

/** Scalekit's own API over REST: the token that opens the proxy opens it as well, for any method. */
function management(env: Environment, request: Request): Answer {
  if (!env.tokens.valid(request.headers.authorization)) return json(401, { error: "unauthenticated" });
  return json(200, { organizations: [{ id: "org_emulator", display_name: "Somebody else's" }] });
}

async function proxy(env: Environment, request: Request): Promise<Answer> {
  if (!env.tokens.valid(request.headers.authorization)) return json(401, { error: "unauthenticated" });
  const identifier = one(request.headers["identifier"]) ?? "";
  const account: Account | undefined = env.accounts.get({
    connection: one(request.headers["connection_name"]) ?? "",
    identifier,
  });
  if (account === undefined) return json(404, { error: "connected account not found" });
  const { connector, name } = account.connection;
  const enabled = env.options.proxy ?? false;
  if (enabled !== true && (enabled === false || !enabled.includes(connector.name))) {
    return json(403, { error: `proxy not enabled for provider ${connector.provider}` });
  }
  const { status } = snapshot(account);
  if (status !== "ACTIVE") return json(400, { error: `connected account is not active: ${status}` });
  if (account.revoked !== undefined) return json(401, { error: "invalid_token" });
  const { method, headers, body, bytes } = request;
  const path = request.target.slice("/proxy".length);
  const answer = await env.world({ connection: name, identifier }).proxy({ method, path, headers, body, bytes });
  return json(answer.status, answer.json, answer.headers);
}

function redirect(to: string, parameters: Readonly<Record<string, string | undefined>>): Answer {
  const url = new URL(to);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return { status: 302, headers: { location: url.href, "cache-control": "no-store" }, body: "" };
}

function html(status: number, body: string): Answer {
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  };
  return { status, headers, body };
}

function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) };
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
