/**
 * The access token of our own client. The SDK has one as well, but forgets how long it is good and fetches one per parallel call
 * (facts/scalekit.md P3); its public `getClientAccessToken` tells no expiry either. So this is the plain request (RFC 6749 §4.4).
 */
import { isObject } from "../core/json.ts";
import type { Clock } from "../ports/clock.ts";
import { within } from "./bounds.ts";
import { retryAfterMs } from "../core/retry-after.ts";
import { LONGEST_WISH_MS, NotSent, systemCode } from "./failure.ts";

export interface TokenOptions {
  readonly envUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly timeoutMs: number;
}

export interface Tokens {
  /** The token in hand while it is good, else a new one: one request, however many ask. @throws NotSent */
  get(ms: number, signal: AbortSignal | undefined): Promise<string>;
  /** This token was refused. */
  drop(token: string): void;
}

/** A token is renewed so long before its end, but never earlier than at nine tenths of its life. */
const MARGIN_MS = 60_000;
const UNTOLD_LIFETIME_S = 300;

export function createTokens(options: TokenOptions, clock: Clock): Tokens {
  let held: { readonly token: string; readonly until: number } | undefined;
  let fetching: Promise<string> | undefined;

  const renew = async (): Promise<string> => {
    const asked = clock.monotonic();
    const { token, lifetimeMs } = await fetchToken(options);
    held = { token, until: asked + lifetimeMs - Math.min(MARGIN_MS, lifetimeMs / 10) };
    return token;
  };
  return {
    async get(ms, signal) {
      if (held !== undefined && clock.monotonic() < held.until) return held.token;
      fetching ??= renew().finally(() => {
        fetching = undefined;
      });
      return within(fetching, ms, signal, () => new NotSent("unavailable", "no access token of Scalekit in time"));
    },
    drop(token) {
      if (held?.token === token) held = undefined;
    },
  };
}

async function fetchToken(options: TokenOptions): Promise<{ token: string; lifetimeMs: number }> {
  const { envUrl, clientId, clientSecret, timeoutMs } = options;
  try {
    const response = await fetch(`${envUrl}/oauth/token`, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret }),
      // The secret goes to the configured address and to no other.
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw refusal(response.status, response.headers);
    }
    const body: unknown = await response.json();
    const token = isObject(body) ? body["access_token"] : undefined;
    if (!isObject(body) || typeof token !== "string" || token === "")
      throw new NotSent("unavailable", "Scalekit's token endpoint answered without a token");
    const seconds = Number(body["expires_in"]);
    return { token, lifetimeMs: (seconds > 0 ? seconds : UNTOLD_LIFETIME_S) * 1_000 };
  } catch (error) {
    if (error instanceof NotSent) throw error;
    // fetch's message says nothing, and its cause may quote the request: the code is enough.
    const why = systemCode(error) ?? (error instanceof Error ? error.name : "error");
    throw new NotSent("unavailable", `no access token: Scalekit's token endpoint could not be reached (${why})`);
  }
}

function refusal(status: number, headers: Headers): NotSent {
  if (status === 429) {
    const wish = retryAfterMs(headers, undefined, LONGEST_WISH_MS);
    return new NotSent("rate-limit", "no access token: Scalekit's token endpoint answered HTTP 429", wish);
  }
  const ours = status >= 400 && status < 500 && status !== 408;
  return ours
    ? new NotSent("credentials", `Scalekit refused clientId and clientSecret (HTTP ${status}). Check them and envUrl.`)
    : new NotSent("unavailable", `no access token: Scalekit's token endpoint answered HTTP ${status}`);
}
