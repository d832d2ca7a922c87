/** The way out: the app's own URL, which never goes stale, leads a signed-in user to a fresh link of Scalekit's. */
import { createHash, randomBytes } from "node:crypto";
import { ErrandError } from "../core/errors.ts";
import type { Accounts, Outage } from "../ports/accounts.ts";
import type { Clock } from "../ports/clock.ts";
import type { AuthorizationStates } from "../ports/states.ts";
import { page, redirect } from "./page.ts";

/** The app's own URL that leads to a fresh link. It holds no secret, and may be mailed. */
export function connectUrl(baseUrl: string, connection: string): string {
  return `${checkBaseUrl(baseUrl)}/connect/${encodeURIComponent(connection)}`;
}

/** Where Scalekit sends the user back to. */
export function callbackUrl(baseUrl: string): string {
  return `${checkBaseUrl(baseUrl)}/callback`;
}

/** @throws ErrandError `config-invalid` */
export function checkBaseUrl(baseUrl: string): string {
  const url = typeof baseUrl === "string" && URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  const plain = url !== undefined && url.username === "" && url.search === "" && url.hash === "";
  if (!plain || !/^https?:$/.test(url.protocol))
    throw new ErrandError(
      "config-invalid",
      'authorization.baseUrl: expected the URL where the app serves the handler, such as "https://app.example.com/errand", without query or fragment.',
    );
  return url.href.replace(/\/+$/, "");
}

/** States are random, and only their hash is kept: who reads the store cannot use them. */
export function hashState(state: string): string {
  return createHash("sha256").update(state).digest("hex");
}

export interface SendOff {
  readonly accounts: Accounts;
  readonly states: AuthorizationStates;
  readonly baseUrl: string;
  readonly known: (connection: string) => Promise<boolean | Outage>;
}

export async function sendOff(user: string, connection: string, parts: SendOff): Promise<Response> {
  const known = await parts.known(connection);
  if (known === false) return page(404, NOTHING_HERE);
  if (known !== true) return later(parts.baseUrl, connection);
  const state = randomBytes(32).toString("base64url");
  const link = await parts.accounts.link(user, connection, { state, userVerifyUrl: callbackUrl(parts.baseUrl) });
  if (!link.ok) return later(parts.baseUrl, connection);
  await parts.states.put(hashState(state), { identifier: user, connection, expiresAt: link.expiresAt });
  return redirect(link.url);
}

export const NOTHING_HERE = {
  title: "There is nothing to connect here",
  text: "Please check the link: the app that sent you knows no account of this kind.",
};

export function later(baseUrl: string, connection: string): Response {
  return page(
    503,
    {
      title: "Please try again in a moment",
      text: "The service that connects accounts cannot be reached just now. Nothing is lost, and nothing was connected.",
      link: { href: connectUrl(baseUrl, connection), text: "Try again" },
    },
    { "retry-after": "30" },
  );
}

const KEPT_MS = 60_000;
/** A name that is not on the list may be new; whoever tries names must not make us ask Scalekit for each. */
const MISSED_MS = 5_000;

/** Whether the environment has this connection. A name from a URL goes no further than here unless it has. */
export function knownConnections(
  accounts: Pick<Accounts, "connections">,
  clock: Pick<Clock, "monotonic">,
): SendOff["known"] {
  let kept: { readonly listed: ReturnType<Accounts["connections"]>; readonly at: number } | undefined;
  const list = (olderThanMs: number): ReturnType<Accounts["connections"]> => {
    if (kept !== undefined && clock.monotonic() - kept.at < olderThanMs) return kept.listed;
    const entry = { listed: accounts.connections(), at: clock.monotonic() };
    kept = entry;
    void entry.listed.then((listed) => {
      if (!listed.ok && kept === entry) kept = undefined;
    });
    return entry.listed;
  };
  return async (connection) => {
    if (!/^[a-zA-Z0-9_: -]{1,400}$/.test(connection)) return false;
    const first = await list(KEPT_MS);
    if (!first.ok) return first;
    if (first.names.includes(connection)) return true;
    const second = await list(MISSED_MS);
    return second.ok ? second.names.includes(connection) : second;
  };
}
