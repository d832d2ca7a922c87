/** Both handlers in servers as apps have them: Hono, node:http and what is built on it, and frameworks that hand over a Request. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { nodeListener } from "../../src/index.ts";
import { message, OLD_SECRET, receiver, type Receiver, signed } from "../scalekit/webhook-support.ts";
import { world, type World } from "../scalekit/app.ts";

type Handler = (request: Request) => Promise<Response>;
type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

interface App {
  readonly authorization: Handler;
  readonly webhook: Handler;
}

async function listen(t: TestContext, listener: Listener): Promise<string> {
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Each as in docs/authorization.md; answers the app's origin. */
const MOUNTS: Readonly<Record<string, (t: TestContext, app: App) => Promise<string>>> = {
  "node:http": (t, { authorization, webhook }) => {
    const [toWebhook, toAuthorization] = [nodeListener(webhook), nodeListener(authorization)];
    return listen(t, (request, response) =>
      request.url === "/errand/webhook" ? toWebhook(request, response) : toAuthorization(request, response),
    );
  },
  Hono: async (t, { authorization, webhook }) => {
    const app = new Hono();
    app.post("/errand/webhook", (c) => webhook(c.req.raw));
    app.all("/errand/*", (c) => authorization(c.req.raw));
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    await new Promise<void>((resolve) => server.once("listening", resolve));
    t.after(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  // Express and Connect cut the path that a handler is mounted at from `request.url`.
  "a router that cuts the path": (t, { authorization, webhook }) => {
    const [toWebhook, toAuthorization] = [nodeListener(webhook), nodeListener(authorization)];
    return listen(t, (request, response) => {
      request.url = (request.url ?? "").slice("/errand".length);
      return request.url === "/webhook" ? toWebhook(request, response) : toAuthorization(request, response);
    });
  },
};

async function appOf(t: TestContext): Promise<{ app: App; on: World; hooks: Receiver }> {
  const on = await world(t);
  const hooks = receiver(t);
  return { app: { authorization: (request) => on.handler(request), webhook: hooks.handler }, on, hooks };
}

/** What a browser sends: GET, and redirects are not followed. */
const visit = (url: string): Promise<Response> => fetch(url, { redirect: "manual" });

for (const [name, mount] of Object.entries(MOUNTS)) {
  test(`${name}: out and back`, async (t) => {
    const { app, on } = await appOf(t);
    const origin = await mount(t, app);
    const toConsent = await visit(`${origin}/errand/connect/gmail`);
    assert.equal(toConsent.status, 302);
    const back = new URL(await on.emulator.approve(toConsent.headers.get("location") ?? ""));
    const closing = await visit(`${origin}${back.pathname}${back.search}`);
    assert.equal(closing.status, 200);
    assert.match(closing.headers.get("content-security-policy") ?? "", /script-src 'sha256-/);
    assert.match(await closing.text(), /close this tab/);
    assert.deepEqual(on.returned, [{ identifier: "ada", connection: "gmail" }]);
    assert.equal((await visit(`${origin}/errand/callback${back.search}`)).status, 404);
  });

  test(`${name}: a webhook with its raw body, ten megabytes, and headers that come twice`, async (t) => {
    const { app, hooks } = await appOf(t);
    const url = `${await mount(t, app)}/errand/webhook`;
    const post = async ({ headers, body }: ReturnType<typeof message>): Promise<number> =>
      (await fetch(url, { method: "POST", headers: { ...headers }, body })).status;
    // Spaces, and characters of several bytes: a body that was parsed and written anew would be another one.
    const real = signed(`{ "type" : "x", "note": "${"ü€😀".repeat(10_000)}" }`);
    assert.equal(await post(real), 200);
    assert.equal(await post(message({ secrets: [OLD_SECRET] })), 401);
    assert.equal(await post(message()), 200);
    assert.equal(await hooks.heard(), 1);
    // The answer comes before all is sent, and the rest of it is refused with the connection.
    const big = await post(signed(`"${"x".repeat(10 * 1024 * 1024)}"`)).catch(() => 413);
    assert.equal(big, 413);

    const { headers, body } = message();
    const twice = ["webhook-signature", headers["webhook-signature"] ?? ""];
    assert.equal(await rawPost(url, [...Object.entries(headers).flat(), ...twice], String(body)), 401);
    assert.equal(await hooks.heard(), 1);
  });
}

/** Names and values in turn, so that a name may come twice. */
async function rawPost(url: string, headers: readonly string[], body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const { host } = new URL(url);
    const request = httpRequest(url, { method: "POST", headers: ["host", host, ...headers] }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on("error", reject);
    request.end(body);
  });
}

test("a framework whose routes are functions of a Request, such as Next: the handler is the route", async (t) => {
  const { app, on, hooks } = await appOf(t);
  // app/errand/[...path]/route.ts and app/errand/webhook/route.ts; Next gives a context besides.
  const GET: (request: Request, context?: object) => Promise<Response> = app.authorization;
  const POST: (request: Request, context?: object) => Promise<Response> = app.webhook;
  const context = { params: Promise.resolve({ path: ["connect", "gmail"] }) };
  const toConsent = await GET(new Request("http://localhost:3000/errand/connect/gmail"), context);
  const back = new URL(await on.emulator.approve(toConsent.headers.get("location") ?? ""));
  const closing = await GET(new Request(`http://localhost:3000${back.pathname}${back.search}`), context);
  assert.equal(closing.status, 200);
  const { headers, body } = message();
  const init = { method: "POST", headers: { ...headers }, body };
  assert.equal((await POST(new Request("http://localhost:3000/errand/webhook", init), context)).status, 200);
  assert.equal(await hooks.heard(), 1);
});

test("behind a body parser: the app's mistake is told, unless the parser kept the raw body", async (t) => {
  const { app, hooks } = await appOf(t);
  const listener = nodeListener(app.webhook);
  const parse =
    (keep: boolean): Listener =>
    async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
      // What `verify` of express.json() is used for.
      if (keep) Object.assign(request, { rawBody: Buffer.concat(chunks) });
      await listener(request, response);
    };
  for (const [keep, status] of [
    [true, 200],
    [false, 401],
  ] as const) {
    const { headers, body } = message();
    const url = await listen(t, parse(keep));
    assert.equal((await fetch(url, { method: "POST", headers: { ...headers }, body })).status, status);
  }
  assert.match(hooks.logged.at(-1) ?? "", /"why":"empty-body"/);
});
