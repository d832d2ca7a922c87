/**
 * HTTP for tools of the app's own, whose URLs may come from a model: only to public addresses.
 *
 * H1 The name is resolved once, every address that it has is judged, and the connection goes to one of those that were judged.
 * H2 Each redirect is judged anew; another origin is not told who we are.
 * H3 What comes is read up to a size and a time, and never with more redirects than a few.
 */
import { lookup } from "node:dns/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { BlockList, isIP } from "node:net";
import { type Json, toJson } from "../../core/json.ts";
import type { HttpRequest, HttpResponse } from "../../core/tool-context.ts";
import { ExternalAPIError, ValidationError } from "../../core/tool-errors.ts";

export interface HttpRules {
  /** Only these: `api.example.com`, `*.example.com`, or `127.0.0.1:8080` for an address that is not public. None: all public ones. */
  readonly hosts?: readonly string[] | undefined;
  readonly signal: AbortSignal;
  /** Name → its addresses. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
}

const MOST_BYTES = 5 * 1_024 * 1_024;
const MOST_REDIRECTS = 5;
const TIMEOUT_MS = 30_000;
const METHOD = /^[A-Z]{3,10}$/;
/** Answers to these are no answers: a tunnel, or our own headers, of which the app's may be told. */
const NEVER = ["CONNECT", "TRACE"];
/** What says who we are, frames the message, or asks for another protocol. */
const OURS = "host content-length transfer-encoding connection keep-alive upgrade expect te trailer".split(" ");
/** All that another origin is told of us: any other header may be a key. */
const HARMLESS = ["accept", "accept-language", "content-type", "user-agent"];

/** @throws ValidationError, ExternalAPIError */
export async function fetchGuarded(asked: HttpRequest, rules: HttpRules): Promise<HttpResponse> {
  const method = (asked.method ?? "GET").toUpperCase();
  if (!METHOD.test(method) || NEVER.includes(method))
    throw new ValidationError(`httpRequest: there is no method ${JSON.stringify(method)}.`);
  const timeout = AbortSignal.timeout(Math.max(1, Math.min(asked.timeout ?? TIMEOUT_MS, 2 ** 31 - 1)));
  const signal = AbortSignal.any([rules.signal, timeout]);
  let sent: Sent = { url: urlOf(asked.url), method, headers: headersOf(asked.headers), body: bodyOf(asked.body) };
  if (sent.body !== undefined && sent.headers["content-type"] === undefined && typeof asked.body !== "string")
    sent = { ...sent, headers: { ...sent.headers, "content-type": "application/json" } };
  for (let redirects = 0; ; redirects++) {
    const address = await judge(sent.url, rules);
    const response = await send(sent, address, signal);
    const next = redirected(sent, response);
    if (next === undefined) return read(response, signal);
    response.destroy();
    if (redirects === MOST_REDIRECTS)
      throw new ExternalAPIError(`httpRequest: more than ${MOST_REDIRECTS} redirects.`, { retryable: false });
    sent = next;
  }
}

interface Sent {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

function urlOf(text: unknown, base?: URL): URL {
  const url = typeof text === "string" && URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol))
    throw new ValidationError("httpRequest: url: expected an http or https URL.");
  if (url.username !== "" || url.password !== "")
    throw new ValidationError("httpRequest: url: expected no user and password in it; use a header.");
  return url;
}

function headersOf(given: HttpRequest["headers"] = {}): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase();
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(lower) || /[\0\r\n]/.test(String(value)) || OURS.includes(lower))
      throw new ValidationError(`httpRequest: headers: ${JSON.stringify(name.slice(0, 100))} is not allowed.`);
    headers[lower] = String(value);
  }
  return headers;
}

function bodyOf(body: unknown): string | undefined {
  if (body === undefined) return undefined;
  return typeof body === "string" ? body : JSON.stringify(toJson(body));
}

/** Not on the public internet (IANA's special-purpose registries for IPv4 and IPv6). */
const PRIVATE = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const)
  PRIVATE.addSubnet(net, bits, "ipv4");
/** Of IPv6 only global unicast is public; of that not Teredo, documentation, and 6to4, which may lead to any address of IPv4. */
const GLOBAL = new BlockList();
GLOBAL.addSubnet("2000::", 3, "ipv6");
for (const [net, bits] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const)
  PRIVATE.addSubnet(net, bits, "ipv6");

