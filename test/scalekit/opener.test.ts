/** The closing page's one script: what it says, to whom, and that nothing of the user is in it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { BroadcastChannel } from "node:worker_threads";
import { back, pageOf, world } from "./app.ts";

const ORIGIN = "https://app.example.com";

interface Posted {
  readonly data: unknown;
  readonly target: unknown;
}

/** Runs a page's scripts as a browser would that has so much of a window. */
function load(html: string, opener: boolean): Posted[] {
  const posted: Posted[] = [];
  const connection = /<html [^>]*data-connection="([^"]*)"/.exec(html)?.[1];
  const window = {
    opener: opener ? { postMessage: (data: unknown, target: unknown) => posted.push({ data, target }) } : null,
  };
  const context = createContext({
    window,
    location: { origin: ORIGIN },
    document: { documentElement: { dataset: { connection } } },
    BroadcastChannel,
  });
  for (const [, script = ""] of html.matchAll(/<script>([\s\S]*?)<\/script>/g)) runInContext(script, context);
  // Objects of another realm are never deeply equal.
  return JSON.parse(JSON.stringify(posted)) as Posted[];
}

test("connected: the page that opened this one is told, and all others of the app's origin", async (t) => {
  const on = await world(t, { connections: [{ name: "google mail: 2", connector: "gmail" }] });
  const html = await pageOf(await on.get((await back(on, "google mail: 2")).href), 200, true);
  assert.match(html, /the page that you came from updates itself/);
  assert.doesNotMatch(html, /ada|state=|auth_request_id|magicLink/);

  const channel = new BroadcastChannel("errand");
  t.after(() => channel.close());
  const said = once(channel as unknown as EventTarget, "message") as Promise<[MessageEvent]>;
  const message = { type: "errand:connected", connection: "google mail: 2" };
  assert.deepEqual(load(html, true), [{ data: message, target: ORIGIN }]);
  assert.deepEqual((await said)[0].data, message);
  // Opened by a mail, or cut off by the provider's pages: there is no opener.
  assert.deepEqual(load(html, false), []);
});

test("not connected: nothing is said", async (t) => {
  const on = await world(t);
  const callback = await back(on);
  on.signIn("bob");
  assert.doesNotMatch(await pageOf(await on.get(callback.href), 403), /<script/);
});
