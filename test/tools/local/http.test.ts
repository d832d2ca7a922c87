/** `ctx.utils.httpRequest`: a URL from a model reaches public addresses only. Real servers on loopback. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { ExternalAPIError, ValidationError } from "../../../src/core/tool-errors.ts";
import { fetchGuarded, type HttpRules, isPublic } from "../../../src/tools/local/http.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Site {
  readonly host: string;
  readonly seen: Seen[];
}

async function serve(t: TestContext, answer: (request: Seen, response: ServerResponse) => void): Promise<Site> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const one = { method, url, headers, body };
      seen.push(one);
      answer(one, response);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const rules = (more: Partial<HttpRules> = {}): HttpRules => ({ signal: new AbortController().signal, ...more });

const PRIVATE =
  `0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.255.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.168.1.1 192.0.0.1
  192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1
  fc00::1 fd12::1 fe80::1 ff02::1 2001:db8::1 2001::1 2002:7f00:1::1 3fff::1`.split(/\s+/);

test("addresses that are not public, and some that are", () => {
  assert.deepEqual(PRIVATE.filter(isPublic), []);
  const open = ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::8"];
  assert.deepEqual(
    open.filter((it) => !isPublic(it)),
    [],
  );
  assert.equal(isPublic("example.com"), false);
});

for (const url of [
  "http://127.0.0.1/",
  "http://localhost/",
  "http://2130706433/",
  "http://0x7f.1/",
  "http://0177.0.0.1/",
  "http://[::1]/",
  "http://[::ffff:169.254.169.254]/latest/meta-data",
  "http://169.254.169.254/latest/meta-data",
  "https://10.0.0.1:8443/",
])
  test(`${url} is not asked`, async () => {
    await assert.rejects(fetchGuarded({ url }, rules()), (error) => error instanceof ValidationError);
  });

for (const url of [
  "file:///etc/passwd",
  "ftp://example.com",
  "//example.com",
  "example.com",
  "",
  "http://u:p@example.com/",
])
  test(`${JSON.stringify(url)} is no URL to ask`, async () => {
    await assert.rejects(fetchGuarded({ url }, rules()), (error) => error instanceof ValidationError);
  });

test("a name is judged by all its addresses: one that is not public is enough", async () => {
  const resolve = (): Promise<string[]> => Promise.resolve(["8.8.8.8", "127.0.0.1"]);
  await assert.rejects(fetchGuarded({ url: "http://rebind.example/" }, rules({ resolve })), /not a public address/);
});

test("the connection goes to the address that was judged: the name is resolved once", async (t) => {
  const site = await serve(t, (_request, response) => response.end("here"));
  let asked = 0;
  const resolve = (): Promise<string[]> => Promise.resolve(asked++ === 0 ? ["127.0.0.1"] : ["192.0.2.1"]);
  const port = site.host.split(":")[1] ?? "";
  const hosts = [`pinned.example:${port}`];
  const answer = await fetchGuarded({ url: `http://pinned.example:${port}/x` }, rules({ hosts, resolve }));
  assert.equal(answer.data, "here");
  assert.equal(asked, 1);
  assert.equal(site.seen[0]?.headers.host, `pinned.example:${port}`);
});

test("only the hosts that the tool names", async () => {
  const resolve = (): Promise<string[]> => Promise.resolve(["127.0.0.1"]);
  for (const url of ["http://evil.example/", "http://api.example.com.evil.example/", "http://example.com/"])
    await assert.rejects(
      fetchGuarded({ url }, rules({ hosts: ["api.example.com", "*.example.com"], resolve })),
      /none of the hosts/,
      url,
    );
  await assert.rejects(
    fetchGuarded({ url: "http://a.example.com/" }, rules({ hosts: ["*.example.com"], resolve })),
    /not a public address/,
    "a name that is allowed is still judged by its addresses",
  );
});

test("what is sent and what comes: method, headers, JSON, status", async (t) => {
  const site = await serve(t, (_request, response) => {
    response.writeHead(404, { "content-type": "application/problem+json", "x-a": ["1", "2"] });
    response.end('{"detail":"none"}');
  });
  const answer = await fetchGuarded(
    { url: `http://${site.host}/a?b=%2F`, method: "post", headers: { Authorization: "Bearer t" }, body: { n: 1n } },
    rules({ hosts: [site.host] }),
  );
  const [seen] = site.seen;
  assert.deepEqual([seen?.method, seen?.url, seen?.body], ["POST", "/a?b=%2F", '{"n":"1"}']);
  assert.equal(seen?.headers.authorization, "Bearer t");
  assert.equal(seen?.headers["content-type"], "application/json");
  assert.deepEqual(
    [answer.status, answer.ok, answer.data, answer.headers["x-a"]],
    [404, false, { detail: "none" }, "1, 2"],
  );
});

test("headers that frame the message or break out of their line are refused", async () => {
  for (const headers of [{ Host: "x" }, { "Content-Length": "0" }, { "x-a": "1\r\nx-b: 2" }, { "a b": "1" }])
    await assert.rejects(fetchGuarded({ url: "http://8.8.8.8/", headers }, rules()), /is not allowed/);
});

test("each redirect is judged anew, and another origin is not told who we are", async (t) => {
  const other = await serve(t, (_request, response) => response.end("other"));
  const site = await serve(t, ({ url }, response) => {
    const to: Record<string, string> = {
      "/private": "http://127.0.0.1:1/",
      "/other": `http://${other.host}/`,
      "/file": "file:///etc/passwd",
      "/loop": "/loop",
    };
    response.writeHead(307, { location: to[url] ?? "/" }).end();
  });
  const hosts = [site.host, other.host];
  const headers = { authorization: "Bearer t", "x-api-key": "secret", accept: "text/plain" };
  const ask = (path: string): ReturnType<typeof fetchGuarded> =>
    fetchGuarded({ url: `http://${site.host}${path}`, headers }, rules({ hosts }));
  await assert.rejects(ask("/private"), /none of the hosts/);
  await assert.rejects(ask("/file"), /http or https/);
  await assert.rejects(ask("/loop"), /more than 5 redirects/);
  assert.equal((await ask("/other")).data, "other");
  const { authorization, accept, ...more } = other.seen[0]?.headers ?? {};
  assert.deepEqual([authorization, more["x-api-key"], accept], [undefined, undefined, "text/plain"]);
});

test("a method that makes a tunnel or tells our own headers, and a change of the protocol, are refused", async () => {
  for (const method of ["CONNECT", "trace", "A B"])
    await assert.rejects(fetchGuarded({ url: "http://8.8.8.8/", method }, rules()), /no method/);
  for (const name of ["Upgrade", "Expect", "TE"])
    await assert.rejects(fetchGuarded({ url: "http://8.8.8.8/", headers: { [name]: "x" } }, rules()), /is not allowed/);
});

test("an answer that is too large, one that does not come, and a connection that breaks are told", async (t) => {
  const site = await serve(t, ({ url }, response) => {
    if (url === "/large") {
      response.end(Buffer.alloc(6 * 1_024 * 1_024));
    } else if (url === "/broken") {
      response.writeHead(200, { "content-length": "10" });
      response.write("12345", () => response.destroy());
    }
  });
  const hosts = [site.host];
  const ask = (path: string, timeout = 5_000): Promise<unknown> =>
    fetchGuarded({ url: `http://${site.host}${path}`, timeout }, rules({ hosts }));
  const told = (message: RegExp) => (error: unknown) =>
    error instanceof ExternalAPIError && message.test(error.message);
  await assert.rejects(ask("/large"), told(/larger than/));
  await assert.rejects(ask("/broken"), told(/connection failed/));
  await assert.rejects(ask("/silent", 50), told(/no answer in time/));
});
