/**
 * An app on loopback for as long as a command runs: a site where users are signed in, with Errand's authorization handler mounted.
 * A printed link signs its user in, and leads on to a fresh consent link, as a real app's would.
 *
 * Whoever opens the link can connect an account of their own in the user's place, and any local user can reach 127.0.0.1:
 * S1 A link holds 128 random bits, and belongs to the first browser that opens it. It is in no argument of a process: we open no browser.
 * S2 Browsers send cookies to all ports of a host. All of this site is below a random path, and so is its cookie: no other server sees it.
 */
import { randomBytes } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";

export type Handler = (request: Request) => Promise<Response>;

export interface Site {
  /** For `createErrand({ authorization })`. */
  readonly baseUrl: string;
  /** What a person opens to connect: a new one each time. */
  connectLink(identifier: string, connection: string): string;
  /** The authorization handler, once there is one. */
  mount(handler: Handler): void;
  /** Who is signed in, by the session cookie. */
  readonly getUser: (request: Request) => string | null;
  /** Ends when the replies under way are out, or after a second. */
  close(): Promise<void>;
}

interface Ticket {
  readonly identifier: string;
  readonly connection: string;
  /** Of the browser that opened it first. */
  session?: string;
}

const CLOSE_WITHIN_MS = 1_000;

export async function openSite(): Promise<Site> {
  let handler: Handler = async () => textPage(503, "Not ready yet.");
  const tickets = new Map<string, Ticket>();
  const people = new Map<string, string>();
  const base = `/${random()}`;

  const sessionOf = (request: Request): string | undefined =>
    /(?:^|;\s*)errand_session=([\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1];
  const getUser = (request: Request): string | null => people.get(sessionOf(request) ?? "") ?? null;

  const enter = (ticket: Ticket, request: Request): Response => {
    if (ticket.session !== undefined && ticket.session !== sessionOf(request)) return textPage(403, TAKEN);
    ticket.session ??= random();
    people.set(ticket.session, ticket.identifier);
    const headers = {
      ...HEADERS,
      location: `${base}/connect/${encodeURIComponent(ticket.connection)}`,
      "set-cookie": `errand_session=${ticket.session}; HttpOnly; SameSite=Lax; Path=${base}/`,
    };
    return new Response(null, { status: 302, headers });
  };
  const serve: Handler = async (request) => {
    const { pathname } = new URL(request.url);
    const ticket = tickets.get(pathname);
    if (ticket !== undefined && request.method === "GET") return enter(ticket, request);
    return pathname.startsWith(`${base}/`) ? handler(request) : textPage(404, "There is nothing here.");
  };

  const { origin, close } = await listen(serve);
  return {
    baseUrl: `${origin}${base}`,
    connectLink: (identifier, connection) => {
      const path = `${base}/as/${random()}`;
      tickets.set(path, { identifier, connection });
      return `${origin}${path}`;
    },
    mount: (mounted) => void (handler = mounted),
    getUser,
    close,
  };
}

/** 128 bits. */
function random(): string {
  return randomBytes(16).toString("base64url");
}

const TAKEN =
  "This link was opened before, in another browser. If that was not you, end the command in your terminal and start it again.";

const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

export function textPage(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8" } });
}

async function listen(serve: Handler): Promise<{ readonly origin: string; readonly close: () => Promise<void> }> {
  const listener = getRequestListener(serve);
  const underWay = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    underWay.add(response);
    response.once("close", () => underWay.delete(response));
    void listener(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const late = setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN_MS);
    // The page that says that all is well must reach the browser; a connection kept alive after it would hold us up.
    await Promise.all(Array.from(underWay, (response) => new Promise((resolve) => response.once("close", resolve))));
    server.closeAllConnections();
    await closed;
    clearTimeout(late);
  };
  return { origin: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`, close };
}

/** Clicks a link for a person, as a browser would: keeps the cookie, presses Allow on the consent page. */
export async function clickThrough(link: string, approve: (consentLink: string) => Promise<string>): Promise<boolean> {
  const entered = await fetch(link, { redirect: "manual" });
  const cookie = (entered.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const follow = (url: string): Promise<Response> => fetch(url, { redirect: "manual", headers: { cookie } });
  const toConsent = await follow(new URL(entered.headers.get("location") ?? "", link).href);
  const back = await approve(toConsent.headers.get("location") ?? "");
  const closing = await follow(back);
  return closing.status < 400;
}
