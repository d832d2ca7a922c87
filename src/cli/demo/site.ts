/**
 * The demo's app: a site on loopback where users are signed in, with Errand's authorization handler mounted. A person's link
 * signs them in (a demo has no passwords) and leads on to a fresh consent link, as a real app's would.
 */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";

type Handler = (request: Request) => Promise<Response>;

export interface Site {
  readonly baseUrl: string;
  /** What a person opens to connect. */
  connectLink(identifier: string): string;
  /** The authorization handler, once there is one. */
  mount(handler: Handler): void;
  /** Who is signed in, by the session cookie. */
  readonly getUser: (request: Request) => string | null;
  close(): Promise<void>;
}

export async function openSite(): Promise<Site> {
  let handler: Handler = async () => new Response("Not ready yet", { status: 503 });
  /** Session and ticket → who. A ticket stands in the printed link, a session in a cookie. */
  const people = new Map<string, string>();
  const ticketOf = new Map<string, string>();
  const key = (): string => randomBytes(18).toString("base64url");

  const getUser = (request: Request): string | null => {
    const session = /(?:^|;\s*)demo_session=([\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1];
    return (session !== undefined && people.get(session)) || null;
  };
  const enter = (identifier: string): Response => {
    const session = key();
    people.set(session, identifier);
    return new Response(null, {
      status: 302,
      headers: {
        location: "/errand/connect/gmail",
        "set-cookie": `demo_session=${session}; HttpOnly; SameSite=Lax; Path=/`,
      },
    });
  };
  const serve: Handler = async (request) => {
    const { pathname } = new URL(request.url);
    const entering = [...ticketOf].find(([, ticket]) => pathname === `/as/${ticket}`);
    if (entering !== undefined) return enter(entering[0]);
    return pathname.startsWith("/errand/") ? handler(request) : new Response("Not found", { status: 404 });
  };

  const listener = getRequestListener(serve);
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  return {
    baseUrl: `${origin}/errand`,
    connectLink: (identifier) => {
      const ticket = ticketOf.get(identifier) ?? key();
      ticketOf.set(identifier, ticket);
      return `${origin}/as/${ticket}`;
    },
    mount: (mounted) => void (handler = mounted),
    getUser,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
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
