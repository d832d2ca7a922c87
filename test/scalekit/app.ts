/** An app with the authorization handler, on an emulated Scalekit: what a browser meets. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { TestContext } from "node:test";
import type { AuthorizationState, AuthorizationStates } from "../../src/ports/states.ts";
import { type AuthorizationOptions, connectUrl, createAuthorization } from "../../src/scalekit/callback.ts";
import { start, type StartOptions, type Started } from "./start.ts";

export const BASE: string = "https://app.example.com/errand";

export interface World extends Started {
  /** Who is signed in, from now on. */
  signIn(identifier: string | null): void;
  get(url: string, init?: RequestInit): Promise<Response>;
  readonly returned: AuthorizationState[];
  /** What the store holds: hash → state. */
  readonly kept: Map<string, AuthorizationState & { readonly expiresAt: number }>;
  /** Everything that was logged. */
  readonly logged: string[];
}

export async function world(
  t: TestContext,
  options: StartOptions & { readonly app?: Partial<AuthorizationOptions> } = {},
): Promise<World> {
  const { app, ...rest } = options;
  const started = await start(t, rest);
  const { clock, accounts } = started;
  const kept: World["kept"] = new Map();
  const states: AuthorizationStates = {
    put: async (hash, state) => void kept.set(hash, state),
    take: async (hash) => {
      const state = kept.get(hash);
      kept.delete(hash);
      return state !== undefined && state.expiresAt > clock.now() ? state : undefined;
    },
  };
  const returned: AuthorizationState[] = [];
  const logged: string[] = [];
  const note = (event: string, fields: object): void => void logged.push(`${event} ${JSON.stringify(fields)}`);
  let user: string | null = "ada";
  const handler = createAuthorization({
    accounts,
    states,
    baseUrl: BASE,
    getUser: () => user,
    onReturn: (state) => void returned.push(state),
    clock,
    log: { info: note, warn: note, error: note },
    ...app,
  });
  return {
    ...started,
    kept,
    returned,
    logged,
    signIn: (identifier) => void (user = identifier),
    get: (url, init) => handler(new Request(url, init)),
  };
}

/** Out: the address of Scalekit's consent page. */
export async function out(on: World, connection = "gmail"): Promise<string> {
  const response = await on.get(connectUrl(BASE, connection));
  assert.equal(response.status, 302, await response.text());
  return response.headers.get("location") ?? "";
}

/** Out, and allowed: the address that the user is sent back to. */
export async function back(on: World, connection = "gmail"): Promise<URL> {
  return new URL(await on.emulator.approve(await out(on, connection)));
}

export function statusOf({ emulator }: World, identifier = "ada", connection = "gmail"): string | undefined {
  return emulator.account(identifier, connection)?.status;
}

const STRICT =
  /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/;

/** Every answer is closed to scripts and caches and tells nobody where it came from; its page loads nothing. */
export async function pageOf(response: Response, status: number): Promise<string> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.match(response.headers.get("content-security-policy") ?? "", STRICT);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("referrer-policy"), "no-referrer");
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.doesNotMatch(text, /<script|<img|<iframe|<form|<link|src=|url\(|\son\w+=/i);
  const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  assert.equal(
    response.headers.get("content-security-policy")?.includes(`'sha256-${hash}'`),
    true,
    "the style is allowed",
  );
  return text;
}