export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !PRIVATE.check(address, "ipv4");
  return isIP(address) === 6 && GLOBAL.check(address, "ipv6") && !PRIVATE.check(address, "ipv6");
}

/** @returns the address to connect to */
async function judge(url: URL, { hosts, resolve = addresses }: HttpRules): Promise<string> {
  const name = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  const exact = hosts?.some((host) => host.toLowerCase() === `${url.hostname}:${port}`) === true;
  if (hosts !== undefined && !exact && !hosts.some((host) => covers(host.toLowerCase(), name)))
    throw new ValidationError(`httpRequest: ${url.host} is none of the hosts that this tool may ask.`);
  const found = isIP(name) > 0 ? [name] : await resolve(name);
  const [first] = found;
  if (first === undefined) throw new ExternalAPIError(`httpRequest: there is no host ${name}.`);
  // One that is not public is enough: the next look-up may give it.
  if (!exact && !found.every(isPublic))
    throw new ValidationError(`httpRequest: ${url.host} is not a public address, so it is not asked.`);
  return first;
}

function covers(host: string, name: string): boolean {
  return host.startsWith("*.") ? name.endsWith(host.slice(1)) && name.length > host.length - 1 : host === name;
}

async function addresses(name: string): Promise<readonly string[]> {
  try {
    return (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address);
  } catch {
    throw new ExternalAPIError(`httpRequest: the host ${name} could not be resolved.`);
  }
}

function send({ url, method, headers, body }: Sent, address: string, signal: AbortSignal): Promise<IncomingMessage> {
  const family = isIP(address) === 6 ? 6 : 4;
  return new Promise((resolve, reject) => {
    const ask = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, {
      method,
      headers: { "accept-encoding": "identity", ...headers },
      signal,
      // No connection of another request is used again, and none goes to an address that was not judged.
      agent: false,
      lookup: (_name, options, done) => {
        if (options.all === true) done(null, [{ address, family }]);
        else done(null, address, family);
      },
    });
    ask.on("response", resolve);
    ask.on("error", (error) => reject(failed(error, signal)));
    ask.end(body);
  });
}

function failed(error: Error, signal: AbortSignal): ExternalAPIError {
  const code = "code" in error && typeof error.code === "string" ? ` (${error.code})` : "";
  return new ExternalAPIError(
    signal.aborted ? "httpRequest: no answer in time." : `httpRequest: the connection failed${code}.`,
  );
}

/** What to ask next; nothing when this is the answer. */
function redirected(sent: Sent, { statusCode = 0, headers: { location } }: IncomingMessage): Sent | undefined {
  if (location === undefined || ![301, 302, 303, 307, 308].includes(statusCode)) return undefined;
  const url = urlOf(location, sent.url);
  const same = sent.url.origin === url.origin;
  const asGet = statusCode === 303 || (statusCode < 303 && sent.method === "POST");
  const kept = Object.entries(sent.headers).filter(
    ([name]) => (same || HARMLESS.includes(name)) && !(asGet && name.startsWith("content-")),
  );
  const headers = Object.fromEntries(kept);
  return asGet && sent.method !== "HEAD" ? { url, method: "GET", headers, body: undefined } : { ...sent, url, headers };
}

async function read(response: IncomingMessage, signal: AbortSignal): Promise<HttpResponse> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw failed(error instanceof Error ? error : new Error("unknown"), signal);
  }
  if (bytes > MOST_BYTES)
    throw new ExternalAPIError(`httpRequest: the answer is larger than ${MOST_BYTES} bytes.`, { retryable: false });
  const { statusCode: status = 0, headers } = response;
  const text = Buffer.concat(chunks).toString();
  const told = Object.entries(headers).map(([name, value = ""]) => [name, [value].flat().join(", ")]);
  return {
    status,
    ok: status >= 200 && status < 300,
    headers: Object.fromEntries(told) as Record<string, string>,
    data: dataOf(text, String(headers["content-type"] ?? "")),
  };
}

function dataOf(text: string, type: string): Json {
  if (!/[/+]json\b/i.test(type)) return text;
  try {
    return toJson(JSON.parse(text));
  } catch {
    return text;
  }
}
