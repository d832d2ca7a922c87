/** An app with the authorization handler, on an emulated Scalekit and a real Redis: what a browser meets. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { TestContext } from "node:test";
import type { AuthorizationState } from "../../src/ports/states.ts";
import { redisStates } from "../../src/queue/states.ts";
import type { Store } from "../../src/queue/store.ts";
import { type AuthorizationOptions, connectUrl, createAuthorization } from "../../src/scalekit/callback.ts";
import { TELL_OPENER } from "../../src/scalekit/opener.ts";
import { testStore } from "../support/store.ts";
import { start, type StartOptions, type Started } from "./start.ts";

export const BASE: string = "https://app.example.com/errand";

export interface Kept extends AuthorizationState {
  readonly hash: string;
  /** Unix milliseconds. */
  readonly expires: number;
}

export interface World extends Started {
  /** Who is signed in, from now on. */
  signIn(identifier: string | null): void;
  get(url: string, init?: RequestInit): Promise<Response>;
  readonly handler: (request: Request) => Promise<Response>;
  readonly returned: AuthorizationState[];
  readonly store: Store;
  /** The states that wait for their return. */
  kept(): Promise<readonly Kept[]>;
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
  const { store } = testStore(t);
  const returned: AuthorizationState[] = [];
  const logged: string[] = [];
  const note = (event: string, fields: object): void => void logged.push(`${event} ${JSON.stringify(fields)}`);
  let user: string | null = "ada";
  const handler = createAuthorization({
    accounts,
    states: redisStates(store, () => clock.now()),
    baseUrl: BASE,
    getUser: () => user,
    onReturn: (state) => void returned.push(state),
    clock,
    log: { info: note, warn: note, error: note },
    ...app,
  });
  return {
    ...started,
    store,
    kept: () => keptIn(store),
    returned,
    logged,
    signIn: (identifier) => void (user = identifier),
    get: (url, init) => handler(new Request(url, init)),
    handler,
  };
}

async function keptIn({ redis, prefix }: Store): Promise<Kept[]> {
  const keys = await redis.keys(`${prefix}state:*`);
  const all = await Promise.all(keys.map(async (key) => ({ key, state: await redis.hgetall(key) })));
  return all
    .filter(({ state }) => state["by"] === undefined)
    .map(({ key, state }) => ({
      hash: key.slice(`${prefix}state:`.length),
      identifier: state["identifier"] ?? "",
      connection: state["connection"] ?? "",
      expires: Number(state["expires"]),
    }));
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
  /^default-src 'none'; (script-src 'sha256-[^']+'; )?style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/;

/**
 * Every answer is closed to caches and tells nobody where it came from; its page loads nothing, and runs nothing but the one
 * script that tells the app's pages.
 */
export async function pageOf(response: Response, status: number, tells = false): Promise<string> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(policy, STRICT);
  assert.equal(policy.includes("script-src"), tells);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("referrer-policy"), "no-referrer");
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  const without = tells ? text.replace(`<script>${TELL_OPENER}</script>`, "") : text;
  assert.doesNotMatch(without, /<script|<img|<iframe|<form|<link|src=|url\(|\son\w+=/i);
  for (const [, content = ""] of text.matchAll(/<(?:style|script)>([\s\S]*?)<\/(?:style|script)>/g))
    assert.equal(policy.includes(`'sha256-${createHash("sha256").update(content).digest("base64")}'`), true, content);
  return text;
}
