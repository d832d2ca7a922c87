/**
 * The user's way to a connected account, as one fetch handler with two routes: out (`GET …/connect/:connection`, links.ts) and back
 * (`GET …/callback`). The link is opened long after the run parked, perhaps in another browser, so who it is comes from the app's
 * session and from nothing else.
 *
 * B1 Nothing is verified unless the state is ours, unused, not expired, and belongs to the user who is signed in.
 * B2 A state is used up by its first return, whatever comes of it. Without a session it is not touched: signing in and reloading works.
 * B3 The account is connected when Scalekit has verified the user, or says that it is ACTIVE; until then nothing goes on.
 * B4 Users are sent to `redirectTo`, or below the origin of `baseUrl`, and nowhere else; no query names a target.
 * B5 States, request ids and links are never logged, and no query is passed on.
 */
import { randomBytes } from "node:crypto";
import { checkIdentifier } from "../core/identifier.ts";
import { ErrandError } from "../core/errors.ts";
import type { Accounts } from "../ports/accounts.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { AuthorizationState, AuthorizationStates } from "../ports/states.ts";
import { checkBaseUrl, connectUrl, hashState, knownConnections, later, NOTHING_HERE, sendOff } from "./links.ts";
import { page, redirect } from "./page.ts";

export { connectUrl } from "./links.ts";

export interface AuthorizationOptions {
  readonly accounts: Accounts;
  readonly states: AuthorizationStates;
  /** Where the app serves this handler; Scalekit sends users back below it. */
  readonly baseUrl: string;
  /** The identifier of the user whose session the request carries, or null. */
  readonly getUser: (request: Request) => string | null | Promise<string | null>;
  /** The user has just connected this account: have a look at it. */
  readonly onReturn: (returned: AuthorizationState) => Promise<void> | void;
  readonly clock: Pick<Clock, "monotonic">;
  /** Where users go after connecting: a URL, or a path of the app. Default: a page that says that the tab can be closed. */
  readonly redirectTo?: string;
  readonly log?: Log;
}

/** @throws ErrandError `config-invalid` */
export function createAuthorization(options: AuthorizationOptions): (request: Request) => Promise<Response> {
  const { accounts, states, clock, log } = options;
  const baseUrl = checkBaseUrl(options.baseUrl);
  const redirectTo = checkTarget(options.redirectTo, baseUrl);
  const known = knownConnections(accounts, clock);
  const basePath = new URL(baseUrl).pathname.replace(/\/+$/, "");

  return async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    // A router may have cut the path that this is mounted at.
    const path = pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : pathname;
    const connection = /^\/connect\/([^/]+)$/.exec(path)?.[1];
    if (connection === undefined && path !== "/callback") return page(404, NOTHING_HERE);
    if (request.method !== "GET") return page(405, NOTHING_HERE, { allow: "GET" });
    try {
      const user = await options.getUser(request);
      if (user === null) return page(401, SIGN_IN);
      checkIdentifier(user);
      if (connection !== undefined)
        return await sendOff(user, decoded(connection), { accounts, states, baseUrl, known });
      return await comeBack(user, searchParams, { ...options, baseUrl, redirectTo });
    } catch (error) {
      // The app's session, the store or a bug. Its text may hold anything: the kind is enough.
      const kind = error instanceof ErrandError ? error.code : error instanceof Error ? error.name : "unknown";
      log?.error("authorization.failed", { route: connection === undefined ? "callback" : "connect", error: kind });
      return page(500, FAILED);
    }
  };
}

interface Parts extends Omit<AuthorizationOptions, "redirectTo"> {
  readonly redirectTo: string | undefined;
}

async function comeBack(user: string, query: URLSearchParams, parts: Parts): Promise<Response> {
  const { accounts, states, baseUrl } = parts;
  const state = only(query, "state");
  const nonce = randomBytes(16).toString("base64url");
  const kept = state === undefined ? undefined : await states.take(hashState(state), nonce);
  if (kept === undefined) return page(404, USED_UP);
  const { identifier, connection } = kept;
  if (identifier !== user) return page(403, SOMEBODY_ELSE);
  const again = { href: connectUrl(baseUrl, connection), text: "Connect" };
  if (kept.used) return page(404, { ...USED_UP, link: again });
  if (query.has("error"))
    return query.get("error") === "access_denied"
      ? page(200, { ...DENIED, link: again })
      : page(502, { ...PROVIDER_FAILED, link: { ...again, text: "Try again" } });

  const authRequestId = only(query, "auth_request_id");
  if (authRequestId === undefined) return page(404, { ...USED_UP, link: again });
  const verified = await accounts.verify(authRequestId, user);
  if (verified.ok) return await connected({ identifier, connection }, verified.redirectUrl, parts);
  switch (verified.why) {
    case "mismatch":
      return page(403, SOMEBODY_ELSE);
    case "gone":
      return page(404, { ...USED_UP, link: again });
    case "unavailable":
    case "credentials": {
      // Whether it was verified is not known; the account's status knows.
      const looked = await accounts.look(user, [connection]);
      const active = looked.ok && looked.accounts[0]?.status === "ACTIVE";
      return active ? await connected({ identifier, connection }, "", parts) : later(baseUrl, connection);
    }
  }
}

async function connected(returned: AuthorizationState, theirs: string, parts: Parts): Promise<Response> {
  try {
    await parts.onReturn(returned);
  } catch (error) {
    // It is connected all the same, and the sweep will see it.
    const kind = error instanceof Error ? error.name : "unknown";
    parts.log?.warn("authorization.return-unnoticed", { connection: returned.connection, error: kind });
  }
  const ours = new URL(parts.baseUrl).origin;
  if (parts.redirectTo !== undefined) return redirect(parts.redirectTo);
  if (URL.canParse(theirs) && new URL(theirs).origin === ours) return redirect(theirs);
  return page(200, {
    title: "Connected",
    text: `Your ${returned.connection} account is connected. Work that waited for it goes on now. You can close this tab: the page that you came from updates itself.`,
    tell: returned.connection,
  });
}

/** The value of a parameter that is there exactly once, and not absurdly long. */
function only(query: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = query.getAll(name);
  return value === undefined || others.length > 0 || value === "" || value.length > 1_000 ? undefined : value;
}

/** A name that cannot be decoded is no connection's: empty. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

function checkTarget(redirectTo: string | undefined, baseUrl: string): string | undefined {
  if (redirectTo === undefined) return undefined;
  const url = URL.canParse(redirectTo, baseUrl) ? new URL(redirectTo, baseUrl) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new ErrandError(
      "config-invalid",
      'authorization: redirectTo: expected an http(s) URL or a path of the app, such as "/settings/accounts".',
    );
  return url.href;
}

const SIGN_IN = {
  title: "Please sign in first",
  text: "Sign in to the app in this browser, then open this link again.",
};
const USED_UP = {
  title: "This link no longer works",
  text: "It was used before, or it has expired. If you have just connected your account, all is well, and you can close this tab. If not, open the app's own link again to get a new one.",
};
const SOMEBODY_ELSE = {
  title: "This link belongs to somebody else",
  text: "Nothing was connected. You are signed in as another user than the one who started this. Open your own link from the app.",
};
const DENIED = {
  title: "Nothing was connected",
  text: "You did not allow it, and that is fine. Work that needs this account keeps waiting. If you change your mind:",
};
const PROVIDER_FAILED = {
  title: "That did not work",
  text: "The provider reported an error, and nothing was connected.",
};
const FAILED = {
  title: "Something went wrong",
  text: "That was not your fault. Please open the link again in a minute.",
};
