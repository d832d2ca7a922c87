/**
 * The way out: the app's own URL, which never goes stale, leads a signed-in user to a link of Scalekit's that works. A link is made
 * when somebody asks for it; clicks of one user on one connection share it (ports/states.ts).
 */
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ErrandError } from "../core/errors.ts";
import type { Accounts, Outage } from "../ports/accounts.ts";
import type { Clock } from "../ports/clock.ts";
import type { AuthorizationRequest, AuthorizationStates } from "../ports/states.ts";
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

/** How often, and how long, one click waits for another of the same user that is making their link. */
const ASK_AGAIN_MS = 100;
const WAIT_MS = 10_000;

export async function sendOff(user: string, connection: string, parts: SendOff): Promise<Response> {
  const known = await parts.known(connection);
  if (known === false) return page(404, NOTHING_HERE);
  if (known !== true) return later(parts.baseUrl, connection);
  const request = { identifier: user, connection, returnTo: callbackUrl(parts.baseUrl) };
  const nonce = randomBytes(16).toString("base64url");
  for (let waited = 0; waited <= WAIT_MS; waited += ASK_AGAIN_MS) {
    const turn = await parts.states.begin(request, nonce);
    if (turn.kind === "link") return redirect(turn.url);
    if (turn.kind === "make") return await makeLink(request, nonce, parts);
    await sleep(ASK_AGAIN_MS);
  }
  return later(parts.baseUrl, connection);
}

async function makeLink(request: AuthorizationRequest, nonce: string, parts: SendOff): Promise<Response> {
  const { accounts, states, baseUrl } = parts;
  const { identifier, connection, returnTo } = request;
  const state = randomBytes(32).toString("base64url");
  const link = await accounts.link(identifier, connection, { state, userVerifyUrl: returnTo });
  if (!link.ok) {
    await states.giveUp(request, nonce);
    return later(baseUrl, connection);
  }
  await states.keep(request, { stateHash: hashState(state), url: link.url, expiresAt: link.expiresAt });
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
